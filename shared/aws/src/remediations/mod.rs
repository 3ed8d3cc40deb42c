//! How bad changes in AWS are taken back. One file per remediation or tight family, and one line in the registry.

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
