//! Queues on AWS.

use std::sync::Arc;

use async_trait::async_trait;
use onus_core::{Call, Caller};
use onus_pipeline::QueueError;
use serde_json::{Value, json};

use crate::queue::Queue;
use crate::replay::{Letter, LetterBox, OUT};

/// A standard SQS queue. It keeps no order.
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
impl Queue for SqsQueue {
    /// 1 MiB (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>), less a margin: the
    /// caller's JSON around it does not count, attributes would.
    fn longest(&self) -> usize {
        1_000_000
    }

    async fn send(&self, message: &str, _order: &str) -> Result<(), QueueError> {
        let parameters = json!({ "QueueUrl": self.url, "MessageBody": message });
        let call = Call::aws("sqs", "SendMessage", &self.region, parameters);
        self.caller.call(&call).await.map(|_| ()).map_err(failed)
    }
}

#[async_trait]
impl LetterBox for SqsQueue {
    async fn take(&self) -> Result<Vec<Letter>, QueueError> {
        let parameters = json!({ "QueueUrl": self.url, "MaxNumberOfMessages": 10, "VisibilityTimeout": OUT.as_secs() });
        let call = Call::aws("sqs", "ReceiveMessage", &self.region, parameters);
        let answer = self.caller.call(&call).await.map_err(failed)?;
        let text = |message: &Value, name: &str| message.get(name).and_then(Value::as_str).map(str::to_owned);
        let messages = answer.get("Messages").and_then(Value::as_array).into_iter().flatten();
        Ok(messages
            .filter_map(|message| {
                Some(Letter { handle: text(message, "ReceiptHandle")?, body: text(message, "Body")? })
            })
            .collect())
    }

    async fn remove(&self, letter: &Letter) -> Result<(), QueueError> {
        let parameters = json!({ "QueueUrl": self.url, "ReceiptHandle": letter.handle });
        let call = Call::aws("sqs", "DeleteMessage", &self.region, parameters);
        self.caller.call(&call).await.map(|_| ()).map_err(failed)
    }
}

fn failed(error: onus_core::CallError) -> QueueError {
    QueueError { retryable: error.is_retryable(), source: error.into() }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use onus_core::CallError;

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
    async fn a_message_is_sent_as_it_is() {
        let notes = Arc::new(Notes::default());
        let queue =
            SqsQueue::new(Arc::clone(&notes) as Arc<dyn Caller>, "https://sqs.example/1/responses", "us-east-1");
        queue.send(r#"{"respond":"f-1"}"#, "").await.unwrap();
        let sent = notes.0.lock().unwrap();
        assert_eq!(sent[0].name(), "sqs:SendMessage");
        assert_eq!(sent[0].parameters["MessageBody"], r#"{"respond":"f-1"}"#);
    }
}
