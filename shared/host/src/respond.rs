//! From a queue's message to jobs done, whatever platform brought it.

use onus_core::ReceiptOutcome;
use onus_pipeline::{Done, HandleError, Job, Responder};

use crate::failure::chain;

/// Does the jobs of messages: those of an audit function, and those that people put into the ledger under `requests/`, of which
/// the store tells the queue.
pub struct MessageResponder {
    responder: Responder,
    /// What stands before a ledger key in the store, with a final `/`; empty when nothing does.
    prefix: String,
}

/// What is in a message, once the platform's envelope is off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked<'a> {
    /// A job as JSON.
    Job(&'a str),
    /// Objects that were stored where the ledger is, by their keys in the store.
    Stored(Vec<String>),
    /// Nothing: a test message of the platform, or news that concern nobody.
    Nothing,
}

/// Why a message was not handled.
#[derive(Debug)]
pub enum Trouble {
    /// Trying again may help.
    Later(HandleError),
    /// It can never be handled.
    Never(String),
}

impl Trouble {
    /// What is left of the troubles of one message: what may succeed later decides, for then the whole message comes again.
    fn both(earlier: Option<Self>, this: Self) -> Self {
        match (earlier, this) {
            (None, this) | (Some(Self::Never(_)), this @ Self::Later(_)) => this,
            (Some(earlier @ Self::Later(_)), _) => earlier,
            (Some(Self::Never(earlier)), Self::Never(this)) => Self::Never(format!("{earlier}; {this}")),
        }
    }
}

impl MessageResponder {
    /// A responder, and what stands before a ledger key in the store.
    pub fn new(responder: Responder, prefix: String) -> Self {
        Self { responder, prefix }
    }

    /// Does what a message asks for. Doing it again has the effect of doing it once.
    ///
    /// # Errors
    /// The message, or one of several jobs in it, was not handled. The others were.
    pub async fn handle(&self, asked: Asked<'_>) -> Result<(), Trouble> {
        match asked {
            Asked::Nothing => Ok(()),
            Asked::Job(text) => self.carry_out(&asked_by_message(text)?).await,
            Asked::Stored(keys) => {
                let mut trouble = None;
                for key in keys {
                    let done = match self.requested(&key).await {
                        Ok(job) => self.carry_out(&job).await,
                        Err(error) => Err(error),
                    };
                    if let Err(error) = done {
                        trouble = Some(Trouble::both(trouble, error));
                    }
                }
                trouble.map_or(Ok(()), Err)
            }
        }
    }

    async fn carry_out(&self, job: &Job) -> Result<(), Trouble> {
        match self.responder.handle(job).await {
            Ok(done) => {
                tracing::info!(finding = %job.finding(), verb = job.verb(), outcome = outcome(&done), "job done");
                Ok(())
            }
            Err(error) if error.is_retryable() => Err(Trouble::Later(error)),
            Err(error) => Err(Trouble::Never(chain(&error))),
        }
    }

    /// Reads a request out of the ledger.
    async fn requested(&self, stored: &str) -> Result<Job, Trouble> {
        let Some(key) = stored.strip_prefix(&self.prefix).filter(|key| key.starts_with("requests/")) else {
            return Err(Trouble::Never(format!("`{stored}` is no request")));
        };
        match self.responder.records.requested(key).await {
            Ok(Some(Job::Respond(_)) | None) => Err(Trouble::Never(format!("`{key}` is no request of a person"))),
            Ok(Some(job)) => Ok(job),
            Err(error) if error.is_retryable() => Err(Trouble::Later(error.into())),
            Err(error) => Err(Trouble::Never(chain(&error))),
        }
    }
}

/// The job that a message itself asks for. The ledger says who asked; a message does not, and more identities may send messages
/// than create requests. So it may only ask to respond.
fn asked_by_message(text: &str) -> Result<Job, Trouble> {
    match serde_json::from_str::<Job>(text) {
        Ok(job @ Job::Respond(_)) => Ok(job),
        Ok(job) => Err(Trouble::Never(format!("a message may not ask to {}", job.verb()))),
        Err(error) => Err(Trouble::Never(format!("cannot read the message as a job: {error}"))),
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
