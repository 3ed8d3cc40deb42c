//! The clouds that this build knows: every reader and remediation, whichever cloud it is for.

use onus_core::{ChangeSummary, Cloud, Remediation, Resource, StateReader, TagSource};

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

/// How the tags of a resource are read, in whichever cloud it is; `None` when that cloud does not know.
pub fn tag_source(change: &ChangeSummary, resource: &Resource<'_>) -> Option<TagSource> {
    match change.cloud {
        Cloud::Aws => onus_aws::tag_source(change, resource),
        Cloud::Azure => onus_azure::tag_source(change, resource),
        Cloud::Gcp => onus_gcp::tag_source(change, resource),
    }
}
