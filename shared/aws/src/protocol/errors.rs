//! What a refusal says, and what kind of refusal it is.

use onus_core::{CallError, CallErrorKind};
use serde_json::Value;

use super::Response;
use super::xml_tree::{self, Element};
use crate::operations::{Protocol, Service};

/// Error codes to kinds, first match wins; `*` stands for any text at an end. Codes from the services' "Common errors"
/// and "Errors" pages; those that no line names go by the status.
const KINDS: &[(&str, CallErrorKind)] = &[
    ("AccessDenied*", CallErrorKind::Denied),
    ("AllAccessDisabled", CallErrorKind::Denied),
    ("AuthFailure", CallErrorKind::Denied),
    ("AuthorizationError*", CallErrorKind::Denied),
    ("ExpiredToken*", CallErrorKind::Denied),
    ("Forbidden*", CallErrorKind::Denied),
    ("IncompleteSignature*", CallErrorKind::Denied),
    ("InvalidAccessKeyId", CallErrorKind::Denied),
    ("InvalidClientTokenId", CallErrorKind::Denied),
    ("InvalidSignature*", CallErrorKind::Denied),
    ("InvalidToken", CallErrorKind::Denied),
    ("MissingAuthenticationToken*", CallErrorKind::Denied),
    ("NotAuthorized*", CallErrorKind::Denied),
    ("OptInRequired", CallErrorKind::Denied),
    ("SignatureDoesNotMatch*", CallErrorKind::Denied),
    ("Unauthorized*", CallErrorKind::Denied),
    ("UnrecognizedClient*", CallErrorKind::Denied),
    ("BandwidthLimitExceeded", CallErrorKind::Throttled),
    ("PriorRequestNotComplete", CallErrorKind::Throttled),
    ("ProvisionedThroughputExceeded*", CallErrorKind::Throttled),
    ("RequestLimitExceeded", CallErrorKind::Throttled),
    ("SlowDown", CallErrorKind::Throttled),
    ("TooManyRequests*", CallErrorKind::Throttled),
    ("*Throttl*", CallErrorKind::Throttled),
    ("NoSuch*", CallErrorKind::NotFound),
    ("*NotFound*", CallErrorKind::NotFound),
    ("*NonExistent*", CallErrorKind::NotFound),
    ("*DoesNotExist*", CallErrorKind::NotFound),
    ("ConcurrentModification*", CallErrorKind::Conflict),
    ("*Conflict*", CallErrorKind::Conflict),
    ("*AlreadyExists*", CallErrorKind::Conflict),
    ("*Duplicate*", CallErrorKind::Conflict),
    ("DependencyViolation", CallErrorKind::Conflict),
    ("EntityTemporarilyUnmodifiable", CallErrorKind::Conflict),
    ("Incorrect*State", CallErrorKind::Conflict),
    ("IncorrectState*", CallErrorKind::Conflict),
    ("Invalid*State", CallErrorKind::Conflict),
    ("*InvalidState*", CallErrorKind::Conflict),
    ("Invalid*StateFault", CallErrorKind::Conflict),
    ("*InUse*", CallErrorKind::Conflict),
    ("OperationAborted", CallErrorKind::Conflict),
    ("PreconditionFailed*", CallErrorKind::Conflict),
    ("DependencyTimeout*", CallErrorKind::Unavailable),
    ("InternalError*", CallErrorKind::Unavailable),
    ("InternalFailure*", CallErrorKind::Unavailable),
    ("InternalServerError*", CallErrorKind::Unavailable),
    ("RequestTimeout*", CallErrorKind::Unavailable),
    ("ServiceUnavailable*", CallErrorKind::Unavailable),
    ("Unavailable", CallErrorKind::Unavailable),
];

/// What kind of refusal a status and an error code are.
pub fn kind_of(status: u16, code: &str) -> CallErrorKind {
    if let Some((_, kind)) = KINDS.iter().find(|(pattern, _)| matches(pattern, code)) {
        return *kind;
    }
    match status {
        401 | 403 => CallErrorKind::Denied,
        404 | 410 => CallErrorKind::NotFound,
        409 | 412 => CallErrorKind::Conflict,
        429 => CallErrorKind::Throttled,
        408 | 500.. => CallErrorKind::Unavailable,
        _ => CallErrorKind::Invalid,
    }
}

/// Whether a code is of a pattern with at most two `*`.
fn matches(pattern: &str, code: &str) -> bool {
    let parts: Vec<&str> = pattern.split('*').collect();
    match parts.as_slice() {
        [exact] => code == *exact,
        ["", inner, ""] => code.contains(inner),
        [head, tail] => code.len() >= head.len() + tail.len() && code.starts_with(head) && code.ends_with(tail),
        _ => false,
    }
}

/// Reads a refusal. Without a body that says so, the code is the status.
pub(super) fn read(service: &Service, call: String, response: &Response) -> CallError {
    let found = match service.metadata.protocol {
        Protocol::Json | Protocol::RestJson => from_json(response),
        Protocol::Query | Protocol::Ec2 | Protocol::RestXml => from_xml(response),
    };
    let (mut code, message) = found.unwrap_or_else(|| (response.status.to_string(), String::new()));
    if service.metadata.aws_query_compatible
        && let Some((old, _)) = response.header("x-amzn-query-error").and_then(|header| header.split_once(';'))
        && !old.is_empty()
    {
        old.clone_into(&mut code);
    }
    CallError { call, kind: kind_of(response.status, &code), code, message }
}

/// The code stands in a header or in the body, maybe with a namespace before it and an address behind.
fn from_json(response: &Response) -> Option<(String, String)> {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = |names: &[&str]| names.iter().find_map(|name| body.get(name)?.as_str()).map(str::to_owned);
    let code = response.header("x-amzn-errortype").map(str::to_owned).or_else(|| text(&["__type", "code", "Code"]));
    let message = text(&["message", "Message", "errorMessage"]).unwrap_or_default();
    let code = code.map(|code| {
        let without_address = code.split(':').next().unwrap_or_default();
        without_address.rsplit('#').next().unwrap_or_default().to_owned()
    });
    match (code.filter(|code| !code.is_empty()), message.is_empty()) {
        (Some(code), _) => Some((code, message)),
        (None, false) => Some((response.status.to_string(), message)),
        (None, true) => None,
    }
}

/// `<Error>` is the root (S3), stands in `<ErrorResponse>` (query), or in `<Errors>` in `<Response>` (EC2).
fn from_xml(response: &Response) -> Option<(String, String)> {
    let root = xml_tree::read(&response.body).ok()?;
    let error = if root.name == "Error" {
        &root
    } else {
        root.child("Error").or_else(|| root.child("Errors")?.child("Error"))?
    };
    let text = |name: &str| error.child(name).map(|child: &Element| child.text.trim().to_owned());
    let code = text("Code").filter(|code| !code.is_empty())?;
    Some((code, text("Message").or_else(|| text("message")).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_tell_the_kind_of_a_refusal_and_the_status_tells_the_rest() {
        use CallErrorKind::{Conflict, Denied, Invalid, NotFound, Throttled, Unavailable};
        let cases = [
            (403, "AccessDenied", Denied),
            (400, "AccessDeniedException", Denied),
            (403, "UnauthorizedOperation", Denied),
            (403, "AuthorizationError", Denied),
            (400, "UnrecognizedClientException", Denied),
            (404, "NoSuchBucketPolicy", NotFound),
            (404, "NoSuchEntity", NotFound),
            (400, "InvalidPermission.NotFound", NotFound),
            (400, "InvalidSnapshot.NotFound", NotFound),
            (400, "TrailNotFoundException", NotFound),
            (400, "NotFoundException", NotFound),
            (404, "ServerSideEncryptionConfigurationNotFoundError", NotFound),
            (400, "AWS.SimpleQueueService.NonExistentQueue", NotFound),
            (400, "QueueDoesNotExist", NotFound),
            (400, "ThrottlingException", Throttled),
            (400, "Throttling", Throttled),
            (503, "RequestLimitExceeded", Throttled),
            (503, "SlowDown", Throttled),
            (400, "RequestThrottled", Throttled),
            (429, "TooManyRequestsException", Throttled),
            (409, "OperationAborted", Conflict),
            (400, "IncorrectState", Conflict),
            (400, "IncorrectInstanceState", Conflict),
            (400, "InvalidDBSnapshotState", Conflict),
            (400, "KMSInvalidStateException", Conflict),
            (400, "InvalidPermission.Duplicate", Conflict),
            (409, "ResourceConflictException", Conflict),
            (400, "InvalidParameterValue", Invalid),
            (400, "ValidationException", Invalid),
            (400, "MalformedPolicy", Invalid),
            (301, "PermanentRedirect", Invalid),
            (500, "InternalFailure", Unavailable),
            (503, "ServiceUnavailable", Unavailable),
            (400, "RequestTimeout", Unavailable),
            (404, "404", NotFound),
            (403, "403", Denied),
            (502, "502", Unavailable),
        ];
        let wrong: Vec<String> = cases
            .iter()
            .filter(|(status, code, kind)| kind_of(*status, code) != *kind)
            .map(|(status, code, kind)| format!("{status} {code}: {:?}, not {kind:?}", kind_of(*status, code)))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
