//! What a finding or a change says about the thing to read.

use onus_core::{Call, ChangeSummary, Finding, Json, Resource};
use serde_json::{Map, Value};

/// Where names are looked for: first in what was asked, then in what was answered, last in the resource that the
/// decoder named. State readers know only the resource.
pub(crate) struct Subject<'a> {
    pub(crate) change: &'a ChangeSummary,
    pub(crate) resource: Option<&'a Resource<'a>>,
    pub(crate) request: Json<'a>,
    pub(crate) response: Json<'a>,
}

impl<'a> Subject<'a> {
    /// The subject of a finding, among whose resources only those of one kind count.
    pub(crate) fn of_finding(finding: &'a Finding, kind: &str) -> Self {
        Self {
            change: &finding.change,
            resource: finding.change.resources.iter().find(|resource| resource.kind == kind),
            request: unwrapped(&finding.request),
            response: unwrapped(&finding.response),
        }
    }

    /// The subject of a state reader: the resource, and nothing of what was asked.
    pub(crate) fn of_resource(change: &'a ChangeSummary, resource: &'a Resource<'a>) -> Self {
        Self { change, resource: Some(resource), request: Json::Null, response: Json::Null }
    }

    /// A string member of the request, else of the response, in any case of letters. Empty counts as absent.
    pub(crate) fn told(&self, member: &str) -> Option<&str> {
        [&self.request, &self.response]
            .into_iter()
            .filter_map(|body| body.get_ci(member).as_str())
            .find(|text| !text.is_empty())
    }

    /// The resource's short name; empty counts as absent.
    pub(crate) fn name(&self) -> Option<&str> {
        self.resource.map(|resource| resource.name.as_ref()).filter(|name| !name.is_empty())
    }

    /// The resource's full id when it is an ARN.
    pub(crate) fn arn(&self) -> Option<&str> {
        self.resource.map(|resource| resource.id.as_ref()).filter(|id| id.starts_with("arn:"))
    }

    /// A member that the body names, else the resource's short name, and if that is an ARN its last part.
    pub(crate) fn told_or_name(&self, member: &str) -> Option<&str> {
        self.told(member).or_else(|| self.name()).map(last_part)
    }

    /// A member that the body names, else the resource's ARN, else its name.
    pub(crate) fn told_or_arn(&self, member: &str) -> Option<&str> {
        self.told(member).or_else(|| self.arn()).or_else(|| self.name())
    }
}

/// What follows the last `:` or `/` of an ARN; other text as it is.
fn last_part(text: &str) -> &str {
    if text.starts_with("arn:") { text.rsplit([':', '/']).next().unwrap_or(text) } else { text }
}

/// EC2's newer records wrap the request as `{"<Operation>Request": {…}}`.
fn unwrapped(body: &Value) -> Json<'_> {
    match body {
        Value::Object(members) if members.len() == 1 => match members.iter().next() {
            Some((name, inner @ Value::Object(_))) if name.ends_with("Request") || name.ends_with("Response") => {
                Json::from_value(inner)
            }
            _ => Json::from_value(body),
        },
        _ => Json::from_value(body),
    }
}

/// The elements of a list as EC2 records write it: `{"items": […]}`, a plain list, one element alone, or `{}` for none.
pub(crate) fn items<'a, 'j>(list: &'a Json<'j>) -> &'a [Json<'j>] {
    match list.find("items") {
        Some(items) => items.each(),
        None if list.members().is_empty() && matches!(list, Json::Object(_)) => &[],
        None => list.each(),
    }
}

/// A scalar as records write it: text, a number, or EC2's newer `{"content": …, "tag": 1}`. Account ids that became numbers
/// get their leading zeros back: nothing else that is asked here is a number.
pub(crate) fn scalar(value: &Json<'_>) -> Option<String> {
    match value {
        Json::String(text) => Some(text.to_string()),
        Json::Number(number) => number.as_u64().map(|number| format!("{number:012}")),
        Json::Object(_) => value.find("content").and_then(scalar),
        _ => None,
    }
}

/// The thing to call about: its identifying parameters and where it is.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The parameters that name it, spelled as the operations want them: `{"Bucket": "logs"}`.
    pub(crate) ids: Map<String, Value>,
    /// The region to send to; empty for global services.
    pub(crate) region: String,
}

impl Target {
    /// A thing in the change's region.
    pub(crate) fn regional(subject: &Subject<'_>, ids: Value) -> Self {
        Self { ids: object(ids), region: subject.change.region.clone() }
    }

    /// A thing of a global service.
    pub(crate) fn global(ids: Value) -> Self {
        Self { ids: object(ids), region: String::new() }
    }

    /// A call about the thing: its identifying parameters and those given.
    pub(crate) fn call(&self, service: &str, operation: &str, more: Value) -> Call {
        let mut parameters = self.ids.clone();
        parameters.extend(object(more));
        Call::aws(service, operation, &self.region, Value::Object(parameters))
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Takes a member out of an answer; `null` when it is not there.
pub(crate) fn take(mut answer: Value, pointer: &str) -> Value {
    answer.pointer_mut(pointer).map(Value::take).unwrap_or_default()
}

/// Only the named members of an object. Those that are `null`, empty text or not there are left out: services spell "none" in
/// all three ways.
pub(crate) fn only(value: &Value, members: &[&str]) -> Value {
    let kept = members.iter().filter_map(|name| {
        let member = value.get(*name).filter(|member| !member.is_null() && member.as_str() != Some(""))?;
        Some(((*name).to_owned(), member.clone()))
    });
    Value::Object(kept.collect())
}

/// A set in a fixed order: sorted by its JSON text, repeats once. `null` is the empty set.
pub(crate) fn set(elements: impl IntoIterator<Item = Value>) -> Value {
    let mut elements: Vec<Value> = elements.into_iter().collect();
    elements.sort_by_cached_key(Value::to_string);
    elements.dedup();
    Value::Array(elements)
}

/// The elements of an array; nothing for anything else.
pub(crate) fn elements(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The string under a member of a live answer; empty when it is not there.
pub(crate) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_read_in_all_their_spellings() {
        let cases = [
            (json!({ "items": [{ "a": 1 }, { "a": 2 }] }), 2),
            (json!({ "items": { "a": 1 } }), 1),
            (json!([{ "a": 1 }]), 1),
            (json!({ "a": 1 }), 1),
            (json!({}), 0),
            (json!(null), 0),
        ];
        for (value, expected) in cases {
            assert_eq!(items(&Json::from_value(&value)).len(), expected, "{value}");
        }
    }

    #[test]
    fn an_arn_ends_in_its_name() {
        assert_eq!(last_part("arn:aws:iam::111122223333:role/team/deploy"), "deploy");
        assert_eq!(last_part("arn:aws:s3:::logs"), "logs");
        assert_eq!(last_part("team/deploy"), "team/deploy");
    }
}
