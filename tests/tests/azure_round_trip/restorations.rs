//! Changes that delete or overwrite what a baseline has read before.

use onus_tests::local_azure::resource_id;
use serde_json::{Value, json};

use crate::changes::{Case, Make, group_rules, only, security_rule, seed, shown_rule};
use crate::platform::Platform;

/// Every change, by remediation.
pub const ALL: &[(&str, Make)] = &[
    ("azure.authorization.restore_lock", deleted_lock),
    ("azure.insights.restore_diagnostic_setting", deleted_setting),
    ("azure.insights.restore_diagnostic_setting", category_off),
    ("azure.network.remove_security_rule_sources", overwritten_rule),
    ("azure.network.restore_flow_log", deleted_flow_log),
    ("azure.network.restore_flow_log", flow_log_off),
];

/// Something that is recorded and then changed: deleted, or written with other properties.
struct Change {
    name: &'static str,
    remedy: &'static str,
    id: String,
    body: Value,
    /// What is written; null to delete it.
    to: Value,
    show: fn(&Value) -> Value,
    /// What somebody else writes afterwards.
    other: Value,
}

impl Change {
    fn make(self, azure: &Platform) -> Case {
        self.made(azure, true)
    }

    fn made(self, azure: &Platform, recorded: bool) -> Case {
        azure.azure.seed(&self.id, &self.body);
        let good = azure.shown(&self.id, self.show);
        if recorded {
            azure.remember();
        }
        let since = azure.mark();
        match self.to {
            Value::Null => azure.arm("DELETE", &self.id, None),
            to => azure.arm("PUT", &self.id, Some(to)),
        };
        let (id, other) = (self.id.clone(), self.other);
        let moves = Box::new(move |azure: &Platform| drop(azure.arm("PUT", &id, Some(other.clone()))));
        Case { name: self.name, remedy: self.remedy, id: self.id, show: self.show, good, since, moves }
    }
}

fn deleted_lock(azure: &Platform, number: u32) -> Case {
    lock_deletion(azure, &format!("evidence{number}")).make(azure)
}

/// A lock that was deleted before anybody read it.
pub fn never_read_lock(azure: &Platform) -> Case {
    lock_deletion(azure, "unseen").made(azure, false)
}

fn lock_deletion(azure: &Platform, account: &str) -> Change {
    let account = seed(azure, &format!("Microsoft.Storage/storageAccounts/{account}"), json!({}));
    let lock = |level: &str| json!({ "properties": { "level": level, "notes": "evidence" } });
    Change {
        name: "lock deleted",
        remedy: "azure.authorization.restore_lock",
        id: format!("{account}/providers/Microsoft.Authorization/locks/Keep"),
        body: lock("CanNotDelete"),
        to: Value::Null,
        show: |properties| only(properties, &["level", "notes"]),
        other: lock("ReadOnly"),
    }
}

/// A diagnostic setting with these categories on and these off.
fn setting(on: &[&str], off: &[&str]) -> Value {
    let entry = |names: &[&str], enabled: bool| -> Vec<Value> {
        names.iter().map(|name| json!({ "category": name, "enabled": enabled })).collect()
    };
    let workspace = resource_id("Microsoft.OperationalInsights/workspaces/central");
    let logs = [entry(on, true), entry(off, false)].concat();
    json!({ "properties": { "workspaceId": workspace, "logs": logs } })
}

fn shown_setting(properties: &Value) -> Value {
    let mut shown = only(properties, &["workspaceId", "storageAccountId", "logs"]);
    if let Some(logs) = shown["logs"].as_array_mut() {
        logs.sort_by_key(Value::to_string);
    }
    shown
}

fn on_setting(azure: &Platform, name: &'static str, vault: &str, to: Value) -> Case {
    let vault = seed(azure, &format!("Microsoft.KeyVault/vaults/{vault}"), json!({ "tenantId": "t" }));
    let change = Change {
        name,
        remedy: "azure.insights.restore_diagnostic_setting",
        id: format!("{vault}/providers/Microsoft.Insights/diagnosticSettings/To-Workspace"),
        body: setting(&["AuditEvent", "AzurePolicyEvaluationDetails"], &[]),
        to,
        show: shown_setting,
        other: setting(&["AuditEvent"], &[]),
    };
    change.make(azure)
}

fn deleted_setting(azure: &Platform, number: u32) -> Case {
    on_setting(azure, "diagnostic setting deleted", &format!("blind{number}"), Value::Null)
}

fn category_off(azure: &Platform, number: u32) -> Case {
    let off = setting(&["AzurePolicyEvaluationDetails"], &["AuditEvent"]);
    on_setting(azure, "audit events switched off", &format!("quiet{number}"), off)
}

/// A flow log of a network.
fn flow_log(network: &str, enabled: bool, days: u32) -> Value {
    json!({
        "location": "westeurope",
        "properties": {
            "enabled": enabled, "retentionPolicy": { "days": days, "enabled": true }, "format": { "type": "JSON", "version": 2 },
            "storageId": resource_id("Microsoft.Storage/storageAccounts/flows"),
            "targetResourceId": resource_id(&format!("Microsoft.Network/virtualNetworks/{network}")),
        },
    })
}

fn on_flow_log(azure: &Platform, name: &'static str, network: &str, to: Value) -> Case {
    let watcher = seed(azure, "Microsoft.Network/networkWatchers/NetworkWatcher_westeurope", json!({}));
    let change = Change {
        name,
        remedy: "azure.network.restore_flow_log",
        id: format!("{watcher}/flowLogs/Of-{network}"),
        body: flow_log(network, true, 90),
        to,
        show: |properties| only(properties, &["enabled", "retentionPolicy", "storageId", "targetResourceId", "format"]),
        other: flow_log(network, true, 7),
    };
    change.make(azure)
}

fn deleted_flow_log(azure: &Platform, number: u32) -> Case {
    on_flow_log(azure, "flow log deleted", &format!("front{number}"), Value::Null)
}

fn flow_log_off(azure: &Platform, number: u32) -> Case {
    let network = format!("back{number}");
    let off = flow_log(&network, false, 90);
    on_flow_log(azure, "flow log switched off", &network, off)
}

/// A rule for an office becomes one for everybody and another office, to every port. With the request in the record all of it goes back;
/// without, as Event Grid tells it, the new office and the ports stay: whose they are cannot be told.
fn overwritten_rule(azure: &Platform, number: u32) -> Case {
    let rule = |port: &str, sources: &[&str]| security_rule(100, port, sources);
    let office = rule("22", &["203.0.113.0/24"]);
    let rules = json!({ "securityRules": [{ "name": "AllowSSH", "properties": office }] });
    let id = seed(azure, &format!("Microsoft.Network/networkSecurityGroups/office{number}"), rules);
    azure.remember();
    let since = azure.mark();
    let opened = rule("*", &["198.51.100.0/24", "0.0.0.0/0"]);
    azure.arm("PUT", &format!("{id}/securityRules/AllowSSH"), Some(json!({ "properties": opened })));
    let left = if number == 1 { office } else { rule("*", &["198.51.100.0/24"]) };
    let other = format!("{id}/securityRules/Other");
    let body = json!({ "properties": security_rule(300, "8080", &["10.0.0.0/8"]) });
    Case {
        name: "SSH rule overwritten",
        remedy: "azure.network.remove_security_rule_sources",
        id,
        show: group_rules,
        good: json!({ "AllowSSH": shown_rule(&left) }),
        since,
        moves: Box::new(move |azure| drop(azure.arm("PUT", &other, Some(body.clone())))),
    }
}
