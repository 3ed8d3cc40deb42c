//! `userIdentity`: who called.
//!
//! Members: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>.

use std::borrow::Cow;

use onus_core::Actor;

use super::record::Record;
use crate::text::{Text, each_member};

/// The parts of `userIdentity` that somebody asks for.
#[derive(Debug, Default)]
pub(super) struct Identity<'a> {
    pub(super) kind: Text<'a>,
    pub(super) arn: Text<'a>,
    pub(super) principal: Text<'a>,
    pub(super) account: Text<'a>,
    pub(super) user_name: Text<'a>,
    invoked_by: Text<'a>,
    issuer: Text<'a>,
    mfa: Option<bool>,
}

impl<'a> Identity<'a> {
    /// Reads a record's `userIdentity`. What is missing, or is no object, is empty.
    pub(super) fn of(record: &Record<'a>) -> Self {
        let mut identity = Identity::default();
        let (mut session, mut behalf) = (None, None);
        walk(record.identity, &mut |name, value| match name {
            "type" => identity.kind = Text::of(value),
            "arn" => identity.arn = Text::of(value),
            "principalId" | "principalid" => identity.principal = Text::of(value),
            "accountId" | "accountid" => identity.account = Text::of(value),
            "userName" | "username" => identity.user_name = Text::of(value),
            "invokedBy" | "invokedby" => identity.invoked_by = Text::of(value),
            "sessionContext" | "sessioncontext" => session = Some(value),
            "onBehalfOf" | "onbehalfof" => behalf = Some(value),
            _ => {}
        });
        let (mut issuer, mut attributes, mut person) = (None, None, Text::default());
        walk(session, &mut |name, value| match name {
            "sessionIssuer" | "sessionissuer" => issuer = Some(value),
            "attributes" => attributes = Some(value),
            _ => {}
        });
        walk(issuer, &mut |name, value| {
            if matches!(name, "principalId" | "principalid") {
                identity.issuer = Text::of(value);
            }
        });
        walk(attributes, &mut |name, value| {
            if matches!(name, "mfaAuthenticated" | "mfaauthenticated") {
                identity.mfa = Text::of(value).as_bool();
            }
        });
        // An IAM Identity Center user has no ARN and no principal id of its own.
        walk(behalf, &mut |name, value| {
            if matches!(name, "userId" | "userid") {
                person = Text::of(value);
            }
        });
        identity.principal = identity.principal.or(person);
        if identity.issuer.0.is_empty() {
            identity.issuer = Text(role_id(&identity.kind.0, &identity.principal.0));
        }
        identity
    }

    /// The actor, with the second factor that a sign-in record states elsewhere.
    pub(super) fn into_actor(self, sign_in_mfa: Option<bool>) -> Actor<'a> {
        Actor {
            kind: self.kind.0,
            id: self.arn.or(self.user_name).0,
            principal: self.principal.0,
            account: self.account.0,
            issuer: self.issuer.some(),
            invoked_by: self.invoked_by.some(),
            mfa: sign_in_mfa.or(self.mfa),
            delegates: Vec::new(),
        }
    }
}

/// The unique id of the role that a session's principal id names, `AROA…:session`; empty for any other principal. Records of another
/// account's access (`AWSAccount`) have no session context, and those of sessions may lack it. No part of a name counts: a session name
/// holds no colon, and only the two kinds whose ids AWS itself makes are looked at.
/// Source: "Unique identifiers", IAM user guide.
fn role_id<'a>(kind: &str, principal: &Cow<'a, str>) -> Cow<'a, str> {
    let is_session = matches!(kind, "AssumedRole" | "AWSAccount") && principal.starts_with("AROA");
    let end = principal.find(':').filter(|_| is_session).unwrap_or(0);
    match principal {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(..end).unwrap_or_default()),
        Cow::Owned(text) => Cow::Owned(text.get(..end).unwrap_or_default().to_owned()),
    }
}

/// The members of an object inside a record that was read, so is valid JSON; nothing for anything else.
fn walk<'a>(object: Option<&'a str>, take: &mut dyn FnMut(&str, &'a str)) {
    if let Some(object) = object.filter(|text| text.starts_with('{')) {
        // A name that cannot be a string (a lone surrogate) ends the walk: what was read until then stands.
        let _ = each_member(object, take);
    }
}

/// `additionalEventData.MFAUsed`: `Yes` or `No`, on sign-in records.
pub(super) fn sign_in_mfa(record: &Record<'_>) -> Option<bool> {
    let mut used = None;
    walk(record.additional, &mut |name, value| {
        if name.eq_ignore_ascii_case("MFAUsed") {
            used = match Text::of(value).0.as_ref() {
                "Yes" => Some(true),
                "No" => Some(false),
                _ => None,
            };
        }
    });
    used
}
