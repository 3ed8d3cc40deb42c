//! Single values as text: how each protocol writes and reads them.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Number, Value};

use crate::operations::{Kind, Node, TimestampFormat};

/// The moment that a parameter or an answer names: seconds since 1970, RFC 3339, or an HTTP date.
pub(super) fn moment(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(seconds) => Timestamp::from_second(seconds).ok(),
            None => from_fraction(number.as_f64()?),
        },
        Value::String(text) => {
            let text = text.trim();
            let by_seconds = || text.parse::<f64>().ok().and_then(from_fraction);
            let by_date = || rfc2822::DateTimeParser::new().parse_timestamp(text).ok();
            text.parse().ok().or_else(by_seconds).or_else(by_date)
        }
        _ => None,
    }
}

/// Seconds since 1970 with a fraction, to the microsecond: the precision that a float of today's size keeps.
fn from_fraction(seconds: f64) -> Option<Timestamp> {
    let whole = Duration::try_from_secs_f64(seconds.abs()).ok()?;
    let rounded = SignedDuration::try_from(whole)
        .ok()?
        .round(jiff::SignedDurationRound::new().smallest(jiff::Unit::Microsecond))
        .ok()?;
    Timestamp::from_duration(if seconds < 0.0 { rounded.checked_neg()? } else { rounded }).ok()
}

/// A moment as a protocol writes it.
pub(super) fn write_moment(moment: Timestamp, format: TimestampFormat) -> Value {
    match format {
        TimestampFormat::Iso8601 => Value::String(moment.to_string()),
        TimestampFormat::Rfc822 => {
            Value::String(rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&moment).unwrap_or_default())
        }
        TimestampFormat::UnixTimestamp if moment.subsec_nanosecond() == 0 => Value::from(moment.as_second()),
        TimestampFormat::UnixTimestamp => Value::from(moment.as_duration().as_secs_f64()),
    }
}

/// A single value as text. Lists, maps and structures have none: the empty text.
pub(super) fn text(node: Node<'_>, value: &Value, format: TimestampFormat) -> String {
    let value = match (node.kind(), moment(value)) {
        (Kind::Timestamp, Some(at)) => &write_moment(at, node.timestamp_format().unwrap_or(format)),
        _ => value,
    };
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

/// Bytes from their base64 text; checked before.
pub(super) fn bytes(value: &Value) -> Vec<u8> {
    value.as_str().and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default()
}

/// Bytes as base64 text.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads a single value from text, as headers and XML hold it.
///
/// # Errors
/// What the text should have been, in words.
pub(super) fn read_text(node: Node<'_>, text: &str) -> Result<Value, String> {
    let refused = |what: &str| format!("`{}` is not {what}", text.escape_debug());
    match node.kind() {
        Kind::String => Ok(Value::String(text.to_owned())),
        Kind::Boolean => match text.trim() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(refused("true or false")),
        },
        Kind::Integer => text.trim().parse::<i64>().map(Value::from).map_err(|_| refused("a whole number")),
        Kind::Float => float(text.trim()).ok_or_else(|| refused("a number")),
        Kind::Blob => match STANDARD.decode(text.trim()) {
            Ok(_) => Ok(Value::String(text.trim().to_owned())),
            Err(_) => Err(refused("bytes in base64")),
        },
        Kind::Timestamp => read_moment(&Value::String(text.to_owned())),
        Kind::Structure | Kind::List | Kind::Map => Err(refused("a single value")),
    }
}

/// A moment of an answer as RFC 3339 text.
pub(super) fn read_moment(value: &Value) -> Result<Value, String> {
    match moment(value) {
        Some(moment) => Ok(Value::String(moment.to_string())),
        None => Err(format!("{value} is not a moment")),
    }
}

/// A number, or the name of one that JSON lacks.
pub(super) fn float(text: &str) -> Option<Value> {
    match text {
        "NaN" | "Infinity" | "-Infinity" => Some(Value::String(text.to_owned())),
        _ => text.parse().ok().and_then(Number::from_f64).map(Value::Number),
    }
}
