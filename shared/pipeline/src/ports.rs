//! What the rim fills in beside the ports of `onus-core`.

use std::error::Error;

use async_trait::async_trait;
use jiff::Timestamp;
use onus_core::{Change, Finding, Remediation, Severity, State, StateReader, Verdict};

use crate::containment::Containment;
use crate::error::QueueError;
use crate::job::Job;

/// What the policy has to know of a rule before it is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// `aws.s3.bucket_made_public`.
    pub id: &'a str,
    /// `cis-aws-5.0:2.1.4`, …
    pub controls: &'a [String],
    /// How bad.
    pub severity: Severity,
    /// The remediation the rule names.
    pub remedy: Option<&'a str>,
    /// The kind of resource that the rule asks for when the record cannot decide.
    pub state: Option<&'a str>,
}

/// The rules, as the pipeline needs them.
pub trait Rules: Send + Sync {
    /// The rules that watch a change, in a fixed order.
    fn candidates(&self, change: &Change<'_>) -> Vec<Candidate<'_>>;

    /// What a rule says about a change; with a state, the state's effects stand in for the change's.
    ///
    /// # Errors
    /// The rule's expression failed on this change.
    fn evaluate(
        &self,
        rule: &str,
        change: &Change<'_>,
        state: Option<&State>,
    ) -> Result<Verdict, Box<dyn Error + Send + Sync>>;

    /// The finding of a rule on a change; `None` when there is no such rule.
    fn finding(&self, rule: &str, change: &Change<'_>, state: Option<&State>, found_at: Timestamp) -> Option<Finding>;
}

/// Where the audit function asks the respond function for a response.
#[async_trait]
pub trait ResponseQueue: Send + Sync {
    /// Asks. The same job may be enqueued, and may arrive, more than once. The finding is what the job is about: a queue that keeps an
    /// order keeps it for each resource.
    ///
    /// # Errors
    /// The queue did not take it.
    async fn enqueue(&self, job: &Job, finding: &Finding) -> Result<(), QueueError>;
}

/// Waiting, as a port: what was written may take a moment until it can be read.
#[async_trait]
pub trait Pause: Send + Sync {
    /// Waits before the n-th reading again, from 1. The rim chooses how long; a second, then two, then four is plenty.
    async fn pause(&self, attempt: u32);
}

/// Where figures about responses go.
#[async_trait]
pub trait Meter: Send + Sync {
    /// Tells how fast a change was contained. Called once for each response: by the handler whose receipt was the first. Nothing
    /// depends on it: a figure that is lost here can be read from the ledger again.
    async fn contained(&self, containment: &Containment);
}

/// For who has nobody to tell figures.
#[async_trait]
impl Meter for () {
    async fn contained(&self, _: &Containment) {}
}

/// Finds the reader of a resource kind.
pub type Readers = fn(&str) -> Option<&'static dyn StateReader>;

/// Finds a remediation by id.
pub type Remediations = fn(&str) -> Option<&'static dyn Remediation>;
