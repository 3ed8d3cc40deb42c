//! What rest-json and rest-xml have in common: methods, paths, queries and headers around a body.

use serde_json::{Map, Value};

use super::{Problem, Request, Response, encode, json, scalar, xml};
use crate::operations::{Kind, Location, Node, Operation, Protocol, Service, TimestampFormat};

/// Writes the request.
pub(super) fn write(
    service: &Service,
    operation: &Operation,
    input: Option<Node<'_>>,
    parameters: &Map<String, Value>,
    request: &mut Request,
) -> Result<(), Problem> {
    let template = operation.http.request_uri.as_str();
    let (path, query) = template.split_once('?').map_or((template, None), |(path, query)| (path, Some(query)));
    path.clone_into(&mut request.path);
    for pair in query.into_iter().flat_map(|query| query.split('&')) {
        let (name, value) = pair.split_once('=').map_or((pair, None), |(name, value)| (name, Some(value.to_owned())));
        request.query.push((name.to_owned(), value));
    }
    let Some(input) = input else { return Ok(()) };
    for (name, member) in input.members() {
        let written = member.location_name().unwrap_or(name);
        let value = parameters.get(name);
        match (member.location(), value) {
            (Some(Location::Uri), None) => return Err(Problem::Missing(name.to_owned())),
            (Some(Location::Uri), Some(value)) => label(request, member, name, written, value)?,
            (Some(Location::Querystring), Some(value)) => in_query(request, member, written, value),
            (Some(Location::Header), Some(value)) => in_header(request, member, written, value),
            (Some(Location::Headers), Some(Value::Object(entries))) => {
                for (key, value) in entries {
                    request.set_header(&format!("{written}{key}"), value.as_str().unwrap_or_default());
                }
            }
            (None | Some(Location::Headers | Location::StatusCode), _) | (_, None) => {}
        }
    }
    body(service, input, parameters, request);
    let control = |byte: &u8| *byte < b' ' && !b"\t\n\r".contains(byte);
    if service.metadata.protocol == Protocol::RestXml
        && input.shape().payload.is_none()
        && request.body.iter().any(control)
    {
        return Err(Problem::Unsafe("body".to_owned()));
    }
    Ok(())
}

/// Fills a label of the path. An empty one, or one that a server might take for a step up, would name something else.
fn label(request: &mut Request, node: Node<'_>, name: &str, written: &str, value: &Value) -> Result<(), Problem> {
    let text = scalar::text(node, value, TimestampFormat::Iso8601);
    let greedy = format!("{{{written}+}}");
    let is_greedy = request.path.contains(&greedy);
    let mut parts = text.split('/').filter(|_| is_greedy).chain(Some(text.as_str()).filter(|_| !is_greedy));
    if text.is_empty() || parts.any(|part| matches!(part, "." | "..")) {
        return Err(Problem::Unsafe(name.to_owned()));
    }
    request.path = if is_greedy {
        let encoded: Vec<String> = text.split('/').map(encode).collect();
        request.path.replace(&greedy, &encoded.join("/"))
    } else {
        request.path.replace(&format!("{{{written}}}"), &encode(&text))
    };
    Ok(())
}

fn in_query(request: &mut Request, node: Node<'_>, written: &str, value: &Value) {
    match (node.kind(), value) {
        (Kind::List, Value::Array(items)) => {
            let Some(item) = node.item() else { return };
            request.query.retain(|(name, _)| name != written);
            for value in items {
                let text = scalar::text(item, value, TimestampFormat::Iso8601);
                request.query.push((written.to_owned(), Some(text)));
            }
        }
        (Kind::Map, Value::Object(entries)) => {
            let Some((_, entry)) = node.entry() else { return };
            // A parameter of its own wins over one of the same name in the map.
            for (key, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
                if !request.query.iter().any(|(name, _)| name == key) {
                    in_query(request, entry, key, value);
                }
            }
        }
        _ => {
            request.query.retain(|(name, _)| name != written);
            request.query.push((written.to_owned(), Some(scalar::text(node, value, TimestampFormat::Iso8601))));
        }
    }
}

fn in_header(request: &mut Request, node: Node<'_>, written: &str, value: &Value) {
    let text = match (node.kind(), value) {
        (Kind::List, Value::Array(items)) => {
            let Some(item) = node.item() else { return };
            let texts = items.iter().filter(|value| !value.is_null()).map(|value| {
                let text = scalar::text(item, value, TimestampFormat::Rfc822);
                let quoted = item.kind() == Kind::String && text.contains([',', '"']);
                if quoted { format!("\"{}\"", text.replace('"', "\\\"")) } else { text }
            });
            texts.collect::<Vec<String>>().join(", ")
        }
        // JSON as text, which may hold what a header may not.
        _ if node.json_value() => scalar::base64(value.as_str().unwrap_or_default().as_bytes()),
        _ => scalar::text(node, value, TimestampFormat::Rfc822),
    };
    request.set_header(written, text);
}

/// Writes the body: the member that is the payload, or the members that are written nowhere else.
fn body(service: &Service, input: Node<'_>, parameters: &Map<String, Value>, request: &mut Request) {
    let is_json = service.metadata.protocol == Protocol::RestJson;
    let media_type = if is_json { "application/json" } else { "application/xml" };
    let payload = input.shape().payload.as_deref().and_then(|name| Some((name, input.member(name)?)));
    let (body, media_type) = if let Some((name, node)) = payload {
        let value = parameters.get(name);
        match (node.kind(), value) {
            (Kind::Blob, Some(value)) => (scalar::bytes(value), "application/octet-stream"),
            (Kind::String, Some(value)) => (value.as_str().unwrap_or_default().as_bytes().to_vec(), "text/plain"),
            (Kind::Blob | Kind::String, None) => return,
            (_, Some(value)) if is_json => (json::body(node, value), media_type),
            (_, Some(value)) => (xml::document(node, value, node.root_name(Some(name))), media_type),
            (_, None) if is_json && !node.shape().union => (b"{}".to_vec(), media_type),
            (_, None) => return,
        }
    } else {
        let in_body: Map<String, Value> = input
            .members()
            .filter(|(_, member)| member.location().is_none())
            .filter_map(|(name, _)| Some((name.to_owned(), parameters.get(name)?.clone())))
            .collect();
        let takes_body = input.members().any(|(_, member)| member.location().is_none());
        match (is_json, in_body.is_empty()) {
            (true, _) if takes_body => (json::structure(input, &in_body).to_string().into_bytes(), media_type),
            (false, false) => (xml::document(input, &Value::Object(in_body), input.root_name(None)), media_type),
            _ => return,
        }
    };
    request.body = body;
    if request.header("Content-Type").is_none() {
        request.set_header("Content-Type", media_type);
    }
}

/// Reads an answer from its body, headers and status.
pub(super) fn read(service: &Service, output: Node<'_>, response: &Response) -> Result<Value, String> {
    let is_json = service.metadata.protocol == Protocol::RestJson;
    let payload = output.shape().payload.as_deref().and_then(|name| Some((name, output.member(name)?)));
    let mut read = if let Some((name, node)) = payload {
        read_payload(is_json, name, node, &response.body)?
    } else if !output.members().any(|(_, member)| member.in_answer_body()) {
        Map::new()
    } else {
        let body = if is_json { json::read(output, &response.body)? } else { xml::read(output, &response.body)? };
        if let Value::Object(members) = body { members } else { Map::new() }
    };
    for (name, member) in output.members() {
        let written = member.location_name().unwrap_or(name);
        let value = match member.location() {
            Some(Location::StatusCode) => Some(Value::from(response.status)),
            Some(Location::Header) => response
                .header(written)
                .map(|text| read_header(member, text))
                .transpose()
                .map_err(|e| format!("header `{written}`: {e}"))?,
            Some(Location::Headers) => Some(read_headers(written, response)),
            Some(Location::Uri | Location::Querystring) | None => None,
        };
        read.extend(value.map(|value| (name.to_owned(), value)));
    }
    Ok(Value::Object(read))
}

fn read_payload(is_json: bool, name: &str, node: Node<'_>, body: &[u8]) -> Result<Map<String, Value>, String> {
    let value = match node.kind() {
        _ if body.is_empty() => None,
        Kind::Blob => Some(Value::String(scalar::base64(body))),
        Kind::String => {
            let text = std::str::from_utf8(body).map_err(|_| "the body is not UTF-8".to_owned())?;
            Some(Value::String(text.to_owned()))
        }
        _ if is_json => Some(json::read(node, body)?),
        _ => Some(xml::read(node, body)?),
    };
    Ok(value.map(|value| (name.to_owned(), value)).into_iter().collect())
}

fn read_header(node: Node<'_>, text: &str) -> Result<Value, String> {
    if node.json_value() {
        let bytes = scalar::bytes(&Value::String(text.to_owned()));
        return String::from_utf8(bytes).map(Value::String).map_err(|_| "not text in base64".to_owned());
    }
    match (node.kind(), node.item()) {
        (Kind::List, Some(item)) => split_header(item, text).iter().map(|part| scalar::read_text(item, part)).collect(),
        _ => scalar::read_text(node, text),
    }
}

/// The items of a header: separated by commas, of which an HTTP date has one itself, maybe in quotes.
fn split_header(item: Node<'_>, text: &str) -> Vec<String> {
    let dates = item.kind() == Kind::Timestamp && item.timestamp_format() != Some(TimestampFormat::Iso8601);
    let commas_per_item = usize::from(dates && text.contains("GMT"));
    let (mut parts, mut part, mut commas, mut quoted, mut escaped) = (Vec::new(), String::new(), 0, false, false);
    for letter in text.chars() {
        match letter {
            _ if escaped => {
                escaped = false;
                part.push(letter);
            }
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted && commas == commas_per_item => {
                parts.push(std::mem::take(&mut part).trim().to_owned());
                commas = 0;
            }
            _ => {
                commas += usize::from(letter == ',' && !quoted);
                part.push(letter);
            }
        }
    }
    parts.push(part.trim().to_owned());
    parts
}

/// The headers that start with a prefix, under the rest of their names.
fn read_headers(prefix: &str, response: &Response) -> Value {
    let found = response.headers.iter().filter_map(|(name, value)| {
        let (head, rest) = name.split_at_checked(prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then(|| (rest.to_owned(), Value::String(value.clone())))
    });
    Value::Object(found.collect())
}
