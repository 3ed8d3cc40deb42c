//! What to read of a resource, and what it means. One file per service, one line per kind in the registry.
//!
//! Readers and remediations build the same reads from here, so a rule sees under `state` what a plan sees.

pub(crate) mod answer;
pub(crate) mod asset;
pub(crate) mod bigquery;
pub(crate) mod cloudsql;
pub(crate) mod compute;
mod container;
mod firewall_policy;
pub(crate) mod iam;
mod instance;
mod kms;
pub(crate) mod logging;
pub(crate) mod policy;
mod pubsub;
mod reader;
pub(crate) mod storage;

use onus_core::StateReader;

/// The registry, sorted by kind.
static STATE_READERS: &[&dyn StateReader] = &[
    &bigquery::DATASET_READER,
    &kms::KEY_READER,
    &kms::KEY_VERSION_READER,
    &iam::PROJECT_READER,
    &compute::FIREWALL_READER,
    &firewall_policy::READER,
    &compute::IMAGE_READER,
    &instance::INSTANCE_READER,
    &compute::SSL_POLICY_READER,
    &compute::SUBNETWORK_READER,
    &compute::HTTPS_PROXY_READER,
    &container::CLUSTER_READER,
    &iam::ACCOUNT_READER,
    &iam::KEY_READER,
    &logging::BUCKET_READER,
    &logging::SINK_READER,
    &pubsub::TOPIC_READER,
    &kms::SECRET_READER,
    &cloudsql::INSTANCE_READER,
    &storage::BUCKET_READER,
];

/// Every state reader, sorted by kind.
pub fn state_readers() -> &'static [&'static dyn StateReader] {
    STATE_READERS
}

/// The reader of a resource kind; `None` when that kind cannot be read.
pub fn state_reader(kind: &str) -> Option<&'static dyn StateReader> {
    state_readers().iter().copied().find(|reader| reader.kind() == kind)
}

/// Error codes that mean "there is none": the canonical status, the reason of the older APIs, and Cloud SQL's own.
pub(crate) const ABSENT: &[&str] = &["NOT_FOUND", "notFound", "instanceDoesNotExist"];

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
