//! The five AWS wire protocols as plain functions: a call's parameters to an HTTP request, an HTTP response to an answer.
//!
//! What goes where is the service model's business ([`crate::operations`]); nothing here knows a service by name. The
//! protocols are those of the Smithy specification (`aws.protocols`), with botocore's names.

mod checksum;
mod errors;
mod json;
mod query;
mod rest;
mod scalar;
mod validate;
mod xml;
mod xml_tree;

use onus_core::{CallError, CallErrorKind};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::operations::{Node, Operation, Protocol, Service};
pub use errors::kind_of;

/// What is left as it is in paths and queries (RFC 3986, unreserved characters).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// An HTTP request without its host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, percent-encoded; starts with a slash.
    pub path: String,
    /// The query in order, not encoded; a name without a value has no equals sign (`?policy`).
    pub query: Vec<(String, Option<String>)>,
    /// Headers in order; never a name twice.
    pub headers: Vec<(String, String)>,
    /// The body; empty when there is none.
    pub body: Vec<u8>,
    /// What stands before the host, with its dot.
    pub host_prefix: Option<String>,
}

impl Request {
    /// Path and query, encoded.
    pub fn uri(&self) -> String {
        let mut uri = self.path.clone();
        for (i, (name, value)) in self.query.iter().enumerate() {
            uri.push(if i == 0 { '?' } else { '&' });
            uri.push_str(&encode(name));
            if let Some(value) = value {
                uri.push('=');
                uri.push_str(&encode(value));
            }
        }
        uri
    }

    /// A header by name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    fn set_header(&mut self, name: &str, value: impl Into<String>) {
        self.headers.push((name.to_owned(), value.into()));
    }
}

/// An HTTP response.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The body; empty when there is none.
    pub body: Vec<u8>,
}

impl Response {
    /// A header by name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Why a call cannot be written as a request. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot write `{call}`: {problem}")]
pub struct ProtocolError {
    /// `service:Operation`.
    pub call: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with the parameters of a call. Paths are as in `Grants[0].Grantee.URI`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The operation takes no such parameter.
    #[error("there is no parameter `{0}`")]
    Unknown(String),
    /// A parameter that must be given is not.
    #[error("parameter `{0}` is missing")]
    Missing(String),
    /// A parameter is of the wrong type.
    #[error("parameter `{path}` is not {expected}")]
    WrongType {
        /// Which.
        path: String,
        /// What it should be, with its article: `a list`.
        expected: &'static str,
    },
    /// A parameter would lead the request elsewhere: an empty or dotted label of the path or host, a line break in a
    /// header.
    #[error("parameter `{0}` may not be written in a path, host or header")]
    Unsafe(String),
}

impl ProtocolError {
    /// Never: the same call has the same parameters.
    pub fn is_retryable(&self) -> bool {
        match self.problem {
            Problem::Unknown(_) | Problem::Missing(_) | Problem::WrongType { .. } | Problem::Unsafe(_) => false,
        }
    }
}

impl From<ProtocolError> for CallError {
    fn from(error: ProtocolError) -> Self {
        Self {
            message: error.problem.to_string(),
            call: error.call,
            kind: CallErrorKind::Invalid,
            code: "InvalidParameters".to_owned(),
        }
    }
}

/// Writes a call as a request. `parameters` is an object with members spelled as in the service model; blobs are base64
/// text, moments RFC 3339 text or seconds since 1970; members that are `null` count as not given. `token` makes the
/// idempotency tokens that the parameters leave out.
///
/// # Errors
/// A parameter is unknown, missing, of the wrong type, or cannot stand where it has to.
pub fn serialize(
    service: &Service,
    operation: &Operation,
    parameters: &Value,
    token: &dyn Fn() -> String,
) -> Result<Request, ProtocolError> {
    let failed = |problem| ProtocolError { call: name_of(service, operation), problem };
    let empty = Value::Object(Map::new());
    let given = if parameters.is_null() { &empty } else { parameters };
    let input = operation.input.as_ref().map(|reference| service.node(reference));
    validate::parameters(input, given).map_err(failed)?;
    let parameters = with_tokens(input, given, token);
    let mut request = Request { method: operation.http.method.clone(), path: "/".to_owned(), ..Request::default() };
    request.host_prefix = host_prefix(operation, input, &parameters).map_err(failed)?;
    match service.metadata.protocol {
        Protocol::Json => json::write(service, operation, input, &parameters, &mut request),
        Protocol::Query | Protocol::Ec2 => query::write(service, operation, input, &parameters, &mut request),
        Protocol::RestJson | Protocol::RestXml => {
            rest::write(service, operation, input, &parameters, &mut request).map_err(failed)?;
        }
    }
    if operation.checksum_required {
        checksum::add(&mut request);
    }
    if let Some((name, _)) =
        request.headers.iter().find(|(n, v)| !is_token(n) || v.bytes().any(|b| b < b' ' || b == 127))
    {
        return Err(failed(Problem::Unsafe(name.clone())));
    }
    Ok(request)
}

/// Reads an answer: an object with members spelled as in the service model, blobs as base64 text, moments as RFC 3339
/// text, numbers that JSON lacks as `"NaN"`, `"Infinity"`, `"-Infinity"`. Members that the model does not know are left
/// out.
///
/// # Errors
/// The status is not a success (its code and message), or the body is not what the model promises.
pub fn parse(service: &Service, operation: &Operation, response: &Response) -> Result<Value, CallError> {
    let call = name_of(service, operation);
    if response.status >= 300 {
        return Err(errors::read(service, call, response));
    }
    let output = operation.output.as_ref();
    let Some((reference, node)) = output.map(|reference| (reference, service.node(reference))) else {
        return Ok(Value::Object(Map::new()));
    };
    let answer = match service.metadata.protocol {
        Protocol::Json => json::read(node, &response.body),
        Protocol::Query | Protocol::Ec2 => {
            let usual = format!("{}Result", operation.name);
            xml::read_wrapped(node, reference.result_wrapper.as_ref().unwrap_or(&usual), &response.body)
        }
        Protocol::RestJson | Protocol::RestXml => rest::read(service, node, response),
    };
    answer.map_err(|problem| CallError {
        call,
        kind: CallErrorKind::Unavailable,
        code: "UnreadableAnswer".to_owned(),
        message: problem,
    })
}

/// `service:Operation`.
fn name_of(service: &Service, operation: &Operation) -> String {
    format!("{}:{}", service.name, operation.name)
}

/// The parameters with a token for each top-level member that wants one and was not given.
fn with_tokens(input: Option<Node<'_>>, parameters: &Value, token: &dyn Fn() -> String) -> Map<String, Value> {
    let given = parameters.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let mut parameters: Map<String, Value> = given.map(|(name, value)| (name.clone(), value.clone())).collect();
    for (name, _) in input.iter().flat_map(Node::members).filter(|(_, member)| member.idempotency_token()) {
        parameters.entry(name).or_insert_with(|| Value::String(token()));
    }
    parameters
}

/// The operation's host prefix with its labels filled in.
fn host_prefix(
    operation: &Operation,
    input: Option<Node<'_>>,
    parameters: &Map<String, Value>,
) -> Result<Option<String>, Problem> {
    let Some(template) = operation.endpoint.as_ref().and_then(|endpoint| endpoint.host_prefix.as_deref()) else {
        return Ok(None);
    };
    let mut prefix = template.to_owned();
    for (name, _) in input.iter().flat_map(Node::members).filter(|(_, member)| member.host_label()) {
        let value = parameters.get(name).and_then(Value::as_str).ok_or_else(|| Problem::Missing(name.to_owned()))?;
        let sound = !value.is_empty()
            && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
            && !value.starts_with('.');
        if !sound {
            return Err(Problem::Unsafe(name.to_owned()));
        }
        prefix = prefix.replace(&format!("{{{name}}}"), value);
    }
    Ok(Some(prefix))
}

/// Percent-encodes all but unreserved characters.
fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Whether a text may be a header's name (RFC 9110, `token`).
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
