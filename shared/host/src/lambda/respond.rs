//! `aws-respond`: messages of a queue become responses.

use std::sync::Arc;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::LambdaEvent;
use onus_core::{Call, Caller, ReceiptOutcome};
use onus_pipeline::{Done, HandleError, Job, Responder};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::json;

use super::dead_letters::DeadLetters;
use super::failure::{Failure, chain};
use crate::aws::Clients;
use crate::environment::{Environment, StartError};

/// How long a message waits before it is tried again: this, times how often it was tried.
const WAIT: i64 = 15;

/// The longest wait. The queue's own visibility timeout is longer: it also covers a function that died.
const LONGEST_WAIT: i64 = 600;

/// Does the jobs of a queue: those of `aws-audit`, and those that people put into the ledger under `requests/`, of which the
/// bucket tells the queue.
pub struct RespondFunction {
    responder: Responder,
    caller: Arc<dyn Caller>,
    dead_letters: DeadLetters,
    /// The URL of the queue that messages come from.
    queue: Option<String>,
    /// What stands before a ledger key in the bucket, with a final `/`; empty when nothing does.
    prefix: String,
    region: String,
}

/// Why a message was not handled.
enum Trouble {
    /// Trying again may help.
    Later(HandleError),
    /// It can never be handled.
    Never(String),
}

/// An S3 notification, as far as it matters here. Source: "Event message structure", Amazon S3 user guide.
#[derive(Deserialize)]
struct Notification {
    #[serde(rename = "Records")]
    records: Vec<NotifiedRecord>,
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
        clients.warm().await;
        Ok(Self {
            responder: clients.responder(environment),
            caller: Arc::clone(&clients.caller),
            dead_letters: clients.dead_letters(environment),
            queue: environment.get("ONUS_RESPONSES").map(str::to_owned),
            prefix: clients.prefix.clone(),
            region: clients.region.clone(),
        })
    }

    /// Handles one batch. Messages fail one by one: those that may succeed later are answered as failed and come again.
    ///
    /// # Errors
    /// The dead letter queue did not take a message.
    pub async fn handle(&self, event: LambdaEvent<SqsEvent>) -> Result<SqsBatchResponse, Failure> {
        let mut response = SqsBatchResponse::default();
        for message in event.payload.records {
            match self.message(&message).await {
                Ok(()) => {}
                Err(Trouble::Never(reason)) => {
                    self.dead_letters.put(reason, message.body.as_deref().unwrap_or_default()).await?;
                }
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

    async fn message(&self, message: &SqsMessage) -> Result<(), Trouble> {
        for job in self.jobs(message.body.as_deref().unwrap_or_default()).await? {
            match self.responder.handle(&job).await {
                Ok(done) => {
                    tracing::info!(finding = %job.finding(), verb = job.verb(), outcome = outcome(&done), "job done");
                }
                Err(error) if error.is_retryable() => return Err(Trouble::Later(error)),
                Err(error) => return Err(Trouble::Never(chain(&error))),
            }
        }
        Ok(())
    }

    /// The jobs in a message: one of its own, those of the requests it tells of, or none in a test message.
    async fn jobs(&self, body: &str) -> Result<Vec<Job>, Trouble> {
        match serde_json::from_str::<Job>(body) {
            Ok(job @ Job::Respond(_)) => return Ok(vec![job]),
            // The ledger says who asked; a message does not, and more identities may send messages than create requests.
            Ok(job) => return Err(Trouble::Never(format!("a message may not ask to {}", job.verb()))),
            Err(error) if !body.contains("\"s3\"") && !body.contains("s3:TestEvent") => {
                return Err(Trouble::Never(format!("cannot read the message as a job: {error}")));
            }
            Err(_) => {}
        }
        let Ok(notification) = serde_json::from_str::<Notification>(body) else {
            tracing::info!("the bucket's test message");
            return Ok(Vec::new());
        };
        let mut jobs = Vec::new();
        for record in notification.records {
            jobs.push(self.request(&record.s3.object.key).await?);
        }
        Ok(jobs)
    }

    /// Reads a request out of the ledger.
    async fn request(&self, encoded: &str) -> Result<Job, Trouble> {
        // S3 encodes keys in notifications as form data: `+` is a space.
        let spaced = encoded.replace('+', " ");
        let key = percent_decode_str(&spaced).decode_utf8_lossy();
        let Some(key) = key.strip_prefix(&self.prefix).filter(|key| key.starts_with("requests/")) else {
            return Err(Trouble::Never(format!("`{key}` is no request")));
        };
        match self.responder.records.requested(key).await {
            Ok(Some(Job::Respond(_)) | None) => Err(Trouble::Never(format!("`{key}` is no request of a person"))),
            Ok(Some(job)) => Ok(job),
            Err(error) if error.is_retryable() => Err(Trouble::Later(error.into())),
            Err(error) => Err(Trouble::Never(chain(&error))),
        }
    }

    /// Lets a message wait before it comes again. When that fails it waits for as long as the queue says.
    async fn hold_back(&self, message: &SqsMessage) {
        let (Some(queue), Some(handle)) = (&self.queue, &message.receipt_handle) else { return };
        let tried = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
        let parameters = json!({
            "QueueUrl": queue,
            "ReceiptHandle": handle,
            "VisibilityTimeout": (WAIT * tried.unwrap_or(1)).min(LONGEST_WAIT),
        });
        let call = Call::aws("sqs", "ChangeMessageVisibility", &self.region, parameters);
        if let Err(error) = self.caller.call(&call).await {
            tracing::warn!(%error, "the message waits for the queue's visibility timeout");
        }
    }
}

/// One word for how a job ended. The log holds no more: policies and the like are in the ledger.
fn outcome(done: &Done) -> &'static str {
    match done {
        Done::NotResponding { .. } => "not_responding",
        Done::Planned { .. } => "planned",
        Done::Refused { .. } => "refused",
        Done::Already { .. } => "already_done",
        Done::Receipt { receipt } => match receipt.outcome {
            ReceiptOutcome::NothingToDo => "nothing_to_do",
            ReceiptOutcome::Planned => "planned",
            ReceiptOutcome::Verified => "verified",
            ReceiptOutcome::Unverified { .. } => "unverified",
            ReceiptOutcome::Refused { .. } => "refused",
        },
    }
}
