//! The requests of the query protocol and of EC2's dialect of it. Their answers are XML ([`super::xml`]).

use serde_json::{Map, Value};

use super::{Request, encode, scalar};
use crate::operations::{Kind, Node, Operation, Protocol, Service, TimestampFormat};

/// Writes the request: action, version and parameters as a form.
pub(super) fn write(
    service: &Service,
    operation: &Operation,
    input: Option<Node<'_>>,
    parameters: &Map<String, Value>,
    request: &mut Request,
) {
    let ec2 = service.metadata.protocol == Protocol::Ec2;
    let mut form = Form { ec2, pairs: Vec::new() };
    form.push("Action", &operation.name);
    form.push("Version", &service.metadata.api_version);
    if let Some(node) = input {
        form.structure(node, parameters, "");
    }
    request.set_header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    let pairs: Vec<String> = form.pairs.iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect();
    request.body = pairs.join("&").into_bytes();
}

/// The pairs written so far.
struct Form {
    ec2: bool,
    pairs: Vec<(String, String)>,
}

impl Form {
    fn push(&mut self, name: &str, value: &str) {
        self.pairs.push((name.to_owned(), value.to_owned()));
    }

    fn structure(&mut self, node: Node<'_>, members: &Map<String, Value>, prefix: &str) {
        for (name, member) in node.members() {
            if let Some(value) = members.get(name).filter(|value| !value.is_null()) {
                let written = self.name_of(member, name);
                let dot = if prefix.is_empty() { "" } else { "." };
                self.value(member, value, &format!("{prefix}{dot}{written}"));
            }
        }
    }

    /// EC2 capitalises the names that its answers have in lower case.
    fn name_of(&self, node: Node<'_>, name: &str) -> String {
        let written = node.location_name().unwrap_or(name);
        match (self.ec2, node.query_name()) {
            (false, _) => written.to_owned(),
            (true, Some(query)) => query.to_owned(),
            (true, None) => {
                let mut letters = written.chars();
                letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
            }
        }
    }

    fn value(&mut self, node: Node<'_>, value: &Value, prefix: &str) {
        match (node.kind(), value) {
            (Kind::Structure, Value::Object(members)) => self.structure(node, members, prefix),
            (Kind::List, Value::Array(items)) => self.list(node, items, prefix),
            (Kind::Map, Value::Object(entries)) => self.map(node, entries, prefix),
            _ => self.push(prefix, &scalar::text(node, value, TimestampFormat::Iso8601)),
        }
    }

    fn list(&mut self, node: Node<'_>, items: &[Value], prefix: &str) {
        let Some(item) = node.item() else { return };
        if items.is_empty() && !self.ec2 {
            self.push(prefix, "");
        }
        let prefix = if self.ec2 || node.flattened() {
            prefix.to_owned()
        } else {
            format!("{prefix}.{}", item.location_name().unwrap_or("member"))
        };
        for (i, value) in items.iter().enumerate() {
            self.value(item, value, &format!("{prefix}.{}", i + 1));
        }
    }

    fn map(&mut self, node: Node<'_>, entries: &Map<String, Value>, prefix: &str) {
        let Some((key, value)) = node.entry() else { return };
        let prefix = if node.flattened() { prefix.to_owned() } else { format!("{prefix}.entry") };
        let (key_name, value_name) = (key.location_name().unwrap_or("key"), value.location_name().unwrap_or("value"));
        for (i, (name, held)) in entries.iter().enumerate() {
            self.push(&format!("{prefix}.{}.{key_name}", i + 1), name);
            self.value(value, held, &format!("{prefix}.{}.{value_name}", i + 1));
        }
    }
}
