//! One writer per resource, and one sweep per slice of the log, out of creates alone.
//!
//! `locks/<name>/<n>/taken.json` is the n-th lease of a name: whoever creates it holds what is named until its end or until
//! `…/released.json`. Only the last lease counts, and the next one can be created only by one. A holder that dies is
//! waited out; a holder that outlives its lease must not write any more, which [`Held::is_valid`] tells before each write.
//!
//! Handlers' clocks differ. So a lease of somebody else counts for [`SKEW`] longer than it says, and the holder begins no write in
//! its last [`CALL`]: between the last effect of one and the first reading of the next there is no moment that both count as theirs,
//! as long as clocks are at most `SKEW` apart and a call ends within `CALL`. The platforms keep their clocks within a second; what
//! a provider does with a request after its client gave up is beyond any lease. A lease of less than three minutes leaves a third
//! of itself for clocks and a sixth for a call.

use jiff::{SignedDuration, Timestamp};
use onus_core::Created;
use serde::{Deserialize, Serialize};

use crate::error::RecordError;
use crate::records::Records;

/// How far apart the clocks of two handlers may be.
pub(crate) const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// How long a call may take, from the look at the clock before it to its effect: the callers' time-outs, their own retries included.
pub(crate) const CALL: SignedDuration = SignedDuration::from_secs(30);

/// What a lease leaves for clocks that differ, and for a call.
fn margins(lease: SignedDuration) -> (SignedDuration, SignedDuration) {
    (SKEW.min(lease / 3), CALL.min(lease / 6))
}

#[derive(Debug, Serialize, Deserialize)]
struct Lease {
    until: Timestamp,
}

/// A lease that this handler holds.
#[derive(Debug)]
pub struct Held {
    key: String,
    until: Timestamp,
    /// When the last write may begin.
    last: Timestamp,
}

impl Held {
    /// Whether a write may still begin.
    pub(crate) fn is_valid(&self, now: Timestamp) -> bool {
        now < self.last
    }

    /// When the lease ends.
    pub(crate) fn until(&self) -> Timestamp {
        self.until
    }

    /// Gives back what is held before the lease ends.
    ///
    /// # Errors
    /// The ledger failed. The lease ends at its time all the same.
    pub async fn release(self, records: &Records) -> Result<(), RecordError> {
        records.put(&format!("{}/released.json", self.key), &serde_json::json!({})).await?;
        Ok(())
    }
}

fn later(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(if span.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}

/// Takes what is named, or answers until when it is taken.
///
/// # Errors
/// The ledger failed.
pub async fn take(
    records: &Records,
    name: &str,
    now: Timestamp,
    lease: SignedDuration,
) -> Result<Result<Held, Timestamp>, RecordError> {
    let (skew, call) = margins(lease);
    let prefix = format!("locks/{name}");
    let keys = records.keys(&prefix).await?;
    let number = |key: &String| key.strip_prefix(&prefix)?.split('/').nth(1)?.parse::<u64>().ok();
    let last = keys.iter().filter_map(number).max().unwrap_or(0);
    if last > 0 && !keys.contains(&format!("{prefix}/{last}/released.json")) {
        let held: Option<Lease> = records.get(&format!("{prefix}/{last}/taken.json")).await?;
        if let Some(until) = held.map(|lease| later(lease.until, skew)).filter(|until| now < *until) {
            return Ok(Err(until));
        }
    }
    let until = later(now, lease);
    let key = format!("{prefix}/{}", last + 1);
    match records.put(&format!("{key}/taken.json"), &Lease { until }).await? {
        Created::New => Ok(Ok(Held { last: later(until, -call), key, until })),
        Created::Existed => Ok(Err(until)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Records {
        Records::new(onus_ledger::open("memory://", &onus_ledger::Options::default()).expect("memory opens"))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("in range")
    }

    const LEASE: SignedDuration = SignedDuration::from_mins(3);

    #[tokio::test]
    async fn at_no_moment_may_two_handlers_write_however_their_clocks_differ() {
        let mut wrong = Vec::new();
        for skew in [-60, -59, -30, 0, 1, 59, 60] {
            for true_time in 0..400 {
                let records = records();
                let Ok(first) = take(&records, "it", at(0), LEASE).await.expect("memory answers") else {
                    panic!("nobody holds it")
                };
                let second = take(&records, "it", at(true_time + skew), LEASE).await.expect("memory answers");
                // A write that the first began is over after `CALL` at the latest.
                let begun = true_time - CALL.as_secs();
                if second.is_ok() && first.is_valid(at(begun.max(0))) {
                    wrong.push((skew, true_time));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[tokio::test]
    async fn a_short_lease_can_be_used_and_is_over_soon() {
        let (records, second) = (records(), SignedDuration::from_secs(6));
        let Ok(held) = take(&records, "it", at(0), second).await.expect("answers") else { panic!("free") };
        assert!(held.is_valid(at(4)) && !held.is_valid(at(5)));
        assert!(take(&records, "it", at(7), second).await.expect("answers").is_err());
        assert!(take(&records, "it", at(8), second).await.expect("answers").is_ok());
    }

    #[tokio::test]
    async fn a_lease_that_is_given_back_or_over_can_be_taken_by_one() {
        let records = records();
        let Ok(held) = take(&records, "it", at(0), LEASE).await.expect("answers") else { panic!("free") };
        let busy = take(&records, "it", at(200), LEASE).await.expect("answers").expect_err("held");
        assert_eq!(busy, at(240), "a minute longer than it says");
        held.release(&records).await.expect("answers");
        let (one, two) = (take(&records, "it", at(200), LEASE), take(&records, "it", at(200), LEASE));
        let (one, two) = futures::join!(one, two);
        let taken = [one, two].into_iter().filter(|taken| taken.as_ref().is_ok_and(Result::is_ok)).count();
        assert_eq!(taken, 1);
    }
}
