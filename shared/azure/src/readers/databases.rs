//! Azure SQL, `PostgreSQL` and `MySQL` flexible servers with their firewall rules, and Cosmos DB accounts.

use onus_core::{Image, Read};
use serde_json::{Value, json};

use super::arm::{ABSENT, ArmReader, call, elements, keep, no_effects, read};
use crate::operations::ResourceId;

/// Image key of a server, whatever its make.
const SERVER: &str = "server";
/// Image key of a server's firewall rules: a list of `name` and `properties`, sorted.
const RULES: &str = "firewallRules";
/// Image key of one firewall rule.
pub(crate) const RULE: &str = "firewallRule";

/// One make of database server: the three speak the same language, and keep their switches in different places.
pub(crate) struct Make {
    /// The ARM type of a firewall rule.
    pub(crate) rule_kind: &'static str,
    /// Reads one rule.
    pub(crate) get: &'static str,
    /// Makes or changes a rule.
    pub(crate) put: &'static str,
    /// Deletes a rule.
    pub(crate) delete: &'static str,
}

/// Azure SQL.
pub(crate) static SQL: Make = Make {
    rule_kind: "Microsoft.Sql/servers/firewallRules",
    get: "Microsoft.Sql:FirewallRules_Get",
    put: "Microsoft.Sql:FirewallRules_CreateOrUpdate",
    delete: "Microsoft.Sql:FirewallRules_Delete",
};
/// Azure Database for `PostgreSQL`, flexible server.
pub(crate) static POSTGRESQL: Make = Make {
    rule_kind: "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules",
    get: "Microsoft.DBforPostgreSQL:FirewallRules_Get",
    put: "Microsoft.DBforPostgreSQL:FirewallRules_CreateOrUpdate",
    delete: "Microsoft.DBforPostgreSQL:FirewallRules_Delete",
};
/// Azure Database for `MySQL`, flexible server.
pub(crate) static MYSQL: Make = Make {
    rule_kind: "Microsoft.DBforMySQL/flexibleServers/firewallRules",
    get: "Microsoft.DBforMySQL:FirewallRules_Get",
    put: "Microsoft.DBforMySQL:FirewallRules_CreateOrUpdate",
    delete: "Microsoft.DBforMySQL:FirewallRules_Delete",
};

/// Reads one rule.
pub(crate) fn firewall_rule(make: &Make, id: &ResourceId) -> Read {
    read(RULE, make.get, id, |answer| kept_rule(&answer))
}

fn kept_rule(answer: &Value) -> Value {
    keep(answer, &["name", "properties.endIpAddress", "properties.startIpAddress"])
}

fn server_and_rules(id: &ResourceId, get: &str, list: &str) -> Vec<Read> {
    let rules = Read::new(RULES, call(list, id.as_str(), None)).absent(ABSENT).keep(|answer| {
        let rules = elements(answer.get("value").unwrap_or(&Value::Null)).iter().map(kept_rule);
        let mut rules: Vec<Value> = rules.collect();
        rules.sort_by_cached_key(|rule| rule.get("name").map(Value::to_string));
        json!(rules)
    });
    let server = read(SERVER, get, id, |answer| {
        keep(
            &answer,
            &[
                "properties.administrators.administratorType",
                "properties.administrators.azureADOnlyAuthentication",
                "properties.administrators.principalType",
                "properties.administrators.sid",
                "properties.administrators.tenantId",
                "properties.authConfig",
                "properties.backup.backupRetentionDays",
                "properties.backup.geoRedundantBackup",
                "properties.dataEncryption.type",
                "properties.minimalTlsVersion",
                "properties.network.delegatedSubnetResourceId",
                "properties.network.publicNetworkAccess",
                "properties.publicNetworkAccess",
                "properties.restrictOutboundNetworkAccess",
            ],
        )
    });
    vec![server, rules]
}

/// Azure SQL servers.
pub(crate) static SQL_SERVERS: ArmReader = ArmReader {
    kind: "Microsoft.Sql/servers",
    operations: &["Microsoft.Sql:Servers_Get", "Microsoft.Sql:FirewallRules_ListByServer"],
    reads: |id, _| server_and_rules(id, "Microsoft.Sql:Servers_Get", "Microsoft.Sql:FirewallRules_ListByServer"),
    effects: no_effects,
};

/// Azure SQL firewall rules.
pub(crate) static SQL_RULES: ArmReader = ArmReader {
    kind: SQL.rule_kind,
    operations: &[SQL.get],
    reads: |id, _| vec![firewall_rule(&SQL, id)],
    effects: no_effects,
};

/// `PostgreSQL` flexible servers.
pub(crate) static POSTGRESQL_SERVERS: ArmReader = ArmReader {
    kind: "Microsoft.DBforPostgreSQL/flexibleServers",
    operations: &["Microsoft.DBforPostgreSQL:Servers_Get", "Microsoft.DBforPostgreSQL:FirewallRules_ListByServer"],
    reads: |id, _| {
        let list = "Microsoft.DBforPostgreSQL:FirewallRules_ListByServer";
        server_and_rules(id, "Microsoft.DBforPostgreSQL:Servers_Get", list)
    },
    effects: no_effects,
};

/// `PostgreSQL` firewall rules.
pub(crate) static POSTGRESQL_RULES: ArmReader = ArmReader {
    kind: POSTGRESQL.rule_kind,
    operations: &[POSTGRESQL.get],
    reads: |id, _| vec![firewall_rule(&POSTGRESQL, id)],
    effects: no_effects,
};

/// `MySQL` flexible servers.
pub(crate) static MYSQL_SERVERS: ArmReader = ArmReader {
    kind: "Microsoft.DBforMySQL/flexibleServers",
    operations: &["Microsoft.DBforMySQL:Servers_Get", "Microsoft.DBforMySQL:FirewallRules_ListByServer"],
    reads: |id, _| {
        server_and_rules(id, "Microsoft.DBforMySQL:Servers_Get", "Microsoft.DBforMySQL:FirewallRules_ListByServer")
    },
    effects: no_effects,
};

/// `MySQL` firewall rules.
pub(crate) static MYSQL_RULES: ArmReader = ArmReader {
    kind: MYSQL.rule_kind,
    operations: &[MYSQL.get],
    reads: |id, _| vec![firewall_rule(&MYSQL, id)],
    effects: no_effects,
};

/// Cosmos DB accounts.
pub(crate) static COSMOS_ACCOUNTS: ArmReader = ArmReader {
    kind: "Microsoft.DocumentDB/databaseAccounts",
    operations: &["Microsoft.DocumentDB:DatabaseAccounts_Get"],
    reads: |id, _: &Image| {
        vec![read("databaseAccount", "Microsoft.DocumentDB:DatabaseAccounts_Get", id, |answer| {
            keep(
                &answer,
                &[
                    "kind",
                    "properties.backupPolicy.type",
                    "properties.disableKeyBasedMetadataWriteAccess",
                    "properties.disableLocalAuth",
                    "properties.ipRules",
                    "properties.isVirtualNetworkFilterEnabled",
                    "properties.keyVaultKeyUri",
                    "properties.minimalTlsVersion",
                    "properties.networkAclBypass",
                    "properties.networkAclBypassResourceIds",
                    "properties.publicNetworkAccess",
                    "properties.virtualNetworkRules",
                ],
            )
        })]
    },
    effects: no_effects,
};
