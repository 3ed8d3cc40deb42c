//! The bad changes that round trips play, one for each remediation.

use onus_tests::local_azure::{GROUP, SUBSCRIPTION, resource_id};
use serde_json::{Value, json};

use crate::platform::Platform;

/// One bad change that was just made.
pub struct Case {
    /// What it was.
    pub name: &'static str,
    /// The remediation that takes it back.
    pub remedy: &'static str,
    /// What the change and the remediation act on.
    pub id: String,
    /// Of its properties, those that tell.
    pub show: fn(&Value) -> Value,
    /// What is to be read once the bad part alone is gone.
    pub good: Value,
    /// How many records there were before the change, by shape.
    pub since: [usize; 2],
    /// Somebody else's change to the same thing.
    pub moves: Box<dyn Fn(&Platform)>,
}

/// Makes a change. The number keeps names apart.
pub type Make = fn(&Platform, u32) -> Case;

/// Every change, by remediation.
pub const ALL: &[(&str, Make)] = &[
    ("azure.authorization.remove_role_assignment", new_owner),
    ("azure.keyvault.deny_network_by_default", open_vault),
    ("azure.mysql.delete_firewall_rule", |azure, number| open_server(azure, number, &MYSQL)),
    ("azure.network.remove_security_rule_sources", open_port),
    ("azure.network.remove_security_rule_sources", port_for_everybody),
    ("azure.postgresql.delete_firewall_rule", |azure, number| open_server(azure, number, &POSTGRESQL)),
    ("azure.security.enable_defender_plan", plan_turned_off),
    ("azure.sql.delete_firewall_rule", |azure, number| open_server(azure, number, &SQL)),
    ("azure.storage.deny_network_by_default", open_account),
    ("azure.storage.disable_blob_public_access", anonymous_access),
    ("azure.storage.disable_container_public_access", public_container),
];

/// Makes the change; what tells is a part of the resource's properties.
struct Change {
    name: &'static str,
    remedy: &'static str,
    method: &'static str,
    id: String,
    properties: Value,
    show: fn(&Value) -> Value,
    good: Value,
}

impl Change {
    fn make(self, azure: &Platform, moves: impl Fn(&Platform) + 'static) -> Case {
        let since = azure.mark();
        azure.arm(self.method, &self.id, Some(json!({ "properties": self.properties })));
        let Self { name, remedy, id, show, good, .. } = self;
        Case { name, remedy, id, show, good, since, moves: Box::new(moves) }
    }
}

/// Changes a resource's properties as somebody else would.
fn patch(id: &str, properties: Value) -> impl Fn(&Platform) + use<> {
    write("PATCH", id, properties)
}

fn put(id: &str, properties: Value) -> impl Fn(&Platform) + use<> {
    write("PUT", id, properties)
}

fn write(method: &'static str, id: &str, properties: Value) -> impl Fn(&Platform) + use<> {
    let (id, body) = (id.to_owned(), json!({ "properties": properties }));
    move |azure| drop(azure.arm(method, &id, Some(body.clone())))
}

/// Members of an object.
pub fn only(value: &Value, names: &[&str]) -> Value {
    names.iter().filter_map(|name| Some(((*name).to_owned(), value.get(name)?.clone()))).collect()
}

/// Lays a resource into the group.
pub fn seed(azure: &Platform, rest: &str, properties: Value) -> String {
    let id = resource_id(rest);
    azure.azure.seed(&id, &json!({ "location": "westeurope", "properties": properties }));
    id
}

fn rules() -> Value {
    json!({
        "bypass": "AzureServices",
        "ipRules": [{ "value": "203.0.113.0/24", "action": "Allow" }, { "value": "192.0.2.7", "action": "Allow" }],
        "virtualNetworkRules": [{ "id": resource_id("Microsoft.Network/virtualNetworks/front/subnets/web"), "action": "Allow" }],
    })
}

fn with_action(action: &str) -> Value {
    let mut rules = rules();
    rules["defaultAction"] = json!(action);
    rules
}

/// Network rules in a fixed order: they are sets.
fn acls(properties: &Value) -> Value {
    let mut acls = properties["networkAcls"].clone();
    for list in ["ipRules", "virtualNetworkRules"] {
        if let Some(elements) = acls[list].as_array_mut() {
            elements.sort_by_key(Value::to_string);
        }
    }
    acls
}

fn sorted(rules: Value) -> Value {
    acls(&json!({ "networkAcls": rules }))
}

fn new_owner(azure: &Platform, number: u32) -> Case {
    let scope = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Authorization");
    let id = format!("{scope}/roleAssignments/00000000-0000-0000-0000-0000000000f{number}");
    let role =
        |id: &str| format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{id}");
    let principal = format!("00000000-0000-0000-0000-0000000000e{number}");
    let give = |role: String| json!({ "principalId": principal, "principalType": "User", "roleDefinitionId": role, "description": "on call" });
    let change = Change {
        name: "owner assigned",
        remedy: "azure.authorization.remove_role_assignment",
        method: "PUT",
        id: id.clone(),
        properties: give(role("8e3af657-a8ff-443c-a75c-2fe8c4bcb635")),
        show: |properties| only(properties, &["principalId", "principalType", "roleDefinitionId", "description"]),
        good: Value::Null,
    };
    change.make(azure, put(&id, give(role("acdd72a7-3385-48ef-bd42-f606fba81ae7"))))
}

fn open_vault(azure: &Platform, number: u32) -> Case {
    let settings = json!({ "tenantId": SUBSCRIPTION, "sku": { "family": "A", "name": "standard" }, "networkAcls": with_action("Deny") });
    let id = seed(azure, &format!("Microsoft.KeyVault/vaults/secrets{number}"), settings);
    let mut fewer = with_action("Deny");
    fewer["ipRules"] = json!([]);
    let change = Change {
        name: "vault opened to all networks",
        remedy: "azure.keyvault.deny_network_by_default",
        method: "PATCH",
        id: id.clone(),
        properties: json!({ "networkAcls": with_action("Allow") }),
        show: acls,
        good: sorted(with_action("Deny")),
    };
    change.make(azure, patch(&id, json!({ "networkAcls": fewer })))
}

fn account(azure: &Platform, name: &str) -> String {
    let settings =
        json!({ "allowBlobPublicAccess": false, "networkAcls": with_action("Deny"), "minimumTlsVersion": "TLS1_2" });
    seed(azure, &format!("Microsoft.Storage/storageAccounts/{name}"), settings)
}

fn open_account(azure: &Platform, number: u32) -> Case {
    let id = account(azure, &format!("orders{number}"));
    let mut more = with_action("Deny");
    more["ipRules"] = json!([{ "value": "198.51.100.4", "action": "Allow" }]);
    let change = Change {
        name: "account opened to all networks",
        remedy: "azure.storage.deny_network_by_default",
        method: "PATCH",
        id: id.clone(),
        properties: json!({ "networkAcls": with_action("Allow") }),
        show: acls,
        good: sorted(with_action("Deny")),
    };
    change.make(azure, patch(&id, json!({ "networkAcls": more })))
}

fn anonymous_access(azure: &Platform, number: u32) -> Case {
    let id = account(azure, &format!("media{number}"));
    let change = Change {
        name: "anonymous access allowed",
        remedy: "azure.storage.disable_blob_public_access",
        method: "PATCH",
        id: id.clone(),
        properties: json!({ "allowBlobPublicAccess": true }),
        show: |properties| only(properties, &["allowBlobPublicAccess", "minimumTlsVersion"]),
        good: json!({ "allowBlobPublicAccess": false, "minimumTlsVersion": "TLS1_2" }),
    };
    change.make(azure, patch(&id, json!({ "minimumTlsVersion": "TLS1_0" })))
}

fn public_container(azure: &Platform, number: u32) -> Case {
    let name = format!("Microsoft.Storage/storageAccounts/site{number}");
    seed(azure, &name, json!({ "allowBlobPublicAccess": true }));
    let id =
        seed(azure, &format!("{name}/blobServices/default/containers/Logs"), json!({ "metadata": { "team": "shop" } }));
    let change = Change {
        name: "container made public",
        remedy: "azure.storage.disable_container_public_access",
        method: "PATCH",
        id: id.clone(),
        properties: json!({ "publicAccess": "Container" }),
        show: |properties| only(properties, &["publicAccess", "metadata"]),
        good: json!({ "publicAccess": "None", "metadata": { "team": "shop" } }),
    };
    change.make(azure, patch(&id, json!({ "publicAccess": "Blob" })))
}

/// A make of database server.
struct Server {
    remedy: &'static str,
    kind: &'static str,
}

const SQL: Server = Server { remedy: "azure.sql.delete_firewall_rule", kind: "Microsoft.Sql/servers" };
const MYSQL: Server =
    Server { remedy: "azure.mysql.delete_firewall_rule", kind: "Microsoft.DBforMySQL/flexibleServers" };
const POSTGRESQL: Server =
    Server { remedy: "azure.postgresql.delete_firewall_rule", kind: "Microsoft.DBforPostgreSQL/flexibleServers" };

fn open_server(azure: &Platform, number: u32, server: &Server) -> Case {
    let name = format!("{}/orders{number}", server.kind);
    seed(azure, &name, json!({}));
    let range = |from: &str, to: &str| json!({ "startIpAddress": from, "endIpAddress": to });
    seed(azure, &format!("{name}/firewallRules/Office"), range("203.0.113.1", "203.0.113.9"));
    let id = resource_id(&format!("{name}/firewallRules/Open All"));
    let change = Change {
        name: "firewall opened to the internet",
        remedy: server.remedy,
        method: "PUT",
        id: id.clone(),
        properties: range("0.0.0.0", "255.255.255.255"),
        show: |properties| only(properties, &["startIpAddress", "endIpAddress"]),
        good: Value::Null,
    };
    change.make(azure, put(&id, range("198.51.100.4", "198.51.100.4")))
}

/// A rule that lets TCP in.
pub fn security_rule(priority: u32, port: &str, sources: &[&str]) -> Value {
    let mut rule = json!({
        "access": "Allow", "direction": "Inbound", "priority": priority, "protocol": "Tcp", "sourcePortRange": "*",
        "destinationAddressPrefix": "*", "destinationPortRange": port, "description": "jump hosts",
    });
    match sources {
        [one] => rule["sourceAddressPrefix"] = json!(one),
        many => rule["sourceAddressPrefixes"] = json!(many),
    }
    rule
}

/// A rule of a group: where from, to which port. Lists are sets, so they are sorted.
pub fn shown_rule(rule: &Value) -> Value {
    let names =
        ["access", "priority", "destinationPortRange", "sourceAddressPrefix", "sourceAddressPrefixes", "description"];
    let mut shown = only(rule, &names);
    if let Some(sources) = shown["sourceAddressPrefixes"].as_array_mut() {
        sources.sort_by_key(Value::to_string);
    }
    shown
}

/// The rules of a group by name.
pub fn group_rules(properties: &Value) -> Value {
    let rules = properties["securityRules"].as_array().expect("a list");
    let rule = |rule: &Value| (rule["name"].as_str().expect("a name").to_owned(), shown_rule(&rule["properties"]));
    rules.iter().map(rule).collect()
}

/// A group with a web server's rule, and the change of one rule in it.
fn port(azure: &Platform, name: &'static str, group: &str, sources: &[&str], good: Option<Value>) -> Case {
    let web = security_rule(200, "443", &["Internet"]);
    let rules = json!({ "securityRules": [{ "name": "Web", "properties": web }] });
    let id = seed(azure, &format!("Microsoft.Network/networkSecurityGroups/{group}"), rules);
    let rule = format!("{id}/securityRules/AllowSSH");
    let mut left = json!({ "Web": shown_rule(&web) });
    if let Some(good) = good {
        left["AllowSSH"] = shown_rule(&good);
    }
    let change = Change {
        name,
        remedy: "azure.network.remove_security_rule_sources",
        method: "PUT",
        id: rule,
        properties: security_rule(100, "22", sources),
        show: group_rules,
        good: left,
    };
    let other = put(&format!("{id}/securityRules/Other"), security_rule(300, "8080", &["10.0.0.0/8"]));
    Case { id, ..change.make(azure, other) }
}

fn open_port(azure: &Platform, number: u32) -> Case {
    let office = "203.0.113.0/24";
    let kept = security_rule(100, "22", &[office]);
    port(azure, "SSH opened beside an office", &format!("front{number}"), &[office, "0.0.0.0/0"], Some(kept))
}

fn port_for_everybody(azure: &Platform, number: u32) -> Case {
    port(azure, "SSH opened to everybody", &format!("back{number}"), &["*"], None)
}

fn plan_turned_off(azure: &Platform, number: u32) -> Case {
    let plan = if number == 1 { "VirtualMachines" } else { "KeyVaults" };
    let id = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Security/pricings/{plan}");
    azure.azure.seed(&id, &json!({ "properties": { "pricingTier": "Standard" } }));
    let change = Change {
        name: "Defender plan turned off",
        remedy: "azure.security.enable_defender_plan",
        method: "PUT",
        id: id.clone(),
        properties: json!({ "pricingTier": "Free" }),
        show: |properties| only(properties, &["pricingTier", "subPlan"]),
        good: json!({ "pricingTier": "Standard" }),
    };
    change.make(azure, put(&id, json!({ "pricingTier": "Standard", "subPlan": "P1" })))
}
