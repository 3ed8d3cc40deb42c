//! XML: the bodies of rest-xml, and the answers of rest-xml, query and EC2.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::scalar;
use super::xml_tree::{self, Element};
use crate::operations::{Kind, Node, TimestampFormat};

/// Writes a value as a document.
pub(super) fn document(node: Node<'_>, value: &Value, root: &str) -> Vec<u8> {
    let mut out = String::new();
    write(&mut out, node, value, root);
    out.into_bytes()
}

fn write(out: &mut String, node: Node<'_>, value: &Value, name: &str) {
    match (node.kind(), value) {
        (Kind::Structure, Value::Object(members)) => structure(out, node, members, name),
        (Kind::List, Value::Array(items)) => {
            let Some(item) = node.item() else { return };
            if node.flattened() {
                for value in items {
                    write(out, item, value, name);
                }
            } else {
                let item_name = item.location_name().unwrap_or("member");
                element(out, node, name, &[], |out| items.iter().for_each(|v| write(out, item, v, item_name)));
            }
        }
        (Kind::Map, Value::Object(entries)) if node.flattened() => {
            entries.iter().for_each(|(key, value)| entry(out, node, name, key, value));
        }
        (Kind::Map, Value::Object(entries)) => {
            element(out, node, name, &[], |out| entries.iter().for_each(|(k, v)| entry(out, node, "entry", k, v)));
        }
        (_, Value::Null) => {}
        _ => element(out, node, name, &[], |out| {
            escape(out, &scalar::text(node, value, TimestampFormat::Iso8601));
        }),
    }
}

fn structure(out: &mut String, node: Node<'_>, members: &Map<String, Value>, name: &str) {
    let given = |name: &str| members.get(name).filter(|value| !value.is_null());
    let in_body = || node.members().filter(|(_, member)| member.location().is_none());
    let attributes: Vec<(&str, String)> = in_body()
        .filter(|(_, member)| member.xml_attribute())
        .filter_map(|(name, member)| {
            let text = scalar::text(member, given(name)?, TimestampFormat::Iso8601);
            Some((member.location_name().unwrap_or(name), text))
        })
        .collect();
    element(out, node, name, &attributes, |out| {
        for (name, member) in in_body().filter(|(_, member)| !member.xml_attribute()) {
            if let Some(value) = given(name) {
                write(out, member, value, member.location_name().unwrap_or(name));
            }
        }
    });
}

fn entry(out: &mut String, node: Node<'_>, name: &str, key: &str, value: &Value) {
    let Some((key_node, value_node)) = node.entry() else { return };
    let _ = write!(out, "<{name}>");
    write(out, key_node, &Value::String(key.to_owned()), key_node.location_name().unwrap_or("key"));
    write(out, value_node, value, value_node.location_name().unwrap_or("value"));
    let _ = write!(out, "</{name}>");
}

/// Writes an element around what `inner` writes. Names come from the service model; only values need escaping.
fn element(
    out: &mut String,
    node: Node<'_>,
    name: &str,
    attributes: &[(&str, String)],
    inner: impl FnOnce(&mut String),
) {
    out.push('<');
    out.push_str(name);
    if let Some(namespace) = node.xml_namespace() {
        let prefix = namespace.prefix.as_deref().map(|prefix| format!(":{prefix}")).unwrap_or_default();
        attribute(out, &format!("xmlns{prefix}"), &namespace.uri);
    }
    for (name, value) in attributes {
        attribute(out, name, value);
    }
    out.push('>');
    inner(out);
    let _ = write!(out, "</{name}>");
}

fn attribute(out: &mut String, name: &str, value: &str) {
    let _ = write!(out, " {name}=\"");
    escape(out, value);
    out.push('"');
}

/// Escapes text for content and attributes alike; line ends as references, since a reader would normalise them.
fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            '\u{85}' => out.push_str("&#x85;"),
            '\u{2028}' => out.push_str("&#x2028;"),
            other => out.push(other),
        }
    }
}

/// Reads an answer of the query protocols: the result stands in an element of its own (`wrapper`), or is the root.
pub(super) fn read_wrapped(node: Node<'_>, wrapper: &str, body: &[u8]) -> Result<Value, String> {
    if body.is_empty() && node.members().next().is_none() {
        return Ok(Value::Object(Map::new()));
    }
    let root = xml_tree::read(body)?;
    read_structure(node, root.child(wrapper).unwrap_or(&root))
}

/// Reads a body of rest-xml; an empty one is an object without members. S3 tells a bucket's location without an element
/// around it (Smithy, `s3UnwrappedXmlOutput`): the root is then the one member that there is.
pub(super) fn read(node: Node<'_>, body: &[u8]) -> Result<Value, String> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let root = xml_tree::read(body)?;
    let mut members = node.members().filter(|(_, member)| member.in_answer_body());
    if let (Some((name, member)), None) = (members.next(), members.next())
        && member.kind() == Kind::String
        && root.children.is_empty()
        && root.name == member.location_name().unwrap_or(name)
    {
        let text = scalar::read_text(member, &root.text)?;
        return Ok(Value::Object(Map::from_iter([(name.to_owned(), text)])));
    }
    read_value(node, &[&root])
}

/// Reads a value from its element, or from its elements when it is flattened.
fn read_value(node: Node<'_>, found: &[&Element]) -> Result<Value, String> {
    let Some(first) = found.first() else { return Ok(Value::Null) };
    let around =
        || -> Vec<&Element> { if node.flattened() { found.to_vec() } else { first.children.iter().collect() } };
    match node.kind() {
        Kind::Structure => read_structure(node, first),
        Kind::List => {
            let item = node.item().ok_or("the model has a list of nothing")?;
            around().iter().map(|element| read_value(item, &[element])).collect::<Result<Value, String>>()
        }
        Kind::Map => around().iter().map(|element| read_entry(node, element)).collect::<Result<Value, String>>(),
        _ => scalar::read_text(node, &first.text),
    }
}

fn read_entry(node: Node<'_>, element: &Element) -> Result<(String, Value), String> {
    let (key, value) = node.entry().ok_or("the model has a map of nothing")?;
    let (key_name, value_name) = (key.location_name().unwrap_or("key"), value.location_name().unwrap_or("value"));
    let name = element.child(key_name).ok_or_else(|| format!("an entry has no element `{key_name}`"))?;
    let held = element.child(value_name).ok_or_else(|| format!("an entry has no element `{value_name}`"))?;
    Ok((name.text.clone(), read_value(value, &[held])?))
}

fn read_structure(node: Node<'_>, element: &Element) -> Result<Value, String> {
    let mut read = Map::new();
    for (name, member) in node.members().filter(|(_, member)| member.in_answer_body()) {
        let written = member.location_name().unwrap_or(name);
        if member.xml_attribute() {
            if let Some(text) = element.attribute(written) {
                read.insert(name.to_owned(), scalar::read_text(member, text)?);
            }
            continue;
        }
        let found: Vec<&Element> = element.all(written).collect();
        if !found.is_empty() {
            read.insert(name.to_owned(), read_value(member, &found)?);
        }
    }
    Ok(Value::Object(read))
}
