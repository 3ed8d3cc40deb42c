//! The tags of a resource (labels on Google Cloud), by which an operator's policy may select.
//!
//! No record tells them reliably, so they are read live. Each cloud says how, in a registry of its own; the pipeline
//! reads, once per resource and change, and only when a selector could matter.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::call::{CallError, Caller};
use crate::change::{ChangeSummary, Resource};
use crate::plan::Read;

/// Tag key → value. A tag without a value has the empty text.
pub type Tags = BTreeMap<String, String>;

/// How the tags of one resource are told.
#[derive(Debug, Clone)]
pub enum TagSource {
    /// Things of this kind have none, so nothing has to be read.
    Untagged,
    /// One read. What it keeps is an object of texts; `null`, or anything else, means that the answer was not understood.
    Read(Read),
}

/// Says how the tags of a resource are read. `None`: this build does not know, which is never the same as "no tags".
pub type TagSources = fn(&ChangeSummary, &Resource<'_>) -> Option<TagSource>;

/// Why the tags of a resource are not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// The record names no resource whose tags there are.
    #[error("cannot read tags: the record names no resource")]
    NoResource,
    /// No cloud's registry knows how.
    #[error("cannot read tags of `{resource}`: no read is known for a `{kind}` of that name")]
    Unknown {
        /// Its kind.
        kind: String,
        /// Its full id. May hold attacker-controlled text.
        resource: String,
    },
    /// The answer does not have the form that the provider documents.
    #[error("cannot read tags of `{resource}`: the answer is not understood")]
    Unreadable {
        /// Its full id. May hold attacker-controlled text.
        resource: String,
    },
    /// The read failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl TagError {
    /// Whether reading again may succeed.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NoResource | Self::Unknown { .. } | Self::Unreadable { .. } => false,
            Self::Call(error) => error.is_retryable(),
        }
    }
}

/// Reads the tags of the resource that a change is about.
///
/// # Errors
/// There is no such resource, nobody knows how to read its tags, or the read failed. Never an empty map in doubt.
pub async fn read_tags(caller: &dyn Caller, sources: TagSources, change: &ChangeSummary) -> Result<Tags, TagError> {
    let resource = change.resources.first().ok_or(TagError::NoResource)?;
    let id = || resource.id.to_string();
    let read = match sources(change, resource) {
        Some(TagSource::Untagged) => return Ok(Tags::new()),
        Some(TagSource::Read(read)) => read,
        None => return Err(TagError::Unknown { kind: resource.kind.to_string(), resource: id() }),
    };
    let kept = match caller.call(&read.call).await {
        Ok(answer) => (read.keep)(answer),
        Err(error) if read.absent.contains(&error.code.as_str()) => Value::Object(serde_json::Map::new()),
        Err(error) => return Err(error.into()),
    };
    serde_json::from_value(kept).map_err(|_| TagError::Unreadable { resource: id() })
}

/// Keeps of a list of `{<key>: …, <value>: …}` an object. `null` when it is no such list: a provider that has nothing to tell
/// answers an empty list.
pub fn of_pairs(list: &Value, key: &str, value: &str) -> Value {
    let pair = |tag: &Value| {
        let key = tag.get(key)?.as_str()?.to_owned();
        let value = match tag.get(value) {
            None | Some(Value::Null) => String::new(),
            Some(value) => value.as_str()?.to_owned(),
        };
        Some((key, Value::String(value)))
    };
    let tags = list.as_array().and_then(|list| list.iter().map(pair).collect::<Option<serde_json::Map<_, _>>>());
    tags.map_or(Value::Null, Value::Object)
}

/// Keeps an object of texts as it is; a member that is not there is an object without members, anything else `null`.
pub fn of_object(object: Option<&Value>) -> Value {
    match object {
        None | Some(Value::Null) => Value::Object(serde_json::Map::new()),
        Some(object @ Value::Object(_)) => object.clone(),
        Some(_) => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_that_is_not_understood_is_not_an_empty_one() {
        let cases = [
            (json!([]), json!({})),
            (json!([{ "Key": "env", "Value": "dev" }, { "Key": "keep" }]), json!({ "env": "dev", "keep": "" })),
            (json!([{ "Key": "env", "Value": 7 }]), Value::Null),
            (json!([{ "Name": "env" }]), Value::Null),
            (json!(null), Value::Null),
            (json!({}), Value::Null),
        ];
        for (list, expected) in cases {
            assert_eq!(of_pairs(&list, "Key", "Value"), expected, "{list}");
        }
    }
}
