//! Topics, queues and event buses where access is not one document in one field.
//!
//! Sources: Amazon SNS API Reference, `SetTopicAttributes`, `AddPermission`; Amazon SQS API Reference, `AddPermission`;
//! Amazon EventBridge API Reference, `PutPermission`.

use onus_core::Effects;

use super::policies::{Permission, absent, judged};
use super::seen::{Seen, account, items, texts};
use super::together;
use crate::aws::policy::PolicyKind;

/// `sns:SetTopicAttributes`: one attribute at a time, of which only `Policy` grants.
pub(super) fn topic_attribute(seen: &Seen<'_, '_>) -> Effects {
    match seen.text(&["attributeName"]) {
        None => absent("attributeName"),
        Some(name) if name != "Policy" => Effects::none(),
        Some(_) => {
            let document = seen.any(&["attributeValue"]);
            if document.is_null() {
                return absent("attributeValue");
            }
            judged(seen, "attributeValue", document, &seen.resource(&["topicArn"]), PolicyKind::Resource)
        }
    }
}

/// `AddPermission` of SNS and SQS: accounts, actions and a label, which becomes the statement's Sid.
pub(super) fn permission(seen: &Seen<'_, '_>) -> Effects {
    let accounts = items(seen.any(&["aWSAccountIds", "aWSAccountId"]));
    if accounts.is_empty() {
        return absent("aWSAccountIds");
    }
    let names = texts(seen.any(&["actions", "actionName", "actionNames"]));
    let service = &seen.change.service;
    let label = seen.text(&["label"]);
    let resource = seen.resource(&["topicArn", "queueUrl"]);
    together(accounts.iter().filter_map(account).map(|account| {
        let actions = names.iter().map(|name| format!("{service}:{name}")).collect();
        let permission = Permission { principal: &account, actions, conditions: Vec::new() };
        permission.judged(seen, &resource, "permission", label.as_deref())
    }))
}

/// `events:PutPermission`: a whole policy, or one statement in parts.
pub(super) fn event_bus_permission(seen: &Seen<'_, '_>) -> Effects {
    let named = seen.change.resource().is_some() || !seen.any(&["eventBusName"]).is_null();
    let resource = if named { seen.resource(&["eventBusName"]) } else { "default".to_owned() };
    let document = seen.any(&["policy"]);
    if !document.is_null() {
        return judged(seen, "policy", document, &resource, PolicyKind::Resource);
    }
    let Some(principal) = account(seen.any(&["principal"])) else { return absent("principal") };
    let text = |name: &str| seen.text(&[name]);
    let (kind, key, value) = (text("condition.type"), text("condition.key"), text("condition.value"));
    // The only condition it takes is `StringEquals` on `aws:PrincipalOrgID`.
    let conditions = match (kind.as_deref(), &key, &value) {
        (Some("StringEquals"), Some(key), Some(value)) => vec![("StringEquals", key.as_ref(), value.as_ref())],
        _ => Vec::new(),
    };
    let action = text("action").unwrap_or("events:PutEvents".into()).into_owned();
    let permission = Permission { principal: &principal, actions: vec![action], conditions };
    permission.judged(seen, &resource, "permission", text("statementId").as_deref())
}
