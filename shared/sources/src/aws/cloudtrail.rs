//! One CloudTrail record to a change.

use std::borrow::Cow;
use std::sync::OnceLock;

use jiff::Timestamp;
use onus_core::{Change, Cloud, Document, Json, Origin, Outcome};

use super::identity::{self, Identity};
use super::record::Record;
use super::resources::{self, Subject};
use super::{effects, names};
use crate::entry::{Decoded, Skip};
use crate::error::DecodeError;
use crate::text::{self, Members, each_member, uid_of, unescape};

/// The log's name in rules.
pub const SOURCE: &str = "aws.cloudtrail";

/// The longest text that CloudTrail writes in place of a body it leaves out, generously.
const OMISSION_MAX: usize = 512;

/// Decodes the text of one CloudTrail record, without any envelope. Digests, Insight and aggregated records are skipped by name, and
/// a JSON object that names neither an operation nor a service is [`Skip::Unknown`].
///
/// The change's `uid` is `eventID`; a record without one (feeds drop it) gets `text-` and 32 hexadecimal digits of the SHA-256 of its text.
///
/// # Errors
/// The text is no JSON object, or `eventName`, `eventSource` or `eventTime` is missing or cannot mean what it says.
pub fn decode(text: &str) -> Result<Decoded<'_>, DecodeError> {
    let record = Record::read(text)?;
    match skip(&record) {
        Some(skip) => Ok(Decoded::Skipped(skip)),
        None => change(text, &record).map(|change| Decoded::Change(Box::new(change))),
    }
}

/// Why a record is no change, by its shape.
pub(super) fn skip(record: &Record<'_>) -> Option<Skip> {
    let (kind, category) = (Record::text(record.event_type).0, Record::text(record.event_category).0);
    if record.outer.digest.is_some() {
        Some(Skip::Digest)
    } else if record.insight.is_some() || kind == "AwsCloudTrailInsight" || category == "Insight" {
        Some(Skip::Insight)
    } else if category == "Aggregated" {
        Some(Skip::Aggregate)
    } else if !record.is_call() {
        Some(Skip::Unknown)
    } else {
        None
    }
}

/// The change that a record, already read from `text`, tells of.
pub(super) fn change<'a>(text: &'a str, record: &Record<'a>) -> Result<Change<'a>, DecodeError> {
    let action_raw = text::required("eventName", record.event_name)?;
    let event_source = text::required("eventSource", record.event_source)?;
    let time = time(record)?;
    let service = names::service_of(&event_source);
    let action = names::action_of(&action_raw);
    let identity = Identity::of(record);
    let region = Record::text(record.region).0;
    let account = Record::text(record.account).or(identity.account.clone()).0;
    let request = body(record.request, &action_raw, "Request");
    let response = body(record.response, &action_raw, "Response");
    let read_only = Record::text(record.read_only).as_bool().unwrap_or(false);
    let resources = resources::of(&Subject {
        service: &service,
        action: &action,
        region: &region,
        account: &account,
        read_only,
        request: &request,
        response: &response,
        identity: &identity,
        service_event: record.service_event,
        listed: record.resources,
    });
    let outcome = outcome(record, &service, &action, &response);
    Ok(Change {
        uid: Record::text(record.event_id).some().unwrap_or_else(|| Cow::Owned(uid_of(text))),
        time,
        cloud: Cloud::Aws,
        account,
        region,
        source: SOURCE,
        service,
        action,
        action_raw,
        read_only,
        actor: identity.into_actor(identity::sign_in_mfa(record)),
        origin: Origin { address: Record::text(record.address).0, user_agent: Record::text(record.user_agent).0 },
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

/// `eventTime`: RFC 3339, or, as data lakes write it, date and time in UTC without saying so. A collector's own name for it counts when
/// `eventTime` is not there.
fn time(record: &Record<'_>) -> Result<Timestamp, DecodeError> {
    let field = "eventTime";
    let text = text::required(field, record.event_time.or(record.collected_time))?;
    text::time(field, &text)
}

/// `requestParameters` or `responseElements`.
///
/// Left out by CloudTrail for its size (an object with `omitted`) is *omitted*, never empty: padding a policy until it is left out
/// is an evasion. A JSON string that holds the object (data lakes) is opened. EC2's newer shape wraps the members in one member called
/// `<Operation>Request` or `<Operation>Response`: the inner object is the body; the record keeps the outer one.
fn body<'a>(raw: Option<&'a str>, action_raw: &str, wrapper: &str) -> Document<'a> {
    let Some(raw) = raw else { return Document::absent() };
    if raw.starts_with('"') {
        return quoted_body(raw);
    }
    if raw.len() <= OMISSION_MAX && memchr::memmem::find(raw.as_bytes(), b"omitted").is_some() && says_omitted(raw) {
        return Document::omitted();
    }
    Document::raw(unwrapped(raw, action_raw, wrapper).unwrap_or(raw))
}

/// A body written as a JSON string. Empty text is no body; text that is no JSON is one nobody can read.
fn quoted_body<'a>(raw: &str) -> Document<'a> {
    let inner = unescape(raw);
    if inner.trim().is_empty() || inner.trim() == "null" {
        return Document::absent();
    }
    match Json::parse(&inner) {
        Ok(Json::Object(members)) => Document::parsed(Json::Object(members).into_owned()),
        Ok(_) | Err(_) => Document::omitted(),
    }
}

/// `{"reason":"requestParameters too large","omitted":true,"originalSize":"149893"}`; the flag may be a string.
fn says_omitted(raw: &str) -> bool {
    Json::parse(raw).is_ok_and(|json| {
        json.get("omitted").as_bool() == Some(true)
            && (json.find("originalSize").is_some() || json.find("reason").is_some())
    })
}

/// The only member's value, when it is an object and its name is the operation's followed by `wrapper`.
fn unwrapped<'a>(raw: &'a str, action_raw: &str, wrapper: &str) -> Option<&'a str> {
    let name = raw.strip_prefix('{')?.trim_start().strip_prefix('"')?;
    if !name.strip_prefix(action_raw)?.strip_prefix(wrapper)?.starts_with('"') {
        return None;
    }
    let (mut count, mut inner) = (0, None);
    each_member(raw, &mut |_, value| {
        count += 1;
        inner = Some(value);
    })
    .ok()?;
    inner.filter(|value| count == 1 && value.starts_with('{'))
}

/// How the call ended. An error code or message means it failed, save the code `Success` of normalised feeds. Sign-in records carry no
/// code: their response has a member named for the operation that says `Failure`.
fn outcome<'a>(record: &Record<'a>, service: &str, action: &str, response: &Document<'a>) -> Outcome<'a> {
    let (code, message) = (Record::text(record.error_code), Record::text(record.error_message));
    if code.0 == "Success" {
        return Outcome::Succeeded;
    }
    if !code.is_empty() || !message.is_empty() {
        return Outcome::Failed { code: code.0, message: message.0 };
    }
    if service == "signin" && response.json().get_ci(action).as_str() == Some("Failure") {
        return Outcome::Failed { code: Cow::Borrowed("Failure"), message: Cow::Borrowed("") };
    }
    Outcome::Succeeded
}

#[cfg(test)]
mod tests;
