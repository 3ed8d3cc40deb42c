//! One writer per resource, out of creates alone.
//!
//! `locks/<resource>/<n>/taken.json` is the n-th lease: whoever creates it holds the resource until its end or until
//! `…/released.json`. Only the last lease counts, and the next one can be created only by one. A holder that dies is
//! waited out; a holder that outlives its lease must not write any more, which [`Held::is_valid`] tells before each write.

use jiff::{SignedDuration, Timestamp};
use onus_core::Created;
use serde::{Deserialize, Serialize};

use crate::error::RecordError;
use crate::records::Records;

#[derive(Debug, Serialize, Deserialize)]
struct Lease {
    until: Timestamp,
}

/// A lease that this handler holds.
#[derive(Debug)]
pub(crate) struct Held {
    key: String,
    until: Timestamp,
}

impl Held {
    /// Whether writing is still allowed.
    pub(crate) fn is_valid(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// When the lease ends.
    pub(crate) fn until(&self) -> Timestamp {
        self.until
    }

    /// Gives the resource back before the lease ends.
    pub(crate) async fn release(self, records: &Records) -> Result<(), RecordError> {
        records.put(&format!("{}/released.json", self.key), &serde_json::json!({})).await?;
        Ok(())
    }
}

/// Takes a resource, or answers until when it is taken.
///
/// # Errors
/// The ledger failed.
pub(crate) async fn take(
    records: &Records,
    name: &str,
    now: Timestamp,
    lease: SignedDuration,
) -> Result<Result<Held, Timestamp>, RecordError> {
    let prefix = format!("locks/{name}");
    let keys = records.keys(&prefix).await?;
    let number = |key: &String| key.strip_prefix(&prefix)?.split('/').nth(1)?.parse::<u64>().ok();
    let last = keys.iter().filter_map(number).max().unwrap_or(0);
    if last > 0 && !keys.contains(&format!("{prefix}/{last}/released.json")) {
        let held: Option<Lease> = records.get(&format!("{prefix}/{last}/taken.json")).await?;
        if let Some(Lease { until }) = held.filter(|lease| now < lease.until) {
            return Ok(Err(until));
        }
    }
    let until = now.checked_add(lease).unwrap_or(Timestamp::MAX);
    let key = format!("{prefix}/{}", last + 1);
    match records.put(&format!("{key}/taken.json"), &Lease { until }).await? {
        Created::New => Ok(Ok(Held { key, until })),
        Created::Existed => Ok(Err(until)),
    }
}
