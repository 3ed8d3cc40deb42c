//! What Azure delivers its records in, taken off layer by layer.
//!
//! - Event Hubs, and storage accounts before November 2018: `{"records":[…]}`; storage accounts since: one record a line
//!   (<https://learn.microsoft.com/azure/azure-monitor/platform/resource-logs-schema>);
//! - Event Grid: events in its own schema, in arrays, or as `CloudEvents`
//!   (<https://learn.microsoft.com/azure/event-grid/event-schema-subscriptions>). They carry no body;
//! - the REST API, `az monitor activity-log` and Microsoft Graph: pages, `{"value":[…]}`.

use onus_core::Outcome;
use serde_json::value::RawValue;

use super::activity::{self, EXPORTED, LISTED};
use super::entra;
use super::record::Record;
use crate::entry::{Decoded, Skip};
use crate::error::{DecodeError, quote};
use crate::join::Part;
use crate::logs::{Context, Found, Take};
use crate::text::Members;

/// See [`crate::logs::Log::open`].
pub(super) fn open<'a>(text: &'a str, context: Context<'a>, take: &mut Take<'_>) -> bool {
    let record = match Record::read(text) {
        Ok(record) => record,
        Err(error) => {
            take(context, Found::Entry(Err(error)));
            return true;
        }
    };
    if let Some((kind, data)) = event(&record) {
        let Some(result) = event_grid(text, &kind, data, &record) else { return false };
        take(context, Found::Entry(result));
        return true;
    }
    if record.operation.is_none()
        && let Some(list) =
            [record.outer.records, record.outer.value].into_iter().flatten().find(|v| v.starts_with('['))
    {
        return batch(list, context, take);
    }
    let Some(found) = single(text, &record) else { return false };
    take(context, found);
    true
}

/// Decodes the text of one record or event, without any batch around it. Of an operation with several records this is the one record
/// alone; see [`scan`](crate::scan) for the operation.
///
/// # Errors
/// The text is no JSON object, or a member that every record has is missing or cannot mean what it says.
pub fn decode(text: &str) -> Result<Decoded<'_>, DecodeError> {
    let record = Record::read(text)?;
    if let Some((kind, data)) = event(&record) {
        return event_grid(text, &kind, data, &record).unwrap_or(Ok(Decoded::Skipped(Skip::Unknown)));
    }
    match single(text, &record) {
        Some(Found::Entry(result)) => result,
        Some(Found::Part(_)) => activity::change(text, &record).map(|change| Decoded::Change(Box::new(change))),
        None => Ok(Decoded::Skipped(Skip::Unknown)),
    }
}

/// One record.
fn single<'a>(text: &'a str, record: &Record<'a>) -> Option<Found<'a>> {
    let entry = |result: Result<Decoded<'a>, DecodeError>| Some(Found::Entry(result));
    if entra::is_sign_in(record) {
        return entry(Ok(Decoded::Skipped(Skip::SignIn)));
    }
    if entra::is_audit(record) {
        return entry(entra::change(text, record).map(|change| Decoded::Change(Box::new(change))));
    }
    match activity::skip(record) {
        Some(Skip::Unknown) => None,
        Some(skip) => entry(Ok(Decoded::Skipped(skip))),
        None => {
            let key = activity::key(record);
            if key.is_empty() {
                return entry(activity::change(text, record).map(|change| Decoded::Change(Box::new(change))));
            }
            let listed = record.operation.is_some_and(|operation| operation.starts_with('{'));
            let joining = if listed { &LISTED } else { &EXPORTED };
            Some(Found::Part(Part { joining, key: key.into(), stage: activity::stage(record), text }))
        }
    }
}

/// The type and data of an Event Grid event, in either schema.
fn event<'a>(record: &Record<'a>) -> Option<(String, &'a str)> {
    let outer = &record.outer;
    let data = outer.data?;
    let kind = match (outer.event_type, outer.spec_version) {
        (Some(kind), _) => kind,
        (None, Some(_)) => outer.kind?,
        (None, None) => return None,
    };
    Some((Record::text(Some(kind)).0.into_owned(), data))
}

/// An event; nothing when it is of no type of Microsoft's. Its type tells the outcome.
fn event_grid<'a>(
    text: &'a str,
    kind: &str,
    data: &'a str,
    outer: &Record<'a>,
) -> Option<Result<Decoded<'a>, DecodeError>> {
    let skipped = |skip| Some(Ok(Decoded::Skipped(skip)));
    let kind = kind.strip_prefix("Microsoft.")?;
    if kind.starts_with("EventGrid.Subscription") {
        return skipped(Skip::ControlMessage);
    }
    if kind == "Storage.BlobCreated" {
        return skipped(Skip::StorageNotification);
    }
    let Some(result) = ["ResourceWrite", "ResourceDelete", "ResourceAction"]
        .iter()
        .find_map(|verb| kind.strip_prefix("Resources.")?.strip_prefix(verb))
    else {
        return skipped(Skip::OtherEvent);
    };
    if !data.starts_with('{') {
        return Some(Err(DecodeError::field("data", data, "expected an object")));
    }
    let mut record = match Record::read(data) {
        Ok(record) => record,
        Err(error) => return Some(Err(error)),
    };
    record.time = outer.time;
    record.resource = record.resource.or(outer.outer.subject);
    let outcome = match result {
        "Success" => Outcome::Succeeded,
        "Cancel" => Outcome::Failed { code: "Canceled".into(), message: "".into() },
        _ => activity::failure(&record),
    };
    Some(activity::told(text, &record, outcome).map(|change| Decoded::Change(Box::new(change))))
}

/// A batch inside another envelope. At the outside, the readers walk into it.
fn batch<'a>(list: &'a str, context: Context<'a>, take: &mut Take<'_>) -> bool {
    let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(list) else {
        take(context, Found::Entry(Err(DecodeError::field("records", list, "expected a list"))));
        return true;
    };
    for element in elements {
        let text = element.get();
        let error = match context.inner() {
            None => DecodeError::field("envelope", text, "expected a record, found one more envelope"),
            Some(_) if !text.starts_with('{') => DecodeError::NotAnObject { start: quote(text) },
            Some(inner) => {
                if !open(text, inner, take) {
                    take(context, Found::Entry(Ok(Decoded::Skipped(Skip::Unknown))));
                }
                continue;
            }
        };
        take(context, Found::Entry(Err(error)));
    }
    true
}
