//! One record of the Activity Log to a change.
//!
//! An operation has up to three records: it is started, perhaps accepted, and succeeds or fails. They share the change's uid
//! (correlation id, operation and resource) and are joined where they come in one input.

use std::borrow::Cow;
use std::sync::OnceLock;

use jiff::Timestamp;
use onus_core::{Change, Cloud, Document, Json, Origin, Outcome};

use super::identity::{self, first, object};
use super::record::Record;
use super::{effects, resources};
use crate::entry::{Decoded, Skip};
use crate::error::DecodeError;
use crate::join::{Joining, Stage, overlay};
use crate::text::{Members, Text, each_member, required, time, uid_of, unescape};

/// The log's name in rules.
pub const SOURCE: &str = "azure.activity";

/// Records of exports (`operationName` is a string), put together.
pub(super) static EXPORTED: Joining = Joining { source: "azure.activity, exported", merge, decode };

/// Records of the REST API (`operationName` is an object), put together. The two are spelled too differently to be laid over one
/// another.
pub(super) static LISTED: Joining = Joining { source: "azure.activity, listed", merge, decode };

/// Categories of the Activity Log whose records are changes; the second three are those of old exports.
const CHANGES: [&str; 4] = ["administrative", "write", "delete", "action"];

/// Categories of the Activity Log that tell of something else: health, alerts, what a policy found.
const OTHER: [&str; 8] = [
    "policy",
    "security",
    "servicehealth",
    "resourcehealth",
    "alert",
    "autoscale",
    "recommendation",
    "activity log alert",
];

/// Decodes the text of one Activity Log record as exports and the REST API write it, without any envelope.
///
/// The change's `uid` is `<correlation id>/<operation>/<resource id>` in lower case; a record without a correlation id gets `text-` and 32
/// hexadecimal digits of the SHA-256 of its text.
///
/// # Errors
/// The text is no JSON object, or the operation or the time is missing or cannot mean what it says.
pub fn decode(text: &str) -> Result<Decoded<'_>, DecodeError> {
    let record = Record::read(text)?;
    match skip(&record) {
        Some(skip) => Ok(Decoded::Skipped(skip)),
        None => change(text, &record).map(|change| Decoded::Change(Box::new(change))),
    }
}

/// Why a record is no change, by its category and operation.
pub(super) fn skip(record: &Record<'_>) -> Option<Skip> {
    let category = Record::text(record.category).0.to_ascii_lowercase();
    let operation = Record::text(record.operation).0;
    if operation.is_empty() {
        Some(Skip::Unknown)
    } else if CHANGES.contains(&category.as_str()) {
        (record.time.or(record.resource).or(record.correlation).is_none()).then_some(Skip::Unknown)
    } else if OTHER.contains(&category.as_str()) {
        Some(Skip::OtherEvent)
    } else if category.is_empty() && operation.split('/').count() > 2 {
        None
    } else {
        Some(Skip::ResourceLog)
    }
}

/// Which record of its operation this is.
pub(super) fn stage(record: &Record<'_>) -> Stage {
    let result = Record::text(record.result).or(Text(Cow::Owned(
        // `Failed.Forbidden`, `Started.`
        Record::text(record.signature).0.split('.').next().unwrap_or_default().to_owned(),
    )));
    match result.0.to_ascii_lowercase().as_str() {
        "start" | "started" | "accept" | "accepted" | "begin" | "in progress" | "inprogress" => Stage::Begun,
        "failure" | "failed" | "fail" | "error" | "cancel" | "canceled" | "cancelled" => Stage::Failed,
        _ => Stage::Succeeded,
    }
}

/// What all records of an operation share; empty when the record has no correlation id.
///
/// A client may choose the correlation id (`x-ms-correlation-request-id`), so two writes to one resource can have the same key: it joins
/// records within an input ([`crate::join`]), and is no uid.
pub(super) fn key(record: &Record<'_>) -> String {
    let correlation = Record::text(record.correlation);
    if correlation.is_empty() {
        return String::new();
    }
    let (operation, resource) = (Record::text(record.operation).0, resource_id(record));
    format!("{}/{}/{}", correlation.0, operation.trim(), resource.trim_end_matches('/')).to_ascii_lowercase()
}

/// The operation's key and, of its end, the time, which no client chooses: whoever repeats a write under one correlation id makes a new change.
fn uid(record: &Record<'_>, time: Timestamp, outcome: &Outcome<'_>) -> String {
    let key = key(record);
    if key.is_empty() || *outcome == Outcome::Begun { key } else { format!("{key}/{time}") }
}

/// The change that a record, already read from `text`, tells of.
pub(super) fn change<'a>(text: &'a str, record: &Record<'a>) -> Result<Change<'a>, DecodeError> {
    let outcome = match stage(record) {
        Stage::Begun => Outcome::Begun,
        Stage::Failed => failure(record),
        Stage::Succeeded => Outcome::Succeeded,
    };
    told(text, record, outcome)
}

/// The same with an outcome that is told elsewhere: by the type of an event.
pub(super) fn told<'a>(text: &'a str, record: &Record<'a>, outcome: Outcome<'a>) -> Result<Change<'a>, DecodeError> {
    let time = time("time", &required("time", record.time)?)?;
    let action_raw = Record::text(record.operation).some().ok_or(DecodeError::Missing { field: "operationName" })?;
    let lower = action_raw.trim().to_ascii_lowercase();
    let (service, action) = lower.split_once('/').unwrap_or(("", lower.as_str()));
    let (service, action) = (service.to_owned(), action.to_owned());
    let id = resource_id(record);
    let resources = resources::of(&id);
    let subscription = Record::text(record.subscription);
    let account = match resources::subscription(&id) {
        "" => subscription.0.to_ascii_lowercase(),
        subscription => subscription.to_ascii_lowercase(),
    };
    let request = body(record.properties, "requestbody");
    let asks = action.ends_with("/write") || action.ends_with("/action");
    let request = request.unwrap_or_else(|| if asks { Document::omitted() } else { Document::absent() });
    let uid = uid(record, time, &outcome);
    Ok(Change {
        uid: Cow::Owned(if uid.is_empty() { uid_of(text) } else { uid }),
        time,
        cloud: Cloud::Azure,
        account: Cow::Owned(account),
        region: Record::text(record.location).0,
        source: SOURCE,
        service: Cow::Owned(service),
        read_only: action.ends_with("/read"),
        action: Cow::Owned(action),
        action_raw,
        actor: identity::actor(record),
        origin: origin(record),
        resources,
        outcome,
        request,
        response: body(record.properties, "responsebody").unwrap_or_default(),
        record: Document::raw(text),
        text,
        derive: effects::derive,
        effects: OnceLock::new(),
    })
}

/// The resource, by the record, by what it was authorised for, or by the resource that its properties name.
fn resource_id<'a>(record: &Record<'a>) -> Cow<'a, str> {
    let named = Record::text(record.resource);
    if !named.is_empty() {
        return named.0;
    }
    let scope = first(&object(record.authorization), &["scope"]);
    scope
        .or_else(|| first(&object(record.properties), &["entity"]))
        .map(|id| Cow::Owned(id.into_owned()))
        .unwrap_or_default()
}

/// The caller's address, without the port that some services add, and what client he used where it is told.
fn origin<'a>(record: &Record<'a>) -> Origin<'a> {
    let request = object(record.request);
    let address = Record::text(record.address)
        .some()
        .or_else(|| first(&request, &["clientIpAddress"]).map(|address| Cow::Owned(address.into_owned())))
        .or_else(|| claimed_address(record))
        .unwrap_or_default();
    let bare = match address.rsplit_once(':') {
        Some((host, port)) if host.contains('.') && port.bytes().all(|b| b.is_ascii_digit()) => {
            Cow::Owned(host.to_owned())
        }
        _ => address,
    };
    Origin { address: bare, user_agent: Cow::Borrowed("") }
}

fn claimed_address<'a>(record: &Record<'a>) -> Option<Cow<'a, str>> {
    first(&object(record.claims), &["ipaddr"]).map(|address| Cow::Owned(address.into_owned()))
}

/// `properties.requestbody` or `.responseBody`: JSON as a string, or as itself. Nothing when it is not there or empty; text that is no JSON
/// is a body nobody can read.
fn body<'a>(properties: Option<&'a str>, name: &str) -> Option<Document<'a>> {
    let properties = object(properties);
    match properties.get_ci(name) {
        Json::Null => None,
        Json::String(text) if text.trim().is_empty() || text.trim() == "null" => None,
        Json::String(text) => Some(match Json::parse(text) {
            Ok(json @ (Json::Object(_) | Json::Array(_))) => Document::parsed(json.into_owned()),
            Ok(_) | Err(_) => Document::omitted(),
        }),
        other => Some(Document::parsed(other.clone().into_owned())),
    }
}

/// Why it failed: the code of the error where the record holds it, else the HTTP status by name or number.
pub(super) fn failure<'a>(record: &Record<'a>) -> Outcome<'a> {
    let properties = object(record.properties);
    let error = first(&properties, &["statusMessage"])
        .and_then(|message| Json::parse(&message).map(Json::into_owned).ok())
        .map(|message| if message.get_ci("error").is_null() { message } else { message.get_ci("error").clone() })
        .unwrap_or_default();
    let signature = Record::text(record.signature).0;
    let status = signature.split_once('.').map_or(signature.as_ref(), |(_, status)| status);
    let code = first(&error, &["code"])
        .or_else(|| (!status.is_empty()).then(|| Cow::Owned(status.to_owned())))
        .or_else(|| first(&properties, &["statusCode"]).map(|code| Cow::Owned(code.into_owned())))
        .unwrap_or(Cow::Borrowed("Failed"));
    Outcome::Failed { code, message: first(&error, &["message"]).unwrap_or_default() }
}

/// Lays the records of one operation over one another. `properties` that are a string are opened first, so that the request of the
/// beginning is not covered by the properties of the end.
fn merge(texts: &[&str]) -> Result<String, DecodeError> {
    let opened: Vec<Cow<'_, str>> = texts.iter().map(|text| with_properties_opened(text)).collect();
    let layers: Vec<&str> = opened.iter().map(AsRef::as_ref).collect();
    overlay(&layers)
}

fn with_properties_opened(text: &str) -> Cow<'_, str> {
    let mut written = None;
    // Texts were read before they were kept: a failure cannot come here, and would only leave the text as it is.
    let read = each_member(text, &mut |name, value| {
        if name.eq_ignore_ascii_case("properties") && value.starts_with('"') {
            written = Some((name.to_owned(), value));
        }
    });
    let Some((name, value)) = read.ok().and(written) else { return Cow::Borrowed(text) };
    let inner = unescape(value);
    match (Json::parse(&inner), text.trim_end().strip_suffix('}')) {
        // Of a repeated member the last counts.
        (Ok(Json::Object(_)), Some(rest)) => {
            Cow::Owned(format!("{rest},{}:{inner}}}", serde_json::Value::from(name.as_str())))
        }
        _ => Cow::Borrowed(text),
    }
}
