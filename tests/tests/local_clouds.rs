//! The local clouds are what they claim to be: the providers' own clients find there what they put there.

use onus_tests::http::Http;
use onus_tests::local_azure::{Azurite, GROUP, LocalAzure, SUBSCRIPTION, resource_id};
use serde_json::{Value, json};

#[test]
fn azurite_keeps_blobs_and_messages() {
    let azurite = Azurite::start();
    azurite.create_container("ledger");
    let put = json!({ "container": "ledger", "name": "claims/a", "text": "first" });
    azurite.client.call("blob", "put", put);
    assert_eq!(azurite.list("ledger", "claims/"), ["claims/a"]);
    assert_eq!(azurite.list("ledger", "receipts/"), [""; 0]);
    assert_eq!(azurite.get("ledger", "claims/a"), "first");
    let missing = azurite.client.ask("blob", "get", json!({ "container": "ledger", "name": "claims/b" }));
    assert_eq!(missing, Err("BlobNotFound".to_owned()));

    azurite.create_queue("responses");
    for text in ["one", "two"] {
        azurite.client.call("queue", "send", json!({ "queue": "responses", "text": text }));
    }
    assert_eq!(azurite.messages("responses"), ["one", "two"]);
    assert_eq!(azurite.messages("responses"), [""; 0], "a message is taken once");
}

/// One kind of resource and how Microsoft's client of it makes, reads, changes and removes one.
struct Life {
    service: &'static str,
    create: (&'static str, Value),
    get: (&'static str, Value),
    /// What a change is, and where it shows in what is read.
    update: (&'static str, Value, &'static str, Value),
    delete: (&'static str, Value),
    /// The id, below the resource group or as a whole.
    id: String,
}

impl Life {
    fn lead(&self, azure: &LocalAzure) -> Result<(), String> {
        let call = |(operation, parameters): (&str, Value)| {
            let answer = azure.client.ask(self.service, operation, parameters.clone());
            answer.map_err(|code| format!("{}: {operation} {parameters}: {code}", self.service))
        };
        let same = |what: &str, got: &Value, wanted: &Value| {
            if got == wanted { Ok(()) } else { Err(format!("{}: {what}: {got}, not {wanted}", self.service)) }
        };
        let (get, parameters) = self.get.clone();
        call(self.create.clone())?;
        let read = call((get, parameters.clone()))?;
        same("id", &read["id"], &json!(self.id))?;
        let (update, changed, path, value) = self.update.clone();
        let before = read.pointer(path).cloned().unwrap_or_default();
        if before == value {
            return Err(format!("{}: {path} has the value {value} already", self.service));
        }
        call((update, changed))?;
        let read = call((get, parameters.clone()))?;
        same(path, &read.pointer(path).cloned().unwrap_or_default(), &value)?;
        call(self.delete.clone())?;
        let gone = azure.client.ask(self.service, get, parameters);
        same("after its end", &json!(gone.clone().unwrap_or_default()), &Value::Null)?;
        same("after its end", &json!(gone.unwrap_err()), &json!("ResourceNotFound"))
    }
}

fn with(mut base: Value, more: Value) -> Value {
    let (Value::Object(base_map), Value::Object(more)) = (&mut base, more) else { panic!("two objects") };
    base_map.extend(more);
    base
}

#[allow(clippy::too_many_lines, reason = "a table of what each kind of resource is sent")]
fn lives() -> Vec<Life> {
    let at = |name: &str, value: &str| json!({ "resource_group_name": GROUP, name: value });
    let account = at("account_name", "pictures");
    let container = with(account.clone(), json!({ "container_name": "holidays" }));
    let nsg = at("network_security_group_name", "front");
    let rule = with(nsg.clone(), json!({ "security_rule_name": "web" }));
    let server = at("server_name", "orders");
    let firewall = with(server.clone(), json!({ "firewall_rule_name": "office" }));
    let vault = at("vault_name", "secrets");
    let scope = format!("/subscriptions/{SUBSCRIPTION}");
    let assignment = json!({ "scope": scope, "role_assignment_name": "00000000-0000-0000-0000-0000000000f1" });
    let https = |priority: u32| {
        json!({ "properties": { "protocol": "Tcp", "access": "Allow", "direction": "Inbound", "priority": priority,
        "sourceAddressPrefix": "10.0.0.0/8", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "443" } })
    };
    vec![
        Life {
            service: "storage",
            create: (
                "storage_accounts.begin_create",
                with(
                    account.clone(),
                    json!({ "parameters": { "location": "westeurope", "kind": "StorageV2", "sku": { "name": "Standard_LRS" } } }),
                ),
            ),
            get: ("storage_accounts.get_properties", account.clone()),
            update: (
                "storage_accounts.update",
                with(account.clone(), json!({ "parameters": { "properties": { "allowBlobPublicAccess": true } } })),
                "/properties/allowBlobPublicAccess",
                json!(true),
            ),
            delete: ("storage_accounts.delete", account.clone()),
            id: resource_id("Microsoft.Storage/storageAccounts/pictures"),
        },
        Life {
            service: "storage",
            create: ("blob_containers.create", with(container.clone(), json!({ "blob_container": {} }))),
            get: ("blob_containers.get", container.clone()),
            update: (
                "blob_containers.update",
                with(
                    container.clone(),
                    json!({ "blob_container": { "properties": { "metadata": { "team": "shop" } } } }),
                ),
                "/properties/metadata/team",
                json!("shop"),
            ),
            delete: ("blob_containers.delete", container),
            id: resource_id("Microsoft.Storage/storageAccounts/pictures/blobServices/default/containers/holidays"),
        },
        Life {
            service: "network",
            create: (
                "network_security_groups.begin_create_or_update",
                with(nsg.clone(), json!({ "parameters": { "location": "westeurope" } })),
            ),
            get: ("network_security_groups.get", nsg.clone()),
            update: (
                "network_security_groups.update_tags",
                with(nsg.clone(), json!({ "parameters": { "tags": { "team": "shop" } } })),
                "/tags/team",
                json!("shop"),
            ),
            delete: ("network_security_groups.begin_delete", nsg),
            id: resource_id("Microsoft.Network/networkSecurityGroups/front"),
        },
        Life {
            service: "network",
            create: (
                "security_rules.begin_create_or_update",
                with(rule.clone(), json!({ "security_rule_parameters": https(200) })),
            ),
            get: ("security_rules.get", rule.clone()),
            update: (
                "security_rules.begin_create_or_update",
                with(rule.clone(), json!({ "security_rule_parameters": https(300) })),
                "/properties/priority",
                json!(300),
            ),
            delete: ("security_rules.begin_delete", rule),
            id: resource_id("Microsoft.Network/networkSecurityGroups/front/securityRules/web"),
        },
        Life {
            service: "sql",
            create: (
                "servers.begin_create_or_update",
                with(server.clone(), json!({ "parameters": { "location": "westeurope" } })),
            ),
            get: ("servers.get", server.clone()),
            update: (
                "servers.begin_update",
                with(server.clone(), json!({ "parameters": { "properties": { "publicNetworkAccess": "Disabled" } } })),
                "/properties/publicNetworkAccess",
                json!("Disabled"),
            ),
            delete: ("servers.begin_delete", server),
            id: resource_id("Microsoft.Sql/servers/orders"),
        },
        Life {
            service: "sql",
            create: (
                "firewall_rules.create_or_update",
                with(
                    firewall.clone(),
                    json!({ "parameters": { "properties": { "startIpAddress": "203.0.113.1", "endIpAddress": "203.0.113.1" } } }),
                ),
            ),
            get: ("firewall_rules.get", firewall.clone()),
            update: (
                "firewall_rules.create_or_update",
                with(
                    firewall.clone(),
                    json!({ "parameters": { "properties": { "startIpAddress": "203.0.113.1", "endIpAddress": "203.0.113.9" } } }),
                ),
                "/properties/endIpAddress",
                json!("203.0.113.9"),
            ),
            delete: ("firewall_rules.delete", firewall),
            id: resource_id("Microsoft.Sql/servers/orders/firewallRules/office"),
        },
        Life {
            service: "keyvault",
            create: (
                "vaults.begin_create_or_update",
                with(
                    vault.clone(),
                    json!({ "parameters": { "location": "westeurope", "properties": { "tenantId": SUBSCRIPTION, "sku": { "family": "A", "name": "standard" } } } }),
                ),
            ),
            get: ("vaults.get", vault.clone()),
            update: (
                "vaults.update",
                with(
                    vault.clone(),
                    json!({ "parameters": { "properties": { "networkAcls": { "defaultAction": "Deny" } } } }),
                ),
                "/properties/networkAcls/defaultAction",
                json!("Deny"),
            ),
            delete: ("vaults.delete", vault),
            id: resource_id("Microsoft.KeyVault/vaults/secrets"),
        },
        Life {
            service: "cosmosdb",
            create: (
                "database_accounts.begin_create_or_update",
                with(
                    at("account_name", "carts"),
                    json!({ "create_update_parameters": { "location": "westeurope", "properties": { "locations": [], "databaseAccountOfferType": "Standard" } } }),
                ),
            ),
            get: ("database_accounts.get", at("account_name", "carts")),
            update: (
                "database_accounts.begin_update",
                with(
                    at("account_name", "carts"),
                    json!({ "update_parameters": { "properties": { "publicNetworkAccess": "Disabled" } } }),
                ),
                "/properties/publicNetworkAccess",
                json!("Disabled"),
            ),
            delete: ("database_accounts.begin_delete", at("account_name", "carts")),
            id: resource_id("Microsoft.DocumentDB/databaseAccounts/carts"),
        },
        Life {
            service: "compute",
            create: (
                "virtual_machines.begin_create_or_update",
                with(
                    at("vm_name", "front-1"),
                    json!({ "parameters": { "location": "westeurope", "properties": { "hardwareProfile": { "vmSize": "Standard_B1s" } } } }),
                ),
            ),
            get: ("virtual_machines.get", at("vm_name", "front-1")),
            update: (
                "virtual_machines.begin_update",
                with(
                    at("vm_name", "front-1"),
                    json!({ "parameters": { "properties": { "hardwareProfile": { "vmSize": "Standard_B2s" } } } }),
                ),
                "/properties/hardwareProfile/vmSize",
                json!("Standard_B2s"),
            ),
            delete: ("virtual_machines.begin_delete", at("vm_name", "front-1")),
            id: resource_id("Microsoft.Compute/virtualMachines/front-1"),
        },
        Life {
            service: "containerservice",
            create: (
                "managed_clusters.begin_create_or_update",
                with(
                    at("resource_name", "cluster"),
                    json!({ "parameters": { "location": "westeurope", "properties": { "dnsPrefix": "shop" } } }),
                ),
            ),
            get: ("managed_clusters.get", at("resource_name", "cluster")),
            update: (
                "managed_clusters.begin_update_tags",
                with(at("resource_name", "cluster"), json!({ "parameters": { "tags": { "team": "shop" } } })),
                "/tags/team",
                json!("shop"),
            ),
            delete: ("managed_clusters.begin_delete", at("resource_name", "cluster")),
            id: resource_id("Microsoft.ContainerService/managedClusters/cluster"),
        },
        Life {
            service: "containerinstance",
            create: (
                "container_groups.begin_create_or_update",
                with(
                    at("container_group_name", "jobs"),
                    json!({ "container_group": { "location": "westeurope", "properties": { "osType": "Linux", "containers": [] } } }),
                ),
            ),
            get: ("container_groups.get", at("container_group_name", "jobs")),
            update: (
                "container_groups.update",
                with(at("container_group_name", "jobs"), json!({ "resource": { "tags": { "team": "shop" } } })),
                "/tags/team",
                json!("shop"),
            ),
            delete: ("container_groups.begin_delete", at("container_group_name", "jobs")),
            id: resource_id("Microsoft.ContainerInstance/containerGroups/jobs"),
        },
        Life {
            service: "monitor",
            create: (
                "diagnostic_settings.create_or_update",
                json!({ "resource_uri": scope, "name": "to-hub", "parameters": { "properties": { "workspaceId": resource_id("Microsoft.OperationalInsights/workspaces/central"), "logs": [{ "category": "Administrative", "enabled": true }] } } }),
            ),
            get: ("diagnostic_settings.get", json!({ "resource_uri": scope, "name": "to-hub" })),
            update: (
                "diagnostic_settings.create_or_update",
                json!({ "resource_uri": scope, "name": "to-hub", "parameters": { "properties": { "workspaceId": resource_id("Microsoft.OperationalInsights/workspaces/central"), "logs": [{ "category": "Administrative", "enabled": false }] } } }),
                "/properties/logs/0/enabled",
                json!(false),
            ),
            delete: ("diagnostic_settings.delete", json!({ "resource_uri": scope, "name": "to-hub" })),
            id: format!("{scope}/providers/Microsoft.Insights/diagnosticSettings/to-hub"),
        },
        Life {
            service: "authorization",
            create: (
                "role_assignments.create",
                with(
                    assignment.clone(),
                    json!({ "parameters": { "properties": { "principalId": "00000000-0000-0000-0000-0000000000b1", "roleDefinitionId": format!("{scope}/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635") } } }),
                ),
            ),
            get: ("role_assignments.get", assignment.clone()),
            update: (
                "role_assignments.create",
                with(
                    assignment.clone(),
                    json!({ "parameters": { "properties": { "description": "for the move", "principalId": "00000000-0000-0000-0000-0000000000b1", "roleDefinitionId": format!("{scope}/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635") } } }),
                ),
                "/properties/description",
                json!("for the move"),
            ),
            delete: ("role_assignments.delete", assignment),
            id: format!(
                "{scope}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-0000000000f1"
            ),
        },
    ]
}

/// Containers, rules and firewall rules need what they are a part of.
fn parents(azure: &LocalAzure) {
    azure.seed(&resource_id("Microsoft.Storage/storageAccounts/pictures"), &json!({ "location": "westeurope" }));
    azure.seed(&resource_id("Microsoft.Network/networkSecurityGroups/front"), &json!({ "location": "westeurope" }));
    azure.seed(&resource_id("Microsoft.Sql/servers/orders"), &json!({ "location": "westeurope" }));
}

#[test]
fn microsofts_clients_make_read_change_and_remove_on_the_local_azure() {
    let azure = LocalAzure::start();
    let mut wrong = Vec::new();
    for life in lives() {
        if life.get.1.as_object().is_some_and(|names| names.len() == 3) {
            parents(&azure);
        }
        wrong.extend(life.lead(&azure).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_always_there_is_read_and_set_and_whatever_is_asked_wrongly_is_refused() {
    let azure = LocalAzure::start();
    let plan = json!({ "scope_id": format!("subscriptions/{SUBSCRIPTION}"), "pricing_name": "KeyVaults" });
    let tier = || azure.client.call("security", "pricings.get", plan.clone())["properties"]["pricingTier"].clone();
    assert_eq!(tier(), "Free");
    let standard = json!({ "pricing": { "properties": { "pricingTier": "Standard" } } });
    azure.client.call("security", "pricings.update", with(plan.clone(), standard));
    assert_eq!(tier(), "Standard");

    parents(&azure);
    let rule = resource_id("Microsoft.Network/networkSecurityGroups/front/securityRules/web");
    let group = resource_id("Microsoft.Network/networkSecurityGroups/front");
    let properties = |priority: u32| json!({ "protocol": "Tcp", "access": "Allow", "direction": "Inbound", "priority": priority, "sourceAddressPrefix": "*" });
    azure.seed(
        &group,
        &json!({ "location": "westeurope", "properties": { "securityRules": [
        { "name": "web", "properties": properties(100) }, { "name": "ssh", "properties": properties(200) }] } }),
    );
    let http = Http::new(&azure.url);
    let send = |method: &str, target: String, headers: &[(&str, &str)], body: Option<Value>| {
        let mut all = vec![("Authorization", "Bearer owner-token")];
        all.extend(headers);
        http.send(method, &target, &all, body.as_ref())
    };
    let version = "?api-version=2024-05-01";
    let read = send("GET", format!("{rule}{version}"), &[], None);
    assert_eq!((read.status, &read.body["properties"]["priority"]), (200, &json!(100)));
    let whole = send("GET", format!("{}{version}", group.to_uppercase()), &[], None).body;
    assert_eq!(
        whole["properties"]["securityRules"].as_array().map(Vec::len),
        Some(2),
        "an id differs in case: {whole}"
    );
    let etag = read.body["etag"].as_str().expect("a version");
    let body = |priority: u32| Some(json!({ "properties": properties(priority) }));
    let wrong: Vec<(&str, u16, u16)> = vec![
        ("no version", send("GET", rule.clone(), &[], None).status, 400),
        ("no token", http.send("GET", &format!("{rule}{version}"), &[], None).status, 401),
        ("no such rule", send("GET", format!("{rule}2{version}"), &[], None).status, 404),
        ("stale", send("PUT", format!("{rule}{version}"), &[("If-Match", "W/\"stale\"")], body(150)).status, 412),
        ("a priority twice", send("PUT", format!("{rule}{version}"), &[], body(200)).status, 400),
        ("fresh", send("PUT", format!("{rule}{version}"), &[("If-Match", etag)], body(150)).status, 200),
        ("gone already", send("DELETE", format!("{rule}2{version}"), &[], None).status, 204),
    ];
    let offenders: Vec<_> = wrong.iter().filter(|(_, got, wanted)| got != wanted).collect();
    assert!(offenders.is_empty(), "{offenders:?}");

    let limited = azure.identity("reader", Some(&["*/read"]));
    let bearer = format!("Bearer {}", limited.token);
    let denied = http.send("DELETE", &format!("{rule}{version}"), &[("Authorization", &bearer)], None);
    assert_eq!((denied.status, &denied.body["error"]["code"]), (403, &json!("AuthorizationFailed")));
    azure.switch(&json!({ "throttle": { "times": 1, "after": 3 } }));
    let throttled = send("GET", format!("{rule}{version}"), &[], None);
    assert!(throttled.status == 429 && throttled.head.contains("Retry-After: 3"), "{throttled:?}");

    let told = azure.records("event_hub");
    let ends: Vec<&Value> = told.iter().filter(|record| record["correlationId"] == told[0]["correlationId"]).collect();
    assert_eq!(ends.len(), 2, "a start and an end: {ends:?}");
    assert!(
        told.iter().any(|record| record["resultType"] == "Failure" && record["resultSignature"] == "Failed.Forbidden")
    );
    assert!(azure.records("event_grid").iter().all(|event| event["data"].get("requestbody").is_none()));
}
