//! How many responses may be carried out in an hour without a person: bounds what a wrong rule, or a tug of war with another
//! automation, can do.
//!
//! `budgets/<hour>/<n>.json` is the n-th slot of an hour (UTC). A slot is taken by creating it, so no two handlers take the same one.
//! A handler that dies after taking its slot has spent it.

use jiff::tz::Offset;
use onus_core::Created;

use super::{Responder, Task};
use crate::error::HandleError;

impl Responder {
    /// Takes a slot of this hour; the inner error says that there is none.
    pub(super) async fn take_slot(&self, task: &Task<'_>) -> Result<Result<(), String>, HandleError> {
        let slots = self.policy.settings.responses_per_hour;
        let hour = Offset::UTC.to_datetime(self.clock.now()).strftime("%Y-%m-%dT%H").to_string();
        let prefix = format!("budgets/{hour}");
        let taken = u32::try_from(self.records.keys(&prefix).await?.len()).unwrap_or(u32::MAX);
        for slot in taken.saturating_add(1)..=slots {
            let key = format!("{prefix}/{slot}.json");
            if self.records.put(&key, &task.finding.id).await? == Created::New {
                return Ok(Ok(()));
            }
        }
        Ok(Err(format!("the {slots} responses of this hour (`settings.responses_per_hour`) are used up")))
    }
}
