//! Topics as queues.

use std::collections::BTreeMap;

use async_trait::async_trait;
use onus_pipeline::QueueError;
use onus_sinks::pubsub::{LONGEST, Topic};

use crate::queue::Queue;

/// A Pub/Sub topic. A subscription with message ordering keeps the order.
pub struct TopicQueue(pub Topic);

#[async_trait]
impl Queue for TopicQueue {
    fn longest(&self) -> usize {
        LONGEST
    }

    async fn send(&self, message: &str, order: &str) -> Result<(), QueueError> {
        let sent = self.0.publish(message, order, &BTreeMap::new()).await;
        sent.map_err(|error| QueueError { retryable: error.is_retryable(), source: error.into() })
    }
}
