//! What an Azure change opened and granted, and what a resource lets in and grants as it is.
//!
//! One table says which kinds of resource have effects, and one file for each family works them out of the resource's ARM body. A
//! record's request or answer and a body read live go the same way ([`of_resource`]), so a rule cannot judge them differently.
//!
//! What a removal took away is never an effect; that a deny rule is gone may let something in, and is doubted.
//!
//! | family | `via` of grants, `rule_id` of openings | `part` |
//! |---|---|---|
//! | security rule, alone or in its group | id of the rule | |
//! | SQL, PostgreSQL, MySQL, Redis, Synapse firewall rule | id of the rule | |
//! | network switch of storage, vaults, Cosmos DB and others | the property that opens: `networkAcls.defaultAction` | |
//! | container group with a public address | `ipAddress.ports` | |
//! | blob container | `container` | `publicAccess` |
//! | storage account that lets containers be public | `attribute` | `allowBlobPublicAccess` |
//! | role assignment | `role_assignment` | id of the assignment |
//! | vault access policy | `access_policy` | object id, `/`, application id where there is one |
//! | elevated access at the root of the tenant | `elevation` | |

mod access;
mod body;
mod firewall;
mod network;
mod switches;
#[cfg(test)]
mod tests;

use onus_core::{Change, Effects, Json};

use self::body::Body;
pub use self::body::Extent;
pub use self::firewall::{AZURE_SERVICES, networks_of_range};
pub use self::network::networks_of_prefix;
use super::resources;

/// Works out what one body opens and grants.
type Derive = fn(&Body<'_, '_>) -> Effects;

/// Kinds with effects, sorted.
const TABLE: &[(&str, Derive)] = &[
    ("Microsoft.Authorization/roleAssignments", access::role_assignment),
    ("Microsoft.Cache/redis", switches::public_endpoint),
    ("Microsoft.Cache/redis/firewallRules", firewall::rule),
    ("Microsoft.CognitiveServices/accounts", switches::network_acls),
    ("Microsoft.ContainerInstance/containerGroups", switches::container_group),
    ("Microsoft.ContainerRegistry/registries", switches::registry),
    ("Microsoft.ContainerService/managedClusters", switches::cluster),
    ("Microsoft.DBforMariaDB/servers", switches::public_endpoint),
    ("Microsoft.DBforMariaDB/servers/firewallRules", firewall::rule),
    ("Microsoft.DBforMySQL/flexibleServers", switches::flexible_server),
    ("Microsoft.DBforMySQL/flexibleServers/firewallRules", firewall::rule),
    ("Microsoft.DBforMySQL/servers", switches::public_endpoint),
    ("Microsoft.DBforMySQL/servers/firewallRules", firewall::rule),
    ("Microsoft.DBforPostgreSQL/flexibleServers", switches::flexible_server),
    ("Microsoft.DBforPostgreSQL/flexibleServers/firewallRules", firewall::rule),
    ("Microsoft.DBforPostgreSQL/servers", switches::public_endpoint),
    ("Microsoft.DBforPostgreSQL/servers/firewallRules", firewall::rule),
    ("Microsoft.DocumentDB/databaseAccounts", switches::cosmos),
    ("Microsoft.KeyVault/managedHSMs", switches::network_acls),
    ("Microsoft.KeyVault/vaults", access::vault),
    ("Microsoft.KeyVault/vaults/accessPolicies", access::vault_policies),
    ("Microsoft.Network/networkSecurityGroups", network::group),
    ("Microsoft.Network/networkSecurityGroups/securityRules", network::rule),
    ("Microsoft.Sql/servers", switches::public_endpoint),
    ("Microsoft.Sql/servers/firewallRules", firewall::rule),
    ("Microsoft.Storage/storageAccounts", access::storage_account),
    ("Microsoft.Storage/storageAccounts/blobServices/containers", access::container),
    ("Microsoft.Synapse/workspaces", switches::public_endpoint),
    ("Microsoft.Synapse/workspaces/firewallRules", firewall::rule),
];

fn row(kind: &str) -> Option<Derive> {
    TABLE.iter().find(|(known, _)| known.eq_ignore_ascii_case(kind)).map(|(_, derive)| *derive)
}

/// What a resource of this kind opens and grants, out of its ARM body (`{"id":…,"properties":{…}}`; the properties alone will do).
/// Openings of rules are those of the group or server they belong to, so that several of them add up; several bodies' effects are
/// put together with [`together`]. A kind without effects, and a body that is `null`, have none.
pub fn of_resource(kind: &str, id: &str, body: &Json<'_>, extent: Extent) -> Effects {
    match row(kind) {
        Some(derive) if !body.is_null() => derive(&Body::new(kind, id, body, extent)),
        _ => Effects::none(),
    }
}

/// What a change did, whether or not it succeeded: of the answer, which holds the whole resource, else of the request. A write whose
/// body the record leaves out, as Event Grid always does, is doubted.
pub fn derive(change: &Change<'_>) -> Effects {
    if change.action == "elevateaccess/action" {
        return access::elevation(change);
    }
    let Some(resource) = change.resource() else { return Effects::none() };
    match change.action.as_ref() {
        "networksecuritygroups/securityrules/delete" => return network::rule_deleted(change),
        action if !action.ends_with("/write") => return Effects::none(),
        _ => {}
    }
    if change.action == "servers/firewallrules/write" && resource.kind == "Microsoft.Sql/servers" {
        return firewall::list(change, &resource.id);
    }
    if row(&resource.kind).is_none() {
        return Effects::none();
    }
    let (request, response) = (change.request.json(), change.response.json());
    if !response.get_ci("properties").members().is_empty() {
        return of_resource(&resource.kind, &resource.id, response, Extent::Whole);
    }
    if request.members().is_empty() {
        let reason = if change.request.is_omitted() { "was left out by the log" } else { "is not part of the record" };
        return Effects::unknown("request", reason);
    }
    // The REST shape tells the method of the request.
    let put = change.record.json().get_ci("httpRequest").get_ci("method").as_str() == Some("PUT");
    of_resource(&resource.kind, &resource.id, request, if put { Extent::Whole } else { Extent::Part })
}

/// Puts together what several bodies opened and granted.
pub fn together(parts: impl IntoIterator<Item = Effects>) -> Effects {
    parts.into_iter().fold(Effects::none(), |mut all, part| {
        all.openings.extend(part.openings);
        all.grants.extend(part.grants);
        all.doubts.extend(part.doubts);
        all
    })
}

/// The id of the resource that a child belongs to: everything before its own type.
fn parent(id: &str) -> String {
    resources::of(id).get(1).map_or_else(|| id.to_ascii_lowercase(), |parent| parent.id.to_string())
}
