//! What to read of a resource, and what it means. One file per service, one line per kind in the registry.
//!
//! Readers and remediations build the same reads from here, so a rule sees under `state` what a plan sees.

pub(crate) mod cloudtrail;
pub(crate) mod flow_logs;
pub(crate) mod iam;
mod identity;
pub(crate) mod kms;
pub(crate) mod messaging;
pub(crate) mod network_acl;
pub(crate) mod policy;
pub(crate) mod s3;
pub(crate) mod security_group;
pub(crate) mod services;
pub(crate) mod sharing;
pub(crate) mod subject;

use onus_core::StateReader;

/// The registry, sorted by kind.
static STATE_READERS: &[&dyn StateReader] = &[
    &cloudtrail::TrailReader,
    &flow_logs::FlowLogReader,
    &sharing::IMAGE,
    &security_group::SecurityGroupReader,
    &sharing::SNAPSHOT,
    &services::REPOSITORY_POLICY,
    &identity::GROUP,
    &iam::ManagedPolicyReader,
    &identity::ROLE,
    &identity::USER,
    &kms::KeyReader,
    &services::FUNCTION_POLICY,
    &sharing::CLUSTER_SNAPSHOT,
    &sharing::DB_SNAPSHOT,
    &s3::BucketReader,
    &messaging::TOPIC_POLICY,
    &messaging::QUEUE_POLICY,
    &services::SECRET_POLICY,
];

/// Every state reader, sorted by kind.
pub fn state_readers() -> &'static [&'static dyn StateReader] {
    STATE_READERS
}

/// The reader of a resource kind (`AWS::S3::Bucket`); `None` when that kind cannot be read.
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
