//! The caller, out of the claims of his token.
//!
//! Source: <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>. `authorization.evidence` tells with
//! which role the caller acted, never which role was given.

use std::borrow::Cow;

use onus_core::{Actor, Json};

use super::record::Record;
use crate::text::{Text, unescape};

const OBJECT: &str = "http://schemas.microsoft.com/identity/claims/objectidentifier";
const TENANT: &str = "http://schemas.microsoft.com/identity/claims/tenantid";
const METHODS: &str = "http://schemas.microsoft.com/claims/authnmethodsreferences";
const UPN: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn";
const NAME: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name";

/// Who made a change that the Activity Log tells of.
pub(super) fn actor<'a>(record: &Record<'a>) -> Actor<'a> {
    let identity = object(record.identity);
    let claims = match object(record.claims) {
        Json::Null => identity.get_ci("claims").clone(),
        claims => claims,
    };
    let claims = match claims {
        Json::String(text) => Json::parse(&text).map(Json::into_owned).unwrap_or_default(),
        claims => claims,
    };
    let authorization = match object(record.authorization) {
        Json::Null => identity.get_ci("authorization").clone(),
        authorization => authorization,
    };
    let evidence = authorization.get_ci("evidence");
    let claim = |names: &[&str]| first(&claims, names);
    let caller = Record::text(record.caller).some();
    let person = claim(&[UPN, "upn", NAME]).map(trimmed);
    let principal = claim(&[OBJECT, "oid"]).or_else(|| first(evidence, &["principalId"]));
    let application = claim(&["appid", "azp"]);
    let managed = claim(&["xms_mirid"]);
    let kind = kind(claim(&["idtyp"]).as_deref(), person.is_some(), managed.is_some(), application.is_some(), evidence);
    let methods = claim(&[METHODS, "amr"]);
    let id = managed
        .or(person)
        .or(caller)
        .or_else(|| principal.clone())
        .or_else(|| application.clone())
        .or_else(|| claim(&["name"]))
        .unwrap_or_default();
    Actor {
        kind,
        id,
        principal: principal.unwrap_or_default(),
        account: claim(&[TENANT, "tid"]).or_else(|| Record::text(record.tenant).some()).unwrap_or_default(),
        issuer: application,
        mfa: methods
            .map(|methods| methods.split([',', ' ']).any(|method| method.trim_matches(['[', ']', '"']) == "mfa")),
        ..Actor::default()
    }
}

/// The word for what the caller is: from the token's own type, else from what the token names.
fn kind<'a>(token: Option<&str>, person: bool, managed: bool, application: bool, evidence: &Json<'a>) -> Cow<'a, str> {
    match token {
        _ if managed => Cow::Borrowed("ManagedIdentity"),
        Some("app") => Cow::Borrowed("ServicePrincipal"),
        Some("user") => Cow::Borrowed("User"),
        _ if person => Cow::Borrowed("User"),
        _ if application => Cow::Borrowed("ServicePrincipal"),
        // That of the assignment the caller acted under: with `Group` the caller is a member of it.
        _ => first(evidence, &["principalType"]).unwrap_or_default(),
    }
}

/// A member that is an object, or a string that holds one; `null` otherwise.
pub(super) fn object(member: Option<&str>) -> Json<'_> {
    match member {
        Some(text) if text.starts_with('{') => Json::parse(text).unwrap_or_default(),
        Some(text) if text.starts_with('"') => match Json::parse(&unescape(text)) {
            Ok(Json::Object(members)) => Json::Object(members).into_owned(),
            Ok(_) | Err(_) => Json::Null,
        },
        _ => Json::Null,
    }
}

/// The first of some members that is there and not empty.
pub(super) fn first<'a>(json: &Json<'a>, names: &[&str]) -> Option<Cow<'a, str>> {
    names.iter().find_map(|name| Text::of_json(json.get_ci(name)).some())
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.trim() == text { text } else { Cow::Owned(text.trim().to_owned()) }
}
