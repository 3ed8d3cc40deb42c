//! The pipeline in a hostile world, one seed at a time: audit, respond and ledger are the real ones; cloud, queue, clock and people are models.
//!
//! A run is a function of its seed: one thread polls handlers by hand, in an order drawn from the seed, and every operation of a port is
//! two points at which the handler may be left waiting, or die. Messages are duplicated and reordered, events are lost for good, so that only
//! the sweep of the log finds their changes; calls and ledger operations fail, or succeed without the handler hearing of it; writes are
//! answered with success and do not hold; clocks are apart; people, other automation and approvals interfere; an exemption ends; tags decide,
//! and cannot always be read; approval links are followed, twice, late and forged. Some seeds play all of it on one resource within half a
//! minute. In the end faults stop, what was put aside is tried once more, the timer rings, and what is then still open is a violation of an
//! invariant. After each step the rest of [`invariants`] is checked.
//!
//! What the model leaves out: a provider whose reads lag behind its writes, and a whole-object write without a version token (nobody can protect
//! an entry that is written between the response's read and such a write).

pub mod cloud;
pub mod invariants;
pub mod links;
pub mod people;
pub mod random;
pub mod rules;
pub mod scheduler;
pub mod stage;
pub mod store;
pub mod sweep;
pub mod terms;
pub mod world;

pub use invariants::Violation;
pub use random::Faults;
pub use scheduler::{Run, run, tell};
pub use terms::Scene;

/// A part of the pipeline that the simulation takes away, to show that it would notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// One writer per resource: every lease is granted.
    Lease,
    /// What is about to be sent is put down first: intents are not kept.
    Intent,
    /// So many writes an hour: every slot is free.
    Budget,
    /// A plan that needs a person waits for one: everything may be enforced.
    Approval,
    /// Undo looks whether the resource has moved: it is shown the resource as the response left it.
    UndoCheck,
    /// What was written is read back: the reading shows what was hoped for.
    ReadBack,
    /// What is exempt is let be: no exemption is known.
    Exemption,
    /// Tags that cannot be read are not known: a look-up that fails tells that there are none.
    Tags,
}

impl Guard {
    /// Every guard.
    pub const ALL: [Self; 8] = [
        Self::Lease,
        Self::Intent,
        Self::Budget,
        Self::Approval,
        Self::UndoCheck,
        Self::ReadBack,
        Self::Exemption,
        Self::Tags,
    ];
}
