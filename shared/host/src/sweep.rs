//! What delivery missed, on every platform: events are delivered at best effort, and the log itself has them for ninety days and more. A
//! sweep reads it again, from where the last one ended; what was audited before is known by its id and changes nothing.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use onus_core::{Clock, Cloud, Ledger};
use onus_pipeline::{Baseline, Recorded, Records, Ticked, lock};
use serde::Serialize;

use crate::audit::PayloadAuditor;
use crate::failure::Failure;

/// How much time is looked at between two checkpoints. Small enough that one slice fits into an invocation: at `CloudTrail`'s two
/// requests a second and fifty events each, fourteen minutes are enough for 84,000 events.
const SLICE: SignedDuration = SignedDuration::from_mins(15);

/// How far a slice reaches back before the last checkpoint: logs list most events within fifteen minutes.
const OVERLAP: SignedDuration = SignedDuration::from_mins(20);

/// How far back the first sweep of all reaches.
const FIRST: SignedDuration = SignedDuration::from_hours(1);

/// How far back `LookupEvents` and the Activity Log reach, less an hour.
const REACH: SignedDuration = SignedDuration::from_hours(90 * 24 - 1);

/// How much time has to be left to begin another page.
const SPARE: SignedDuration = SignedDuration::from_secs(60);

/// The log did not answer, or refused.
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

/// Sweeps the log of one account, and of one region where a log is of a region.
pub struct Sweep {
    /// Audits what is found.
    pub audit: Arc<PayloadAuditor>,
    /// The log.
    pub lookup: Arc<dyn Lookup>,
    /// Keeps how far it was looked at.
    pub ledger: Arc<dyn Ledger>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Whose log it is.
    pub cloud: Cloud,
    /// The region; `global` where the log knows none.
    pub region: String,
    /// Records the guarded resources of this account, once a day.
    pub baseline: Option<(Baseline, String)>,
}

/// What a sweep did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Swept {
    /// Slices of time that were looked at from end to end.
    pub slices: u32,
    /// Changes that were audited, those that had been delivered included.
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

impl Sweep {
    /// Handles one tick of a timer that lets an invocation take this long.
    ///
    /// # Errors
    /// As [`Sweep::run`].
    pub async fn tick(&self, invocation: SignedDuration) -> Result<Swept, Failure> {
        self.run(self.clock.now() + invocation).await
    }

    /// Sweeps, and does what is due without an event, whether or not the sweep failed.
    ///
    /// # Errors
    /// The log, the ledger, or what an audit needs did not answer. The next sweep begins with the slice that failed.
    pub async fn run(&self, deadline: Timestamp) -> Result<Swept, Failure> {
        let swept = self.slices(deadline).await;
        let due = self.audit.schedule(self.cloud).tick(deadline - SPARE).await;
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
        let recorded = baseline.record(self.cloud, account, &self.region).await?;
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
        let mut since = self.checkpoint(now).await?;
        loop {
            let from = since.unwrap_or(now - FIRST).max(now - REACH);
            if from >= now {
                break;
            }
            let to = (from + SLICE).min(now);
            if !self.slice_alone(since, from..to, deadline, &mut swept).await? {
                break;
            }
            swept.slices += 1;
            swept.until = Some(to);
            since = Some(to);
        }
        tracing::info!(slices = swept.slices, changes = swept.changes, findings = swept.findings, "swept");
        Ok(swept)
    }

    /// Audits the slice that begins at a checkpoint and sets the next one; whether it did.
    ///
    /// Only one sweep at a time is at it: else the checkpoint of one would pass over what another has begun and failed on, and nobody would
    /// come back to that. Who has set the next checkpoint keeps the lease, so that no handler that has not seen it begins here again.
    async fn slice_alone(
        &self,
        checkpoint: Option<Timestamp>,
        slice: Range<Timestamp>,
        deadline: Timestamp,
        swept: &mut Swept,
    ) -> Result<bool, Failure> {
        let records = Records::new(Arc::clone(&self.ledger));
        let name = format!("sweep/{}/{}", self.region, checkpoint.map_or_else(|| "first".to_owned(), stamp));
        let now = self.clock.now();
        let held = match lock::take(&records, &name, now, deadline.duration_since(now)).await? {
            Ok(held) => held,
            Err(until) => {
                tracing::info!(from = %slice.start, %until, "another sweep is at it");
                return Ok(false);
            }
        };
        let audited = self.slice(slice.start - OVERLAP, slice.end, deadline, swept).await;
        if !matches!(audited, Ok(true)) {
            let released = held.release(&records).await;
            if !audited? {
                tracing::warn!(from = %slice.start, to = %slice.end, "no time left, the next sweep begins here");
            }
            released?;
            return Ok(false);
        }
        self.ledger.create(&checkpoint_key(&self.region, slice.end), Vec::new()).await?;
        Ok(true)
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
            // Together: the beginning and the end of an operation may stand in records of their own.
            let audited = self.audit.audit_all(&page.records).await?;
            swept.changes += audited.changes;
            swept.findings += audited.findings.len();
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
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// `sweeps/us-east-1/2026-01-31/20260131T235959Z`: keys sort by time, and a day's are listed together.
fn checkpoint_key(region: &str, end: Timestamp) -> String {
    format!("sweeps/{region}/{}/{}", day(end), stamp(end))
}

fn stamp(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn checkpoint_time(key: &str) -> Option<Timestamp> {
    key.rsplit('/').next()?.parse().ok()
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests;
