//! From a payload to reports, whatever platform brought it.

use onus_core::{Change, Cloud};
use onus_pipeline::{Auditor, HandleError, Schedule};
use onus_sources::{Decoded, Scanned};
use serde::Serialize;
use serde::de::IgnoredAny;

use crate::dead_letters::DeadLetters;
use crate::failure::{Failure, chain};

/// Audits every change in a payload of any shape that records travel in.
pub struct PayloadAuditor {
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
    /// A record that is a change: its log, and its text.
    Change(&'static str, String),
    /// What is wrong with an entry that is no record.
    Broken(String),
}

impl PayloadAuditor {
    /// An auditor, and where it puts what it can never handle.
    pub fn new(auditor: Auditor, dead_letters: DeadLetters) -> Self {
        Self { auditor, dead_letters }
    }

    /// Audits a payload. Whatever in it can never be handled is put aside with its reason and counts as done.
    ///
    /// # Errors
    /// Something failed that may succeed later. The other changes in the payload were handled; trying the whole payload again does
    /// the rest.
    pub async fn audit(&self, payload: &str) -> Result<Audited, Failure> {
        let (entries, scanned) = entries(payload);
        self.handle(entries, scanned, payload).await
    }

    /// Audits the payloads of one delivery. The records of one operation may be in several of them, so they are taken together; one that
    /// holds something broken is put aside by itself, and what else is in it is audited.
    ///
    /// # Errors
    /// As [`PayloadAuditor::audit`].
    pub async fn audit_all(&self, payloads: &[String]) -> Result<Audited, Failure> {
        if let [payload] = payloads {
            return self.audit(payload).await;
        }
        let (mut audited, mut whole, mut broken) = (Audited::default(), Vec::new(), None);
        for payload in payloads {
            let (entries, _) = entries(payload);
            for entry in entries {
                if let Found::Broken(reason) = entry {
                    self.put_aside(reason, payload, &mut audited, &mut broken).await;
                }
            }
            if serde_json::from_str::<IgnoredAny>(payload).is_ok() {
                whole.push(payload.as_str());
            }
        }
        let together = format!("[{}]", whole.join(","));
        let (mut found, scanned) = entries(&together);
        found.retain(|entry| matches!(entry, Found::Change(..))); // the rest was put aside above
        let handled = self.handle(found, scanned, &together).await?;
        broken.map_or(Ok(Audited { put_aside: handled.put_aside + audited.put_aside, ..handled }), Err)
    }

    async fn handle(&self, entries: Vec<Found>, scanned: Scanned, payload: &str) -> Result<Audited, Failure> {
        let mut audited = Audited { changes: scanned.changes, ..Audited::default() };
        audited.skipped = scanned.skipped.values().sum();
        let mut later = None;
        for entry in entries {
            match &entry {
                Found::Broken(reason) => self.put_aside(reason.clone(), payload, &mut audited, &mut later).await,
                Found::Change(source, text) => match self.change(source, text, &mut audited).await {
                    Ok(None) => {}
                    Ok(Some(reason)) => self.put_aside(reason, text, &mut audited, &mut later).await,
                    Err(error) => {
                        tracing::warn!(error = chain(&error), "a change has to be audited again");
                        later.get_or_insert(Failure::from(error));
                    }
                },
            }
        }
        tracing::info!(changes = audited.changes, findings = audited.findings.len(), "audited");
        later.map_or(Ok(audited), Err)
    }

    async fn put_aside(&self, reason: String, what: &str, audited: &mut Audited, later: &mut Option<Failure>) {
        match self.dead_letters.put(reason, what).await {
            Ok(()) => audited.put_aside += 1,
            Err(failure) => {
                later.get_or_insert(failure);
            }
        }
    }

    /// What is due on this cloud's timer.
    pub fn schedule(&self, cloud: Cloud) -> Schedule<'_> {
        Schedule { auditor: &self.auditor, decode, cloud }
    }

    /// Audits one change; the reason when it can never be handled.
    async fn change(&self, source: &str, text: &str, audited: &mut Audited) -> Result<Option<String>, HandleError> {
        let change = match onus_sources::decode(source, text) {
            Ok(Decoded::Change(change)) => change,
            Ok(Decoded::Skipped(skip)) => {
                return Ok(Some(format!("a change of `{source}` cannot be read again: {skip}")));
            }
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

/// Reads a kept record again.
fn decode<'a>(source: &str, text: &'a str) -> Result<Change<'a>, Box<dyn std::error::Error + Send + Sync>> {
    match onus_sources::decode(source, text)? {
        Decoded::Change(change) => Ok(*change),
        Decoded::Skipped(skip) => Err(format!("a change of `{source}` is now skipped: {skip}").into()),
    }
}

/// Takes a payload apart. Handling waits for the network, which scanning cannot, so the texts of changes are copied.
fn entries(payload: &str) -> (Vec<Found>, Scanned) {
    let mut found = Vec::new();
    let scanned = onus_sources::scan("event", payload.as_bytes(), &mut |entry| match entry.result {
        Ok(Decoded::Change(change)) => found.push(Found::Change(change.source, change.text.to_owned())),
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
