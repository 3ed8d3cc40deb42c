//! What AWS delivers CloudTrail records in, taken off layer by layer.
//!
//! - EventBridge: the record is `detail`
//!   (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html>);
//! - a CloudWatch Logs subscription: `{"awslogs":{"data":…}}`, base64 of gzip of `{"messageType":…,"logEvents":[{"message":…}]}`
//!   (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html>);
//! - SQS messages and SNS notifications that carry any of these as text;
//! - events of a `LookupEvents` answer: the record is the text in `CloudTrailEvent`.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use super::cloudtrail;
use super::record::Record;
use crate::MAX_RECORD;
use crate::entry::{Decoded, Skip};
use crate::error::{DecodeError, quote};
use crate::logs::{Context, Found, Take};
use crate::text::{Members, each_member, unescape};

/// What an envelope, or what is in it, turned out to be.
enum Opened<'a> {
    /// Every entry in it has been taken.
    Taken,
    /// One entry, still to be taken.
    Entry(Result<Decoded<'a>, DecodeError>),
}

impl<'a> Opened<'a> {
    fn skipped(skip: Skip) -> Self {
        Opened::Entry(Ok(Decoded::Skipped(skip)))
    }

    /// Has what is left taken.
    fn give(self, context: Context<'a>, take: &mut Take<'_>) {
        if let Opened::Entry(result) = self {
            take(context, Found::Entry(result));
        }
    }
}

/// See [`crate::logs::Log::open`].
pub(super) fn open<'a>(text: &'a str, context: Context<'a>, take: &mut Take<'_>) -> bool {
    let record = match Record::read(text) {
        Ok(record) => record,
        Err(error) => {
            take(context, Found::Entry(Err(error)));
            return true;
        }
    };
    // A notice and an SQS message look like records: they name an operation or a service, too.
    let opened = match (cloudtrail::skip(&record), delivery(&record)) {
        (Some(skip), _) if skip != Skip::Unknown => Some(Opened::skipped(skip)),
        (_, Some(skip)) => Some(Opened::skipped(skip)),
        (skip, None) => sealed(&record, context, take).or_else(|| skip.is_none().then(|| decoded(text, &record))),
    };
    let known = opened.is_some();
    opened.unwrap_or(Opened::Taken).give(context, take);
    known
}

fn decoded<'a>(text: &'a str, record: &Record<'a>) -> Opened<'a> {
    Opened::Entry(cloudtrail::change(text, record).map(|change| Decoded::Change(Box::new(change))))
}

/// What delivery says on its own account: that a file was stored, that a topic or a bucket was connected.
fn delivery(record: &Record<'_>) -> Option<Skip> {
    let kind = Record::text(record.outer.kind);
    if record.outer.s3.is_some() || Record::text(record.event_source).0 == "aws:s3" {
        Some(Skip::StorageNotification)
    } else if matches!(kind.0.as_ref(), "SubscriptionConfirmation" | "UnsubscribeConfirmation")
        || Record::text(record.outer.event).0 == "s3:TestEvent"
    {
        Some(Skip::ControlMessage)
    } else {
        None
    }
}

/// Opens an envelope; nothing when this is none.
fn sealed<'a>(record: &Record<'a>, context: Context<'a>, take: &mut Take<'_>) -> Option<Opened<'a>> {
    let outer = &record.outer;
    let opened = if let (Some(detail), Some(kind)) = (outer.detail, outer.detail_type) {
        event_bridge(detail, &Record::text(Some(kind)).0, context, take)
    } else if let Some(message_type) = outer.message_type {
        log_events(&Record::text(Some(message_type)).0, outer.log_events, context, take)
    } else if let Some(awslogs) = outer.awslogs {
        subscription(awslogs, context, take).map_or_else(|error| Opened::Entry(Err(error)), |()| Opened::Taken)
    } else if let Some(event) = outer.cloudtrail_event {
        inner_text("CloudTrailEvent", event, context, take)
    } else if let Some(body) = outer.body {
        inner_text("body", body, context, take)
    } else if let Some(sns) = outer.sns {
        inner(sns, context, take)
    } else if let Some(message) = outer.message
        && Record::text(outer.kind).0 == "Notification"
    {
        inner_text("Message", message, context, take)
    } else {
        batch(outer.records?, context, take)
    };
    Some(opened)
}

/// A batch inside another envelope. At the outside, the readers walk into it.
fn batch<'a>(records: &'a str, context: Context<'a>, take: &mut Take<'_>) -> Opened<'a> {
    let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(records) else {
        return Opened::Entry(Err(DecodeError::field("Records", records, "expected a list")));
    };
    for element in elements {
        inner(element.get(), context, take).give(context, take);
    }
    Opened::Taken
}

/// An event of EventBridge. The five detail types of CloudTrail all end alike; China's start with `Amazon` instead of `AWS`.
fn event_bridge<'a>(detail: &'a str, kind: &str, context: Context<'a>, take: &mut Take<'_>) -> Opened<'a> {
    if kind.ends_with(" via CloudTrail") { inner(detail, context, take) } else { Opened::skipped(Skip::OtherEvent) }
}

/// Opens what an envelope holds.
fn inner<'a>(text: &'a str, context: Context<'a>, take: &mut Take<'_>) -> Opened<'a> {
    let Some(context) = context.inner() else {
        return Opened::Entry(Err(DecodeError::field("envelope", text, "expected a record, found one more envelope")));
    };
    if !text.starts_with('{') {
        return Opened::Entry(Err(DecodeError::NotAnObject { start: quote(text) }));
    }
    if open(text, context, take) { Opened::Taken } else { Opened::skipped(Skip::Unknown) }
}

/// Opens what an envelope holds as text in a string, or, as some forwarders write it, as an object.
fn inner_text<'a>(field: &'static str, value: &'a str, context: Context<'a>, take: &mut Take<'_>) -> Opened<'a> {
    if !value.starts_with('"') {
        return inner(value, context, take);
    }
    let text = unescape(value);
    let text = text.trim();
    if !text.starts_with('{') {
        return Opened::Entry(Err(DecodeError::field(field, text, "expected a JSON object as text")));
    }
    inner(text, context, take).give(context, take);
    Opened::Taken
}

/// Whether a message is an object, or text that starts as one.
fn holds_object(message: &str) -> bool {
    let start = message.trim_start_matches('"').trim_start();
    start.starts_with('{') || (start.starts_with('\\') && unescape(message).trim_start().starts_with('{'))
}

/// The unpacked payload of a CloudWatch Logs subscription.
fn log_events<'a>(kind: &str, events: Option<&'a str>, context: Context<'a>, take: &mut Take<'_>) -> Opened<'a> {
    if kind == "CONTROL_MESSAGE" {
        return Opened::skipped(Skip::ControlMessage);
    }
    let events = events.unwrap_or("null");
    let Ok(events) = serde_json::from_str::<Vec<&RawValue>>(events) else {
        return Opened::Entry(Err(DecodeError::field("logEvents", events, "expected a list")));
    };
    for event in events {
        let mut message = None;
        let read = each_member(event.get(), &mut |name, value| {
            if name == "message" {
                message = Some(value);
            }
        });
        let opened = match (read, message) {
            (Err(error), _) => Opened::Entry(Err(DecodeError::syntax(event.get(), &error))),
            (Ok(()), None) => Opened::Entry(Err(DecodeError::Missing { field: "logEvents.message" })),
            // A log group holds what its writer likes. A line that does not even start as a record is one of another log.
            (Ok(()), Some(message)) if !holds_object(message) => Opened::skipped(Skip::OtherEvent),
            (Ok(()), Some(message)) => inner_text("logEvents.message", message, context, take),
        };
        opened.give(context, take);
    }
    Opened::Taken
}

/// A CloudWatch Logs subscription as Lambda gets it. What it unpacks to is bounded like any record.
fn subscription<'a>(awslogs: &'a str, context: Context<'a>, take: &mut Take<'_>) -> Result<(), DecodeError> {
    let field = "awslogs.data";
    let mut data = None;
    each_member(awslogs, &mut |name, value| {
        if name == "data" {
            data = Some(value);
        }
    })
    .map_err(|_| DecodeError::field("awslogs", awslogs, "expected an object"))?;
    let data = unescape(data.ok_or(DecodeError::Missing { field })?);
    let packed = STANDARD
        .decode(data.trim())
        .map_err(|error| DecodeError::Payload { field, reason: format!("base64: {error}") })?;
    let limit = MAX_RECORD as u64;
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(packed.as_slice())
        .take(limit + 1)
        .read_to_end(&mut text)
        .map_err(|error| DecodeError::Payload { field, reason: format!("gzip: {error}") })?;
    if text.len() > MAX_RECORD {
        return Err(DecodeError::TooLarge { limit: MAX_RECORD });
    }
    let text = std::str::from_utf8(&text).map_err(|error| DecodeError::Utf8 { offset: error.valid_up_to() })?;
    inner(text.trim(), context, take).give(context, take);
    Ok(())
}
