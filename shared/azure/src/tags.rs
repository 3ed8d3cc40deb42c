//! How the tags of a resource are read: `Tags_GetAtScope` answers for resources, resource groups and subscriptions alike
//! (<https://learn.microsoft.com/rest/api/resources/tags/get-at-scope>).
//!
//! Parts of a resource (a rule of a security group, a container of a storage account) have no tags of their own: those of the
//! resource count. Locks, role assignments and diagnostic settings count as what they are attached to. Tags of a
//! resource group are not those of its resources.

use onus_core::tags::of_object;
use onus_core::{Call, ChangeSummary, Read, Resource, TagSource};
use serde_json::{Value, json};

/// The operations that tags are read with, `provider:Operation`: both functions need them.
pub const OPERATIONS: &[&str] = &["Microsoft.Resources:Tags_GetAtScope"];

/// Types that stand on something else, `provider/type` in lower case. Every type of these providers, where there is no `/`.
const ATTACHED: &[&str] = &["microsoft.authorization", "microsoft.insights/diagnosticsettings"];

/// How the tags of a resource are read; `None` when its id is no ARM id. Directory objects have none.
pub fn tag_source(_: &ChangeSummary, resource: &Resource<'_>) -> Option<TagSource> {
    if resource.kind.starts_with("Entra/") {
        return Some(TagSource::Untagged);
    }
    let id = resource.id.to_ascii_lowercase();
    let scope = scope(&id)?;
    let call = Call::azure("Microsoft.Resources", "Tags_GetAtScope", json!({ "id": scope }));
    Some(TagSource::Read(Read::new("tags", call).keep(|answer| kept(&answer))))
}

/// The resource, resource group or subscription whose tags count for an ARM id in lower case.
fn scope(id: &str) -> Option<&str> {
    let rest = id.strip_prefix("/subscriptions/")?;
    if rest.is_empty() || id.split('/').skip(1).any(|segment| segment.is_empty() || segment == "..") {
        return None;
    }
    let Some((before, after)) = id.split_once("/providers/") else { return Some(id) };
    let mut segments = after.split('/');
    let (provider, kind, name) = (segments.next()?, segments.next()?, segments.next()?);
    let attached = ATTACHED.iter().any(|known| *known == provider || *known == format!("{provider}/{kind}"));
    if attached {
        return Some(before);
    }
    id.get(..before.len() + "/providers/".len() + provider.len() + kind.len() + name.len() + 2)
}

/// `{"properties": {"tags": {…}}}`; the inner member is left out where there are none.
fn kept(answer: &Value) -> Value {
    match answer.get("properties") {
        Some(Value::Object(properties)) => of_object(properties.get("tags")),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_the_tags_of_its_resource() {
        let group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/web";
        let cases = [
            (
                "/providers/microsoft.network/networksecuritygroups/nsg/securityrules/ssh",
                Some("/providers/microsoft.network/networksecuritygroups/nsg"),
            ),
            (
                "/providers/microsoft.storage/storageaccounts/logs",
                Some("/providers/microsoft.storage/storageaccounts/logs"),
            ),
            (
                "/providers/microsoft.storage/storageaccounts/logs/providers/microsoft.insights/diagnosticsettings/d",
                Some("/providers/microsoft.storage/storageaccounts/logs"),
            ),
            ("/providers/microsoft.authorization/locks/l", Some("")),
            ("/providers/microsoft.insights/diagnosticsettings/d", Some("")),
            ("", Some("")),
            ("/providers/microsoft.storage/storageaccounts", None),
            ("/providers/microsoft.storage//logs", None),
            ("/providers/microsoft.storage/storageaccounts/../../x", None),
        ];
        let mut wrong = Vec::new();
        for (rest, expected) in cases {
            let id = format!("{group}{rest}");
            let expected = expected.map(|rest| format!("{group}{rest}"));
            if scope(&id).map(str::to_owned) != expected {
                wrong.push(format!("{rest}: {:?}", scope(&id)));
            }
        }
        assert_eq!(scope("logs"), None, "no ARM id");
        assert_eq!(scope("/subscriptions/"), None, "no subscription");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn an_answer_is_tags_or_it_is_not_understood() {
        assert_eq!(kept(&json!({ "properties": { "tags": { "Env": "dev" } } })), json!({ "Env": "dev" }));
        assert_eq!(kept(&json!({ "properties": {} })), json!({}));
        assert_eq!(kept(&json!({})), Value::Null);
        assert_eq!(kept(&json!({ "properties": { "tags": [] } })), Value::Null);
    }
}
