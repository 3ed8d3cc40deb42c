//! Bad changes in shapes that are easily got wrong: what each was, what there is, and what shall be left.

use onus_core::Finding;
use serde_json::{Value, json};

use super::fake::resource;
use super::findings::{GROUP, SUBSCRIPTION, id, omitted, on, opened};
use super::security_rules;
use onus_core::proof::{Case, World};

pub(crate) fn all() -> Vec<Case> {
    [containers(), accounts(), vaults(), firewalls(), assignments(), plans(), security_rules::cases()]
        .into_iter()
        .flatten()
        .collect()
}

pub(crate) fn world<const N: usize>(things: [(&str, Value); N]) -> World {
    things.into_iter().map(|(id, properties)| resource(&format!("{GROUP}/providers/{id}"), properties)).collect()
}

/// A resource in the group with an upper-case name, as it is spelled and as it is kept.
pub(crate) fn kept(rest: &str, properties: Value) -> (&'static str, Value) {
    let (key, value) = resource(&format!("{GROUP}/providers/{rest}"), properties);
    (key.leak(), value)
}

const CONTAINER: &str = "Microsoft.Storage/storageAccounts/blobServices/containers";
const ACCOUNT: &str = "Microsoft.Storage/storageAccounts";
const VAULT: &str = "Microsoft.KeyVault/vaults";

fn containers() -> Vec<Case> {
    let logs = "Microsoft.Storage/storageAccounts/Onus1/blobServices/default/containers/logs";
    let other = "Microsoft.Storage/storageAccounts/Onus1/blobServices/default/containers/site";
    let case = |name, access: &str, finding: fn(&'static str) -> Finding| Case {
        name,
        remediation: "azure.storage.disable_container_public_access",
        finding: finding(id(logs)),
        world: world([
            (logs, json!({ "publicAccess": access, "metadata": { "team": "a" } })),
            (other, json!({ "publicAccess": "Blob" })),
        ]),
        healed: vec![kept(logs, json!({ "publicAccess": "None", "metadata": { "team": "a" } }))],
    };
    vec![
        case("opened for listing", "Container", |id| {
            on(CONTAINER, id, json!({ "properties": { "publicAccess": "Container" } }))
        }),
        case("opened for its blobs, told without a body", "Blob", |id| omitted(CONTAINER, id)),
    ]
}

fn accounts() -> Vec<Case> {
    let account = "Microsoft.Storage/storageAccounts/Onus1";
    let rules = json!({
        "defaultAction": "Allow",
        "bypass": "AzureServices, Logging",
        "ipRules": [{ "value": "203.0.113.0/24", "action": "Allow" }, { "value": "192.0.2.7", "action": "Allow" }],
        "virtualNetworkRules": [{ "id": "/subscriptions/x/virtualNetworks/v/subnets/s", "action": "Allow" }],
        "resourceAccessRules": [{ "tenantId": "t", "resourceId": "/subscriptions/x" }],
    });
    let mut denied = rules.clone();
    denied["defaultAction"] = json!("Deny");
    // Lists come back sorted: they are sets.
    denied["ipRules"].as_array_mut().unwrap().reverse();
    let with = |members: Value| {
        let mut account = json!({ "supportsHttpsTrafficOnly": true, "minimumTlsVersion": "TLS1_2" });
        account.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        account
    };
    vec![
        Case {
            name: "anonymous access allowed by a patch",
            remediation: "azure.storage.disable_blob_public_access",
            finding: on(ACCOUNT, id(account), json!({ "properties": { "allowBlobPublicAccess": true } })),
            world: world([(account, with(json!({ "allowBlobPublicAccess": true, "networkAcls": rules })))]),
            healed: vec![kept(account, with(json!({ "allowBlobPublicAccess": false, "networkAcls": rules })))],
        },
        Case {
            name: "opened beside rules of every kind",
            remediation: "azure.storage.deny_network_by_default",
            finding: on(ACCOUNT, id(account), json!({ "properties": { "networkAcls": { "defaultAction": "Allow" } } })),
            world: world([(account, with(json!({ "publicNetworkAccess": "Enabled", "networkAcls": rules })))]),
            healed: vec![kept(account, with(json!({ "publicNetworkAccess": "Enabled", "networkAcls": denied })))],
        },
    ]
}

fn vaults() -> Vec<Case> {
    let vault = "Microsoft.KeyVault/vaults/Onus-kv";
    let case = |name, before: Value, after: Value| Case {
        name,
        remediation: "azure.keyvault.deny_network_by_default",
        finding: omitted(VAULT, id(vault)),
        world: world([(vault, json!({ "tenantId": "t", "networkAcls": before }))]),
        healed: vec![kept(vault, json!({ "tenantId": "t", "networkAcls": after }))],
    };
    let rules = |action: &str| {
        json!({ "bypass": "None", "defaultAction": action, "ipRules": [{ "value": "203.0.113.9/32" }],
            "virtualNetworkRules": [{ "id": "/subscriptions/x/subnets/s", "ignoreMissingVnetServiceEndpoint": true }] })
    };
    vec![
        case("opened beside rules", rules("Allow"), rules("Deny")),
        case("never given rules", json!(null), json!({ "bypass": "AzureServices", "defaultAction": "Deny" })),
    ]
}

fn firewalls() -> Vec<Case> {
    let makes = [
        ("azure.sql.delete_firewall_rule", "Microsoft.Sql/servers"),
        ("azure.postgresql.delete_firewall_rule", "Microsoft.DBforPostgreSQL/flexibleServers"),
        ("azure.mysql.delete_firewall_rule", "Microsoft.DBforMySQL/flexibleServers"),
    ];
    let range = |from: &str, to: &str| json!({ "startIpAddress": from, "endIpAddress": to });
    let mut cases = Vec::new();
    for (remediation, server) in makes {
        let kind: &'static str = format!("{server}/firewallRules").leak();
        let open: &'static str = format!("{server}/db/firewallRules/Open All").leak();
        let office: &'static str = format!("{server}/db/firewallRules/office").leak();
        let case = |name, finding, live: Value| Case {
            name,
            remediation,
            finding,
            world: world([(open, live), (office, range("203.0.113.1", "203.0.113.9"))]),
            healed: vec![(id(open), Value::Null)],
        };
        let whole = range("0.0.0.0", "255.255.255.255");
        let asked = json!({ "Properties": { "StartIpAddress": "0.0.0.0", "EndIpAddress": "255.255.255.255" } });
        cases.push(case("opened to the world", on(kind, id(open), asked), whole.clone()));
        let azure = range("0.0.0.0", "0.0.0.0");
        cases.push(case("opened to all of Azure", on(kind, id(open), json!({ "properties": azure })), azure.clone()));
        let told_by_state = opened(omitted(kind, id(open)), "open all", &["0.0.0.0/1"], (1433, 1433));
        cases.push(case("told without a body", told_by_state, range("0.0.0.0", "127.255.255.255")));
    }
    cases
}

fn assignments() -> Vec<Case> {
    let kind = "Microsoft.Authorization/roleAssignments";
    let owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
    let scoped = "Microsoft.Storage/storageAccounts/logs/providers/Microsoft.Authorization/roleAssignments";
    let (bad, good): (&'static str, &'static str) = (
        format!("{scoped}/00000000-0000-0000-0000-0000000000a1").leak(),
        format!("{scoped}/00000000-0000-0000-0000-0000000000a2").leak(),
    );
    let role = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{owner}");
    let live = |principal: &str| {
        json!({ "principalId": principal, "principalType": "User", "roleDefinitionId": role,
            "condition": "@Resource[x] == 'y'", "conditionVersion": "2.0", "description": "on call" })
    };
    let case = |name, request: Value| Case {
        name,
        remediation: "azure.authorization.remove_role_assignment",
        finding: on(kind, id(bad), request),
        world: world([(bad, live("p-1")), (good, live("p-2"))]),
        healed: vec![(id(bad), Value::Null)],
    };
    let unscoped = format!("/providers/Microsoft.Authorization/roleDefinitions/{}", owner.to_uppercase());
    vec![
        case(
            "told with a role that has no scope",
            json!({ "Properties": { "PrincipalId": "P-1", "RoleDefinitionId": unscoped } }),
        ),
        case("told without a body", json!(null)),
    ]
}

fn plans() -> Vec<Case> {
    let plan: &'static str =
        format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Security/pricings/VirtualMachines").leak();
    let off = || World::from([resource(plan, json!({ "pricingTier": "Free" }))]);
    let on_again = json!({
        "pricingTier": "Standard",
        "subPlan": "P2",
        "extensions": [{ "name": "AgentlessVmScanning", "isEnabled": "True" }],
    });
    let key: &'static str = plan.to_lowercase().leak();
    vec![Case {
        name: "turned off",
        remediation: "azure.security.enable_defender_plan",
        finding: on("Microsoft.Security/pricings", key, json!({ "properties": { "pricingTier": "Free" } })),
        world: off(),
        healed: vec![(key, resource(plan, on_again).1)],
    }]
}
