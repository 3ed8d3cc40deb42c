//! State readers: what is read, and what it means.

use std::collections::BTreeSet;

use onus_azure::{state_reader, state_readers};
use onus_core::{CallError, Image, Resource};
use serde_json::{Value, json};

use crate::cases::world;
use crate::fake::FakeArm;
use crate::findings::{id, omitted};
use onus_core::proof::{Fake, World};

/// What is read of a resource, and with which calls.
async fn read(kind: &'static str, id: &'static str, world: World) -> (Image, BTreeSet<String>) {
    let arm = FakeArm::new(world);
    let change = omitted(kind, id).change;
    let reader = state_reader(kind).unwrap_or_else(|| panic!("no reader of {kind}"));
    let resource = Resource::new(kind, id, "");
    let image =
        onus_core::state::read_image(&arm, |so_far| Ok::<_, CallError>(reader.reads(&change, &resource, so_far)));
    let image = image.await.unwrap();
    (image, arm.calls().iter().map(onus_core::Call::name).collect())
}

/// Each kind, the things that are there, and what the image shall be without members for planning.
fn kinds() -> Vec<(&'static str, World, Value)> {
    let role = "Microsoft.Authorization/roleDefinitions/r1";
    let group = crate::findings::GROUP;
    vec![
        (
            "Microsoft.Authorization/roleAssignments/a1",
            world([
                (
                    "Microsoft.Authorization/roleAssignments/a1",
                    json!({ "principalId": "p", "createdBy": "x", "roleDefinitionId": format!("{group}/providers/{role}") }),
                ),
                (
                    role,
                    json!({ "roleName": "Reader", "type": "BuiltInRole", "permissions": [{ "actions": ["*/read"], "notActions": [] }] }),
                ),
            ]),
            json!({
                "roleAssignment": { "properties": { "principalId": "p", "roleDefinitionId": format!("{group}/providers/{role}") } },
                "roleDefinition": { "properties": { "roleName": "Reader", "type": "BuiltInRole", "permissions": [{ "actions": ["*/read"] }] } },
            }),
        ),
        (
            role,
            world([(role, json!({ "roleName": "Mine", "assignableScopes": ["/"] }))]),
            json!({ "roleDefinition": { "properties": { "roleName": "Mine", "assignableScopes": ["/"] } } }),
        ),
        (
            "Microsoft.Storage/storageAccounts/logs/providers/Microsoft.Authorization/locks/Keep",
            world([(
                "Microsoft.Storage/storageAccounts/logs/providers/Microsoft.Authorization/locks/Keep",
                json!({ "level": "CanNotDelete", "notes": "evidence", "owners": [] }),
            )]),
            json!({ "lock": { "properties": { "level": "CanNotDelete", "notes": "evidence" } } }),
        ),
        (
            "Microsoft.Compute/virtualMachines/vm",
            world([(
                "Microsoft.Compute/virtualMachines/vm",
                json!({ "vmId": "1", "securityProfile": { "encryptionAtHost": true }, "osProfile": { "adminUsername": "x", "linuxConfiguration": { "disablePasswordAuthentication": false } } }),
            )]),
            json!({ "virtualMachine": { "properties": { "securityProfile": { "encryptionAtHost": true }, "osProfile": { "linuxConfiguration": { "disablePasswordAuthentication": false } } } } }),
        ),
        (
            "Microsoft.ContainerInstance/containerGroups/job",
            world([(
                "Microsoft.ContainerInstance/containerGroups/job",
                json!({ "ipAddress": { "type": "Public", "ip": "192.0.2.1", "ports": [{ "port": 80 }] }, "containers": [{ "name": "app", "properties": { "image": "i", "command": ["sh"], "environmentVariables": [{ "name": "PASSWORD", "value": "hunter2" }, { "name": "SAFE" }] } }] }),
            )]),
            json!({ "containerGroup": { "properties": { "ipAddress": { "type": "Public", "ports": [{ "port": 80 }] }, "containers": [{ "name": "app", "properties": { "image": "i", "environmentVariables": [{ "name": "PASSWORD", "value": "***" }, { "name": "SAFE" }] } }] } } }),
        ),
        (
            "Microsoft.ContainerService/managedClusters/k8s",
            world([(
                "Microsoft.ContainerService/managedClusters/k8s",
                json!({ "fqdn": "x", "disableLocalAccounts": false, "apiServerAccessProfile": { "authorizedIPRanges": [] } }),
            )]),
            json!({ "managedCluster": { "properties": { "disableLocalAccounts": false } } }),
        ),
        database("Microsoft.DBforMySQL/flexibleServers/db", json!({ "network": { "publicNetworkAccess": "Enabled" } })),
        one("Microsoft.DBforMySQL/flexibleServers/db/firewallRules/open"),
        database(
            "Microsoft.DBforPostgreSQL/flexibleServers/db",
            json!({ "authConfig": { "passwordAuth": "Enabled" } }),
        ),
        one("Microsoft.DBforPostgreSQL/flexibleServers/db/firewallRules/open"),
        (
            "Microsoft.DocumentDB/databaseAccounts/cosmos",
            world([(
                "Microsoft.DocumentDB/databaseAccounts/cosmos",
                json!({ "documentEndpoint": "x", "publicNetworkAccess": "Enabled", "ipRules": [{ "ipAddressOrRange": "203.0.113.9" }] }),
            )]),
            json!({ "databaseAccount": { "properties": { "publicNetworkAccess": "Enabled", "ipRules": [{ "ipAddressOrRange": "203.0.113.9" }] } } }),
        ),
        (
            "Microsoft.Storage/storageAccounts/logs/providers/Microsoft.Insights/diagnosticSettings/audit",
            world([(
                "Microsoft.Storage/storageAccounts/logs/providers/Microsoft.Insights/diagnosticSettings/rest",
                json!({ "workspaceId": "w", "logs": [{ "category": "StorageRead", "enabled": true, "retentionPolicy": { "days": 0 } }] }),
            )]),
            json!({ "diagnosticSetting": null, "diagnosticSettings": [{ "name": "rest", "properties": { "workspaceId": "w", "logs": [{ "category": "StorageRead", "enabled": true }] } }] }),
        ),
        (
            "Microsoft.KeyVault/vaults/kv",
            world([(
                "Microsoft.KeyVault/vaults/kv",
                json!({ "vaultUri": "x", "enablePurgeProtection": true, "networkAcls": { "defaultAction": "Deny", "ipRules": [] } }),
            )]),
            json!({ "vault": { "properties": { "enablePurgeProtection": true, "networkAcls": { "defaultAction": "Deny" } } } }),
        ),
        (
            "Microsoft.Network/networkSecurityGroups/web",
            world([
                ("Microsoft.Network/networkSecurityGroups/web", json!({ "resourceGuid": "1" })),
                (
                    "Microsoft.Network/networkSecurityGroups/web/securityRules/Ssh",
                    json!({ "access": "Allow", "sourceAddressPrefixes": ["b", "a"], "destinationPortRanges": [] }),
                ),
            ]),
            json!({ "networkSecurityGroup": { "properties": { "securityRules": [{ "name": "Ssh", "properties": { "access": "Allow", "sourceAddressPrefixes": ["a", "b"] } }] } } }),
        ),
        (
            "Microsoft.Network/networkWatchers/west/flowLogs/Front",
            world([(
                "Microsoft.Network/networkWatchers/west/flowLogs/Front",
                json!({ "enabled": true, "storageId": "s", "targetResourceId": "v", "targetResourceGuid": "1",
                    "retentionPolicy": { "days": 90, "enabled": true }, "flowAnalyticsConfiguration": {} }),
            )]),
            json!({ "flowLog": { "properties": { "enabled": true, "storageId": "s", "targetResourceId": "v",
                "retentionPolicy": { "days": 90, "enabled": true } } } }),
        ),
        (
            "Microsoft.Security/pricings/VirtualMachines",
            world([(
                "Microsoft.Security/pricings/VirtualMachines",
                json!({ "pricingTier": "Free", "extensions": [{ "name": "x", "isEnabled": "False" }] }),
            )]),
            json!({ "pricing": { "properties": { "pricingTier": "Free" } } }),
        ),
        database("Microsoft.Sql/servers/db", json!({ "publicNetworkAccess": "Enabled", "minimalTlsVersion": "1.0" })),
        one("Microsoft.Sql/servers/db/firewallRules/open"),
        (
            "Microsoft.Storage/storageAccounts/logs",
            world([(
                "Microsoft.Storage/storageAccounts/logs",
                json!({ "primaryEndpoints": {}, "isHnsEnabled": true }),
            )]),
            json!({ "storageAccount": { "properties": { "isHnsEnabled": true } } }),
        ),
        (
            "Microsoft.Storage/storageAccounts/logs/blobServices/default",
            world([(
                "Microsoft.Storage/storageAccounts/logs/blobServices/default",
                json!({ "deleteRetentionPolicy": { "enabled": false } }),
            )]),
            json!({ "blobService": { "properties": { "deleteRetentionPolicy": { "enabled": false } } } }),
        ),
        (
            "Microsoft.Storage/storageAccounts/logs/blobServices/default/containers/c",
            world([
                ("Microsoft.Storage/storageAccounts/logs", json!({ "allowBlobPublicAccess": false })),
                (
                    "Microsoft.Storage/storageAccounts/logs/blobServices/default/containers/c",
                    json!({ "leaseState": "Available" }),
                ),
            ]),
            json!({
                "blobContainer": { "properties": { "publicAccess": "None" } },
                "storageAccount": { "properties": { "allowBlobPublicAccess": false } },
            }),
        ),
    ]
}

fn database(server: &'static str, properties: Value) -> (&'static str, World, Value) {
    let rule = json!({ "startIpAddress": "0.0.0.0", "endIpAddress": "0.0.0.0" });
    let mut all = world([(server, properties.clone())]);
    all.extend(world([
        (&format!("{server}/firewallRules/Azure"), rule.clone()),
        (&format!("{server}/firewallRules/b"), rule.clone()),
    ]));
    let rules = json!([{ "name": "Azure", "properties": rule }, { "name": "b", "properties": rule }]);
    (server, all, json!({ "server": { "properties": properties }, "firewallRules": rules }))
}

fn one(rule: &'static str) -> (&'static str, World, Value) {
    let range = json!({ "startIpAddress": "0.0.0.0", "endIpAddress": "255.255.255.255" });
    (rule, world([(rule, range.clone())]), json!({ "firewallRule": { "name": "open", "properties": range } }))
}

/// The kind that a reader has for a path below a group.
fn kind_of(path: &str) -> &'static str {
    let id = onus_azure::operations::ResourceId::parse(id(path)).unwrap();
    let kinds = state_readers().iter().map(|reader| reader.kind());
    kinds.into_iter().find(|kind| id.is_of(kind)).unwrap_or_else(|| panic!("no reader of {path}"))
}

fn bare(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(name, _)| !name.starts_with('~'))
            .map(|(name, member)| (name, bare(member)))
            .collect(),
        Value::Array(elements) => elements.into_iter().map(bare).collect(),
        other => other,
    }
}

#[tokio::test]
async fn every_kind_is_read_and_only_what_matters_is_kept() {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (path, world, expected) in kinds() {
        let kind = kind_of(path);
        seen.insert(kind);
        let (image, calls) = read(kind, id(path), world).await;
        let found = bare(serde_json::to_value(&image).unwrap());
        if found != expected {
            wrong.push(format!("{kind}: {found}, not {expected}"));
        }
        let named: BTreeSet<String> =
            state_reader(kind).unwrap().operations().iter().map(|name| (*name).to_owned()).collect();
        if calls != named {
            wrong.push(format!("{kind}: called {calls:?}, names {named:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let all: BTreeSet<&str> = state_readers().iter().map(|reader| reader.kind()).collect();
    assert_eq!(seen, all, "every reader is tried");
}

/// What a resource opens and grants, in short.
async fn meaning(path: &'static str, world: World) -> Vec<String> {
    let kind = kind_of(path);
    let (image, _) = read(kind, id(path), world).await;
    let effects = state_reader(kind).unwrap().effects(
        &omitted(kind, id(path)).change,
        &Resource::new(kind, id(path), ""),
        &image,
    );
    let opened = effects.openings.iter().map(|one| {
        let sources: Vec<String> = one.sources.iter().map(ToString::to_string).chain(one.peers.clone()).collect();
        format!("{}-{} from {}", one.ports.0, one.ports.1, sources.join(" "))
    });
    let granted = effects.grants.iter().map(|one| {
        format!("{} {} to {} {}", one.level.as_str(), one.actions.join(" "), one.audience.as_str(), one.principal)
    });
    let doubted = effects.doubts.iter().map(|doubt| format!("doubt: {doubt}"));
    opened.chain(granted).chain(doubted).collect()
}

#[tokio::test]
async fn what_is_read_means_what_a_record_of_it_would() {
    let account = "Microsoft.Storage/storageAccounts/logs";
    let container = "Microsoft.Storage/storageAccounts/logs/blobServices/default/containers/c";
    let in_account = |allowed: bool| {
        let account = json!({ "allowBlobPublicAccess": allowed, "publicNetworkAccess": "Disabled" });
        world([("Microsoft.Storage/storageAccounts/logs", account), (container, json!({ "publicAccess": "Blob" }))])
    };
    let sql = "Microsoft.Sql/servers/db";
    let server = |access: &str| {
        let mut all = world([(sql, json!({ "publicNetworkAccess": access }))]);
        all.extend(world([(
            "Microsoft.Sql/servers/db/firewallRules/all",
            json!({ "startIpAddress": "0.0.0.0", "endIpAddress": "255.255.255.255" }),
        )]));
        all.extend(world([(
            "Microsoft.Sql/servers/db/firewallRules/azure",
            json!({ "startIpAddress": "0.0.0.0", "endIpAddress": "0.0.0.0" }),
        )]));
        all
    };
    let group = "Microsoft.Network/networkSecurityGroups/web";
    let rules = |denied: bool| {
        let rule = |access: &str, priority: i64| {
            json!({ "access": access, "direction": "Inbound", "priority": priority, "protocol": "Tcp", "sourceAddressPrefix": "Internet",
                "destinationAddressPrefix": "*", "destinationPortRanges": ["22", "8000-8080"] })
        };
        let mut all = world([
            (group, json!({})),
            ("Microsoft.Network/networkSecurityGroups/web/securityRules/in", rule("Allow", 200)),
        ]);
        if denied {
            all.extend(world([("Microsoft.Network/networkSecurityGroups/web/securityRules/no", rule("Deny", 100))]));
        }
        all
    };
    let assigned = |actions: Value, not_actions: Value| {
        let role = "Microsoft.Authorization/roleDefinitions/r1";
        let definition = format!("{}/providers/{role}", crate::findings::GROUP);
        world([
            (
                "Microsoft.Authorization/roleAssignments/a1",
                json!({ "principalId": "p", "roleDefinitionId": definition }),
            ),
            (role, json!({ "roleName": "Ours", "permissions": [{ "actions": actions, "notActions": not_actions }] })),
        ])
    };
    let assignment = "Microsoft.Authorization/roleAssignments/a1";
    let vault = "Microsoft.KeyVault/vaults/kv";
    let cases: Vec<(&str, &'static str, World, &[&str])> = vec![
        ("an open container", container, in_account(true), &["read Blob to public anonymous"]),
        ("a container that its account keeps shut", container, in_account(false), &[]),
        ("an account that allows", account, in_account(true), &["read allowBlobPublicAccess to public anonymous"]),
        (
            "a server with rules",
            sql,
            server("Enabled"),
            &["1433-1433 from firewallRules", "1433-1433 from 0.0.0.0/0", "1433-1433 from AzureServices"],
        ),
        ("a server without a public endpoint", sql, server("Disabled"), &[]),
        ("a group", group, rules(false), &["22-22 from 0.0.0.0/0 ::/0", "8000-8080 from 0.0.0.0/0 ::/0"]),
        ("a group with a deny before", group, rules(true), &[]),
        ("a vault that was never given rules", vault, world([(vault, json!({}))]), &["443-443 from 0.0.0.0/0 ::/0"]),
        (
            "a custom role that hands out access",
            assignment,
            assigned(json!(["Microsoft.Authorization/roleAssignments/write"]), json!([])),
            &["admin Ours to internal p"],
        ),
        ("a custom role of everything", assignment, assigned(json!(["*"]), json!([])), &["admin Ours to internal p"]),
        (
            "everything but access",
            assignment,
            assigned(json!(["*"]), json!(["Microsoft.Authorization/*/Write"])),
            &["write Ours to internal p"],
        ),
        (
            "a custom role that reads",
            assignment,
            assigned(json!(["Microsoft.Compute/*/read"]), json!([])),
            &["read Ours to internal p"],
        ),
    ];
    let mut wrong = Vec::new();
    for (name, path, world, expected) in cases {
        let found = meaning(path, world).await;
        if found != expected {
            wrong.push(format!("{name}: {found:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_is_gone_reads_as_null_and_what_has_no_sound_id_is_not_read() {
    for reader in state_readers() {
        let change = omitted("Microsoft.Storage/storageAccounts", "/x").change;
        let bad = Resource::new(reader.kind(), "/subscriptions/1/../2", "x");
        assert!(reader.reads(&change, &bad, &Image::default()).is_empty(), "{}", reader.kind());
        assert!(!reader.effects(&change, &bad, &Image::default()).doubts.is_empty(), "{}", reader.kind());
    }
    for (path, ..) in kinds() {
        let (image, _) = read(kind_of(path), id(path), World::new()).await;
        let nothing = image.0.values().all(|kept| kept.is_null() || *kept == json!([]));
        assert!(!image.0.is_empty() && nothing, "{path}: {image:?}");
    }
}
