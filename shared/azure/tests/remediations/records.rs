//! Remediations of changes as the Activity Log writes them: the repository's own records, decoded, with the effects derived. Each is
//! told twice, with its body and, as Event Grid does, without: then live state decides.

use onus_azure::{remediation, state_reader};
use onus_core::{CallError, Finding, FindingId};
use onus_sources::Decoded;
use serde_json::{Value, json};

use super::EVENTS;
use super::fake::{FakeArm, resource};
use super::findings::on;
use onus_core::proof::Case;
use onus_core::proof::World;

/// The finding that a rule would make of a record under `events/azure`, effects as the record tells them.
fn told(path: &str, kind: &'static str) -> Finding {
    let file = format!("{EVENTS}/azure/{path}.json");
    let text = std::fs::read(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut told = None;
    onus_sources::scan(path, &text, &mut |entry| {
        let Ok(Decoded::Change(change)) = entry.result else { return };
        let mut finding = on(kind, "/x", change.request.json().to_value());
        finding.id = FindingId::of(change.cloud, &change.uid, "azure.test");
        finding.response = change.response.json().to_value();
        finding.effects = change.effects().clone();
        finding.change = change.summary();
        told = Some(finding);
    })
    .unwrap();
    told.unwrap_or_else(|| panic!("{path} holds no change"))
}

/// The same, as live state decides where the record holds no body.
pub(crate) async fn found(path: &str, kind: &'static str, world: &World) -> Finding {
    let mut found = told(path, kind);
    if found.request.is_null() {
        let reader = state_reader(kind).unwrap();
        let resource = found.change.resources.iter().find(|resource| resource.kind == kind).expect("of the kind");
        let arm = FakeArm::new(world.clone());
        let reads = |so_far: &_| Ok::<_, CallError>(reader.reads(&found.change, resource, so_far));
        let image = onus_core::state::read_image(&arm, reads).await.unwrap();
        found.effects = reader.effects(&found.change, resource, &image);
        found.from_state = true;
    }
    found
}

/// A remediation, the record without its shape, what is there, and what shall be left.
type Row = (&'static str, &'static str, Vec<(String, Value)>, (String, Value));

fn rows() -> Vec<Row> {
    let subscription = format!("/subscriptions/{}", super::findings::SUBSCRIPTION);
    let group = format!("{subscription}/resourceGroups/Web/providers");
    let at = |rest: &str, properties: Value| (format!("{group}/{rest}"), properties);
    let rule = |sources: Value| {
        json!({ "protocol": "Tcp", "sourcePortRange": "*", "destinationPortRange": "22", "sourceAddressPrefixes": sources,
            "destinationAddressPrefix": "*", "access": "Allow", "priority": 100, "direction": "Inbound" })
    };
    let account = |members: Value| {
        let mut account = json!({ "allowBlobPublicAccess": true, "isHnsEnabled": true,
            "networkAcls": { "bypass": "AzureServices", "defaultAction": "Allow" } });
        account.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        account
    };
    let data = "Microsoft.Storage/storageAccounts/ExampleData";
    let whole = || json!({ "startIpAddress": "0.0.0.0", "endIpAddress": "255.255.255.255" });
    let mut rows = vec![
        (
            "azure.network.remove_security_rule_sources",
            "network/security_rule_write",
            vec![
                at("Microsoft.Network/networkSecurityGroups/Front", json!({})),
                at("Microsoft.Network/networkSecurityGroups/Front/securityRules/SSH", rule(json!(["*"]))),
            ],
            at("Microsoft.Network/networkSecurityGroups/Front/securityRules/SSH", Value::Null),
        ),
        (
            "azure.storage.disable_blob_public_access",
            "storage/account_write",
            vec![at(data, account(json!({})))],
            at(data, account(json!({ "allowBlobPublicAccess": false }))),
        ),
        (
            "azure.storage.deny_network_by_default",
            "storage/account_write",
            vec![at(data, account(json!({})))],
            at(data, account(json!({ "networkAcls": { "bypass": "AzureServices", "defaultAction": "Deny" } }))),
        ),
        (
            "azure.storage.disable_container_public_access",
            "storage/container_write",
            vec![
                at(data, account(json!({}))),
                at(&format!("{data}/blobServices/default/containers/reports"), json!({ "publicAccess": "Container" })),
            ],
            at(&format!("{data}/blobServices/default/containers/reports"), json!({ "publicAccess": "None" })),
        ),
        (
            "azure.keyvault.deny_network_by_default",
            "keyvault/vault_write",
            vec![at(
                "Microsoft.KeyVault/vaults/ExampleKeys",
                json!({ "networkAcls": { "defaultAction": "Allow", "bypass": "None" } }),
            )],
            at(
                "Microsoft.KeyVault/vaults/ExampleKeys",
                json!({ "networkAcls": { "defaultAction": "Deny", "bypass": "None" } }),
            ),
        ),
        (
            "azure.authorization.remove_role_assignment",
            "authorization/role_assignment_write",
            vec![(
                format!(
                    "{subscription}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-0000000000f1"
                ),
                json!({ "principalId": "00000000-0000-0000-0000-0000000000e1", "principalType": "ServicePrincipal",
                    "roleDefinitionId": format!("{subscription}/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635") }),
            )],
            (
                format!(
                    "{subscription}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-0000000000f1"
                ),
                Value::Null,
            ),
        ),
        (
            "azure.security.enable_defender_plan",
            "security/pricing_write",
            vec![(
                format!("{subscription}/providers/Microsoft.Security/pricings/VirtualMachines"),
                json!({ "pricingTier": "Free" }),
            )],
            (
                format!("{subscription}/providers/Microsoft.Security/pricings/VirtualMachines"),
                json!({ "pricingTier": "Standard", "subPlan": "P2",
                    "extensions": [{ "name": "AgentlessVmScanning", "isEnabled": "True" }] }),
            ),
        ),
    ];
    for (id, path, server) in [
        ("azure.sql.delete_firewall_rule", "sql/firewall_rule_write", "Microsoft.Sql/servers"),
        (
            "azure.postgresql.delete_firewall_rule",
            "dbforpostgresql/firewall_rule_write",
            "Microsoft.DBforPostgreSQL/flexibleServers",
        ),
        ("azure.mysql.delete_firewall_rule", "dbformysql/firewall_rule_write", "Microsoft.DBforMySQL/flexibleServers"),
    ] {
        let rule = format!("{server}/orders/firewallRules/Everybody");
        rows.push((id, path, vec![at(&rule, whole())], at(&rule, Value::Null)));
    }
    rows
}

/// Every one, named by its record.
pub(crate) async fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for (id, path, there, (healed, left)) in rows() {
        for shape in ["", "_event_grid"] {
            let path = format!("{path}{shape}");
            let world: World = there.iter().map(|(id, properties)| resource(id, properties.clone())).collect();
            let (key, value) = resource(&healed, left.clone());
            let value = if left.is_null() { Value::Null } else { value };
            cases.push(Case {
                finding: found(&path, remediation(id).unwrap().spec().kind, &world).await,
                name: path.leak(),
                remediation: id,
                world,
                healed: vec![(key.leak(), value)],
            });
        }
    }
    cases
}
