//! Why an invocation failed as a whole.

use onus_core::LedgerError;
use onus_pipeline::{HandleError, QueueError, RecordError};

/// Why an invocation failed, so that the platform has to try it again. Everything in it may succeed later, save for a dead letter
/// queue that does not take a letter: then the platform's own retries and what stands behind them are what is left.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A change or a job could not be handled now.
    #[error(transparent)]
    Handle(#[from] HandleError),
    /// A ledger entry could not be read or written now.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The ledger did not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The log did not answer.
    #[error(transparent)]
    Lookup(#[from] crate::sweep::LookupError),
    /// The dead letter queue did not take a letter.
    #[error("cannot put aside what cannot be handled ({reason})")]
    DeadLetter {
        /// Why it cannot be handled.
        reason: String,
        /// Why the queue did not take it.
        #[source]
        source: QueueError,
    },
}

impl Failure {
    /// The name of the kind, which platforms show and alarms can filter by.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Handle(_) => "Handle",
            Self::Record(_) => "Record",
            Self::Ledger(_) => "Ledger",
            Self::Lookup(_) => "Lookup",
            Self::DeadLetter { .. } => "DeadLetter",
        }
    }
}

/// An error with its causes, one after the other.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Transparent errors repeat their cause.
        let next = error.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}
