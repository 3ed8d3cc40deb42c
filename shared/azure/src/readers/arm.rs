//! What every reader of an ARM resource shares: which resource is meant, what of an answer is kept, and how.

use onus_core::{Call, ChangeSummary, Effects, Finding, Image, Json, Read, Resource, StateReader};
use onus_sources::azure::effects::{self, Extent};
use serde_json::{Map, Value, json};

use crate::operations::ResourceId;

/// Error codes with which providers say that a resource, or what it lies in, is not there. Each provider has its own word; the
/// status is 404 for all of them. An identity that may not read is told `AuthorizationFailed` instead.
///
/// A word that is missing here is an error, and an error ends a response with an alarm and without a write. No recorded answer was at hand for
/// `LockNotFound`: should Resource Manager say otherwise, a deleted lock is told and not made again.
pub(crate) const ABSENT: &[&str] = &[
    "ContainerNotFound",
    "LockNotFound",
    "NotFound",
    "ParentResourceNotFound",
    "ResourceGroupNotFound",
    "ResourceNotFound",
    "RoleAssignmentNotFound",
    "RoleDefinitionDoesNotExist",
    "VaultNotFound",
];

/// The answered id of what was read, as the provider spells it: names keep their case there, in logs they may not. For planning
/// only, so `~`.
pub(crate) const ID: &str = "~id";

/// The parameter of a call that makes it conditional on an entity tag.
pub(crate) const IF_MATCH: &str = "If-Match";

/// The resource of an ARM type that a finding is about: the first of its change with a sound id.
pub(crate) fn target(finding: &Finding, kind: &str) -> Option<ResourceId> {
    finding.change.resources.iter().find_map(|resource| of_kind(resource, kind))
}

/// The id of a resource, if it is of an ARM type.
pub(crate) fn of_kind(resource: &Resource<'_>, kind: &str) -> Option<ResourceId> {
    ResourceId::parse(&resource.id).ok().filter(|id| id.is_of(kind))
}

/// A call about one resource. `operation` is written as specifications of remediations write it.
pub(crate) fn call(operation: &str, id: &str, body: Option<Value>) -> Call {
    let (provider, name) = operation.split_once(':').unwrap_or((operation, ""));
    let mut parameters = json!({ "id": id });
    if let (Some(body), Value::Object(members)) = (body, &mut parameters) {
        members.insert("body".to_owned(), body);
    }
    Call::azure(provider, name, parameters)
}

/// Reads one resource; `null` is kept when it is not there.
pub(crate) fn read(key: &str, operation: &str, id: &ResourceId, keep: fn(Value) -> Value) -> Read {
    Read::new(key, call(operation, id.as_str(), None)).absent(ABSENT).keep(keep)
}

/// The members of an answer at dotted paths (`properties.networkAcls`), in a fixed order ([`tidy`]), and its id as [`ID`].
pub(crate) fn keep(answer: &Value, paths: &[&str]) -> Value {
    let mut kept = tidy(&pick(answer, paths));
    if let (Value::Object(members), Some(id)) = (&mut kept, answer.get("id")) {
        members.insert(ID.to_owned(), id.clone());
    }
    kept
}

/// The members at dotted paths, nested as they were.
pub(crate) fn pick(value: &Value, paths: &[&str]) -> Value {
    let mut kept = Map::new();
    for path in paths {
        if let Some(found) = value.pointer(&format!("/{}", path.replace('.', "/"))) {
            insert(&mut kept, path, found.clone());
        }
    }
    Value::Object(kept)
}

fn insert(into: &mut Map<String, Value>, path: &str, value: Value) {
    let Some((name, rest)) = path.split_once('.') else {
        into.insert(path.to_owned(), value);
        return;
    };
    if let Value::Object(next) = into.entry(name).or_insert_with(|| Value::Object(Map::new())) {
        insert(next, rest, value);
    }
}

/// A value in one spelling of the many that providers have: members that are `null` or empty lists or objects are left out,
/// because "none" is written in all three ways, and lists are sorted, because all that is kept are sets.
pub(crate) fn tidy(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(name, member)| (name.clone(), tidy(member)));
            Value::Object(members.filter(|(_, member)| !is_nothing(member)).collect())
        }
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.iter().map(tidy).collect();
            elements.sort_by_cached_key(Value::to_string);
            Value::Array(elements)
        }
        other => other.clone(),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Takes members of these names out of a value, at any depth.
pub(crate) fn without(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !names.contains(&name.as_str()));
            members.values_mut().for_each(|member| without(member, names));
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| without(element, names)),
        _ => {}
    }
}

/// Sets a member of `properties` where the answer leaves it out and the documentation says what that means.
pub(crate) fn or_default(kept: &mut Value, name: &str, default: Value) {
    if let Value::Object(members) = kept {
        let properties = members.entry("properties").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(properties) = properties {
            properties.entry(name).or_insert(default);
        }
    }
}

/// Takes out of kept network rules what the service says of them: whether a subnet's rule has been set up yet.
pub(crate) fn settled_rules(kept: &mut Value) {
    if let Some(rules) = kept.pointer_mut("/properties/networkAcls") {
        without(rules, &["state"]);
    }
}

/// The elements of an array; nothing for anything else.
pub(crate) fn elements(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The text at a JSON pointer; empty when it is not there.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A reader of one ARM type: the declarative half of a [`StateReader`].
pub(crate) struct ArmReader {
    /// The ARM type, as Microsoft spells it.
    pub(crate) kind: &'static str,
    /// What it reads with.
    pub(crate) operations: &'static [&'static str],
    /// The reads of a resource; those that the image holds already are not sent again.
    pub(crate) reads: fn(&ResourceId, &Image) -> Vec<Read>,
    /// What the image means.
    pub(crate) effects: fn(&ResourceId, &Image) -> Effects,
}

impl StateReader for ArmReader {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn operations(&self) -> &'static [&'static str] {
        self.operations
    }

    fn reads(&self, _: &ChangeSummary, resource: &Resource<'_>, so_far: &Image) -> Vec<Read> {
        let reads = of_kind(resource, self.kind).map(|id| (self.reads)(&id, so_far)).unwrap_or_default();
        reads.into_iter().filter(|read| !so_far.has(&read.key)).collect()
    }

    fn effects(&self, _: &ChangeSummary, resource: &Resource<'_>, image: &Image) -> Effects {
        match of_kind(resource, self.kind) {
            Some(id) if !image.0.is_empty() => (self.effects)(&id, image),
            _ => Effects::unknown(self.kind, "could not be read: the record holds no id of this type"),
        }
    }
}

/// What a resource that was read opens and grants, as the records' analysis judges the same body.
pub(crate) fn effects_of(kind: &str, id: &str, kept: &Value) -> Effects {
    effects::of_resource(kind, id, &Json::from_value(kept), Extent::Whole)
}

/// The effects of a kind that neither opens a path nor grants access.
pub(crate) fn no_effects(_: &ResourceId, _: &Image) -> Effects {
    Effects::none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_has_one_spelling() {
        let answer = json!({
            "id": "/subscriptions/1/resourceGroups/Web",
            "etag": "W/\"1\"",
            "properties": {
                "provisioningState": "Succeeded",
                "networkAcls": { "ipRules": [{ "value": "203.0.113.9" }, { "value": "192.0.2.1" }], "virtualNetworkRules": [], "x": null },
            },
        });
        let kept = keep(&answer, &["properties.networkAcls", "properties.nothing", "sku.name"]);
        assert_eq!(
            kept,
            json!({
                "~id": "/subscriptions/1/resourceGroups/Web",
                "properties": { "networkAcls": { "ipRules": [{ "value": "192.0.2.1" }, { "value": "203.0.113.9" }] } },
            })
        );
    }
}
