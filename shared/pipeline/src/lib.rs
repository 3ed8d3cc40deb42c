//! The way from a change to a verified response, over ports: claim, exempt, guard, apply, verify, undo.
//!
//! [`Auditor`] handles changes and never writes to a cloud; [`Responder`] handles [`Job`]s and is the only one that does.
//! Both keep everything in the ledger ([`Records`]) before they go on, so that either may die at any point and
//! the next delivery of the same event resumes. What happens on which failure is the table in this crate's README.

pub mod approval;
pub mod audit;
pub mod baseline;
pub mod config;
pub mod containment;
pub mod error;
pub mod exemptions;
pub mod expiry;
pub mod glob;
pub mod job;
pub mod limits;
pub mod lock;
pub mod place;
pub mod policy;
pub mod ports;
pub mod records;
pub mod respond;
pub mod schedule;
mod tags;
mod tell;

pub use approval::{ApprovalKey, ApprovalLinks};
pub use audit::{Auditor, Outcome, Report};
pub use baseline::{Baseline, Recorded};
pub use config::{Config, ConfigError, schema};
pub use containment::Containment;
pub use error::{HandleError, QueueError, RecordError};
pub use job::Job;
pub use limits::{Budget, Opposition};
pub use policy::{Cap, Decision, Explanation, ModeSource, Policy, Subject};
pub use ports::{Candidate, Meter, Pause, Readers, Remediations, ResponseQueue, Rules};
pub use records::{History, Records, Request};
pub use respond::{Done, Responder};
pub use schedule::{Decode, Schedule, Ticked};
