//! Queues on Azure.

use async_trait::async_trait;
use onus_pipeline::QueueError;
use onus_sinks::azure::SendError;
use onus_sinks::{StorageQueue, storage_queue};

use crate::queue::Queue;
use crate::replay::{Letter, LetterBox, OUT};

/// A queue of a storage account. It keeps no order.
pub struct AzureQueue(pub StorageQueue);

#[async_trait]
impl Queue for AzureQueue {
    fn longest(&self) -> usize {
        storage_queue::LONGEST
    }

    async fn send(&self, message: &str, _order: &str) -> Result<(), QueueError> {
        self.0.send(message).await.map_err(failed)
    }
}

/// A poison queue, or the queue of what a function put aside.
#[async_trait]
impl LetterBox for AzureQueue {
    async fn take(&self) -> Result<Vec<Letter>, QueueError> {
        let taken = self.0.take(OUT).await.map_err(failed)?;
        // An id is a GUID: the first slash ends it.
        let letter = |message: storage_queue::Taken| Letter {
            handle: format!("{}/{}", message.id, message.receipt),
            body: message.text(),
        };
        Ok(taken.into_iter().map(letter).collect())
    }

    async fn remove(&self, letter: &Letter) -> Result<(), QueueError> {
        let (id, receipt) = letter.handle.split_once('/').unwrap_or_default();
        self.0.remove(id, receipt).await.map_err(failed)
    }
}

fn failed(error: SendError) -> QueueError {
    QueueError { retryable: error.is_retryable(), source: error.into() }
}
