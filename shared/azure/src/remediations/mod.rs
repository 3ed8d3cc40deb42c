//! How bad changes are taken back. One file per remediation or tight family, and one line in the registry.
//!
//! Before editing one: it only decides. What it may read it names in `reads`, what it would send is in the plan, and the
//! plan of the healed resource must be empty, because that is the verification.

use onus_core::Remediation;

/// The registry, sorted by id.
static REMEDIATIONS: &[&dyn Remediation] = &[];

/// Every remediation, sorted by id.
pub fn remediations() -> &'static [&'static dyn Remediation] {
    REMEDIATIONS
}

/// The remediation that a rule names; `None` when there is none of that id.
pub fn remediation(id: &str) -> Option<&'static dyn Remediation> {
    remediations().iter().copied().find(|remediation| remediation.spec().id == id)
}
