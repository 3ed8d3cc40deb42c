//! Turns a call into the HTTP request that the API expects, and refuses one that it would not understand. Pure: nothing is
//! sent here.

mod schema;
mod template;

use onus_core::{Call, CallError, CallErrorKind};
use percent_encoding::utf8_percent_encode;
use serde_json::{Map, Value};

use crate::operations::{self, Api, Location, Method, Parameter};
use template::DATA;

/// The parameter that holds what is sent as the request's JSON body.
const BODY: &str = "body";

/// An HTTP request without host and credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// The path, percent-encoded, from its slash.
    pub path: String,
    /// The query in the order of names, not yet encoded.
    pub query: Vec<(String, String)>,
    /// Headers beyond those that every request has.
    pub headers: Vec<(String, String)>,
    /// The JSON body; `None` for a method that takes none.
    pub body: Option<Value>,
}

impl Request {
    /// Path and query as they are sent.
    pub fn uri(&self) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, DATA).to_string();
        let query: Vec<String> =
            self.query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        if query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, query.join("&")) }
    }
}

/// The API and the method that a call names.
///
/// # Errors
/// The operations table does not hold it.
pub fn method(call: &Call) -> Result<(&'static Api, &'static Method), CallError> {
    operations::api(&call.service)
        .and_then(|api| Some((api, api.method(&call.operation)?)))
        .ok_or_else(|| refusal(call, "UnknownOperation", "the operations table does not hold it"))
}

/// Writes a call as a request. Its parameters are those of the method's path and query by name, and `body`.
///
/// A method that takes a body and is given none gets `{}`.
///
/// # Errors
/// The operations table does not hold the method; a parameter is missing, unknown, of another type, or would leave its
/// place in the path; the body has a member that the method's schema does not know.
pub fn write(call: &Call) -> Result<Request, CallError> {
    let (api, method) = method(call)?;
    let empty = Map::new();
    let given = match &call.parameters {
        Value::Object(members) => members,
        Value::Null => &empty,
        _ => return Err(invalid(call, "parameters are no object")),
    };
    let strangers = given.keys().filter(|name| *name != BODY && !method.parameters.contains_key(*name));
    if let Some(name) = strangers.min() {
        return Err(invalid(call, &format!("there is no parameter `{name}`")));
    }
    let missing = method.parameters.iter().find(|(name, one)| one.required && !given.contains_key(*name));
    if let Some((name, _)) = missing {
        return Err(invalid(call, &format!("parameter `{name}` is missing")));
    }
    let path = template::expand(method, given).map_err(|problem| invalid(call, &problem))?;
    let mut request = Request {
        method: method.http.clone(),
        path: format!("/{}{path}", api.base),
        query: Vec::new(),
        headers: Vec::new(),
        body: body(api, method, given).map_err(|problem| invalid(call, &problem))?,
    };
    for (name, parameter) in &method.parameters {
        let Some(value) = given.get(name) else { continue };
        let values = texts(parameter, value).ok_or_else(|| invalid(call, &format!("parameter `{name}` is {value}")))?;
        let target = match parameter.location {
            Location::Path => continue,
            Location::Query => &mut request.query,
            Location::Header => &mut request.headers,
        };
        target.extend(values.into_iter().map(|value| (name.clone(), value)));
    }
    Ok(request)
}

fn body(api: &Api, method: &Method, given: &Map<String, Value>) -> Result<Option<Value>, String> {
    match (&method.request, given.get(BODY)) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err("the method takes no body".to_owned()),
        (Some(_), None) => Ok(Some(Value::Object(Map::new()))),
        (Some(name), Some(body)) => {
            let schema = api.schema(name).ok_or_else(|| format!("schema `{name}` is not in the table"))?;
            schema::check(api, schema, body, BODY)?;
            Ok(Some(body.clone()))
        }
    }
}

/// The values of a parameter as text; `None` when they are not of its type. 64-bit numbers are strings to Google's APIs, and
/// taken as numbers too.
fn texts(parameter: &Parameter, value: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| match (parameter.kind.as_deref(), value) {
        (None, Value::String(text)) => Some(text.clone()),
        (None | Some("integer" | "number"), Value::Number(number)) => Some(number.to_string()),
        (Some("boolean"), Value::Bool(flag)) => Some(flag.to_string()),
        _ => None,
    };
    match value {
        Value::Array(values) if parameter.repeated => values.iter().map(text).collect(),
        one => Some(vec![text(one)?]),
    }
}

fn invalid(call: &Call, problem: &str) -> CallError {
    refusal(call, "InvalidParameters", problem)
}

/// A refusal of our own: nothing is sent.
pub(crate) fn refusal(call: &Call, code: &str, message: &str) -> CallError {
    CallError { call: call.name(), kind: CallErrorKind::Invalid, code: code.to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn uri(call: &Call) -> String {
        write(call).map_or_else(|error| error.message, |request| format!("{} {}", request.method, request.uri()))
    }

    #[test]
    fn a_call_becomes_the_request_of_the_discovery_document() {
        let rule = json!({ "project": "example.com:shop", "firewall": "allow-ssh" });
        let sink = |name: &str| json!({ "sinkName": name });
        let cases = [
            (
                Call::gcp("compute", "firewalls.get", rule),
                "GET /compute/v1/projects/example.com%3Ashop/global/firewalls/allow-ssh",
            ),
            (
                Call::gcp("logging", "sinks.get", sink("projects/example.com:shop/sinks/a b")),
                "GET /v2/projects/example.com:shop/sinks/a%20b",
            ),
            (
                Call::gcp(
                    "storage",
                    "buckets.getIamPolicy",
                    json!({ "bucket": "logs", "optionsRequestedPolicyVersion": 3 }),
                ),
                "GET /storage/v1/b/logs/iam?optionsRequestedPolicyVersion=3",
            ),
            (
                Call::gcp("cloudresourcemanager", "projects.getIamPolicy", json!({ "resource": "projects/shop" })),
                "POST /v3/projects/shop:getIamPolicy",
            ),
            (Call::gcp("storage", "buckets.get", json!({})), "parameter `bucket` is missing"),
            (
                Call::gcp("storage", "buckets.get", json!({ "bucket": "b", "buckets": 1 })),
                "there is no parameter `buckets`",
            ),
            (Call::gcp("storage", "buckets.get", json!({ "bucket": "b", "body": {} })), "the method takes no body"),
            (
                Call::gcp(
                    "storage",
                    "buckets.getIamPolicy",
                    json!({ "bucket": "b", "optionsRequestedPolicyVersion": "3" }),
                ),
                "parameter `optionsRequestedPolicyVersion` is \"3\"",
            ),
            (Call::gcp("storage", "buckets.delete", json!({})), "the operations table does not hold it"),
        ];
        let wrong: Vec<String> = cases
            .iter()
            .filter(|(call, expected)| uri(call) != *expected)
            .map(|(call, expected)| format!("{call}: {}, not {expected}", uri(call)))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn a_name_cannot_leave_its_place_in_the_path() {
        let get = |name: &str| uri(&Call::gcp("logging", "sinks.get", json!({ "sinkName": name })));
        let bucket = |name: &str| uri(&Call::gcp("storage", "buckets.get", json!({ "bucket": name })));
        assert_eq!(get("projects/p/sinks/s?x=1#y%2f"), "GET /v2/projects/p/sinks/s%3Fx=1%23y%252f");
        assert_eq!(bucket("a/../b?c"), "GET /storage/v1/b/a%2F..%2Fb%3Fc");
        for name in
            ["projects/p/sinks/..", "projects/p/sinks/", "projects/p/sinks/a/b", "projects/../sinks/s", "p/sinks"]
        {
            let answer = get(name);
            assert!(answer.starts_with("parameter `sinkName` is"), "{name}: {answer}");
        }
        for name in ["", ".", ".."] {
            let answer = bucket(name);
            assert!(answer.starts_with("parameter `bucket` is"), "{name}: {answer}");
        }
    }
}
