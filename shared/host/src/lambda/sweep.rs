//! `aws-sweep`: what `EventBridge` missed. Its delivery of `CloudTrail` is best effort; `LookupEvents` has every management
//! event of ninety days.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::LambdaEvent;
use onus_core::{Clock, Cloud, Ledger};
use onus_pipeline::{Baseline, Recorded, Ticked};
use serde::Serialize;
use serde_json::Value;

use crate::SystemClock;
use crate::audit::PayloadAuditor;
use crate::aws::Clients;
use crate::environment::{Environment, StartError};
use crate::failure::Failure;

/// How much time is looked at between two checkpoints. Small enough that one slice always fits into an invocation: two
/// requests a second and fifty events each make 84,000 events in fourteen minutes.
const SLICE: SignedDuration = SignedDuration::from_mins(15);

/// How far a slice reaches back before the last checkpoint: `CloudTrail` lists most events within fifteen minutes.
const OVERLAP: SignedDuration = SignedDuration::from_mins(20);

/// How far back the first sweep of all reaches.
const FIRST: SignedDuration = SignedDuration::from_hours(1);

/// How far back `LookupEvents` reaches, less an hour.
const REACH: SignedDuration = SignedDuration::from_hours(90 * 24 - 1);

/// How much time has to be left to begin another page.
const SPARE: SignedDuration = SignedDuration::from_secs(60);

/// `CloudTrail` did not answer, or refused.
#[derive(Debug, thiserror::Error)]
#[error("cannot look up events from {from} to {to}")]
pub struct LookupError {
    /// Start of the slice.
    pub from: Timestamp,
    /// End of the slice.
    pub to: Timestamp,
    /// What the client said.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// One page of records and where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LookupPage {
    /// Each a record as JSON.
    pub records: Vec<String>,
    /// Asks for the next page; `None` after the last.
    pub next: Option<String>,
}

/// Looks up recorded changes, as a port.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// One page of the changes made in a stretch of time, the latest first.
    ///
    /// # Errors
    /// The log did not answer within the client's own retries.
    async fn page(&self, from: Timestamp, to: Timestamp, next: Option<String>) -> Result<LookupPage, LookupError>;
}

/// Looks up with `CloudTrail`. Asks for calls that write only: a rule that watches reads is served by `EventBridge` alone.
pub(super) struct CloudTrail(aws_sdk_cloudtrail::Client);

#[async_trait]
impl Lookup for CloudTrail {
    async fn page(&self, from: Timestamp, to: Timestamp, next: Option<String>) -> Result<LookupPage, LookupError> {
        let failed = |source| LookupError { from, to, source };
        let writes = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::ReadOnly)
            .attribute_value("false")
            .build()
            .map_err(|error| failed(error.into()))?;
        let answer = self
            .0
            .lookup_events()
            .lookup_attributes(writes)
            .start_time(DateTime::from_secs(from.as_second()))
            .end_time(DateTime::from_secs(to.as_second()))
            .set_next_token(next)
            .max_results(50)
            .send()
            .await
            .map_err(|error| failed(Box::new(error)))?;
        let records = answer.events.unwrap_or_default().into_iter().filter_map(|event| event.cloud_trail_event);
        Ok(LookupPage { records: records.collect(), next: answer.next_token })
    }
}

/// Sweeps one region.
pub struct SweepFunction {
    audit: PayloadAuditor,
    lookup: Arc<dyn Lookup>,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    region: String,
    /// Records the guarded resources of an account, once a day.
    baseline: Option<(Baseline, String)>,
}

/// What a sweep did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Swept {
    /// Slices of time that were looked at from end to end.
    pub slices: u32,
    /// Changes that were audited, those that `EventBridge` had delivered included.
    pub changes: u64,
    /// Findings, those that were known included.
    pub findings: usize,
    /// Until when everything was looked at; `None` when not even one slice was.
    pub until: Option<Timestamp>,
    /// What else was due.
    pub due: Ticked,
    /// What the day's baseline recorded, in the sweep that took it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub baseline: Vec<Recorded>,
}

impl SweepFunction {
    /// Opens clients, rules and ledger.
    ///
    /// # Errors
    /// The deployment is wrong.
    pub async fn start(environment: &Environment) -> Result<Self, StartError> {
        let clients = Clients::open(environment).await?;
        clients.wiring.warm().await;
        let lookup = Arc::new(CloudTrail(aws_sdk_cloudtrail::Client::new(&clients.sdk)));
        let audit = PayloadAuditor::new(clients.auditor(environment).await?, clients.dead_letters(environment));
        let (ledger, region) = (Arc::clone(&clients.wiring.ledger), clients.region.clone());
        let sweep = Self::new(audit, lookup, ledger, Arc::new(SystemClock), region);
        Ok(match environment.get("ONUS_ACCOUNT") {
            Some(account) => sweep.recording(clients.baseline(), account),
            None => sweep,
        })
    }

    /// The same, and once a day the guarded resources of an account are recorded.
    #[must_use]
    pub fn recording(self, baseline: Baseline, account: &str) -> Self {
        Self { baseline: Some((baseline, account.to_owned())), ..self }
    }

    /// A sweep out of its parts.
    pub fn new(
        audit: PayloadAuditor,
        lookup: Arc<dyn Lookup>,
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
        region: String,
    ) -> Self {
        Self { audit, lookup, ledger, clock, region, baseline: None }
    }

    /// Handles one tick of the schedule. What the schedule sends is not looked at.
    ///
    /// # Errors
    /// As [`SweepFunction::sweep`].
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Swept, Failure> {
        let deadline = i64::try_from(event.context.deadline).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        self.sweep(deadline.unwrap_or(Timestamp::MAX)).await
    }

    /// Sweeps, and does what is due without an event, whether or not the sweep failed.
    ///
    /// # Errors
    /// `CloudTrail`, the ledger, or what an audit needs did not answer. The next sweep begins with the slice that failed.
    pub async fn sweep(&self, deadline: Timestamp) -> Result<Swept, Failure> {
        let swept = self.slices(deadline).await;
        let due = self.audit.schedule(Cloud::Aws).tick(deadline - SPARE).await;
        let baseline = self.record_baseline().await;
        Ok(Swept { due: due.map_err(Failure::from)?, baseline: baseline?, ..swept? })
    }

    /// Records the guarded resources, if nobody did today. What could not be read is logged, and known tomorrow.
    async fn record_baseline(&self) -> Result<Vec<Recorded>, Failure> {
        let Some((baseline, account)) = &self.baseline else { return Ok(Vec::new()) };
        let taken = format!("baselines/{}/{}", self.region, day(self.clock.now()));
        if self.ledger.read(&taken).await?.is_some() {
            return Ok(Vec::new());
        }
        let recorded = baseline.record(Cloud::Aws, account, &self.region).await?;
        for kind in recorded.iter().filter(|kind| !kind.failed.is_empty()) {
            tracing::warn!(kind = kind.kind, failed = kind.failed.len(), first = kind.failed.first(), "not recorded");
        }
        self.ledger.create(&taken, Vec::new()).await?;
        Ok(recorded)
    }

    /// Goes on from the last checkpoint, slice by slice, oldest first, until now or until little time is left.
    async fn slices(&self, deadline: Timestamp) -> Result<Swept, Failure> {
        let now = self.clock.now();
        let mut swept = Swept::default();
        let mut from = self.checkpoint(now).await?.unwrap_or(now - FIRST).max(now - REACH);
        while from < now {
            let to = (from + SLICE).min(now);
            if !self.slice(from - OVERLAP, to, deadline, &mut swept).await? {
                tracing::warn!(%from, %to, "no time left, the next sweep begins here");
                break;
            }
            self.ledger.create(&checkpoint_key(&self.region, to), Vec::new()).await?;
            swept.slices += 1;
            swept.until = Some(to);
            from = to;
        }
        tracing::info!(slices = swept.slices, changes = swept.changes, findings = swept.findings, "swept");
        Ok(swept)
    }

    /// Audits one slice; whether there was time for all of it.
    async fn slice(
        &self,
        from: Timestamp,
        to: Timestamp,
        deadline: Timestamp,
        swept: &mut Swept,
    ) -> Result<bool, Failure> {
        let mut next = None;
        loop {
            if self.clock.now() + SPARE > deadline {
                return Ok(false);
            }
            let page = self.lookup.page(from, to, next).await?;
            for record in &page.records {
                let audited = self.audit.audit(record).await?;
                swept.changes += audited.changes;
                swept.findings += audited.findings.len();
            }
            next = page.next;
            if next.is_none() {
                return Ok(true);
            }
        }
    }

    /// The end of the last slice that was looked at; `None` when there was none within reach.
    async fn checkpoint(&self, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
        for days in 0..90 {
            let day = day(now - SignedDuration::from_hours(24 * days));
            let keys = self.ledger.list(&format!("sweeps/{}/{day}", self.region)).await?;
            if let Some(found) = keys.last().and_then(|key| checkpoint_time(key)) {
                return Ok(Some(found.min(now)));
            }
        }
        Ok(None)
    }
}

/// `sweeps/us-east-1/2026-01-31/20260131T235959Z`: keys sort by time, and a day's are listed together.
fn checkpoint_key(region: &str, end: Timestamp) -> String {
    format!("sweeps/{region}/{}/{}", day(end), end.strftime("%Y%m%dT%H%M%SZ"))
}

fn checkpoint_time(key: &str) -> Option<Timestamp> {
    key.rsplit('/').next()?.parse().ok()
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests;
