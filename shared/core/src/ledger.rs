//! The append-only store, as a port. It can create and read; it cannot overwrite or delete.

use async_trait::async_trait;

/// Whether a create was the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// The key is new: the caller owns what it stands for.
    New,
    /// The key was there; nothing was written.
    Existed,
}

/// Why the ledger did not answer.
#[derive(Debug, thiserror::Error)]
#[error("cannot {attempt} ledger entry `{key}`")]
pub struct LedgerError {
    /// `create`, `read` or `list`.
    pub attempt: &'static str,
    /// The key or prefix.
    pub key: String,
    /// Whether the same attempt may succeed later.
    pub retryable: bool,
    /// The store's own error.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// A store of immutable entries under `/`-separated keys.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Creates an entry, atomically: of two creators of one key exactly one is told [`Created::New`].
    ///
    /// # Errors
    /// The store failed. Whether the entry was created is then unknown: create again.
    async fn create(&self, key: &str, value: Vec<u8>) -> Result<Created, LedgerError>;

    /// Reads an entry; `None` when there is none.
    ///
    /// # Errors
    /// The store failed.
    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, LedgerError>;

    /// The keys below a prefix, sorted. A prefix is whole path segments: `findings/2026`, not `findings/20`.
    ///
    /// # Errors
    /// The store failed.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, LedgerError>;
}
