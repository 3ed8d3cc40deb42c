//! Operations that go on after a method has answered: where they stand, how they are asked for, and how they ended. Pure.
//!
//! Three kinds: Compute Engine's, of a zone, a region or a project; Cloud SQL's; and `google.longrunning.Operation` of all
//! newer APIs.

use onus_core::{Call, CallError, CallErrorKind};
use serde_json::{Value, json};

use super::answer::{kind_of_code, kind_of_status};
use crate::request::{self, Request};

/// Where an operation stands.
#[derive(Debug, PartialEq)]
pub(super) enum Progress {
    /// It has ended well; the last answer.
    Done(Value),
    /// It goes on; what asks for it.
    Running(Request),
}

/// Reads the operation that a call was answered with.
///
/// # Errors
/// It has ended with an error, or does not say how to ask for it.
pub(super) fn progress(call: &Call, operation: Value) -> Result<Progress, CallError> {
    let done = operation.get("done") == Some(&Value::Bool(true))
        || operation.get("status").and_then(Value::as_str) == Some("DONE");
    if let Some(error) = operation.get("error").filter(|error| !error.is_null()) {
        return Err(failure(call, &operation, error));
    }
    if done { Ok(Progress::Done(operation)) } else { poll(call, &operation).map(Progress::Running) }
}

/// The request that asks how an operation stands.
fn poll(call: &Call, operation: &Value) -> Result<Request, CallError> {
    let unreadable = || failed(call, CallErrorKind::Unavailable, "UnreadableAnswer", "an operation without a name");
    let name = operation.get("name").and_then(Value::as_str).ok_or_else(unreadable)?;
    let project = call.parameters.get("project").cloned().unwrap_or_default();
    // Zones and regions are links: their last part is the name.
    let place = |member: &str| operation.get(member)?.as_str()?.rsplit('/').next();
    match (call.service.as_str(), place("zone"), place("region")) {
        ("compute", Some(zone), _) => {
            asked("compute", "zoneOperations.get", json!({ "project": project, "zone": zone, "operation": name }))
        }
        ("compute", None, Some(region)) => {
            asked("compute", "regionOperations.get", json!({ "project": project, "region": region, "operation": name }))
        }
        ("compute", None, None) => {
            asked("compute", "globalOperations.get", json!({ "project": project, "operation": name }))
        }
        ("sqladmin", ..) => asked("sqladmin", "operations.get", json!({ "project": project, "operation": name })),
        _ => longrunning(call, name),
    }
}

fn asked(api: &str, method: &str, parameters: Value) -> Result<Request, CallError> {
    request::write(&Call::gcp(api, method, parameters))
}

/// `GET /v1/operations/123`: every API with `google.longrunning` operations answers there
/// (<https://google.aip.dev/151>). A name with other than plain characters is none that Google hands out.
fn longrunning(call: &Call, name: &str) -> Result<Request, CallError> {
    let (api, _) = request::method(call)?;
    let plain = |part: &str| {
        !matches!(part, "" | "." | "..") && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
    };
    if !name.split('/').all(plain) {
        return Err(failed(call, CallErrorKind::Unavailable, "UnreadableAnswer", "an operation of no known name"));
    }
    let path = format!("/{}/{name}", api.version);
    Ok(Request { method: "GET".to_owned(), path, query: Vec::new(), headers: Vec::new(), body: None })
}

/// What an operation's error means: `google.rpc.Status`, or a list of errors with the HTTP status beside it.
fn failure(call: &Call, operation: &Value, error: &Value) -> CallError {
    let first = error.pointer("/errors/0").unwrap_or(error);
    let message = first.get("message").and_then(Value::as_str).unwrap_or("the operation failed");
    if let Some(code) = first.get("code").and_then(Value::as_u64) {
        return failed(call, kind_of_code(code), &format!("code {code}"), message);
    }
    let code = first.get("code").and_then(Value::as_str).unwrap_or("OperationFailed");
    let status = operation.get("httpErrorStatusCode").and_then(Value::as_u64).and_then(|s| u16::try_from(s).ok());
    let kind = match status {
        Some(status) => kind_of_status(status),
        None if code.contains("INTERNAL") || code.contains("UNAVAILABLE") => CallErrorKind::Unavailable,
        None => CallErrorKind::Invalid,
    };
    failed(call, kind, code, message)
}

fn failed(call: &Call, kind: CallErrorKind, code: &str, message: &str) -> CallError {
    CallError { call: call.name(), kind, code: code.to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The path that is asked, `done`, or the error.
    fn stands(call: &Call, operation: Value) -> String {
        match progress(call, operation) {
            Ok(Progress::Done(_)) => "done".to_owned(),
            Ok(Progress::Running(request)) => format!("{} {}", request.method, request.uri()),
            Err(error) => format!("{:?} {}: {}", error.kind, error.code, error.message),
        }
    }

    #[test]
    fn every_kind_of_operation_is_followed_to_its_end() {
        let compute = Call::gcp("compute", "firewalls.patch", json!({ "project": "shop" }));
        let sql = Call::gcp("sqladmin", "instances.patch", json!({ "project": "shop" }));
        let other = Call::gcp("cloudresourcemanager", "projects.setIamPolicy", json!({}));
        let zone = "https://www.googleapis.com/compute/v1/projects/shop/zones/europe-west3-a";
        let region = "https://www.googleapis.com/compute/v1/projects/shop/regions/europe-west3";
        let quota = json!({ "errors": [{ "code": "QUOTA_EXCEEDED", "message": "m" }] });
        let cases = [
            (
                &compute,
                json!({ "name": "op-1", "status": "RUNNING" }),
                "GET /compute/v1/projects/shop/global/operations/op-1",
            ),
            (
                &compute,
                json!({ "name": "op-1", "status": "PENDING", "zone": zone }),
                "GET /compute/v1/projects/shop/zones/europe-west3-a/operations/op-1",
            ),
            (
                &compute,
                json!({ "name": "op-1", "region": region }),
                "GET /compute/v1/projects/shop/regions/europe-west3/operations/op-1",
            ),
            (&compute, json!({ "name": "op-1", "status": "DONE" }), "done"),
            (
                &compute,
                json!({ "name": "op-1", "status": "DONE", "error": quota, "httpErrorStatusCode": 403 }),
                "Denied QUOTA_EXCEEDED: m",
            ),
            (&sql, json!({ "name": "a-1", "status": "PENDING" }), "GET /v1/projects/shop/operations/a-1"),
            (
                &sql,
                json!({ "name": "a-1", "status": "DONE", "error": { "errors": [{ "code": "INTERNAL_ERROR" }] } }),
                "Unavailable INTERNAL_ERROR: the operation failed",
            ),
            (&other, json!({ "name": "operations/cp.1", "done": false }), "GET /v3/operations/cp.1"),
            (&other, json!({ "name": "operations/cp.1", "done": true, "response": {} }), "done"),
            (&other, json!({ "name": "operations/x", "error": { "code": 7, "message": "no" } }), "Denied code 7: no"),
            (
                &other,
                json!({ "name": "operations/../x" }),
                "Unavailable UnreadableAnswer: an operation of no known name",
            ),
            (&other, json!({}), "Unavailable UnreadableAnswer: an operation without a name"),
        ];
        let wrong: Vec<String> = cases
            .into_iter()
            .map(|(call, operation, expected)| (stands(call, operation.clone()), operation, expected))
            .filter(|(found, _, expected)| found != expected)
            .map(|(found, operation, expected)| format!("{operation}: {found}, not {expected}"))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
