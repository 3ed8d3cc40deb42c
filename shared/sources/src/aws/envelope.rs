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
use crate::logs::{Context, Take};
use crate::text::{each_member, unescape};

/// See [`crate::logs::Log::open`].
pub(super) fn open<'a>(text: &'a str, context: Context<'a>, take: &mut Take<'_>) -> bool {
    let record = match Record::read(text) {
        Ok(record) => record,
        Err(error) => {
            take(context, Err(error));
            return true;
        }
    };
    let result = match cloudtrail::skip(&record) {
        None => notice(&record).map_or_else(
            || sealed(&record, context, take).unwrap_or_else(|| Some(decoded(text, &record))),
            |skip| Some(Ok(Decoded::Skipped(skip))),
        ),
        Some(Skip::Unknown) => match sealed(&record, context, take) {
            Some(result) => result,
            None => return false,
        },
        Some(skip) => Some(Ok(Decoded::Skipped(skip))),
    };
    if let Some(result) = result {
        take(context, result);
    }
    true
}

fn decoded<'a>(text: &'a str, record: &Record<'a>) -> Result<Decoded<'a>, DecodeError> {
    cloudtrail::change(text, record).map(|change| Decoded::Change(Box::new(change)))
}

/// Notices of S3 look like records: they name an operation, too.
fn notice(record: &Record<'_>) -> Option<Skip> {
    let source = Record::text(record.event_source);
    (record.outer.s3.is_some() || source.0 == "aws:s3").then_some(Skip::StorageNotification)
}

/// Opens an envelope. Nothing: this is none. `Some(None)`: everything in it was taken.
#[allow(clippy::option_option)] // three answers, each with its own meaning; a named enum would serve this one caller
fn sealed<'a>(
    record: &Record<'a>,
    context: Context<'a>,
    take: &mut Take<'_>,
) -> Option<Option<Result<Decoded<'a>, DecodeError>>> {
    let outer = &record.outer;
    if let (Some(detail), Some(kind)) = (outer.detail, outer.detail_type) {
        return Some(event_bridge(detail, &Record::text(Some(kind)).0, context, take));
    }
    if let Some(message_type) = outer.message_type {
        return Some(log_events(&Record::text(Some(message_type)).0, outer.log_events, context, take));
    }
    if let Some(awslogs) = outer.awslogs {
        return Some(subscription(awslogs, context, take).err().map(Err));
    }
    if let Some(event) = outer.cloudtrail_event {
        return Some(inner_text("CloudTrailEvent", event, context, take));
    }
    if let Some(body) = outer.body {
        return Some(inner_text("body", body, context, take));
    }
    if let Some(sns) = outer.sns {
        return Some(inner(sns, context, take));
    }
    if let Some(message) = outer.message
        && Record::text(outer.kind).0 == "Notification"
    {
        return Some(inner_text("Message", message, context, take));
    }
    if outer.s3.is_some() {
        return Some(Some(Ok(Decoded::Skipped(Skip::StorageNotification))));
    }
    if matches!(Record::text(outer.kind).0.as_ref(), "SubscriptionConfirmation" | "UnsubscribeConfirmation")
        || Record::text(outer.event).0 == "s3:TestEvent"
    {
        return Some(Some(Ok(Decoded::Skipped(Skip::ControlMessage))));
    }
    let batch = outer.records?;
    match serde_json::from_str::<Vec<&RawValue>>(batch) {
        Ok(elements) => {
            for element in elements {
                if let Some(result) = inner(element.get(), context, take) {
                    take(context, result);
                }
            }
            Some(None)
        }
        Err(_) => Some(Some(Err(DecodeError::field("Records", batch, "expected a list")))),
    }
}

/// What an entry inside an envelope turned out to be; nothing when it was itself an envelope, and everything in it was taken.
type Inner<'a> = Option<Result<Decoded<'a>, DecodeError>>;

/// An event of EventBridge. The five detail types of CloudTrail all end alike; China's start with `Amazon` instead of `AWS`.
fn event_bridge<'a>(detail: &'a str, kind: &str, context: Context<'a>, take: &mut Take<'_>) -> Inner<'a> {
    if kind.ends_with(" via CloudTrail") {
        inner(detail, context, take)
    } else {
        Some(Ok(Decoded::Skipped(Skip::OtherEvent)))
    }
}

/// Opens what an envelope holds.
fn inner<'a>(text: &'a str, context: Context<'a>, take: &mut Take<'_>) -> Inner<'a> {
    let Some(context) = context.inner() else {
        return Some(Err(DecodeError::field("envelope", text, "expected a record, found one more envelope")));
    };
    if !text.starts_with('{') {
        return Some(Err(DecodeError::NotAnObject { start: quote(text) }));
    }
    if open(text, context, take) { None } else { Some(Ok(Decoded::Skipped(Skip::Unknown))) }
}

/// Opens what an envelope holds as text in a string, or, as some forwarders write it, as an object.
fn inner_text<'a>(field: &'static str, value: &'a str, context: Context<'a>, take: &mut Take<'_>) -> Inner<'a> {
    if !value.starts_with('"') {
        return inner(value, context, take);
    }
    let text = unescape(value);
    let text = text.trim();
    if !text.starts_with('{') {
        return Some(Err(DecodeError::field(field, text, "expected a JSON object as text")));
    }
    if let Some(result) = inner(text, context, take) {
        take(context, result);
    }
    None
}

/// Whether a message is an object, or text that starts as one.
fn holds_object(message: &str) -> bool {
    message.trim_start_matches('"').trim_start().starts_with('{')
}

/// The unpacked payload of a CloudWatch Logs subscription.
fn log_events<'a>(kind: &str, events: Option<&'a str>, context: Context<'a>, take: &mut Take<'_>) -> Inner<'a> {
    if kind == "CONTROL_MESSAGE" {
        return Some(Ok(Decoded::Skipped(Skip::ControlMessage)));
    }
    let events = events.unwrap_or("null");
    let Ok(events) = serde_json::from_str::<Vec<&RawValue>>(events) else {
        return Some(Err(DecodeError::field("logEvents", events, "expected a list")));
    };
    for event in events {
        let mut message = None;
        let read = each_member(event.get(), &mut |name, value| {
            if name == "message" {
                message = Some(value);
            }
        });
        let result = match (read, message) {
            (Err(error), _) => Some(Err(DecodeError::syntax(event.get(), &error))),
            (Ok(()), None) => Some(Err(DecodeError::Missing { field: "logEvents.message" })),
            // A log group holds what its writer likes. A line that does not even start as a record is one of another log.
            (Ok(()), Some(message)) if !holds_object(message) => Some(Ok(Decoded::Skipped(Skip::OtherEvent))),
            (Ok(()), Some(message)) => inner_text("logEvents.message", message, context, take),
        };
        if let Some(result) = result {
            take(context, result);
        }
    }
    None
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
    if let Some(result) = inner(text.trim(), context, take) {
        take(context, result);
    }
    Ok(())
}
