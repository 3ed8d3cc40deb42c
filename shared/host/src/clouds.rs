//! The clouds that this build knows: every reader and remediation, whichever cloud it is for.

use onus_core::{Remediation, StateReader};

/// Every remediation of every cloud, by cloud, then id.
pub fn remediations() -> impl Iterator<Item = &'static dyn Remediation> {
    [onus_aws::remediations(), onus_azure::remediations(), onus_gcp::remediations()].into_iter().flatten().copied()
}

/// The remediation of an id; `None` when this build has none.
pub fn remediation(id: &str) -> Option<&'static dyn Remediation> {
    remediations().find(|remediation| remediation.spec().id == id)
}

/// Every state reader of every cloud, by cloud, then kind.
pub fn state_readers() -> impl Iterator<Item = &'static dyn StateReader> {
    [onus_aws::state_readers(), onus_azure::state_readers(), onus_gcp::state_readers()].into_iter().flatten().copied()
}
