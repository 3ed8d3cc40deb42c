//! How bad changes in AWS are taken back. One file per remediation or tight family, and one line in the registry.
//!
//! Before editing one: it only decides. What it may read it names in `reads`, what it would send is in the plan, and the
//! plan of the healed resource must be empty, because that is the verification.

mod access_block;
mod acl;
mod flow_logs;
mod function_url;
mod iam;
mod instance_metadata;
mod kms;
mod network_acl;
mod permission;
mod policy;
mod security_group;
mod sharing;
mod statements;
mod switches;
mod trail;

use std::fmt::Display;

use onus_core::{Image, PlanError, Read, Remediation, Spec};

/// The registry, sorted by id.
static REMEDIATIONS: &[&dyn Remediation] = &[
    &trail::RestoreTrail,
    &switches::StartLogging,
    &network_acl::DeleteEntry,
    &switches::EnableEbsEncryption,
    &instance_metadata::RequireTokens,
    &flow_logs::RestoreFlowLogs,
    &security_group::RevokeRules,
    &sharing::IMAGES,
    &sharing::SNAPSHOTS,
    &policy::REPOSITORY,
    &iam::DeactivateKey,
    &iam::DetachPolicy,
    &policy::ROLE,
    &kms::CancelDeletion,
    &kms::EnableKey,
    &kms::EnableRotation,
    &policy::KEY,
    &kms::RevokeGrant,
    &function_url::ClosePublicUrl,
    &permission::RemovePublicPermission,
    &sharing::DB_SNAPSHOTS,
    &acl::RemovePublicGrants,
    &policy::BUCKET,
    &access_block::ACCOUNT,
    &access_block::BUCKET,
    &policy::SECRET,
    &policy::TOPIC,
    &policy::QUEUE,
];

/// Every remediation, sorted by id.
pub fn remediations() -> &'static [&'static dyn Remediation] {
    REMEDIATIONS
}

/// The remediation that a rule names; `None` when there is none of that id.
pub fn remediation(id: &str) -> Option<&'static dyn Remediation> {
    remediations().iter().copied().find(|remediation| remediation.spec().id == id)
}

/// A read, unless the image holds its answer already.
fn unless_read(so_far: &Image, read: Read) -> Vec<Read> {
    if so_far.has(&read.key) { Vec::new() } else { vec![read] }
}

/// The finding lacks something.
fn incomplete(spec: &'static Spec, missing: &'static str) -> PlanError {
    PlanError::Incomplete { remediation: spec.id, missing }
}

/// A part of the state or of the record cannot be understood.
fn unreadable(spec: &'static Spec, what: &str, problem: &dyn Display) -> PlanError {
    PlanError::Unreadable { remediation: spec.id, what: what.to_owned(), problem: problem.to_string() }
}

/// Acting would break more than it mends.
fn refused(spec: &'static Spec, reason: impl Into<String>) -> PlanError {
    PlanError::Refused { remediation: spec.id, reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_registry_is_sorted_and_names_each_id_once() {
        let ids: Vec<&str> = remediations().iter().map(|one| one.spec().id).collect();
        let sorted: Vec<&str> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        assert_eq!(ids, sorted);
    }
}
