//! One record of Entra's audit log to a change.
//!
//! Sources: <https://learn.microsoft.com/graph/api/resources/directoryaudit> (Microsoft Graph), and the same as the `properties` of an exported
//! record of the category `AuditLogs`, <https://learn.microsoft.com/entra/identity/monitoring-health/reference-azure-monitor-audit-log-schema>.
//!
//! Operations have names for people (`Add member to role`, with stray blanks and dashes of every kind). A rule watches them in lower
//! case with one `_` for whatever is no letter or digit: `entra:add_member_to_role`.

use std::borrow::Cow;
use std::sync::OnceLock;

use onus_core::{Actor, Change, Cloud, Document, Effects, Json, Origin, Outcome, Resource};

use super::identity::{first, object};
use super::record::Record;
use crate::error::DecodeError;
use crate::text::{Members, Text, required, time, uid_of};

/// The log's name in rules.
pub const SOURCE: &str = "azure.entra";

/// The service of every operation.
const SERVICE: &str = "entra";

/// Whether a record is of one of Entra's five sign-in logs.
pub(super) fn is_sign_in(record: &Record<'_>) -> bool {
    let category = Record::text(record.category).0.to_ascii_lowercase();
    category.ends_with("signinlogs")
}

/// Whether a record is of the audit log: by its category, or by members that no other log has.
pub(super) fn is_audit(record: &Record<'_>) -> bool {
    let graph = record.entra.activity.is_some() && record.entra.initiated_by.is_some();
    let exported = Record::text(record.category).0.eq_ignore_ascii_case("AuditLogs");
    let directory = || Record::text(record.resource).0.to_ascii_lowercase().ends_with("/providers/microsoft.aadiam");
    graph || record.operation.is_some() && (exported || directory())
}

/// The change that a record, already read from `text`, tells of.
pub(super) fn change<'a>(text: &'a str, record: &Record<'a>) -> Result<Change<'a>, DecodeError> {
    let properties = record.properties.filter(|properties| properties.starts_with('{'));
    let inner = match properties {
        Some(properties) => Record::read(properties)?,
        None => Record::default(),
    };
    let activity = inner.entra.activity.or(record.entra.activity);
    let action_raw = Record::text(activity)
        .or(Record::text(record.operation))
        .some()
        .ok_or(DecodeError::Missing { field: "activityDisplayName" })?;
    let action = words(&action_raw);
    let field = "activityDateTime";
    let time = time(field, &required(field, inner.time.or(record.time))?)?;
    let (actor, address) = initiator(record, &inner);
    let tenant = Record::text(record.tenant).or(Record::text(inner.tenant)).0;
    let id = Record::text(inner.id).or(Record::text(record.id)).or(Record::text(record.correlation));
    Ok(Change {
        uid: Cow::Owned(if id.is_empty() { uid_of(text) } else { format!("{}/{action}", id.0) }),
        time,
        cloud: Cloud::Azure,
        account: tenant.clone(),
        region: Cow::Borrowed(""),
        source: SOURCE,
        service: Cow::Borrowed(SERVICE),
        action: Cow::Owned(action),
        action_raw,
        read_only: false,
        actor: Actor { account: tenant, ..actor },
        origin: Origin { address: Record::text(record.address).or(Text(address)).0, user_agent: Cow::Borrowed("") },
        resources: targets(inner.entra.targets.or(record.entra.targets)),
        outcome: outcome(record, &inner),
        request: Document::raw(properties.unwrap_or(text)),
        response: Document::absent(),
        record: Document::raw(text),
        text,
        derive: |_| Effects::none(),
        effects: OnceLock::new(),
    })
}

/// An operation's name as rules watch it.
pub fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_alphanumeric() {
            words.extend(c.to_lowercase());
        } else if !words.is_empty() && !words.ends_with('_') {
            words.push('_');
        }
    }
    words.truncate(words.trim_end_matches('_').len());
    words
}

/// A user or an application, and from where.
fn initiator<'a>(record: &Record<'a>, inner: &Record<'a>) -> (Actor<'a>, Cow<'a, str>) {
    let by = object(inner.entra.initiated_by.or(record.entra.initiated_by));
    let (user, app) = (by.get_ci("user"), by.get_ci("app"));
    let address = first(user, &["ipAddress"]).or_else(|| first(app, &["ipAddress"])).unwrap_or_default();
    let name = |json: &Json<'a>, names: &[&str]| first(json, names).unwrap_or_default();
    let actor = if !user.is_null() {
        Actor {
            kind: Cow::Borrowed("User"),
            id: name(user, &["userPrincipalName", "displayName", "id"]),
            principal: name(user, &["id"]),
            ..Actor::default()
        }
    } else if !app.is_null() {
        Actor {
            kind: Cow::Borrowed("ServicePrincipal"),
            id: name(app, &["displayName", "appId", "servicePrincipalId"]),
            principal: name(app, &["servicePrincipalId"]),
            issuer: first(app, &["appId"]),
            ..Actor::default()
        }
    } else {
        // Some exports keep only a name for people.
        Actor { id: Record::text(record.identity).0, ..Actor::default() }
    };
    (actor, address)
}

/// What was changed: each target with its type as Graph writes it.
fn targets<'a>(targets: Option<&'a str>) -> Vec<Resource<'a>> {
    let targets = targets.and_then(|targets| Json::parse(targets).ok()).unwrap_or_default();
    let resource = |target: &Json<'a>| {
        let kind = first(target, &["type"]).unwrap_or(Cow::Borrowed("Other"));
        let id = first(target, &["id"]).unwrap_or_default();
        let name = first(target, &["userPrincipalName", "displayName"]).unwrap_or_else(|| id.clone());
        Resource::new(format!("Entra/{kind}"), id, name)
    };
    targets.elements().iter().map(resource).collect()
}

fn outcome<'a>(record: &Record<'a>, inner: &Record<'a>) -> Outcome<'a> {
    let result = Record::text(inner.result).or(Record::text(record.result));
    match result.0.to_ascii_lowercase().as_str() {
        "failure" | "timeout" | "failed" => Outcome::Failed {
            code: result.0,
            message: Record::text(inner.entra.reason).or(Record::text(record.entra.reason)).0,
        },
        _ => Outcome::Succeeded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_for_people_become_words() {
        let cases = [
            ("Add member to role", "add_member_to_role"),
            (
                "Update application \u{2013} Certificates and secrets management ",
                "update_application_certificates_and_secrets_management",
            ),
            ("Add member to role in PIM completed (permanent)", "add_member_to_role_in_pim_completed_permanent"),
            ("  ", ""),
        ];
        for (name, expected) in cases {
            assert_eq!(words(name), expected);
        }
    }
}
