//! The guarded resources of a subscription: what a baseline records. Kinds whose deletion or overwriting loses what they were like:
//! locks, diagnostic settings, security groups, flow logs.
//!
//! A baseline's account is a subscription's id; regions do not matter. Each id is told in lower case, as changes name it.

use onus_core::{ChangeSummary, Lister, Read, Resource};
use serde_json::Value;

use crate::operations::ResourceId;
use crate::readers::arm::{call, elements, text};
use crate::readers::{governance, logs, network};

/// Lists one kind, with one call of the subscription, or with that and one call of each thing that it answers.
struct ListOf {
    kind: &'static str,
    /// The operations: that of the subscription, and that of what it answers, where the kind is listed there alone.
    operations: &'static [&'static str],
    /// Which of the things that the subscription answers are asked, by ARM type in lower case.
    below: &'static [&'static str],
}

/// What bears diagnostic settings that matter: who came in, who read secrets, what crossed the network. Other resources' settings
/// are known from when they were read. Each costs a call, so not every resource of a subscription is asked.
const LOGGED: [&str; 16] = [
    "microsoft.apimanagement/service",
    "microsoft.automation/automationaccounts",
    "microsoft.cognitiveservices/accounts",
    "microsoft.containerregistry/registries",
    "microsoft.containerservice/managedclusters",
    "microsoft.dbforpostgresql/flexibleservers",
    "microsoft.documentdb/databaseaccounts",
    "microsoft.eventhub/namespaces",
    "microsoft.keyvault/vaults",
    "microsoft.network/applicationgateways",
    "microsoft.network/azurefirewalls",
    "microsoft.network/networksecuritygroups",
    "microsoft.operationalinsights/workspaces",
    "microsoft.sql/servers/databases",
    "microsoft.storage/storageaccounts",
    "microsoft.web/sites",
];

/// The registry, sorted by kind.
static LISTERS: &[&dyn Lister] = &[
    &ListOf {
        kind: governance::LOCK_KIND,
        operations: &["Microsoft.Authorization:ManagementLocks_ListAtSubscriptionLevel"],
        below: &[],
    },
    // There is no list of all: <https://learn.microsoft.com/rest/api/monitor/diagnostic-settings/list> is of one resource.
    &ListOf {
        kind: logs::SETTING_KIND,
        operations: &["Microsoft.Resources:Resources_List", "Microsoft.Insights:DiagnosticSettings_List"],
        below: &LOGGED,
    },
    &ListOf { kind: network::GROUP_KIND, operations: &["Microsoft.Network:NetworkSecurityGroups_ListAll"], below: &[] },
    &ListOf {
        kind: logs::FLOW_LOG_KIND,
        operations: &["Microsoft.Network:NetworkWatchers_ListAll", "Microsoft.Network:FlowLogs_List"],
        below: &["microsoft.network/networkwatchers"],
    },
];

/// Every lister of Azure, sorted by kind.
pub fn listers() -> &'static [&'static dyn Lister] {
    LISTERS
}

fn subscription(place: &ChangeSummary) -> String {
    format!("/subscriptions/{}", place.account)
}

/// What an answer lists, by id in lower case.
fn listed(answer: &Value) -> impl Iterator<Item = ResourceId> {
    let listed = elements(answer.get("value").unwrap_or(&Value::Null)).iter();
    listed.filter_map(|one| ResourceId::parse(&text(one, "/id").to_lowercase()).ok())
}

impl ListOf {
    /// Storage accounts log what is done to their services, and the services bear the settings
    /// (<https://learn.microsoft.com/azure/storage/blobs/monitor-blob-storage>).
    fn bearer(id: &ResourceId) -> Vec<String> {
        if id.is_of("Microsoft.Storage/storageAccounts") {
            return vec![format!("{id}/blobservices/default")];
        }
        vec![id.to_string()]
    }
}

impl Lister for ListOf {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn operations(&self) -> &[&'static str] {
        self.operations
    }

    fn list(&self, place: &ChangeSummary) -> Read {
        let operation = self.operations.first().copied().unwrap_or_default();
        Read::new("list", call(operation, &subscription(place), None))
    }

    fn below(&self, place: &ChangeSummary, answer: &Value) -> Vec<Read> {
        let Some(operation) = self.operations.get(1) else { return Vec::new() };
        let asked = listed(answer).filter(|id| self.below.contains(&id.kind().as_str()));
        let mut asked: Vec<String> = asked.flat_map(|id| Self::bearer(&id)).collect();
        if self.kind == logs::SETTING_KIND {
            // The export of the Activity Log itself.
            asked.push(subscription(place));
        }
        asked
            .iter()
            .map(|id| Read::new("list", call(operation, id, None)).absent(crate::readers::arm::ABSENT))
            .collect()
    }

    fn resources(&self, _: &ChangeSummary, answer: &Value) -> Vec<Resource<'static>> {
        let of_kind = listed(answer).filter(|id| id.is_of(self.kind));
        let named = of_kind.map(|id| {
            let name = id.as_str().rsplit('/').next().unwrap_or_default().to_owned();
            Resource::new(self.kind, id.to_string(), name)
        });
        named.collect()
    }
}
