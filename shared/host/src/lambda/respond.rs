//! `aws-respond`: messages of a queue become responses.

use std::sync::Arc;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::LambdaEvent;
use onus_core::{Call, Caller};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::json;

use crate::aws::{Clients, LEASE};
use crate::dead_letters::DeadLetters;
use crate::environment::{Environment, StartError};
use crate::failure::{Failure, chain};
use crate::metrics::MetricLines;
use crate::respond::{Asked, MessageResponder, Trouble};

/// How many seconds a message waits at most before it is tried for the second time.
const WAIT: u64 = 15;

/// The longest wait. The queue's own visibility timeout is longer: it also covers a function that died.
const LONGEST_WAIT: u64 = 600;

/// Does the jobs of a queue: those of `aws-audit`, and those that people put into the ledger under `requests/`, of which the
/// bucket tells the queue.
pub struct RespondFunction {
    responder: MessageResponder,
    caller: Arc<dyn Caller>,
    dead_letters: DeadLetters,
    /// The URL of the queue that messages come from.
    queue: Option<String>,
    region: String,
}

/// An S3 notification, as far as it matters here. Source: "Event message structure", Amazon S3 user guide.
#[derive(Deserialize)]
struct Notification {
    #[serde(rename = "Records")]
    records: Vec<NotifiedRecord>,
}

/// What S3 sends when a notification is configured.
#[derive(Deserialize)]
struct TestMessage {
    #[serde(rename = "Event")]
    event: String,
}

#[derive(Deserialize)]
struct NotifiedRecord {
    s3: NotifiedBucket,
}

#[derive(Deserialize)]
struct NotifiedBucket {
    object: NotifiedObject,
}

#[derive(Deserialize)]
struct NotifiedObject {
    key: String,
}

impl RespondFunction {
    /// Opens clients and ledger.
    ///
    /// # Errors
    /// The deployment is wrong.
    pub async fn start(environment: &Environment) -> Result<Self, StartError> {
        let clients = Clients::open(environment).await?;
        clients.wiring.warm().await;
        let mut responder = clients.wiring.responder(environment.lease(LEASE)?, Arc::new(MetricLines::Emf));
        let lives = clients.wiring.config.settings.approval_lives();
        responder.links = environment.approval_links(clients.approval_key(environment).await?, lives)?;
        Ok(Self {
            responder: MessageResponder::new(responder, clients.wiring.prefix()),
            caller: Arc::clone(&clients.wiring.caller),
            dead_letters: clients.dead_letters(environment),
            queue: environment.get("ONUS_RESPONSES").map(str::to_owned),
            region: clients.region,
        })
    }

    /// Handles one batch. Messages fail one by one: those that may succeed later are answered as failed and come again.
    ///
    /// # Errors
    /// The dead letter queue did not take a message.
    pub async fn handle(&self, event: LambdaEvent<SqsEvent>) -> Result<SqsBatchResponse, Failure> {
        let mut response = SqsBatchResponse::default();
        for message in event.payload.records {
            let body = message.body.as_deref().unwrap_or_default();
            match self.responder.handle(asked(body)).await {
                Ok(()) => {}
                Err(Trouble::Never(reason)) => self.dead_letters.put(reason, body).await?,
                Err(Trouble::Later(error)) => {
                    tracing::warn!(error = chain(&error), "a job has to be done again");
                    self.hold_back(&message).await;
                    let mut failure = BatchItemFailure::default();
                    failure.item_identifier = message.message_id.unwrap_or_default();
                    response.batch_item_failures.push(failure);
                }
            }
        }
        Ok(response)
    }

    /// Lets a message wait before it comes again. When that fails it waits for as long as the queue says.
    async fn hold_back(&self, message: &SqsMessage) {
        let (Some(queue), Some(handle)) = (&self.queue, &message.receipt_handle) else { return };
        let tried = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
        let parameters = json!({
            "QueueUrl": queue,
            "ReceiptHandle": handle,
            "VisibilityTimeout": wait(tried.unwrap_or(1), message.message_id.as_deref().unwrap_or_default()),
        });
        let call = Call::aws("sqs", "ChangeMessageVisibility", &self.region, parameters);
        if let Err(error) = self.caller.call(&call).await {
            tracing::warn!(%error, "the message waits for the queue's visibility timeout");
        }
    }
}

/// How long a message waits that was tried so often: twice as long each time, up to [`LONGEST_WAIT`], and of that between a half and the
/// whole, by the message's id. So messages that failed together do not come back together.
fn wait(tried: u32, id: &str) -> u64 {
    let whole = WAIT.saturating_mul(1 << tried.saturating_sub(1).min(16)).min(LONGEST_WAIT);
    let spread = id.bytes().fold(u64::from(tried), |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    whole / 2 + spread % (whole / 2 + 1)
}

/// What a message asks for: a job of its own, the requests that an S3 notification tells of, or nothing in the bucket's test message.
fn asked(body: &str) -> Asked<'_> {
    if let Ok(notification) = serde_json::from_str::<Notification>(body) {
        let keys = notification.records.into_iter().map(|record| decoded(&record.s3.object.key));
        return Asked::Stored(keys.collect());
    }
    if serde_json::from_str::<TestMessage>(body).is_ok_and(|message| message.event == "s3:TestEvent") {
        tracing::info!("the bucket's test message");
        return Asked::Nothing;
    }
    Asked::Job(body)
}

/// S3 encodes keys in notifications as form data: `+` is a space.
fn decoded(key: &str) -> String {
    percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a handler's clock may be off by (`SKEW` in `onus_pipeline`), in seconds.
    const SKEW: u64 = 60;

    #[test]
    fn a_job_is_tried_again_after_the_lease_of_a_handler_that_died() {
        let template = include_str!("../../../../infra/aws/template.yaml");
        let queue = template.split("\n  Responses:\n").nth(1).expect("the queue is there");
        let receives = queue.split("maxReceiveCount: ").nth(1).and_then(|rest| rest.split(' ').next());
        let receives: u32 = receives.and_then(|count| count.parse().ok()).expect("a number");
        let shortest = |tried| (0..=255u8).map(|id| wait(tried, &char::from(id).to_string())).min().unwrap_or_default();
        let waited: u64 = (1..receives).map(shortest).sum();
        let lease = u64::try_from(LEASE.as_secs()).expect("positive") + SKEW;
        assert!(waited > lease, "given up after {waited} s, and a lease counts for {lease} s");
    }

    #[test]
    fn a_message_is_a_job_or_news_from_the_bucket() {
        let notified = r#"{"Records":[{"s3":{"object":{"key":"onus/requests/2026-01-31/a%3Db+c.json"}}}]}"#;
        let cases = [
            (notified, Asked::Stored(vec!["onus/requests/2026-01-31/a=b c.json".to_owned()])),
            (r#"{"Records":[]}"#, Asked::Stored(Vec::new())),
            (r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"ledger"}"#, Asked::Nothing),
            (r#"{"respond":"f-1"}"#, Asked::Job(r#"{"respond":"f-1"}"#)),
            (r#"{"note":"s3:TestEvent"}"#, Asked::Job(r#"{"note":"s3:TestEvent"}"#)),
            ("", Asked::Job("")),
        ];
        for (body, expected) in cases {
            assert_eq!(asked(body), expected, "{body}");
        }
    }
}
