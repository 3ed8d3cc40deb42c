//! The model of the sweep: the log is read again from the last checkpoint, and each record is handed to the real auditor once more.
//!
//! It goes about it as `aws-sweep` does (`shared/host/src/sweep.rs`): pages with the latest record first, an overlap because the
//! log shows a record only after a while, a checkpoint in the ledger after all of a slice was audited, no checkpoint where anything
//! may be mended by another try, and one sweep at a time at what begins at a checkpoint.

use std::ops::RangeInclusive;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use onus_core::{Clock, Ledger, LedgerError};
use onus_pipeline::{Auditor, HandleError, Records, lock};

use super::stage::decode;
use super::world::{Fault, ModelChange, START, World};

/// The longest that the log takes to show a record, in seconds.
pub const LAG: i64 = 60;

/// How far a sweep reaches back before the last checkpoint, in seconds: more than the lag and twice what a clock may be off.
const OVERLAP: i64 = LAG + 70;

/// Records on one page.
const PAGE: usize = 4;

/// Audits what the log holds since the last checkpoint, unless another sweep is at it or set one that is ahead of this one's clock.
///
/// # Errors
/// The log, the ledger or an audit failed; the next sweep begins where this one did.
pub async fn sweep(
    world: &Arc<World>,
    ledger: &Arc<dyn Ledger>,
    clock: &dyn Clock,
    auditor: &Auditor,
    lease: SignedDuration,
) -> Result<(), HandleError> {
    let (now, records) = (clock.now(), Records::new(Arc::clone(ledger)));
    let checkpoints = ledger.list("sweeps").await?;
    let last = checkpoints.iter().filter_map(|key| key.rsplit('/').next()?.parse::<i64>().ok()).max();
    if last.is_some_and(|last| last >= now.as_second()) {
        return Ok(());
    }
    let name = format!("sweep/{}", last.map_or_else(|| "first".to_owned(), |at| at.to_string()));
    let Ok(held) = lock::take(&records, &name, now, lease).await? else { return Ok(()) };
    let from = last.unwrap_or(START) - OVERLAP;
    let from = Timestamp::from_second(from).expect("in range");
    if let Err(error) = audit(world, from..=now, auditor).await {
        held.release(&records).await?;
        return Err(error);
    }
    ledger.create(&format!("sweeps/{}", now.as_second()), Vec::new()).await?;
    Ok(())
}

/// Audits one slice, page by page. A failure on one record keeps no other on its page from being audited.
async fn audit(world: &World, slice: RangeInclusive<Timestamp>, auditor: &Auditor) -> Result<(), HandleError> {
    let mut seen = 0;
    loop {
        let page = page(world, &slice, seen).await?;
        if page.is_empty() {
            return Ok(());
        }
        seen += page.len();
        let mut later = Ok(());
        for record in page {
            let change = decode("model", &record.text).expect("the log holds records");
            later = later.and(auditor.handle(&change).await.map(drop));
        }
        later?;
    }
}

/// One page of the log, or its failure.
async fn page(
    world: &World,
    slice: &RangeInclusive<Timestamp>,
    skip: usize,
) -> Result<Vec<Arc<ModelChange>>, HandleError> {
    let fault = world.fault().await;
    if world.throttles() || fault != Fault::None {
        let source = "the log does not answer".into();
        return Err(LedgerError { attempt: "look up", key: "log".to_owned(), retryable: true, source }.into());
    }
    let shown = |change: &Arc<ModelChange>| {
        let listed = change.time.checked_add(SignedDuration::from_secs(change.lag)).expect("in range");
        slice.contains(&change.time) && listed <= world.now()
    };
    let mut changes: Vec<_> = world.changes().into_iter().filter(shown).collect();
    changes.sort_by_key(|change| std::cmp::Reverse((change.time, change.uid.clone())));
    let page = changes.into_iter().skip(skip).take(PAGE).collect();
    world.turn().await;
    Ok(page)
}
