//! Queues between the functions, and the port that each cloud's own queue fills.

use std::sync::Arc;

use async_trait::async_trait;
use onus_core::Finding;
use onus_pipeline::{Job, QueueError, ResponseQueue};

/// Takes messages of text.
#[async_trait]
pub trait Queue: Send + Sync {
    /// The longest message that the queue takes, in bytes.
    fn longest(&self) -> usize;

    /// Sends one message. Messages of the same `order` arrive in the order in which they were sent, where the queue can do that.
    ///
    /// # Errors
    /// The queue did not take it.
    async fn send(&self, message: &str, order: &str) -> Result<(), QueueError>;
}

/// The queue in front of a respond function. A message is the job as JSON.
pub struct JobQueue(pub Arc<dyn Queue>);

#[async_trait]
impl ResponseQueue for JobQueue {
    async fn enqueue(&self, job: &Job, finding: &Finding) -> Result<(), QueueError> {
        let message =
            serde_json::to_string(job).map_err(|error| QueueError { retryable: false, source: error.into() })?;
        // What is asked about one resource stays in order; a finding without a resource stands for itself.
        let order = finding.resource().map_or(finding.id.as_str(), |resource| &resource.id);
        self.0.send(&message, order).await
    }
}
