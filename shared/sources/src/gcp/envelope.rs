//! What log entries travel in, taken off layer by layer.
//!
//! - Eventarc: a CloudEvent of type `google.cloud.audit.log.v1.written`, structured, with the entry in `data` or `data_base64`. In binary
//!   mode the body is the entry itself (<https://cloud.google.com/eventarc/docs/cloudevents>);
//! - a Pub/Sub push, `{"message":{"data":…},"subscription":…}`, the message alone as functions get it, and what a pull answers
//!   (<https://cloud.google.com/pubsub/docs/push>, <https://cloud.google.com/logging/docs/export/pubsub>). An unwrapped push is the entry;
//! - the answer of `entries.list`, and the rows of a `BigQuery` sink's table.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use onus_core::Outcome;
use serde_json::value::RawValue;

use super::operation::Operation;
use super::record::Record;
use super::{audit, table};
use crate::entry::{Decoded, Skip};
use crate::error::{DecodeError, quote};
use crate::join::{Joining, Part, Stage, overlay};
use crate::logs::{Context, Found, Take};
use crate::text::{Members, unescape};

/// See [`crate::logs::Log::open`].
pub(super) fn open<'a>(text: &'a str, context: Context<'a>, take: &mut Take<'_>) -> bool {
    let record = match Record::read(text) {
        Ok(record) => record,
        Err(error) => {
            give(context, take, Err(error));
            return true;
        }
    };
    let outer = &record.outer;
    let kind = Record::text(outer.kind).0;
    if outer.spec_version.is_some() && kind.starts_with("google.") {
        cloud_event(&record, &kind, context, take);
    } else if record.is_entry() {
        entry(text, &record, context, take);
    } else if let Some(message) = outer.message.filter(|_| outer.subscription.is_some() || outer.ack_id.is_some()) {
        inner("message", message, context, take);
    } else if outer.data.is_some() && (outer.message_id.is_some() || kind.ends_with("google.pubsub.v1.PubsubMessage")) {
        packed("message.data", outer.data, context, take);
    } else if outer.message_id.is_some() && kind.is_empty() && outer.message.is_none() {
        // A message of attributes only.
        give(context, take, Ok(Decoded::Skipped(Skip::OtherEvent)));
    } else if outer.finding.is_some_and(|finding| finding.starts_with('{')) {
        // Security Command Center tells of a weakness, not of a change.
        give(context, take, Ok(Decoded::Skipped(Skip::OtherEvent)));
    } else if let Some(entries) = outer.entries {
        batch(entries, context, take);
    } else {
        return false;
    }
    true
}

fn entry<'a>(text: &'a str, record: &Record<'a>, context: Context<'a>, take: &mut Take<'_>) {
    match record.outer.table_payload.filter(|_| record.payload.is_none()) {
        Some(payload) => match table::entry_of(text, payload) {
            Ok(rebuilt) => match Record::read(&rebuilt) {
                Ok(record) => part_or_entry(&rebuilt, &record, Context { file: context.file, ..context }, take),
                Err(error) => give(context, take, Err(error)),
            },
            Err(error) => give(context, take, Err(error)),
        },
        None => part_or_entry(text, record, context, take),
    }
}

/// The first and the last record of a long-running operation are put together.
static JOINING: Joining = Joining { source: audit::SOURCE, merge: overlay, decode: audit::decode };

/// Gives a log entry on as one that stands for itself, or as a record of an operation that has more.
fn part_or_entry<'a>(text: &'a str, record: &Record<'a>, context: Context<'a>, take: &mut Take<'_>) {
    let result = audit::entry(text, record);
    let stage = match &result {
        Ok(Decoded::Change(change)) if Operation::of(record.operation).has_more() => match change.outcome {
            Outcome::Begun => Stage::Begun,
            Outcome::Failed { .. } => Stage::Failed,
            Outcome::Succeeded => Stage::Succeeded,
        },
        _ => return give(context, take, result),
    };
    if let Ok(Decoded::Change(change)) = result {
        take(context, Found::Part(Part { joining: &JOINING, key: change.uid, stage, text }));
    }
}

fn give<'a>(context: Context<'a>, take: &mut Take<'_>, result: Result<Decoded<'a>, DecodeError>) {
    take(context, Found::Entry(result));
}

/// A CloudEvent of Google's. Audit records come as such, and as what a Pub/Sub message holds; every other type is another event.
fn cloud_event<'a>(record: &Record<'a>, kind: &str, context: Context<'a>, take: &mut Take<'_>) {
    let outer = &record.outer;
    if !kind.starts_with("google.cloud.audit.log.") && !kind.starts_with("google.cloud.pubsub.topic.") {
        give(context, take, Ok(Decoded::Skipped(Skip::OtherEvent)));
    } else if let Some(data) = outer.data {
        if data.starts_with('"') { text_of("data", data, context, take) } else { inner("data", data, context, take) }
    } else {
        packed("data_base64", outer.data_base64, context, take);
    }
}

/// A batch inside another envelope. At the outside, the readers walk into it.
fn batch<'a>(entries: &'a str, context: Context<'a>, take: &mut Take<'_>) {
    let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(entries) else {
        return give(context, take, Err(DecodeError::field("entries", entries, "expected a list")));
    };
    for element in elements {
        inner("entries", element.get(), context, take);
    }
}

/// Opens what an envelope holds.
fn inner<'a>(field: &'static str, text: &'a str, context: Context<'a>, take: &mut Take<'_>) {
    let Some(deeper) = context.inner() else {
        let error = DecodeError::field("envelope", text, "expected a log entry, found one more envelope");
        return give(context, take, Err(error));
    };
    if !text.starts_with('{') {
        let error = DecodeError::field(field, text, "expected an object");
        return give(context, take, Err(error));
    }
    if open(text, deeper, take) {
        return;
    }
    // What a topic carries besides the log's entries.
    let skip = if field == "message" || field == "message.data" { Skip::OtherEvent } else { Skip::Unknown };
    give(context, take, Ok(Decoded::Skipped(skip)));
}

/// Opens what an envelope holds as text in a string.
fn text_of(field: &'static str, json: &str, context: Context<'_>, take: &mut Take<'_>) {
    let text = unescape(json);
    inner(field, text.trim(), Context { file: context.file, layers: context.layers }, take);
}

/// Opens what an envelope holds as base64.
fn packed(field: &'static str, json: Option<&str>, context: Context<'_>, take: &mut Take<'_>) {
    let Some(json) = json else { return give(context, take, Err(DecodeError::Missing { field })) };
    let packed = unescape(json);
    // Some tools print the data as it was before it was packed.
    if packed.trim_start().starts_with('{') {
        return text_of(field, json, context, take);
    }
    let bytes = match STANDARD.decode(packed.trim()).or_else(|_| URL_SAFE.decode(packed.trim())) {
        Ok(bytes) => bytes,
        Err(error) => {
            return give(context, take, Err(DecodeError::Payload { field, reason: format!("base64: {error}") }));
        }
    };
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.trim_start().starts_with('{') => {
            inner(field, text.trim(), Context { file: context.file, layers: context.layers }, take);
        }
        // A topic may carry what it likes.
        Ok(_) => give(context, take, Ok(Decoded::Skipped(Skip::OtherEvent))),
        Err(error) => {
            let reason =
                format!("not UTF-8 at byte {}: {}", error.valid_up_to(), quote(&String::from_utf8_lossy(&bytes)));
            give(context, take, Err(DecodeError::Payload { field, reason }));
        }
    }
}

#[cfg(test)]
mod tests;
