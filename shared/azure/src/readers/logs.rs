//! What carries logs away: diagnostic settings, and the flow logs of networks.

use onus_core::{Image, Read};
use serde_json::{Map, Value, json};

use super::arm::{ABSENT, ArmReader, call, elements, keep, no_effects, read};
use crate::operations::ResourceId;

/// The ARM type of a diagnostic setting.
pub(crate) const SETTING_KIND: &str = "Microsoft.Insights/diagnosticSettings";
/// Image key of a diagnostic setting.
pub(crate) const SETTING: &str = "diagnosticSetting";
/// The ARM type of a flow log.
pub(crate) const FLOW_LOG_KIND: &str = "Microsoft.Network/networkWatchers/flowLogs";
/// Image key of a flow log.
pub(crate) const FLOW_LOG: &str = "flowLog";

/// Where a setting sends the logs. A setting has one or more of these.
pub(crate) const DESTINATIONS: [&str; 7] = [
    "eventHubAuthorizationRuleId",
    "eventHubName",
    "logAnalyticsDestinationType",
    "marketplacePartnerId",
    "serviceBusRuleId",
    "storageAccountId",
    "workspaceId",
];

/// What a setting is, less the retention of its storage account, which Azure Monitor no longer honours
/// (<https://learn.microsoft.com/azure/azure-monitor/platform/migrate-to-azure-storage-lifecycle-policy>).
fn kept_setting(answer: &Value) -> Value {
    let paths = DESTINATIONS.iter().chain(&["logs", "metrics"]).map(|member| format!("properties.{member}"));
    let paths: Vec<String> = paths.chain(["name".to_owned()]).collect();
    let mut kept = keep(answer, &paths.iter().map(String::as_str).collect::<Vec<_>>());
    super::arm::without(&mut kept, &["retentionPolicy"]);
    kept
}

/// Reads one setting.
pub(crate) fn setting(id: &ResourceId) -> Read {
    read(SETTING, "Microsoft.Insights:DiagnosticSettings_Get", id, |answer| kept_setting(&answer))
}

/// Diagnostic settings: the one that changed as `diagnosticSetting`, and all that its resource has now as `diagnosticSettings`,
/// so that a rule can tell the last one gone from one of many.
pub(crate) static DIAGNOSTIC_SETTINGS: ArmReader = ArmReader {
    kind: SETTING_KIND,
    operations: &["Microsoft.Insights:DiagnosticSettings_Get", "Microsoft.Insights:DiagnosticSettings_List"],
    reads: |id, _: &Image| {
        let all = parent(id).map(|parent| {
            let list = call("Microsoft.Insights:DiagnosticSettings_List", parent.as_str(), None);
            Read::new("diagnosticSettings", list).absent(ABSENT).keep(|answer| {
                let settings = elements(answer.get("value").unwrap_or(&Value::Null)).iter();
                let mut settings: Vec<Value> = settings.map(kept_setting).collect();
                settings.sort_by_cached_key(|setting| setting.get("name").map(Value::to_string));
                json!(settings)
            })
        });
        std::iter::once(setting(id)).chain(all).collect()
    },
    effects: no_effects,
};

/// What an extension resource is about: the part of its id before its own `providers`.
fn parent(id: &ResourceId) -> Option<ResourceId> {
    let segments: Vec<&str> = id.as_str().split('/').collect();
    let own = segments.iter().rposition(|segment| segment.eq_ignore_ascii_case("providers"))?;
    ResourceId::parse(&segments.get(..own)?.join("/")).ok()
}

/// Reads a flow log. An identity of its own is kept by its name alone: the rest of it the service hands out.
pub(crate) fn flow_log(id: &ResourceId) -> Read {
    read(FLOW_LOG, "Microsoft.Network:FlowLogs_Get", id, |mut answer| {
        if let Some(Value::Object(identities)) = answer.pointer_mut("/identity/userAssignedIdentities") {
            identities.values_mut().for_each(|one| *one = Value::Object(Map::new()));
        }
        let identity = answer.get("identity").cloned();
        let mut kept = keep(
            &answer,
            &[
                "location",
                "properties.enabled",
                "properties.enabledFilteringCriteria",
                "properties.flowAnalyticsConfiguration",
                "properties.format",
                "properties.recordTypes",
                "properties.retentionPolicy",
                "properties.storageId",
                "properties.targetResourceId",
                "tags",
            ],
        );
        // As it is: what is tidied has no empty objects.
        if let (Value::Object(members), Some(identity)) = (&mut kept, identity) {
            let only = ["type", "userAssignedIdentities"];
            let identity = only.iter().filter_map(|name| Some(((*name).to_owned(), identity.get(*name)?.clone())));
            members.insert("identity".to_owned(), Value::Object(identity.collect()));
        }
        kept
    })
}

/// Flow logs.
pub(crate) static FLOW_LOGS: ArmReader = ArmReader {
    kind: FLOW_LOG_KIND,
    operations: &["Microsoft.Network:FlowLogs_Get"],
    reads: |id, _| vec![flow_log(id)],
    effects: no_effects,
};
