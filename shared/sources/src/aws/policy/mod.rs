//! Who an AWS policy document lets in.

mod document;

use onus_core::{Audience, Doubt, Grant, Json};

pub use document::{PolicyError, document};

/// Where a policy document hangs, which decides what its statements mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// On a resource: a bucket, topic, queue, key, secret, repository, function, … Names who may use it.
    Resource,
    /// On a role: names who may assume it.
    Trust,
    /// On a user, group or role, or managed: names what the holder may do.
    Identity,
}

/// What must be known besides the document to judge it.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The account that owns the resource: its own identities are [`Audience::Internal`]. Empty when unknown, and then
    /// every account is [`Audience::External`].
    pub account: &'a str,
    /// The ARN, else the name, that [`Grant::resource`] shall say.
    pub resource: &'a str,
    /// What kind of policy it is.
    pub kind: PolicyKind,
}

/// What one statement of a policy does.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The statement's place in the document, from 0.
    pub index: usize,
    /// The statement's Sid, when it has one that is not empty.
    pub sid: Option<String>,
    /// The widest audience of the grants; `None` when the statement grants nothing: a Deny, or an Allow that a Deny
    /// takes back.
    pub audience: Option<Audience>,
    /// One grant for each principal and account that the statement lets in.
    pub grants: Vec<Grant>,
    /// What the document alone does not tell.
    pub doubts: Vec<Doubt>,
}

/// Judges every statement of a policy, in the order of the document.
///
/// # Errors
/// The document is no policy: not JSON, or a statement lacks or misspells an element. The error names the path.
pub fn judge(document: &Json<'_>, context: &Context<'_>) -> Result<Vec<Judged>, PolicyError> {
    let document = self::document(document)?;
    let _ = (document, context);
    Ok(Vec::new())
}

/// Whether a statement of an identity policy lets its holder give itself any permission.
pub fn is_admin(statement: &Judged) -> bool {
    statement.grants.iter().any(|grant| grant.level == onus_core::Level::Admin)
}
