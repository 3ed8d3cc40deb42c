//! The model of the sweep: the log is read again from the last checkpoint, and each record is handed to the real auditor once more.
//!
//! It goes about it as `aws-sweep` does (`shared/host/src/sweep.rs`): pages with the latest record first, an overlap because the
//! log shows a record only after a while, a checkpoint in the ledger after all of a slice was audited, and no checkpoint where anything
//! may be mended by another try.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use onus_core::{Clock, Ledger, LedgerError};
use onus_pipeline::{Auditor, HandleError};

use super::stage::decode;
use super::world::{Fault, ModelChange, START, World};

/// The longest that the log takes to show a record, in seconds.
pub const LAG: i64 = 60;

/// How far a sweep reaches back before the last checkpoint, in seconds: more than the lag and twice what a clock may be off.
const OVERLAP: i64 = LAG + 70;

/// Records on one page.
const PAGE: usize = 4;

/// Audits what the log holds since the last checkpoint.
///
/// # Errors
/// The log, the ledger or an audit failed; the next sweep begins where this one did.
pub async fn sweep(
    world: &Arc<World>,
    ledger: &dyn Ledger,
    clock: &dyn Clock,
    auditor: &Auditor,
) -> Result<(), HandleError> {
    let now = clock.now();
    let checkpoints = ledger.list("sweeps").await?;
    let last = checkpoints.iter().filter_map(|key| key.rsplit('/').next()?.parse::<i64>().ok()).max();
    let from = last.unwrap_or(START).min(now.as_second()) - OVERLAP;
    let from = Timestamp::from_second(from).expect("in range");
    let mut seen = 0;
    loop {
        let page = page(world, from, now, seen).await?;
        if page.is_empty() {
            break;
        }
        seen += page.len();
        let mut later = None;
        for record in page {
            let change = decode("model", &record.text).expect("the log holds records");
            if let Err(error) = auditor.handle(&change).await {
                later.get_or_insert(error);
            }
        }
        if let Some(error) = later {
            return Err(error);
        }
    }
    ledger.create(&format!("sweeps/{}", now.as_second()), Vec::new()).await?;
    Ok(())
}

/// One page of the log, or its failure.
async fn page(
    world: &World,
    from: Timestamp,
    to: Timestamp,
    skip: usize,
) -> Result<Vec<Arc<ModelChange>>, HandleError> {
    let fault = world.fault().await;
    if world.throttles() || fault != Fault::None {
        let source = "the log does not answer".into();
        return Err(LedgerError { attempt: "look up", key: "log".to_owned(), retryable: true, source }.into());
    }
    let shown = |change: &Arc<ModelChange>| {
        let listed = change.time.checked_add(SignedDuration::from_secs(change.lag)).expect("in range");
        (from..=to).contains(&change.time) && listed <= world.now()
    };
    let mut changes: Vec<_> = world.changes().into_iter().filter(shown).collect();
    changes.sort_by_key(|change| std::cmp::Reverse((change.time, change.uid.clone())));
    let page = changes.into_iter().skip(skip).take(PAGE).collect();
    world.turn().await;
    Ok(page)
}
