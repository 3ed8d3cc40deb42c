//! What an HTTP answer means.

use std::error::Error;
use std::time::Duration;

use onus_core::{CallError, CallErrorKind};
use serde_json::{Map, Value};

/// Why an attempt did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Whether the same request may be sent again at once.
    pub(super) again: bool,
    /// How long the service asks to wait.
    pub(super) after: Option<Duration>,
    pub(super) kind: CallErrorKind,
    pub(super) code: String,
    pub(super) message: String,
}

impl Refusal {
    /// A request that cannot be sent.
    pub(super) fn of_ours(code: &str, error: &dyn Error) -> Self {
        let message = error.to_string();
        Self { again: false, after: None, kind: CallErrorKind::Invalid, code: code.to_owned(), message }
    }

    pub(super) fn into_error(self, call: &str) -> CallError {
        CallError { call: call.to_owned(), kind: self.kind, code: self.code, message: self.message }
    }
}

/// Reads an answer; an empty one is `{}`.
///
/// # Errors
/// The service refused, or answered what is no JSON.
pub(super) fn read(status: u16, body: &[u8]) -> Result<Value, Refusal> {
    if !(200..300).contains(&status) {
        return Err(refusal(status, &serde_json::from_slice(body).unwrap_or_default()));
    }
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(body).map_err(|error| Refusal {
        again: false,
        after: None,
        kind: CallErrorKind::Unavailable,
        code: "UnreadableAnswer".to_owned(),
        message: error.to_string(),
    })
}

/// Reasons of a 403 that mean "later" (<https://cloud.google.com/compute/docs/api/best-practices#retry>, and BigQuery's and
/// Cloud Storage's pages of errors).
const THROTTLING: [&str; 3] = ["rateLimitExceeded", "userRateLimitExceeded", "concurrentLimitExceeded"];

/// What an error body says: `{"error": {"status", "message", "errors": [{"reason"}]}}`. The newer APIs name a canonical status,
/// the older ones only reasons (<https://google.aip.dev/193>).
fn refusal(status: u16, body: &Value) -> Refusal {
    let error = body.get("error").unwrap_or(&Value::Null);
    let reason = error.pointer("/errors/0/reason").and_then(Value::as_str);
    let canonical = error.get("status").and_then(Value::as_str);
    let throttled = status == 429 || reason.is_some_and(|reason| status == 403 && THROTTLING.contains(&reason));
    let kind = match status {
        _ if throttled => CallErrorKind::Throttled,
        401 | 403 => CallErrorKind::Denied,
        404 | 410 => CallErrorKind::NotFound,
        409 | 412 => CallErrorKind::Conflict,
        400 if canonical == Some("FAILED_PRECONDITION") => CallErrorKind::Conflict,
        408 | 500 | 502..=599 => CallErrorKind::Unavailable,
        _ => CallErrorKind::Invalid,
    };
    let code = canonical.or(reason).map_or_else(|| format!("HTTP {status}"), str::to_owned);
    let told = error.get("message").or_else(|| body.get("error_description")).and_then(Value::as_str);
    let again = matches!(kind, CallErrorKind::Throttled | CallErrorKind::Unavailable);
    Refusal { again, after: None, kind, code, message: told.unwrap_or("the answer tells no reason").to_owned() }
}

/// What kind of refusal a code of `google.rpc.Code` is (<https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto>).
pub(super) fn kind_of_code(code: u64) -> CallErrorKind {
    match code {
        7 | 16 => CallErrorKind::Denied,
        5 => CallErrorKind::NotFound,
        8 => CallErrorKind::Throttled,
        6 | 9 | 10 => CallErrorKind::Conflict,
        4 | 13 | 14 => CallErrorKind::Unavailable,
        _ => CallErrorKind::Invalid,
    }
}

/// What kind of refusal an HTTP status is.
pub(super) fn kind_of_status(status: u16) -> CallErrorKind {
    refusal(status, &Value::Null).kind
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_dialect_of_refusal_is_understood() {
        use CallErrorKind::{Conflict, Denied, Invalid, NotFound, Throttled, Unavailable};
        let new = |status: &str| json!({ "error": { "code": 1, "status": status, "message": "m" } });
        let old = |reason: &str| json!({ "error": { "errors": [{ "reason": reason }], "message": "m" } });
        let cases = [
            (403, new("PERMISSION_DENIED"), Denied, "PERMISSION_DENIED", false),
            (401, new("UNAUTHENTICATED"), Denied, "UNAUTHENTICATED", false),
            (403, old("rateLimitExceeded"), Throttled, "rateLimitExceeded", true),
            (403, old("quotaExceeded"), Denied, "quotaExceeded", false),
            (404, old("notFound"), NotFound, "notFound", false),
            (409, new("ABORTED"), Conflict, "ABORTED", false),
            (412, old("conditionNotMet"), Conflict, "conditionNotMet", false),
            (400, new("FAILED_PRECONDITION"), Conflict, "FAILED_PRECONDITION", false),
            (400, new("INVALID_ARGUMENT"), Invalid, "INVALID_ARGUMENT", false),
            (429, new("RESOURCE_EXHAUSTED"), Throttled, "RESOURCE_EXHAUSTED", true),
            (501, json!({}), Invalid, "HTTP 501", false),
            (503, json!("down"), Unavailable, "HTTP 503", true),
            (302, json!(null), Invalid, "HTTP 302", false),
        ];
        let mut wrong = Vec::new();
        for (status, body, kind, code, again) in cases {
            let found = read(status, body.to_string().as_bytes()).unwrap_err();
            if (found.kind, found.code.as_str(), found.again) != (kind, code, again) {
                wrong.push(format!("{status} {body}: {found:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(read(204, b""), Ok(json!({})));
        assert_eq!(read(200, b"<html>").unwrap_err().code, "UnreadableAnswer");
    }
}
