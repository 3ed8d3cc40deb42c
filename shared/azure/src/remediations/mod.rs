//! How bad changes are taken back. One file per remediation or tight family, and one line in the registry.
//!
//! Before editing one: it only decides. What it may read it names in `reads`, what it would send is in the plan, and the
//! plan of the healed resource must be empty, because that is the verification. A `PUT` replaces: what it sends is built from
//! what was read, less what the service computes.

mod defender;
mod diagnostic_setting;
mod firewall_rule;
mod flow_log;
mod lock;
mod network_default;
mod overwritten;
mod role_assignment;
mod security_rule;
mod switches;

use std::fmt::Display;

use onus_core::{Finding, Image, Known, PlanError, Read, Remediation, Spec, Step};
use serde_json::Value;

use crate::operations::ResourceId;
use crate::readers::arm::{ID, of_kind, target};

/// The registry, sorted by id.
static REMEDIATIONS: &[&dyn Remediation] = &[
    &role_assignment::RemoveRoleAssignment,
    &lock::RestoreLock,
    &diagnostic_setting::RestoreSetting,
    &network_default::VAULT,
    &firewall_rule::MYSQL,
    &security_rule::RemoveSources,
    &flow_log::RestoreFlowLog,
    &firewall_rule::POSTGRESQL,
    &defender::EnablePlan,
    &firewall_rule::SQL,
    &network_default::STORAGE,
    &switches::DisableBlobPublicAccess,
    &switches::DisableContainerPublicAccess,
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

/// The resource that a finding is about.
fn subject(spec: &'static Spec, finding: &Finding) -> Result<ResourceId, PlanError> {
    target(finding, spec.kind).ok_or(PlanError::Incomplete { remediation: spec.id, missing: "the resource" })
}

/// The one call that brings a resource back, and what is under its image key after it.
struct Restored {
    step: Step,
    key: &'static str,
    left: Value,
}

impl Restored {
    /// The image as the call leaves it.
    fn leaves(self, image: &Image) -> Image {
        let mut left = image.clone();
        left.0.insert(self.key.to_owned(), self.left);
        left
    }
}

/// What a resource of the finding was before the change; `None` when it was never read, or was not there.
fn remembered<'a>(finding: &Finding, known: &'a Known, kind: &str, key: &str) -> Option<&'a Value> {
    let mut resources = finding.change.resources.iter().filter(|resource| of_kind(resource, kind).is_some());
    let before = known.of(resources.next()?)?.image.get(key);
    (!before.is_null()).then_some(before)
}

/// Whether the change deleted the resource: else it wrote it.
fn is_deletion(finding: &Finding) -> bool {
    finding.change.action.ends_with("/delete")
}

/// Whether two kept values are of one state, members for planning aside.
fn same(one: &Value, other: &Value) -> bool {
    let image = |value: &Value| Image([(String::new(), value.clone())].into_iter().collect());
    image(one).same_as(&image(other))
}

/// The id to write to: as the answer spells it, because names that are made again keep its case. It has to be the id that was
/// read: a write never goes where an answer points.
fn answered_id(spec: &'static Spec, kept: &Value, asked: &str) -> Result<String, PlanError> {
    let answered = kept.get(ID).and_then(Value::as_str).unwrap_or(asked);
    if answered.eq_ignore_ascii_case(asked) {
        return Ok(answered.to_owned());
    }
    Err(unreadable(spec, asked, &format!("was answered as `{}`", answered.escape_debug())))
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
