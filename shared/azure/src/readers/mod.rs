//! What to read of a resource, and what it means. One file per service, one line per kind in the registry.
//!
//! Readers and remediations build the same reads from here, so a rule sees under `state` what a plan sees. The image key of a
//! resource is named for its kind (`storageAccount`, `networkSecurityGroup`), and what is kept has the shape of the ARM answer,
//! so that a path means the same in a request's body and in `state`.

pub(crate) mod arm;
mod compute;
pub(crate) mod databases;
pub(crate) mod governance;
pub(crate) mod logs;
pub(crate) mod network;
pub(crate) mod storage;
pub(crate) mod vault;

use onus_core::StateReader;

/// The registry, sorted by kind.
static STATE_READERS: &[&dyn StateReader] = &[
    &governance::LOCKS,
    &governance::ASSIGNMENTS,
    &governance::DEFINITIONS,
    &compute::VIRTUAL_MACHINES,
    &compute::CONTAINER_GROUPS,
    &compute::MANAGED_CLUSTERS,
    &databases::MYSQL_SERVERS,
    &databases::MYSQL_RULES,
    &databases::POSTGRESQL_SERVERS,
    &databases::POSTGRESQL_RULES,
    &databases::COSMOS_ACCOUNTS,
    &logs::DIAGNOSTIC_SETTINGS,
    &vault::VAULTS,
    &network::GROUPS,
    &logs::FLOW_LOGS,
    &governance::PRICINGS,
    &databases::SQL_SERVERS,
    &databases::SQL_RULES,
    &storage::ACCOUNTS,
    &storage::BLOB_SERVICES,
    &storage::CONTAINERS,
];

/// Every state reader, sorted by kind.
pub fn state_readers() -> &'static [&'static dyn StateReader] {
    STATE_READERS
}

/// The reader of a resource kind (`Microsoft.Storage/storageAccounts`); `None` when that kind cannot be read.
pub fn state_reader(kind: &str) -> Option<&'static dyn StateReader> {
    state_readers().iter().copied().find(|reader| reader.kind() == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_sorted_and_names_each_kind_once() {
        let kinds: Vec<&str> = state_readers().iter().map(|reader| reader.kind()).collect();
        let mut sorted = kinds.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(kinds, sorted);
    }
}
