//! Queues on Azure.

use async_trait::async_trait;
use onus_pipeline::QueueError;
use onus_sinks::{StorageQueue, storage_queue};

use crate::queue::Queue;

/// A queue of a storage account. It keeps no order.
pub struct AzureQueue(pub StorageQueue);

#[async_trait]
impl Queue for AzureQueue {
    fn longest(&self) -> usize {
        storage_queue::LONGEST
    }

    async fn send(&self, message: &str, _order: &str) -> Result<(), QueueError> {
        let sent = self.0.send(message).await;
        sent.map_err(|error| QueueError { retryable: error.is_retryable(), source: error.into() })
    }
}
