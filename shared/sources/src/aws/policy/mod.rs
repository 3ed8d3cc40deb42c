//! Who an AWS policy document lets in.
//!
//! One analysis for records and for live state. It answers, for each statement, whom it lets in after conditions and
//! after the Deny statements of the same document, in [`Audience`]s:
//!
//! * [`Audience::Public`]: AWS's own definition, "The meaning of public" (Amazon S3 User Guide, "Blocking public access
//!   to your Amazon S3 storage"): a policy is public unless it grants only to fixed principals or under fixed values of
//!   certain condition keys. The keys are in `condition`, and other services are judged by the same rule.
//!   `NotPrincipal` with Allow is everyone but a few, and so public. A federated principal of an issuer that serves
//!   everybody is public unless the tenant is fixed.
//! * [`Audience::AnyAuthenticated`]: `lambda:FunctionUrlAuthType` fixed to `AWS_IAM`.
//! * [`Audience::External`]: a foreign account; and what is fixed but does not tell an account of the owner's: an
//!   organisation, a VPC, a network, a bucket, an OIDC provider. [`Grant::account`] then names the organisation, VPC or
//!   VPC endpoint, so that an operator can trust it like an account; for the others it is empty.
//! * [`Audience::Internal`]: the owner's account; a service that acts only for a fixed source.
//! * [`Audience::Service`]: a service principal without a fixed source. Whoever can make that service act can use the
//!   grant (the confused deputy, IAM User Guide); for services that act only for their own account's resources, as in
//!   most trust policies, it is harmless. Rules must tell the two apart.
//!
//! What counts as *fixed* and which Deny counts is documented in the modules `condition` and `deny`. Where the language
//! leaves a choice the wider audience is told. What other policies do (Block Public Access, service and resource
//! control policies, permission boundaries) is live state and not looked at here.

mod condition;
mod deny;
mod document;
mod federated;
mod level;
mod pattern;
mod principal;
mod reach;
mod statement;
#[cfg(test)]
mod tests;

use onus_core::{Audience, Doubt, Grant, Json, Level};

use self::condition::Scope;
use self::reach::Reaches;
use self::statement::{Patterns, Principal, Principals, Statement};

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
    /// The statement's Sid, when it has one that is not empty and that no other statement has.
    pub sid: Option<String>,
    /// The widest audience of the grants; `None` when the statement grants nothing: a Deny, or an Allow that a Deny
    /// takes back.
    pub audience: Option<Audience>,
    /// One grant for each principal and account that the statement lets in. [`Grant::via`] is `policy` or `trust`,
    /// [`Grant::part`] is [`Judged::part`].
    pub grants: Vec<Grant>,
    /// What neither the document nor the context tells: whose the resource is.
    pub doubts: Vec<Doubt>,
}

impl Judged {
    /// How the statement is named when it is taken back alone: its Sid, else `#` and its place.
    pub fn part(&self) -> String {
        self.sid.clone().unwrap_or_else(|| format!("#{}", self.index))
    }
}

/// Judges every statement of a policy, in the order of the document.
///
/// `document` may be an object, JSON text or percent-encoded JSON text; `Statement` an object or a list. When two
/// statements have the same Sid, neither is named by it: [`Judged::sid`] is `None` and the part is the place.
///
/// # Errors
/// The document is no policy: not JSON, or a statement lacks or misspells an element. The error names the path. AWS
/// refuses such documents too, but an emulator or an older service may not.
pub fn judge(document: &Json<'_>, context: &Context<'_>) -> Result<Vec<Judged>, PolicyError> {
    let document = self::document(document)?;
    let statements = statement::statements(&document, context.kind)?;
    Ok(statements.iter().map(|statement| judge_one(statement, &statements, context)).collect())
}

/// Whether an identity policy lets its holder give itself any permission: `*`, `iam:*`, or one of the IAM actions that
/// amount to it, on every user, group, role or policy of the account, and no unconditional Deny beside it that takes it
/// back. An empty `account` is matched by wildcards only.
///
/// # Errors
/// As [`judge`].
pub fn is_admin(document: &Json<'_>, account: &str) -> Result<bool, PolicyError> {
    let context = Context { account, resource: "", kind: PolicyKind::Identity };
    Ok(judge(document, &context)?.iter().flat_map(|judged| &judged.grants).any(|grant| grant.level == Level::Admin))
}

fn judge_one(statement: &Statement<'_>, all: &[Statement<'_>], context: &Context<'_>) -> Judged {
    let shared = |sid: &&str| all.iter().filter(|other| other.sid == Some(*sid)).count() > 1;
    let mut judged = Judged {
        index: statement.index,
        sid: statement.sid.filter(|sid| !shared(sid)).map(str::to_owned),
        audience: None,
        grants: Vec::new(),
        doubts: Vec::new(),
    };
    if statement.allow {
        let part = judged.part();
        judged.grants = match &statement.principals {
            Principals::Holder => to_holder(statement, all, context, &part),
            Principals::Listed(listed) => {
                listed.iter().flat_map(|who| to_principal(*who, statement, all, context, &part)).collect()
            }
            Principals::Except(_) => to_principal(Principal::Everyone, statement, all, context, &part),
        };
        judged.audience = judged.grants.iter().map(|grant| grant.audience).min();
        if context.account.is_empty() && judged.grants.iter().any(|grant| grant.account.is_some()) {
            judged.doubts.push(Doubt::new(
                format!("account of {}", context.resource),
                "is not known, so that its own identities count as external",
            ));
        }
    }
    judged
}

/// What a statement of an identity policy gives its holder.
fn to_holder(statement: &Statement<'_>, all: &[Statement<'_>], context: &Context<'_>, part: &str) -> Vec<Grant> {
    let taken_back = all.iter().any(|deny| !deny.allow && deny.conditions.is_empty() && deny::hits(deny, statement));
    if taken_back {
        return Vec::new();
    }
    vec![Grant {
        resource: context.resource.to_owned(),
        audience: Audience::Internal,
        principal: context.resource.to_owned(),
        account: (!context.account.is_empty()).then(|| context.account.to_owned()),
        actions: level::as_written(&statement.actions),
        level: level::of_identity(statement, all, context.account),
        via: "policy".to_owned(),
        part: Some(part.to_owned()),
    }]
}

/// What a statement gives one of its principals: a grant for each account that may come through.
fn to_principal(
    who: Principal<'_>,
    statement: &Statement<'_>,
    all: &[Statement<'_>],
    context: &Context<'_>,
    part: &str,
) -> Vec<Grant> {
    if context.kind == PolicyKind::Trust && !lets_assume(&statement.actions) {
        return Vec::new();
    }
    let scope = scope(statement, context);
    let mut limits = deny::limits(statement, who, all, scope);
    limits.push(principal::narrowed(who, &statement.conditions, scope));
    let reaches = Reaches::tightest(limits).unwrap_or_default();
    let (via, level) = match context.kind {
        // What the role may do is not in its trust policy.
        PolicyKind::Trust => ("trust", Level::Write),
        PolicyKind::Resource | PolicyKind::Identity => ("policy", level::of_resource(&statement.actions)),
    };
    let grant = |reach: &reach::Reach| Grant {
        resource: context.resource.to_owned(),
        audience: reach.audience,
        principal: as_written(who).to_owned(),
        account: reach.account.clone(),
        actions: level::as_written(&statement.actions),
        level,
        via: via.to_owned(),
        part: Some(part.to_owned()),
    };
    reaches.list().iter().map(grant).collect()
}

/// Whether a statement of a trust policy lets anybody in: to tag a session alone gives none.
fn lets_assume(actions: &Patterns<'_>) -> bool {
    ["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoot"]
        .iter()
        .any(|action| actions.matches(action, true))
}

fn scope<'a>(statement: &Statement<'_>, context: &Context<'a>) -> Scope<'a> {
    let hangs_on_s3 = context.resource.starts_with("arn:") && context.resource.split(':').nth(2) == Some("s3");
    let speaks_of_s3 = match &statement.actions {
        Patterns::Listed(patterns) => {
            patterns.iter().any(|p| p.get(..3).is_some_and(|service| service.eq_ignore_ascii_case("s3:")))
        }
        Patterns::Except(_) => false,
    };
    Scope {
        owner: context.account,
        s3: hangs_on_s3 || speaks_of_s3,
        access_point: context.resource.contains(":accesspoint/"),
    }
}

fn as_written(who: Principal<'_>) -> &str {
    match who {
        Principal::Everyone => "*",
        Principal::Aws(text) | Principal::Service(text) | Principal::Federated(text) | Principal::Canonical(text) => {
            text
        }
    }
}
