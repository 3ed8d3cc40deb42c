//! The account of an hour's writes: a log that grows by creating its next number.
//!
//! Whoever creates `budgets/<hour>/<n>.json` has read every entry before it, or the number would not be theirs to take. So each entry
//! was right when it was made, for all limits at once, and no two handlers count on the same slot.

use futures::{StreamExt, TryStreamExt, stream};
use onus_core::Created;

use super::Records;
use super::entry::Slots;
use crate::error::RecordError;

/// How many entries are read at a time.
const AT_A_TIME: usize = 16;

impl Records {
    /// What was booked in an hour, in order.
    pub(crate) async fn slots(&self, hour: &str) -> Result<Vec<Slots>, RecordError> {
        let prefix = format!("budgets/{hour}/");
        let keys = self.keys(&format!("budgets/{hour}")).await?;
        let number = |key: &String| key.strip_prefix(&prefix)?.strip_suffix(".json")?.parse::<usize>().ok();
        let last = keys.iter().filter_map(number).max().unwrap_or(0);
        let reads: Vec<_> = (1..=last).map(|number| self.slot(hour, number)).collect();
        let entries: Vec<Option<Slots>> = stream::iter(reads).buffered(AT_A_TIME).try_collect().await?;
        // A gap cannot be; were there one, nothing after it may count as read.
        Ok(entries.into_iter().map_while(|entry| entry).collect())
    }

    /// The n-th entry of an hour, from 1.
    pub(crate) async fn slot(&self, hour: &str, number: usize) -> Result<Option<Slots>, RecordError> {
        self.get(&format!("budgets/{hour}/{number}.json")).await
    }

    /// Books the n-th entry of an hour. [`Created::Existed`]: somebody was faster, and what they booked has to be read first.
    pub(crate) async fn book(&self, hour: &str, number: usize, slots: &Slots) -> Result<Created, RecordError> {
        self.put(&format!("budgets/{hour}/{number}.json"), slots).await
    }
}
