//! Entries as objects.

use std::sync::Arc;

use async_trait::async_trait;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use onus_core::{Created, Ledger, LedgerError};

/// A ledger whose entries are the objects of a store, below a prefix.
#[derive(Debug)]
pub struct ObjectLedger {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

/// A key that is no ledger key. Callers encode what they did not choose themselves, so this is a fault in Onus,
/// and nothing was sent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is made of segments of ASCII letters, digits, `.`, `_`, `-`, `=` and `%`, none empty, none `.` or `..`")]
pub struct BadKey;

impl ObjectLedger {
    /// A ledger below a prefix of a store; the empty prefix is the whole store.
    pub fn new(store: Arc<dyn ObjectStore>, prefix: Path) -> Self {
        Self { store, prefix }
    }

    fn path(&self, attempt: &'static str, key: &str) -> Result<Path, LedgerError> {
        let bad = || failed(attempt, key, false, BadKey);
        if !key.split('/').all(is_segment) {
            return Err(bad());
        }
        let text = if self.prefix.as_ref().is_empty() { key.to_owned() } else { format!("{}/{key}", self.prefix) };
        Path::parse(text).map_err(|_| bad())
    }

    /// The key of an object, when it lies below the prefix.
    fn key(&self, path: &Path) -> Option<String> {
        let rest = path.as_ref().strip_prefix(self.prefix.as_ref())?;
        Some(rest.strip_prefix('/').unwrap_or(rest).to_owned())
    }
}

fn is_segment(segment: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || b"._-=%".contains(&b);
    !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(known)
}

fn failed(
    attempt: &'static str,
    key: &str,
    retryable: bool,
    source: impl std::error::Error + Send + Sync + 'static,
) -> LedgerError {
    LedgerError { attempt, key: key.to_owned(), retryable, source: Box::new(source) }
}

/// Whether the store may answer otherwise later. The store's own retries are behind us already.
fn is_retryable(error: &Error) -> bool {
    !matches!(
        error,
        Error::PermissionDenied { .. }
            | Error::Unauthenticated { .. }
            | Error::NotFound { .. }
            | Error::InvalidPath { .. }
            | Error::NotSupported { .. }
            | Error::NotImplemented { .. }
            | Error::UnknownConfigurationKey { .. }
    )
}

fn stored(attempt: &'static str, key: &str, error: Error) -> LedgerError {
    failed(attempt, key, is_retryable(&error), error)
}

#[async_trait]
impl Ledger for ObjectLedger {
    async fn create(&self, key: &str, value: Vec<u8>) -> Result<Created, LedgerError> {
        let path = self.path("create", key)?;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.store.put_opts(&path, PutPayload::from(value), options).await {
            Ok(_) => Ok(Created::New),
            // S3's 409, a create that raced with a delete, ends here too; nothing deletes from a ledger.
            Err(Error::AlreadyExists { .. }) => Ok(Created::Existed),
            Err(error) => Err(stored("create", key, error)),
        }
    }

    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        let path = self.path("read", key)?;
        let found = match self.store.get(&path).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(stored("read", key, error)),
        };
        found.bytes().await.map(|bytes| Some(bytes.to_vec())).map_err(|error| stored("read", key, error))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, LedgerError> {
        let path = self.path("list", prefix)?;
        let objects: Vec<_> =
            self.store.list(Some(&path)).try_collect().await.map_err(|error| stored("list", prefix, error))?;
        let mut keys: Vec<String> = objects.iter().filter_map(|object| self.key(&object.location)).collect();
        keys.sort_unstable();
        Ok(keys)
    }
}
