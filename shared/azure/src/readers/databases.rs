//! Azure SQL, `PostgreSQL` and `MySQL` flexible servers with their firewall rules, and Cosmos DB accounts.

use onus_core::{Effects, Image, Read};
use onus_sources::azure::effects;
use serde_json::{Value, json};

use super::arm::{ABSENT, ArmReader, call, effects_of, elements, keep, read, text};
use crate::operations::ResourceId;

/// Image key of a server, whatever its make.
const SERVER: &str = "server";
/// Image key of a server's firewall rules: a list of `name` and `properties`, sorted.
const RULES: &str = "firewallRules";
/// The ARM type of a Cosmos DB account.
const COSMOS_KIND: &str = "Microsoft.DocumentDB/databaseAccounts";
/// Image key of a Cosmos DB account.
const COSMOS: &str = "databaseAccount";
/// Image key of one firewall rule.
pub(crate) const RULE: &str = "firewallRule";

/// One make of database server: the three speak the same language, and keep their switches in different places.
pub(crate) struct Make {
    /// The ARM type of a server.
    server_kind: &'static str,
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
    server_kind: "Microsoft.Sql/servers",
    rule_kind: "Microsoft.Sql/servers/firewallRules",
    get: "Microsoft.Sql:FirewallRules_Get",
    put: "Microsoft.Sql:FirewallRules_CreateOrUpdate",
    delete: "Microsoft.Sql:FirewallRules_Delete",
};
/// Azure Database for `PostgreSQL`, flexible server.
pub(crate) static POSTGRESQL: Make = Make {
    server_kind: "Microsoft.DBforPostgreSQL/flexibleServers",
    rule_kind: "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules",
    get: "Microsoft.DBforPostgreSQL:FirewallRules_Get",
    put: "Microsoft.DBforPostgreSQL:FirewallRules_CreateOrUpdate",
    delete: "Microsoft.DBforPostgreSQL:FirewallRules_Delete",
};
/// Azure Database for `MySQL`, flexible server.
pub(crate) static MYSQL: Make = Make {
    server_kind: "Microsoft.DBforMySQL/flexibleServers",
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

/// What a server lets in: nothing where its public endpoint is shut, else what its rules say.
fn server_effects(make: &Make, id: &ResourceId, image: &Image) -> Effects {
    let server = effects_of(make.server_kind, id.as_str(), image.get(SERVER));
    if server.openings.is_empty() {
        return server;
    }
    let rules = elements(image.get(RULES)).iter().map(|rule| {
        let rule_id = format!("{id}/firewallRules/{}", text(rule, "/name"));
        effects_of(make.rule_kind, &rule_id, rule)
    });
    effects::together(std::iter::once(server).chain(rules))
}

/// Azure SQL servers.
pub(crate) static SQL_SERVERS: ArmReader = ArmReader {
    kind: SQL.server_kind,
    operations: &["Microsoft.Sql:Servers_Get", "Microsoft.Sql:FirewallRules_ListByServer"],
    reads: |id, _| server_and_rules(id, "Microsoft.Sql:Servers_Get", "Microsoft.Sql:FirewallRules_ListByServer"),
    effects: |id, image| server_effects(&SQL, id, image),
};

/// Azure SQL firewall rules.
pub(crate) static SQL_RULES: ArmReader = ArmReader {
    kind: SQL.rule_kind,
    operations: &[SQL.get],
    reads: |id, _| vec![firewall_rule(&SQL, id)],
    effects: |id, image| effects_of(SQL.rule_kind, id.as_str(), image.get(RULE)),
};

/// `PostgreSQL` flexible servers.
pub(crate) static POSTGRESQL_SERVERS: ArmReader = ArmReader {
    kind: POSTGRESQL.server_kind,
    operations: &["Microsoft.DBforPostgreSQL:Servers_Get", "Microsoft.DBforPostgreSQL:FirewallRules_ListByServer"],
    reads: |id, _| {
        let list = "Microsoft.DBforPostgreSQL:FirewallRules_ListByServer";
        server_and_rules(id, "Microsoft.DBforPostgreSQL:Servers_Get", list)
    },
    effects: |id, image| server_effects(&POSTGRESQL, id, image),
};

/// `PostgreSQL` firewall rules.
pub(crate) static POSTGRESQL_RULES: ArmReader = ArmReader {
    kind: POSTGRESQL.rule_kind,
    operations: &[POSTGRESQL.get],
    reads: |id, _| vec![firewall_rule(&POSTGRESQL, id)],
    effects: |id, image| effects_of(POSTGRESQL.rule_kind, id.as_str(), image.get(RULE)),
};

/// `MySQL` flexible servers.
pub(crate) static MYSQL_SERVERS: ArmReader = ArmReader {
    kind: MYSQL.server_kind,
    operations: &["Microsoft.DBforMySQL:Servers_Get", "Microsoft.DBforMySQL:FirewallRules_ListByServer"],
    reads: |id, _| {
        server_and_rules(id, "Microsoft.DBforMySQL:Servers_Get", "Microsoft.DBforMySQL:FirewallRules_ListByServer")
    },
    effects: |id, image| server_effects(&MYSQL, id, image),
};

/// `MySQL` firewall rules.
pub(crate) static MYSQL_RULES: ArmReader = ArmReader {
    kind: MYSQL.rule_kind,
    operations: &[MYSQL.get],
    reads: |id, _| vec![firewall_rule(&MYSQL, id)],
    effects: |id, image| effects_of(MYSQL.rule_kind, id.as_str(), image.get(RULE)),
};

/// Cosmos DB accounts.
pub(crate) static COSMOS_ACCOUNTS: ArmReader = ArmReader {
    kind: COSMOS_KIND,
    operations: &["Microsoft.DocumentDB:DatabaseAccounts_Get"],
    reads: |id, _: &Image| {
        vec![read(COSMOS, "Microsoft.DocumentDB:DatabaseAccounts_Get", id, |answer| {
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
    effects: |id, image| effects_of(COSMOS_KIND, id.as_str(), image.get(COSMOS)),
};
