//! A Pub/Sub topic. A message's data is the CloudEvent; its ordering key is the resource, so that what is told about one resource
//! arrives in order where a subscription asks for that.
//!
//! Source: `projects.topics.publish` (<https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/publish>).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use onus_core::{Call, CallError, Caller, Notice, Sink, SinkError};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::size::fitted;

/// The longest message, in bytes: a publish request of 10 MB holds 7.5 MB in base64
/// (<https://cloud.google.com/pubsub/quotas#resource_limits>), less a margin for what stands around it.
pub const LONGEST: usize = 7_000_000;

/// The longest ordering key, in bytes (same page).
const LONGEST_KEY: usize = 1024;

/// One topic.
#[derive(Clone)]
pub struct Topic {
    caller: Arc<dyn Caller>,
    topic: String,
}

impl Topic {
    /// A topic by its full name, `projects/PROJECT/topics/TOPIC`.
    pub fn new(caller: Arc<dyn Caller>, topic: impl Into<String>) -> Self {
        Self { caller, topic: topic.into() }
    }

    /// Publishes one message. Messages of the same order arrive in the order in which they were published.
    ///
    /// # Errors
    /// Pub/Sub did not take it.
    pub async fn publish(&self, data: &str, order: &str, attributes: &BTreeMap<&str, &str>) -> Result<(), CallError> {
        let call = publish(&self.topic, data, order, attributes);
        self.caller.call(&call).await.map(|_| ())
    }
}

fn publish(topic: &str, data: &str, order: &str, attributes: &BTreeMap<&str, &str>) -> Call {
    let mut message = json!({ "data": STANDARD.encode(data), "orderingKey": ordering_key(order) });
    if let (Value::Object(members), false) = (&mut message, attributes.is_empty()) {
        members.insert("attributes".to_owned(), json!(attributes));
    }
    Call::gcp("pubsub", "projects.topics.publish", json!({ "topic": topic, "body": { "messages": [message] } }))
}

/// An order as a key; a digest where it is too long to be one.
fn ordering_key(order: &str) -> String {
    if order.len() <= LONGEST_KEY {
        return order.to_owned();
    }
    let mut key = String::from("sha256-");
    for byte in Sha256::digest(order.as_bytes()) {
        let _ = write!(key, "{byte:02x}"); // writing to a string cannot fail
    }
    key
}

/// Publishes each notice to one topic, with `severity`, `rule` and `kind` as attributes for filters.
pub struct PubSub {
    name: String,
    topic: Topic,
}

impl PubSub {
    /// A topic under its name in `onus.yaml`.
    pub fn new(name: impl Into<String>, topic: Topic) -> Self {
        Self { name: name.into(), topic }
    }
}

#[async_trait]
impl Sink for PubSub {
    fn name(&self) -> &str {
        &self.name
    }

    async fn tell(&self, notice: &Notice) -> Result<(), SinkError> {
        let failed = |retryable, source| SinkError { sink: self.name.clone(), retryable, source };
        let event = fitted(notice, LONGEST).map_err(|error| failed(false, error.into()))?;
        let finding = notice.finding();
        let order = finding.resource().map_or(finding.id.as_str(), |resource| &resource.id);
        let attributes = [
            ("content-type", "application/cloudevents+json"),
            ("kind", notice.kind()),
            ("rule", &finding.rule),
            ("severity", finding.severity.as_str()),
        ];
        let sent = self.topic.publish(&event, order, &attributes.into()).await;
        sent.map_err(|error| failed(error.is_retryable(), error.into()))
    }
}
