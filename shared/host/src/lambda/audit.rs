//! `aws-audit`: a payload with records becomes findings.

use lambda_runtime::LambdaEvent;
use onus_pipeline::{Auditor, HandleError};
use onus_sources::{Decoded, Scanned};
use serde::Serialize;
use serde_json::value::RawValue;

use super::dead_letters::DeadLetters;
use super::failure::{Failure, chain};
use crate::aws::Clients;
use crate::environment::{Environment, StartError};

/// Audits what triggers bring: `EventBridge` events, `CloudWatch` Logs subscriptions, batches of SQS or SNS.
pub struct AuditFunction {
    auditor: Auditor,
    dead_letters: DeadLetters,
}

/// What an invocation did. Logged, and answered to whoever invoked the function directly.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Audited {
    /// Changes in the payload.
    pub changes: u64,
    /// Entries that are no changes: digests, insights, test messages.
    pub skipped: u64,
    /// Findings, exempt and undetermined ones included, by id and rule.
    pub findings: Vec<(String, String)>,
    /// Entries that can never be handled and were put aside.
    pub put_aside: u64,
}

/// An entry that is worth a look.
enum Found {
    /// The text of a record that is a change.
    Change(String),
    /// What is wrong with an entry that is no record.
    Broken(String),
}

impl AuditFunction {
    /// Opens clients, rules and ledger, and the connection that the first finding needs.
    ///
    /// # Errors
    /// The deployment is wrong.
    pub async fn start(environment: &Environment) -> Result<Self, StartError> {
        let clients = Clients::open(environment).await?;
        clients.warm().await;
        Ok(Self { auditor: clients.auditor(environment).await?, dead_letters: clients.dead_letters(environment) })
    }

    /// An audit function out of its parts.
    pub fn new(auditor: Auditor, dead_letters: DeadLetters) -> Self {
        Self { auditor, dead_letters }
    }

    /// Handles one invocation.
    ///
    /// # Errors
    /// Something failed that may succeed later. Trying the whole payload again does the rest.
    pub async fn handle(&self, event: LambdaEvent<Box<RawValue>>) -> Result<Audited, Failure> {
        self.audit(event.payload.get()).await
    }

    /// Audits every change in a payload of any shape that records travel in.
    ///
    /// # Errors
    /// As [`AuditFunction::handle`]. The other changes in the payload were handled.
    pub async fn audit(&self, payload: &str) -> Result<Audited, Failure> {
        let (entries, scanned) = entries(payload);
        let mut audited = Audited { changes: scanned.changes, ..Audited::default() };
        audited.skipped = scanned.skipped.values().sum();
        let mut later = None;
        for entry in entries {
            let (reason, what) = match &entry {
                Found::Broken(reason) => (reason.clone(), payload),
                Found::Change(text) => match self.change(text, &mut audited).await {
                    Ok(None) => continue,
                    Ok(Some(reason)) => (reason, text.as_str()),
                    Err(error) => {
                        tracing::warn!(error = chain(&error), "a change has to be audited again");
                        later.get_or_insert(error);
                        continue;
                    }
                },
            };
            self.dead_letters.put(reason, what).await?;
            audited.put_aside += 1;
        }
        tracing::info!(changes = audited.changes, findings = audited.findings.len(), "audited");
        later.map_or(Ok(audited), |error| Err(error.into()))
    }

    /// Audits one change; the reason when it can never be handled.
    async fn change(&self, text: &str, audited: &mut Audited) -> Result<Option<String>, HandleError> {
        let change = match onus_sources::aws::cloudtrail::decode(text) {
            Ok(Decoded::Change(change)) => change,
            Ok(Decoded::Skipped(_)) => return Ok(None),
            Err(error) => return Ok(Some(chain(&error))),
        };
        match self.auditor.handle(&change).await {
            Ok(report) => {
                let named = |outcome: onus_pipeline::Outcome| (outcome.finding.to_string(), outcome.rule);
                audited.findings.extend(report.outcomes.into_iter().map(named));
                Ok(None)
            }
            Err(error) if error.is_retryable() => Err(error),
            Err(error) => Ok(Some(chain(&error))),
        }
    }
}

/// Takes a payload apart. Handling waits for the network, which scanning cannot, so the texts of changes are copied.
fn entries(payload: &str) -> (Vec<Found>, Scanned) {
    let mut found = Vec::new();
    let scanned = onus_sources::scan("event", payload.as_bytes(), &mut |entry| match entry.result {
        Ok(Decoded::Change(change)) => found.push(Found::Change(change.text.to_owned())),
        Ok(Decoded::Skipped(skip)) => tracing::info!(skip = skip.as_str(), "skipped"),
        Err(error) => found.push(Found::Broken(format!("record {}: {}", entry.record, chain(&error)))),
    });
    match scanned {
        Ok(scanned) => (found, scanned),
        Err(error) => {
            found.push(Found::Broken(chain(&error)));
            (found, error.scanned)
        }
    }
}
