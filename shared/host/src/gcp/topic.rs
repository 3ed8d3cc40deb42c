//! Topics as queues, and subscriptions as where letters are taken from.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use onus_core::{Call, CallError, Caller};
use onus_pipeline::QueueError;
use onus_sinks::pubsub::{LONGEST, Topic};
use serde::Deserialize;
use serde_json::{Value, json};

use super::respond::message;
use crate::queue::Queue;
use crate::replay::{Letter, LetterBox};

/// A Pub/Sub topic. A subscription with message ordering keeps the order.
pub struct TopicQueue(pub Topic);

#[async_trait]
impl Queue for TopicQueue {
    fn longest(&self) -> usize {
        LONGEST
    }

    async fn send(&self, message: &str, order: &str) -> Result<(), QueueError> {
        self.0.publish(message, order, &BTreeMap::new()).await.map_err(failed)
    }
}

/// A topic that dead letters go back to. News of the ledger's bucket, which are in a message's attributes, go back with them.
pub struct BackTo(pub Topic);

#[async_trait]
impl Queue for BackTo {
    fn longest(&self) -> usize {
        LONGEST
    }

    async fn send(&self, message: &str, order: &str) -> Result<(), QueueError> {
        let (data, attributes) = match self::message(message) {
            Ok((data, attributes)) => (Cow::Owned(data), attributes),
            Err(_) => (Cow::Borrowed(message), BTreeMap::new()),
        };
        // Pub/Sub's own notes of why it is a dead letter end here.
        let kept = attributes.iter().filter(|(name, _)| !name.starts_with("CloudPubSubDeadLetter"));
        let attributes = kept.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.0.publish(&data, order, &attributes).await.map_err(failed)
    }
}

/// A subscription to a dead letter topic. What is taken is out for its acknowledgement deadline.
pub struct Subscription {
    caller: Arc<dyn Caller>,
    name: String,
}

impl Subscription {
    /// A subscription by its full name, `projects/PROJECT/subscriptions/SUBSCRIPTION`.
    pub fn new(caller: Arc<dyn Caller>, name: &str) -> Self {
        Self { caller, name: name.to_owned() }
    }

    async fn call(&self, operation: &str, body: Value) -> Result<Value, QueueError> {
        let call = Call::gcp("pubsub", operation, json!({ "subscription": self.name, "body": body }));
        self.caller.call(&call).await.map_err(failed)
    }
}

/// How often a subscription is asked before it counts as empty: an answer that need not wait may be empty although there is something.
const ASKED: u32 = 3;

/// Source: `projects.subscriptions.pull` (<https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions/pull>).
#[derive(Deserialize)]
struct Pulled {
    #[serde(default, rename = "receivedMessages")]
    messages: Vec<Value>,
}

#[async_trait]
impl LetterBox for Subscription {
    async fn take(&self) -> Result<Vec<Letter>, QueueError> {
        for _ in 0..ASKED {
            // Without this an answer may take longer than a call may.
            let body = json!({ "maxMessages": 10, "returnImmediately": true });
            let answer = self.call("projects.subscriptions.pull", body).await?;
            let pulled: Pulled = serde_json::from_value(answer)
                .map_err(|error| QueueError { retryable: false, source: error.into() })?;
            let letters: Vec<Letter> = pulled.messages.iter().filter_map(letter).collect();
            if !letters.is_empty() {
                return Ok(letters);
            }
        }
        Ok(Vec::new())
    }

    async fn remove(&self, letter: &Letter) -> Result<(), QueueError> {
        self.call("projects.subscriptions.acknowledge", json!({ "ackIds": [letter.handle] })).await.map(drop)
    }
}

/// A message's data; the whole message where its attributes say what it is about.
fn letter(received: &Value) -> Option<Letter> {
    let handle = received.get("ackId")?.as_str()?.to_owned();
    let message = received.get("message")?;
    let body = if message.pointer("/attributes/eventType").is_some() {
        json!({ "message": message }).to_string()
    } else {
        let data = message.get("data").and_then(Value::as_str).unwrap_or_default();
        // What is not as documented is a letter all the same: it is left, and said.
        let decoded = STANDARD.decode(data).unwrap_or_else(|_| data.into());
        String::from_utf8_lossy(&decoded).into_owned()
    };
    Some(Letter { handle, body })
}

fn failed(error: CallError) -> QueueError {
    QueueError { retryable: error.is_retryable(), source: error.into() }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Answers in order, then with nothing; and what was asked.
    #[derive(Default)]
    struct Script(Mutex<Vec<Value>>, Mutex<Vec<Call>>);

    #[async_trait]
    impl Caller for Script {
        async fn call(&self, call: &Call) -> Result<Value, CallError> {
            self.1.lock().unwrap().push(call.clone());
            let mut answers = self.0.lock().unwrap();
            Ok(if answers.is_empty() { json!({}) } else { answers.remove(0) })
        }
    }

    fn received(ack: &str, data: &str, attributes: &Value) -> Value {
        json!({ "ackId": ack, "message": { "data": STANDARD.encode(data), "attributes": attributes, "messageId": "1" } })
    }

    #[tokio::test]
    async fn an_empty_answer_is_believed_when_it_comes_again() {
        let script = Arc::new(Script::default());
        let odd = json!({ "ackId": "a-2", "message": { "data": "%" } });
        let letters = json!({ "receivedMessages": [received("a-1", "{}", &json!({})), odd] });
        script.0.lock().unwrap().extend([json!({}), letters]);
        let subscription = Subscription::new(Arc::clone(&script) as Arc<dyn Caller>, "projects/p/subscriptions/dead");
        let taken = subscription.take().await.unwrap();
        let letter = |handle: &str, body: &str| Letter { handle: handle.to_owned(), body: body.to_owned() };
        assert_eq!(taken, [letter("a-1", "{}"), letter("a-2", "%")]);
        assert!(subscription.take().await.unwrap().is_empty());
        subscription.remove(&taken[0]).await.unwrap();
        let asked: Vec<String> = script.1.lock().unwrap().iter().map(Call::name).collect();
        let pull = "pubsub:projects.subscriptions.pull";
        assert_eq!(asked, [pull, pull, pull, pull, pull, "pubsub:projects.subscriptions.acknowledge"]);
    }

    #[tokio::test]
    async fn news_of_a_bucket_goes_through_a_dead_letter_with_its_attributes() {
        let news = json!({ "eventType": "OBJECT_FINALIZE", "objectId": "requests/f-1/undo-1.json" });
        let mut moved = news.clone();
        moved["CloudPubSubDeadLetterSourceDeliveryCount"] = json!("20");
        let body = letter(&received("a-1", "{\"name\":\"x\"}", &moved)).unwrap().body;
        let script = Arc::new(Script::default());
        let queue = BackTo(Topic::new(Arc::clone(&script) as Arc<dyn Caller>, "projects/p/topics/responses"));
        for message in [&body, r#"{"respond":"f-1"}"#] {
            queue.send(message, "replayed").await.unwrap();
        }
        let sent = script.1.lock().unwrap();
        let message = |n: usize| sent[n].parameters["body"]["messages"][0].clone();
        assert_eq!((message(0)["attributes"].clone(), message(0)["data"].clone()), (news, json!("eyJuYW1lIjoieCJ9")));
        assert_eq!(
            (message(1).get("attributes"), message(1)["data"].clone()),
            (None, json!(STANDARD.encode(r#"{"respond":"f-1"}"#)))
        );
    }
}
