//! A ledger in memory whose operations take two turns and may fail on either side of their effect.

use std::sync::Arc;

use async_trait::async_trait;
use onus_core::{Created, Ledger, LedgerError};

use super::Guard;
use super::world::{Fault, World};

/// One handler's way to the ledger.
pub struct Store {
    /// The world.
    pub world: Arc<World>,
    /// The handler.
    pub task: usize,
    /// Whether nothing fails: a person's own request.
    pub kind: bool,
}

impl Store {
    async fn fault(&self, attempt: &'static str, key: &str) -> Result<Option<LedgerError>, LedgerError> {
        let failed = || LedgerError { attempt, key: key.to_owned(), retryable: true, source: "the store fails".into() };
        let fault = if self.kind { Fault::None } else { self.world.fault().await };
        match fault {
            Fault::None => Ok(None),
            Fault::Lost => Err(failed()),
            Fault::Unheard => Ok(Some(failed())),
        }
    }
}

/// Whether a missing guard makes this entry be forgotten.
fn forgotten(guard: Option<Guard>, key: &str) -> bool {
    match guard {
        Some(Guard::Lease) => key.starts_with("locks/"),
        Some(Guard::Intent) => key.starts_with("attempts/") && key.ends_with("/intent.json"),
        Some(Guard::Budget) => key.starts_with("budgets/"),
        _ => false,
    }
}

#[async_trait]
impl Ledger for Store {
    async fn create(&self, key: &str, value: Vec<u8>) -> Result<Created, LedgerError> {
        let unheard = self.fault("create", key).await?;
        let created =
            if forgotten(self.world.missing, key) { Created::New } else { self.world.create(self.task, key, value) };
        self.world.turn().await;
        unheard.map_or(Ok(created), Err)
    }

    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        let unheard = self.fault("read", key).await?;
        let value = self.world.read(key);
        self.world.turn().await;
        unheard.map_or(Ok(value), Err)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, LedgerError> {
        let unheard = self.fault("list", prefix).await?;
        let keys = self.world.list(prefix);
        self.world.turn().await;
        unheard.map_or(Ok(keys), Err)
    }
}
