//! What is kept of an answer.

use serde_json::{Map, Value};

/// Takes members out of an object; what is no object stays as it is.
pub(crate) fn without(mut value: Value, members: &[&str]) -> Value {
    if let Value::Object(object) = &mut value {
        object.retain(|name, _| !members.contains(&name.as_str()));
    }
    value
}

/// Keeps members of an object under a name with `~`, for planning only: version tokens, and what changes by itself.
pub(crate) fn hidden(mut value: Value, members: &[&str]) -> Value {
    if let Value::Object(object) = &mut value {
        for name in members {
            if let Some(member) = object.remove(*name) {
                object.insert(format!("~{name}"), member);
            }
        }
    }
    value
}

/// Puts a member at a path of names, and makes the objects on the way. What is no object on the way is replaced by one.
pub(crate) fn put(value: &mut Value, path: &[&str], member: Value) {
    let Some((name, rest)) = path.split_first() else {
        *value = member;
        return;
    };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    if let Value::Object(members) = value {
        put(members.entry(*name).or_insert(Value::Null), rest, member);
    }
}

/// The same object with another member.
pub(crate) fn with(value: &Value, member: &str, other: Value) -> Value {
    let mut value = value.clone();
    put(&mut value, &[member], other);
    value
}

/// Makes a member what it is in another object: gone, where that one has it not.
pub(crate) fn copy(to: &mut Value, from: &Value, member: &str) {
    if let Value::Object(members) = to {
        match from.get(member) {
            Some(value) => drop(members.insert(member.to_owned(), value.clone())),
            None => drop(members.remove(member)),
        }
    }
}

/// Only the named members of an object; those that are not there are left out.
pub(crate) fn only(mut value: Value, members: &[&str]) -> Value {
    let mut taken = |name: &&str| Some(((*name).to_owned(), value.get_mut(*name)?.take()));
    Value::Object(members.iter().filter_map(&mut taken).collect::<Map<_, _>>())
}

/// A set in a fixed order: sorted by its JSON text, repeats once.
pub(crate) fn set(elements: impl IntoIterator<Item = Value>) -> Value {
    let mut elements: Vec<Value> = elements.into_iter().collect();
    elements.sort_by_cached_key(Value::to_string);
    elements.dedup();
    Value::Array(elements)
}

/// A value with every list in a fixed order, at any depth: for comparing what are sets.
pub(crate) fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.iter().map(sorted).collect();
            elements.sort_by_cached_key(Value::to_string);
            Value::Array(elements)
        }
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), sorted(member))).collect(),
        other => other.clone(),
    }
}

/// The elements of an array; nothing for anything else.
pub(crate) fn elements(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The elements of an array under a member.
pub(crate) fn list<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value.get(member).map_or(&[], elements)
}

/// The string under a member; empty when it is not there.
pub(crate) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}
