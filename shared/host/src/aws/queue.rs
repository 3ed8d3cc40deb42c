//! The queue in front of `aws-respond`.

use std::sync::Arc;

use async_trait::async_trait;
use onus_core::{Call, Caller};
use onus_pipeline::{Job, QueueError, ResponseQueue};
use serde_json::json;

/// An SQS queue. The message is the job as JSON.
pub struct SqsQueue {
    caller: Arc<dyn Caller>,
    url: String,
    region: String,
}

impl SqsQueue {
    /// A queue by its URL.
    pub fn new(caller: Arc<dyn Caller>, url: &str, region: &str) -> Self {
        Self { caller, url: url.to_owned(), region: region.to_owned() }
    }
}

#[async_trait]
impl ResponseQueue for SqsQueue {
    async fn enqueue(&self, job: &Job) -> Result<(), QueueError> {
        let failed = |retryable, source| QueueError { retryable, source };
        let body = serde_json::to_string(job).map_err(|error| failed(false, error.into()))?;
        let parameters = json!({ "QueueUrl": self.url, "MessageBody": body });
        let call = Call::aws("sqs", "SendMessage", &self.region, parameters);
        self.caller.call(&call).await.map(|_| ()).map_err(|error| failed(error.is_retryable(), error.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use onus_core::{CallError, Cloud, FindingId};
    use serde_json::Value;

    use super::*;

    #[derive(Default)]
    struct Notes(Mutex<Vec<Call>>);

    #[async_trait]
    impl Caller for Notes {
        async fn call(&self, call: &Call) -> Result<Value, CallError> {
            self.0.lock().unwrap().push(call.clone());
            Ok(json!({}))
        }
    }

    #[tokio::test]
    async fn a_job_is_sent_as_json() {
        let notes = Arc::new(Notes::default());
        let queue =
            SqsQueue::new(Arc::clone(&notes) as Arc<dyn Caller>, "https://sqs.example/1/responses", "us-east-1");
        let finding = FindingId::of(Cloud::Aws, "e-1", "aws.s3.bucket_made_public");
        queue.enqueue(&Job::Respond(finding.clone())).await.unwrap();
        let sent = notes.0.lock().unwrap();
        assert_eq!(sent[0].name(), "sqs:SendMessage");
        assert_eq!(sent[0].parameters["MessageBody"], format!(r#"{{"respond":"{finding}"}}"#));
    }
}
