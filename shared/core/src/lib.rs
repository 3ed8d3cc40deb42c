//! The words of Onus as types, and the ports that the rim fills in.
//!
//! One word, one meaning: a *record* is decoded to a [`Change`], a change has [`Effects`], a rule gives a
//! [`Verdict`] and, when it fires, a [`Finding`]; a [`Remediation`] turns a finding and an [`Image`] of the live
//! resource into a [`Plan`] of [`Call`]s, and what was sent is a [`Receipt`].
//!
//! Nothing here reads a clock, an environment variable, a file or a socket.

pub mod address;
pub mod call;
pub mod change;
pub mod document;
pub mod duty;
pub mod effect;
pub mod finding;
pub mod ledger;
pub mod memory;
pub mod plan;
#[cfg(feature = "proof")]
pub mod proof;
pub mod remediation;
pub mod response;
pub mod sink;
pub mod state;
pub mod tags;

pub use call::{Call, CallError, CallErrorKind, Caller};
pub use change::{Actor, Change, ChangeSummary, Cloud, Origin, Outcome, Resource};
pub use document::{Document, Json};
pub use duty::{Area, Duty, Party, ServiceModel};
pub use effect::{Audience, Doubt, Effects, Grant, Level, Opening};
pub use finding::{Finding, FindingId, Severity, Verdict};
pub use ledger::{Created, Ledger, LedgerError};
pub use memory::{Known, Lister, Remembered, Restoration};
pub use plan::{Image, Plan, PlanError, Read, Receipt, ReceiptOutcome, Sent, Step, live};
pub use remediation::{Remediation, Spec};
pub use response::{Mode, Safety};
pub use sink::{Links, Notice, Sink, SinkConfig, SinkError};
pub use state::{State, StateReader};
pub use tags::{TagError, TagSource, TagSources, Tags};

/// The present moment, as a port: only the rim knows a real clock.
pub trait Clock: Send + Sync {
    /// The time now, in UTC.
    fn now(&self) -> jiff::Timestamp;
}
