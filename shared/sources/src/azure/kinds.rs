//! How Microsoft spells the types of resources.
//!
//! Logs write ids and operations in any case, mostly all upper or all lower. What rules and readers compare with is the
//! spelling of <https://learn.microsoft.com/azure/templates/>.

use std::borrow::Cow;

/// The kind of a subscription itself.
pub const SUBSCRIPTION: &str = "Microsoft.Resources/subscriptions";

/// The kind of a resource group itself.
pub const RESOURCE_GROUP: &str = "Microsoft.Resources/subscriptions/resourceGroups";

/// Types that rules, effects and readers know, and those around them.
const KNOWN: &[&str] = &[
    "Microsoft.aadiam/diagnosticSettings",
    "Microsoft.Authorization/locks",
    "Microsoft.Authorization/policyAssignments",
    "Microsoft.Authorization/policyDefinitions",
    "Microsoft.Authorization/policyExemptions",
    "Microsoft.Authorization/policySetDefinitions",
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Authorization/roleDefinitions",
    "Microsoft.Authorization/roleEligibilityScheduleRequests",
    "Microsoft.Automation/automationAccounts",
    "Microsoft.Automation/automationAccounts/runbooks",
    "Microsoft.Automation/automationAccounts/webhooks",
    "Microsoft.Cache/redis",
    "Microsoft.Cache/redis/firewallRules",
    "Microsoft.CognitiveServices/accounts",
    "Microsoft.Compute/disks",
    "Microsoft.Compute/galleries",
    "Microsoft.Compute/images",
    "Microsoft.Compute/restorePointCollections",
    "Microsoft.Compute/snapshots",
    "Microsoft.Compute/virtualMachineScaleSets",
    "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Compute/virtualMachines/extensions",
    "Microsoft.Compute/virtualMachines/runCommands",
    "Microsoft.ContainerInstance/containerGroups",
    "Microsoft.ContainerRegistry/registries",
    "Microsoft.ContainerService/managedClusters",
    "Microsoft.DBforMariaDB/servers",
    "Microsoft.DBforMariaDB/servers/firewallRules",
    "Microsoft.DBforMySQL/flexibleServers",
    "Microsoft.DBforMySQL/flexibleServers/firewallRules",
    "Microsoft.DBforMySQL/servers",
    "Microsoft.DBforMySQL/servers/firewallRules",
    "Microsoft.DBforPostgreSQL/flexibleServers",
    "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules",
    "Microsoft.DBforPostgreSQL/servers",
    "Microsoft.DBforPostgreSQL/servers/firewallRules",
    "Microsoft.DocumentDB/databaseAccounts",
    "Microsoft.EventHub/namespaces",
    "Microsoft.EventHub/namespaces/authorizationRules",
    "Microsoft.EventHub/namespaces/eventhubs",
    "Microsoft.Insights/activityLogAlerts",
    "Microsoft.Insights/diagnosticSettings",
    "Microsoft.Insights/logProfiles",
    "Microsoft.KeyVault/locations/deletedVaults",
    "Microsoft.KeyVault/managedHSMs",
    "Microsoft.KeyVault/vaults",
    "Microsoft.KeyVault/vaults/accessPolicies",
    "Microsoft.KeyVault/vaults/certificates",
    "Microsoft.KeyVault/vaults/keys",
    "Microsoft.KeyVault/vaults/secrets",
    "Microsoft.Logic/workflows",
    "Microsoft.MachineLearningServices/workspaces",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
    "Microsoft.Management/managementGroups",
    "Microsoft.Network/applicationGateways",
    "Microsoft.Network/azureFirewalls",
    "Microsoft.Network/bastionHosts",
    "Microsoft.Network/ddosProtectionPlans",
    "Microsoft.Network/dnsZones",
    "Microsoft.Network/firewallPolicies",
    "Microsoft.Network/loadBalancers",
    "Microsoft.Network/networkInterfaces",
    "Microsoft.Network/networkSecurityGroups",
    "Microsoft.Network/networkSecurityGroups/securityRules",
    "Microsoft.Network/networkWatchers",
    "Microsoft.Network/networkWatchers/flowLogs",
    "Microsoft.Network/publicIPAddresses",
    "Microsoft.Network/virtualNetworks",
    "Microsoft.Network/virtualNetworks/subnets",
    "Microsoft.OperationalInsights/workspaces",
    "Microsoft.RecoveryServices/vaults",
    "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers",
    "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems",
    "Microsoft.Resources/deployments",
    "Microsoft.Security/autoProvisioningSettings",
    "Microsoft.Security/pricings",
    "Microsoft.Security/securityContacts",
    "Microsoft.SecurityInsights/alertRules",
    "Microsoft.ServiceBus/namespaces",
    "Microsoft.Sql/managedInstances",
    "Microsoft.Sql/servers",
    "Microsoft.Sql/servers/administrators",
    "Microsoft.Sql/servers/auditingSettings",
    "Microsoft.Sql/servers/databases",
    "Microsoft.Sql/servers/databases/auditingSettings",
    "Microsoft.Sql/servers/databases/securityAlertPolicies",
    "Microsoft.Sql/servers/databases/transparentDataEncryption",
    "Microsoft.Sql/servers/firewallRules",
    "Microsoft.Sql/servers/securityAlertPolicies",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.Storage/storageAccounts/blobServices",
    "Microsoft.Storage/storageAccounts/blobServices/containers",
    "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies",
    "Microsoft.Storage/storageAccounts/fileServices",
    "Microsoft.Storage/storageAccounts/managementPolicies",
    "Microsoft.Synapse/workspaces",
    "Microsoft.Synapse/workspaces/firewallRules",
    "Microsoft.Web/sites",
    "Microsoft.Web/sites/config",
    RESOURCE_GROUP,
    SUBSCRIPTION,
];

/// The spelling of a type: Microsoft's where it is known, else as it is written, all lower-case where it is written all upper.
pub fn spelled(kind: &str) -> Cow<'static, str> {
    match KNOWN.iter().find(|known| known.eq_ignore_ascii_case(kind)) {
        Some(known) => Cow::Borrowed(known),
        None if kind.bytes().any(|byte| byte.is_ascii_lowercase()) => Cow::Owned(kind.to_owned()),
        None => Cow::Owned(kind.to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_spelled_as_microsoft_does() {
        let cases = [
            ("MICROSOFT.NETWORK/NETWORKSECURITYGROUPS", "Microsoft.Network/networkSecurityGroups"),
            ("microsoft.dbforpostgresql/flexibleservers", "Microsoft.DBforPostgreSQL/flexibleServers"),
            ("Contoso.Things/Boxes", "Contoso.Things/Boxes"),
            ("CONTOSO.THINGS/BOXES", "contoso.things/boxes"),
        ];
        for (kind, expected) in cases {
            assert_eq!(spelled(kind), expected);
        }
    }

    #[test]
    fn no_type_is_listed_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for kind in KNOWN {
            assert!(seen.insert(kind.to_ascii_lowercase()), "{kind}");
        }
    }
}
