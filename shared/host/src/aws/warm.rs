//! Waiting, and not having to.

use std::time::Duration;

use async_trait::async_trait;
use onus_pipeline::Pause;

use super::Clients;

/// How long the connection may take to be warmed. Lambda gives ten seconds to the whole start.
const WARM_WITHIN: Duration = Duration::from_secs(2);

impl Clients {
    /// Opens the connection to the ledger, and with it reads certificates and credentials, while the platform still counts the
    /// start and not yet an invocation. Reads a key that nobody writes. A failure is no failure of the start: the first
    /// invocation meets it again and reports it.
    pub async fn warm(&self) {
        match tokio::time::timeout(WARM_WITHIN, self.ledger.read("warm")).await {
            Ok(Ok(_)) => tracing::debug!("warm"),
            Ok(Err(error)) => tracing::warn!(%error, "the ledger does not answer yet"),
            Err(_) => tracing::warn!("the ledger does not answer yet: two seconds passed"),
        }
    }
}

/// Waits one, two, four seconds, and at most eight.
#[derive(Debug, Clone, Copy, Default)]
pub struct Backoff;

#[async_trait]
impl Pause for Backoff {
    async fn pause(&self, attempt: u32) {
        tokio::time::sleep(Duration::from_secs(1 << attempt.saturating_sub(1).min(3))).await;
    }
}
