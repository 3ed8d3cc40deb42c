//! Where what can never be handled is put, with the reason.

use std::sync::Arc;

use onus_core::{Call, Caller};
use serde_json::{Value, json};

use super::failure::Failure;
use crate::aws::Clients;
use crate::environment::Environment;

/// The longest text of a letter that is kept: SQS takes 1 MiB, and escaping may double it.
const LONGEST: usize = 400 * 1024;

/// The dead letter queue.
#[derive(Clone)]
pub struct DeadLetters {
    caller: Arc<dyn Caller>,
    queue: Option<String>,
    region: String,
}

impl Clients {
    /// The queue that `ONUS_DEAD_LETTERS` names.
    pub fn dead_letters(&self, environment: &Environment) -> DeadLetters {
        DeadLetters::new(Arc::clone(&self.caller), environment.get("ONUS_DEAD_LETTERS"), &self.region)
    }
}

impl DeadLetters {
    /// A queue by its URL; without one, letters are logged only.
    pub fn new(caller: Arc<dyn Caller>, queue: Option<&str>, region: &str) -> Self {
        Self { caller, queue: queue.map(str::to_owned), region: region.to_owned() }
    }

    /// Puts aside what cannot be handled: `{"reason":…,"what":…}`. What is longer than a queue takes is cut.
    ///
    /// # Errors
    /// The queue did not take it.
    pub async fn put(&self, reason: String, what: &str) -> Result<(), Failure> {
        tracing::error!(reason, "put aside: it can never be handled");
        let Some(queue) = &self.queue else { return Ok(()) };
        let kept = what.get(..what.floor_char_boundary(LONGEST)).unwrap_or_default();
        let letter: Value = json!({ "reason": reason, "what": kept, "cut": kept.len() < what.len() });
        let parameters = json!({ "QueueUrl": queue, "MessageBody": letter.to_string() });
        match self.caller.call(&Call::aws("sqs", "SendMessage", &self.region, parameters)).await {
            Ok(_) => Ok(()),
            Err(source) => Err(Failure::DeadLetter { reason, source }),
        }
    }
}
