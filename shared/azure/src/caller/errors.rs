//! What a refusal of Resource Manager says, and what kind of refusal it is.

use onus_core::{CallError, CallErrorKind};
use serde_json::Value;

/// Error codes to kinds, first match wins; `*` stands for any text at an end. From "Troubleshoot common Azure deployment errors"
/// and "Understand how Azure Resource Manager throttles requests" (Microsoft Learn); those that no line names go by the status.
const KINDS: &[(&str, CallErrorKind)] = &[
    ("AuthorizationFailed", CallErrorKind::Denied),
    ("*AuthorizationFailed", CallErrorKind::Denied),
    ("AuthenticationFailed*", CallErrorKind::Denied),
    ("ExpiredAuthenticationToken", CallErrorKind::Denied),
    ("InvalidAuthenticationToken*", CallErrorKind::Denied),
    ("RequestDisallowedByPolicy", CallErrorKind::Denied),
    // A lock on the resource, answered with 409: trying again does not lift it.
    ("ScopeLocked", CallErrorKind::Denied),
    ("TooManyRequests", CallErrorKind::Throttled),
    ("*Throttled", CallErrorKind::Throttled),
    ("SubscriptionNotFound", CallErrorKind::NotFound),
    ("*NotFound", CallErrorKind::NotFound),
    ("*DoesNotExist", CallErrorKind::NotFound),
    ("AnotherOperationInProgress", CallErrorKind::Conflict),
    ("*OperationInProgress", CallErrorKind::Conflict),
    ("PreconditionFailed", CallErrorKind::Conflict),
    ("RetryableError", CallErrorKind::Conflict),
    ("GatewayTimeout", CallErrorKind::Unavailable),
    ("InternalServerError", CallErrorKind::Unavailable),
    ("ServerTimeout", CallErrorKind::Unavailable),
    ("ServiceUnavailable", CallErrorKind::Unavailable),
];

/// Messages are kept up to here: they may quote the request.
const LONGEST_MESSAGE: usize = 1_000;

/// What kind of refusal a status and an error code are.
pub(super) fn kind_of(status: u16, code: &str) -> CallErrorKind {
    if let Some((_, kind)) = KINDS.iter().find(|(pattern, _)| matches(pattern, code)) {
        return *kind;
    }
    match status {
        401 | 403 => CallErrorKind::Denied,
        404 | 410 => CallErrorKind::NotFound,
        409 | 412 | 423 => CallErrorKind::Conflict,
        429 => CallErrorKind::Throttled,
        408 | 500.. => CallErrorKind::Unavailable,
        _ => CallErrorKind::Invalid,
    }
}

/// Whether a code is of a pattern with at most one `*`.
fn matches(pattern: &str, code: &str) -> bool {
    match pattern.split_once('*') {
        None => code.eq_ignore_ascii_case(pattern),
        Some((head, tail)) => {
            let (code, head, tail) = (code.to_ascii_lowercase(), head.to_ascii_lowercase(), tail.to_ascii_lowercase());
            code.len() >= head.len() + tail.len() && code.starts_with(&head) && code.ends_with(&tail)
        }
    }
}

/// Reads a refusal: `{"error":{"code","message"}}`, or the same without its envelope, as some providers write it. Without a
/// body that says so, the code is ours for the status.
pub(super) fn read(call: String, status: u16, body: &[u8]) -> CallError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    of_body(call, status, &body).unwrap_or_else(|(call, message)| {
        let code = match status {
            404 => "NotFound".to_owned(),
            412 => "PreconditionFailed".to_owned(),
            other => other.to_string(),
        };
        CallError { call, kind: kind_of(status, &code), code, message }
    })
}

/// The error in a body that has one; else the name of the call and whatever message there is.
pub(super) fn of_body(call: String, status: u16, body: &Value) -> Result<CallError, (String, String)> {
    let error = ["error", "odata.error"].into_iter().find_map(|name| body.get(name)).unwrap_or(body);
    let text = |names: &[&str]| names.iter().find_map(|name| error.get(name)?.as_str()).unwrap_or_default();
    let message = error.get("message").and_then(|message| message.get("value")).and_then(Value::as_str);
    let message: String =
        message.unwrap_or_else(|| text(&["message", "Message"])).chars().take(LONGEST_MESSAGE).collect();
    match text(&["code", "Code"]) {
        "" => Err((call, message)),
        code => Ok(CallError { call, kind: kind_of(status, code), code: code.chars().take(200).collect(), message }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_tell_the_kind_of_a_refusal_and_the_status_tells_the_rest() {
        use CallErrorKind::{Conflict, Denied, Invalid, NotFound, Throttled, Unavailable};
        let cases = [
            (403, "AuthorizationFailed", Denied),
            (403, "LinkedAuthorizationFailed", Denied),
            (401, "ExpiredAuthenticationToken", Denied),
            (401, "InvalidAuthenticationTokenTenant", Denied),
            (403, "RequestDisallowedByPolicy", Denied),
            (409, "ScopeLocked", Denied),
            (404, "ResourceNotFound", NotFound),
            (404, "ContainerNotFound", NotFound),
            (404, "RoleDefinitionDoesNotExist", NotFound),
            (400, "roleAssignmentNotFound", NotFound),
            (429, "TooManyRequests", Throttled),
            (429, "SubscriptionRequestsThrottled", Throttled),
            (409, "AnotherOperationInProgress", Conflict),
            (409, "ServerBusyOperationInProgress", Conflict),
            (412, "PreconditionFailed", Conflict),
            (409, "Conflict", Conflict),
            (409, "RoleAssignmentExists", Conflict),
            (423, "Locked", Conflict),
            (400, "InvalidResourceType", Invalid),
            (302, "302", Invalid),
            (500, "InternalServerError", Unavailable),
            (503, "503", Unavailable),
        ];
        let wrong: Vec<String> = cases
            .iter()
            .filter(|(status, code, kind)| kind_of(*status, code) != *kind)
            .map(|(status, code, kind)| format!("{status} {code}: {:?}, not {kind:?}", kind_of(*status, code)))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn bodies_are_read_in_all_their_shapes() {
        let cases = [
            (404, r#"{"error":{"code":"ResourceNotFound","message":"no"}}"#, "ResourceNotFound", "no"),
            (400, r#"{"code":"BadRequest","message":"no"}"#, "BadRequest", "no"),
            (400, r#"{"odata.error":{"code":"X","message":{"lang":"en","value":"no"}}}"#, "X", "no"),
            (404, "", "NotFound", ""),
            (412, "<html>", "PreconditionFailed", ""),
            (500, r#"{"Message":"oops"}"#, "500", "oops"),
        ];
        for (status, body, code, message) in cases {
            let error = read("c".to_owned(), status, body.as_bytes());
            assert_eq!((error.code.as_str(), error.message.as_str()), (code, message), "{body}");
        }
        let long = format!(r#"{{"error":{{"code":"X","message":"{}"}}}}"#, "é".repeat(5_000));
        assert_eq!(read("c".to_owned(), 400, long.as_bytes()).message.chars().count(), LONGEST_MESSAGE);
    }
}
