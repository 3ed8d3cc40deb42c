//! How bad changes are taken back. One file per remediation or tight family, and one line in the registry.
//!
//! Before editing one: it only decides. What it may read it names in `reads`, what it would send is in the plan, and the
//! plan of the healed resource must be empty, because that is the verification.

mod access_prevention;
mod account_key;
mod authorized_networks;
mod bindings;
mod bucket_members;
mod dataset_access;
mod firewall;
mod networks;
mod project_members;
mod sink;

use std::fmt::Display;

use onus_core::{Audience, Image, PlanError, Read, Remediation, Spec, Step};
use serde_json::Value;

/// The registry, sorted by id.
static REMEDIATIONS: &[&dyn Remediation] = &[
    &dataset_access::RemovePublicAccess,
    &firewall::NarrowFirewall,
    &account_key::DisableKey,
    &sink::RestoreSink,
    &project_members::RemoveMembers,
    &authorized_networks::RemoveNetworks,
    &access_prevention::EnforcePrevention,
    &bucket_members::RemovePublicMembers,
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

/// The one call of a plan that writes a whole list, and what is under an image key after it.
struct Write {
    step: Step,
    key: &'static str,
    left: Value,
}

impl Write {
    /// A plan of one write, or of none.
    fn steps(write: Result<Option<Self>, PlanError>) -> Result<Vec<Step>, PlanError> {
        Ok(write?.into_iter().map(|write| write.step).collect())
    }

    /// The image as the write leaves it; `None` where nothing is written.
    fn leaves(write: Result<Option<Self>, PlanError>, image: &Image) -> Option<Image> {
        let write = write.ok()??;
        let mut left = image.clone();
        left.0.insert(write.key.to_owned(), write.left);
        Some(left)
    }
}

/// Whether an audience is nobody in particular.
fn is_open(audience: Audience) -> bool {
    matches!(audience, Audience::Public | Audience::AnyAuthenticated)
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
