//! JSON 1.0 and 1.1, and the bodies of rest-json.

use serde_json::{Map, Value, json};

use super::{Request, scalar};
use crate::operations::{Kind, Node, Operation, Service, TimestampFormat};

/// Writes the request of the `json` protocol.
pub(super) fn write(
    service: &Service,
    operation: &Operation,
    input: Option<Node<'_>>,
    parameters: &Map<String, Value>,
    request: &mut Request,
) {
    let metadata = &service.metadata;
    let target = metadata.target_prefix.as_deref().unwrap_or_default();
    request.set_header("X-Amz-Target", format!("{target}.{}", operation.name));
    let version = metadata.json_version.as_deref().unwrap_or("1.0");
    request.set_header("Content-Type", format!("application/x-amz-json-{version}"));
    if metadata.aws_query_compatible {
        request.set_header("x-amzn-query-mode", "true");
    }
    let body = input.map_or_else(|| json!({}), |node| structure(node, parameters));
    request.body = body.to_string().into_bytes();
}

/// Writes a value as a body of its own.
pub(super) fn body(node: Node<'_>, value: &Value) -> Vec<u8> {
    write_value(node, value).to_string().into_bytes()
}

/// Writes the members that are given, under their names on the wire.
pub(super) fn structure(node: Node<'_>, members: &Map<String, Value>) -> Value {
    let written = node.members().filter_map(|(name, member)| {
        let value = members.get(name).filter(|value| !value.is_null())?;
        Some((member.location_name().unwrap_or(name).to_owned(), write_value(member, value)))
    });
    Value::Object(written.collect())
}

fn write_value(node: Node<'_>, value: &Value) -> Value {
    if node.shape().document {
        return value.clone();
    }
    match (node.kind(), value) {
        (Kind::Structure, Value::Object(members)) => structure(node, members),
        (Kind::List, Value::Array(items)) => {
            let item = node.item();
            items.iter().map(|value| item.map_or(Value::Null, |item| write_value(item, value))).collect()
        }
        (Kind::Map, Value::Object(entries)) => {
            let entry = node.entry();
            let written = entries
                .iter()
                .map(|(key, value)| (key.clone(), entry.map_or(Value::Null, |(_, node)| write_value(node, value))));
            Value::Object(written.collect())
        }
        (Kind::Timestamp, value) => {
            let format = node.timestamp_format().unwrap_or(TimestampFormat::UnixTimestamp);
            scalar::moment(value).map_or(Value::Null, |moment| scalar::write_moment(moment, format))
        }
        (_, value) => value.clone(),
    }
}

/// Reads a body; an empty one is an object without members.
pub(super) fn read(node: Node<'_>, body: &[u8]) -> Result<Value, String> {
    let value = if body.is_empty() {
        json!({})
    } else {
        serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?
    };
    Ok(read_value(node, &value)?.unwrap_or_else(|| json!({})))
}

/// Reads a value; `None` is a `null`.
pub(super) fn read_value(node: Node<'_>, value: &Value) -> Result<Option<Value>, String> {
    if node.shape().document {
        return Ok(Some(value.clone()));
    }
    let read = match (node.kind(), value) {
        (_, Value::Null) => return Ok(None),
        (Kind::Structure, Value::Object(members)) => read_structure(node, members)?,
        (Kind::List, Value::Array(items)) => {
            let item = node.item().ok_or("the model has a list of nothing")?;
            let read = items.iter().map(|value| Ok(read_value(item, value)?.unwrap_or(Value::Null)));
            Value::Array(read.collect::<Result<_, String>>()?)
        }
        (Kind::Map, Value::Object(entries)) => {
            let (_, entry) = node.entry().ok_or("the model has a map of nothing")?;
            // An entry without a value is none (Smithy, "sparse trait": clients drop them from dense maps).
            let read = entries.iter().filter_map(|(key, value)| match read_value(entry, value) {
                Ok(None) => None,
                Ok(Some(value)) => Some(Ok((key.clone(), value))),
                Err(problem) => Some(Err(problem)),
            });
            Value::Object(read.collect::<Result<_, String>>()?)
        }
        (Kind::Timestamp, value) => scalar::read_moment(value)?,
        (Kind::Blob | Kind::Float, Value::String(text)) => scalar::read_text(node, text)?,
        (Kind::String, Value::String(_))
        | (Kind::Boolean, Value::Bool(_))
        | (Kind::Integer | Kind::Float, Value::Number(_)) => value.clone(),
        (kind, _) => return Err(format!("the body holds something else where it should hold a {kind:?}")),
    };
    Ok(Some(read))
}

fn read_structure(node: Node<'_>, members: &Map<String, Value>) -> Result<Value, String> {
    let mut read = Map::new();
    for (name, member) in node.members().filter(|(_, member)| member.in_answer_body()) {
        if let Some(value) = members.get(member.location_name().unwrap_or(name))
            && let Some(value) = read_value(member, value)?
        {
            read.insert(name.to_owned(), value);
        }
    }
    Ok(Value::Object(read))
}
