//! Google Cloud: what to read of a resource, and how a bad change is taken back. Both only name calls; the pipeline sends them.

#[cfg(feature = "caller")]
pub mod caller;
mod listers;
pub mod operations;
pub mod permissions;
pub mod readers;
pub mod remediations;
pub mod request;
pub mod tags;

pub use listers::listers;
pub use readers::{state_reader, state_readers};
pub use remediations::{remediation, remediations};
pub use tags::tag_source;
