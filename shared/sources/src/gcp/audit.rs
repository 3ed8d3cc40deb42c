//! One log entry to a change.

use std::borrow::Cow;
use std::sync::OnceLock;

use jiff::Timestamp;
use onus_core::{Change, Cloud, Document, Json, Origin, Outcome};

use super::operation::{Operation, Split};
use super::record::{Payload, Record};
use super::resources::{self, Subject};
use super::{actor, effects, names};
use crate::entry::{Decoded, Skip};
use crate::error::DecodeError;
use crate::text::{self, Members, Text, unescape};

/// The log's name in rules.
pub const SOURCE: &str = "gcp.audit";

/// Which of the four audit logs an entry is of (<https://cloud.google.com/logging/docs/audit#types>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AuditLog {
    Activity,
    DataAccess,
    SystemEvent,
    PolicyDenied,
}

/// Decodes the text of one log entry, without any envelope. Entries of other logs and other payloads are [`Skip::OtherEvent`], and a JSON
/// object that is no log entry is [`Skip::Unknown`].
///
/// The change's `uid` is log, time and `insertId`, and where feeds drop that, `text-` and a hash of its text. The records of a long-running operation share log, operation and resource instead, and the
/// parts of an entry that was too large for one share the id of the split.
///
/// # Errors
/// The text is no JSON object, or `serviceName`, `methodName` or `timestamp` is missing or cannot mean what it says.
pub fn decode(text: &str) -> Result<Decoded<'_>, DecodeError> {
    let record = Record::read(text)?;
    if !record.is_entry() {
        return Ok(Decoded::Skipped(Skip::Unknown));
    }
    entry(text, &record)
}

/// What a record that is a log entry, already read from `text`, is.
pub(super) fn entry<'a>(text: &'a str, record: &Record<'a>) -> Result<Decoded<'a>, DecodeError> {
    let log_name = unescaped(Record::text(record.log_name).0);
    let (Some(payload), Some(log)) = (record.payload, log_of(&log_name)) else {
        return Ok(Decoded::Skipped(Skip::OtherEvent));
    };
    let payload =
        Payload::read(payload).map_err(|_| DecodeError::field("protoPayload", payload, "expected an object"))?;
    if payload.kind.is_some_and(|kind| !Text::of(kind).0.ends_with("google.cloud.audit.AuditLog")) {
        return Ok(Decoded::Skipped(Skip::OtherEvent));
    }
    change(text, record, &payload, &log_name, log).map(|change| Decoded::Change(Box::new(change)))
}

/// A log's name may be percent-encoded (`cloudaudit.googleapis.com%2Factivity`) or not. One spelling is kept, so that uids agree.
fn unescaped(log_name: Cow<'_, str>) -> Cow<'_, str> {
    if log_name.contains("%2F") || log_name.contains("%2f") {
        Cow::Owned(log_name.replace("%2F", "/").replace("%2f", "/"))
    } else {
        log_name
    }
}

/// Excerpts name no log: they are taken as of the one that is always on.
fn log_of(log_name: &str) -> Option<AuditLog> {
    if log_name.is_empty() {
        return Some(AuditLog::Activity);
    }
    match log_name.rsplit_once("cloudaudit.googleapis.com/")?.1 {
        "activity" => Some(AuditLog::Activity),
        "data_access" => Some(AuditLog::DataAccess),
        "system_event" => Some(AuditLog::SystemEvent),
        "policy" => Some(AuditLog::PolicyDenied),
        _ => None,
    }
}

fn change<'a>(
    text: &'a str,
    record: &Record<'a>,
    payload: &Payload<'a>,
    log_name: &str,
    log: AuditLog,
) -> Result<Change<'a>, DecodeError> {
    let service_name = text::required("protoPayload.serviceName", payload.service_name)?;
    let action_raw = text::required("protoPayload.methodName", payload.method_name)?;
    let time = time(record)?;
    let service = names::service_of(&service_name);
    let action = names::action_of(&service, &action_raw);
    let operation = Operation::of(record.operation);
    let split = Split::of(record.split);
    let monitored = record.resource.and_then(|text| Json::parse(text).ok()).unwrap_or_default();
    let labels = monitored.get_ci("labels");
    let resource_name = Record::text(payload.resource_name).0;
    let account = account(labels, &resource_name, log_name);
    let request = request(payload, &operation, &split);
    let response = if split.is_part() { Document::omitted() } else { body(payload.response) };
    let resources = resources::of(&Subject {
        host: &service_name,
        service: &service,
        account: &account,
        name: &resource_name,
        labels,
        request: &request,
        response: &response,
        payload,
    });
    let uid = uid(text, record, log_name, &resource_name, &operation, &split);
    let metadata = payload.request_metadata.and_then(|text| Json::parse(text).ok()).unwrap_or_default();
    let outcome = outcome(payload, &operation, log, &response);
    Ok(Change {
        uid: Cow::Owned(uid),
        time,
        cloud: Cloud::Gcp,
        region: region(labels, payload),
        account,
        source: SOURCE,
        read_only: read_only(payload, log, &action),
        service,
        action,
        action_raw,
        actor: actor::of(payload.authentication),
        origin: Origin {
            address: Text::of_json(metadata.get_ci("callerIp")).0,
            user_agent: Text::of_json(metadata.get_ci("callerSuppliedUserAgent")).0,
        },
        resources,
        outcome,
        request,
        response,
        record: Document::raw(text),
        text,
        derive: effects::derive,
        effects: OnceLock::new(),
    })
}

/// `timestamp`, else when the log received the entry: RFC 3339, or, as tables write it, date and time in UTC without saying so.
fn time(record: &Record<'_>) -> Result<Timestamp, DecodeError> {
    let field = "timestamp";
    let text = text::required(field, record.time.or(record.receive_time))?;
    text::time(field, &text)
}

/// See [`decode`].
fn uid(
    text: &str,
    record: &Record<'_>,
    log_name: &str,
    resource: &str,
    operation: &Operation<'_>,
    split: &Split<'_>,
) -> String {
    let time = Record::text(record.time.or(record.receive_time)).0;
    if split.is_part() {
        return format!("{log_name}/{time}/{}", split.id);
    }
    let id = Record::text(record.insert_id);
    match operation.key(log_name, resource) {
        Some(key) => key,
        None if id.is_empty() => text::uid_of(text),
        None => format!("{log_name}/{time}/{}", id.0),
    }
}

/// The project: as the monitored resource labels it, else out of the resource's name, else the log's. Above projects, `organizations/1` or
/// `folders/1`.
fn account<'a>(labels: &Json<'a>, resource_name: &str, log_name: &str) -> Cow<'a, str> {
    if let Some(project) = Text::of_json(labels.get_ci("project_id")).some() {
        return project;
    }
    for name in [resource_name, log_name] {
        let mut parts = name.split('/');
        match (parts.next(), parts.next()) {
            (Some("projects"), Some(project)) if !matches!(project, "_" | "-" | "") => {
                return Cow::Owned(project.to_owned());
            }
            (Some(kind @ ("organizations" | "folders" | "billingAccounts")), Some(number)) if !number.is_empty() => {
                return Cow::Owned(format!("{kind}/{number}"));
            }
            _ => {}
        }
    }
    Cow::Borrowed("")
}

/// Where: the labels' `location`, `region` or `zone`, or the one place that the payload names. A zone's region; empty for `global`.
fn region<'a>(labels: &Json<'a>, payload: &Payload<'a>) -> Cow<'a, str> {
    let label = |name: &str| Text::of_json(labels.get_ci(name));
    let place = label("location").or(label("region")).or(label("zone")).some().or_else(|| {
        let location = Json::parse(payload.location?).ok()?;
        match location.get_ci("currentLocations").each() {
            [only] => Text::of_json(only).some(),
            _ => None,
        }
    });
    match place {
        Some(place) if place == "global" => Cow::Borrowed(""),
        Some(place) => match place.rsplit_once('-') {
            // `europe-west4-a`
            Some((region, zone)) if zone.len() == 1 && region.contains('-') => Cow::Owned(region.to_owned()),
            _ => place,
        },
        None => Cow::Borrowed(""),
    }
}

/// Only the data access log holds reads. The permissions that were asked tell, else the method's verb.
fn read_only(payload: &Payload<'_>, log: AuditLog, action: &str) -> bool {
    match log {
        AuditLog::Activity | AuditLog::SystemEvent => false,
        AuditLog::PolicyDenied => names::is_read(action),
        AuditLog::DataAccess => {
            let asked = payload.authorization.and_then(|text| Json::parse(text).ok()).unwrap_or_default();
            let kinds: Vec<&str> = asked.each().iter().filter_map(|p| p.get_ci("permissionType").as_str()).collect();
            let all_read = kinds.iter().all(|kind| kind.ends_with("_READ"));
            if kinds.is_empty() { names::is_read(action) } else { all_read }
        }
    }
}

/// What was asked for. Part of a split entry, and the end of an operation whose beginning was not seen, do not tell it: *omitted*.
fn request<'a>(payload: &Payload<'a>, operation: &Operation<'_>, split: &Split<'_>) -> Document<'a> {
    if split.is_part() || (operation.is_end() && is_bare(payload.request)) {
        return Document::omitted();
    }
    body(payload.request)
}

/// Whether a body has nothing but its type.
pub(super) fn is_bare(body: Option<&str>) -> bool {
    body.is_none_or(|text| {
        Json::parse(text)
            .is_ok_and(|json| json.members().iter().all(|(name, _)| name == "@type" || name == "at_sign_type"))
    })
}

/// A body: an object, or, where a table could not store one, the text of one.
fn body(raw: Option<&str>) -> Document<'_> {
    match raw {
        None => Document::absent(),
        Some(raw) if raw.starts_with('"') => match Json::parse(&unescape(raw)) {
            Ok(json @ Json::Object(_)) => Document::parsed(json.into_owned()),
            Ok(_) | Err(_) => Document::omitted(),
        },
        Some(raw) => Document::raw(raw),
    }
}

/// How the call ended. `status` is left out or `{}` when it succeeded; otherwise its `code` is a number of gRPC
/// (<https://grpc.io/docs/guides/status-codes/>: 7 is a permission that was denied). Compute Engine also writes `error` into the response,
/// Kubernetes a `Status` with `Failure`. What the policy log tells of was denied.
fn outcome<'a>(
    payload: &Payload<'a>,
    operation: &Operation<'_>,
    log: AuditLog,
    response: &Document<'a>,
) -> Outcome<'a> {
    let status = payload.status.and_then(|text| Json::parse(text).ok()).unwrap_or_default();
    let failed = |json: &Json<'a>, code: Cow<'a, str>| Outcome::Failed {
        code,
        message: Text::of_json(json.get_ci("message")).0,
    };
    if let Some(code) = Text::of_json(status.get_ci("code")).some().filter(|code| code != "0") {
        return failed(&status, code);
    }
    if log == AuditLog::PolicyDenied {
        return failed(&status, Cow::Borrowed("7"));
    }
    let answer = response.json();
    let error = answer.get_ci("error");
    if !error.members().is_empty() {
        let first = error.get_ci("errors").elements().first().unwrap_or(error);
        let code = Text::of_json(first.get_ci("code")).or(Text::of_json(error.get_ci("code")));
        return failed(first, code.0);
    }
    if answer.get_ci("status").as_str() == Some("Failure") {
        return failed(answer, Text::of_json(answer.get_ci("code")).0);
    }
    if operation.is_beginning() { Outcome::Begun } else { Outcome::Succeeded }
}

#[cfg(test)]
mod tests;
