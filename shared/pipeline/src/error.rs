//! Why a change or a job could not be handled.

use onus_core::{CallError, FindingId, LedgerError, SinkError};

/// The queue in front of the respond function did not take a job.
#[derive(Debug, thiserror::Error)]
#[error("cannot enqueue a job")]
pub struct QueueError {
    /// Whether enqueuing again may succeed.
    pub retryable: bool,
    /// The queue's own error.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// A ledger entry could not be written, read or understood.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The entry is there but is not what its key promises.
    #[error("cannot understand ledger entry `{key}`")]
    Corrupt {
        /// The key.
        key: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

impl RecordError {
    /// Whether the same attempt may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Ledger(error) => error.retryable,
            Self::Corrupt { .. } => false,
        }
    }
}

/// Why a change or a job could not be handled. What was done so far is in the ledger, and handling it again goes on from
/// there.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The ledger failed.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A finding exists, but a sink was not told. The other sinks were.
    #[error("cannot deliver finding `{finding}` to sink `{sink}`")]
    Deliver {
        /// The finding.
        finding: FindingId,
        /// The sink.
        sink: String,
        /// The sink's own error.
        #[source]
        source: SinkError,
    },
    /// A finding exists and was told, but no response was asked for.
    #[error("cannot ask for a response to finding `{finding}`")]
    Enqueue {
        /// The finding.
        finding: FindingId,
        /// The queue's own error.
        #[source]
        source: QueueError,
    },
    /// The provider did not answer; nobody was told yet, because it may answer later.
    #[error("cannot {attempt} for finding `{finding}`")]
    Call {
        /// `read state`, `plan`, `respond`, `undo`.
        attempt: &'static str,
        /// The finding.
        finding: FindingId,
        /// The provider's error.
        #[source]
        source: CallError,
    },
    /// Another handler is at work on the resource, or died less than a lease ago.
    #[error("cannot respond to finding `{finding}`: its resource is in another handler's hands until {until}")]
    Busy {
        /// The finding.
        finding: FindingId,
        /// When the other's lease ends at the latest.
        until: jiff::Timestamp,
    },
    /// A job names a finding that the ledger does not hold.
    #[error("cannot find finding `{finding}` in the ledger")]
    UnknownFinding {
        /// The finding.
        finding: FindingId,
    },
}

impl HandleError {
    /// Whether the same input may succeed later. Decides between retry and dead letter.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Record(error) => error.is_retryable(),
            Self::Deliver { source, .. } => source.retryable,
            Self::Enqueue { source, .. } => source.retryable,
            Self::Call { source, .. } => source.is_retryable(),
            Self::Busy { .. } => true,
            Self::UnknownFinding { .. } => false,
        }
    }
}

impl From<LedgerError> for HandleError {
    fn from(error: LedgerError) -> Self {
        Self::Record(RecordError::Ledger(error))
    }
}
