//! How many writes may be sent in an hour without a person: bounds what a wrong rule, a storm of changes or a tug of war can do.
//!
//! A write is a call of a plan that may have changed something: sent, and not answered with a refusal. It counts in the hour (UTC)
//! in which its slot was booked, for the finding's rule, for its account and altogether. All slots of a plan are booked by creating one
//! entry, before the first write, so that a plan is sent whole or waits whole.
//!
//! What an attempt booked and did not send stays the finding's own within the hour, so that the attempt after a crash uses it; what a
//! response that ended did not send is given back.

use jiff::Timestamp;
use jiff::tz::Offset;
use onus_core::{Created, Finding};

use super::executed::Attempt;
use super::{Responder, Task};
use crate::error::HandleError;
use crate::records::{Slots, hashed};

/// A limit that a plan does not fit into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exhausted {
    /// The key of the one alarm about it.
    pub(super) alarm: String,
    /// What a person is told.
    pub(super) reason: String,
}

/// The hour of a moment, as keys name it.
fn hour(at: Timestamp) -> String {
    Offset::UTC.to_datetime(at).strftime("%Y-%m-%dT%H").to_string()
}

impl Responder {
    /// Books a slot for each of so many writes; answers the hour they are booked in, or the limit that they do not fit into.
    pub(super) async fn take_slots(
        &self,
        task: &Task<'_>,
        earlier: &[Attempt],
        writes: usize,
    ) -> Result<Result<String, Exhausted>, HandleError> {
        let hour = hour(self.clock.now());
        let writes = i64::try_from(writes).unwrap_or(i64::MAX);
        let mut booked = self.records.slots(&hour).await?;
        loop {
            let missing = writes.saturating_sub(unspent(&booked, task.finding, earlier, &hour));
            if missing <= 0 {
                return Ok(Ok(hour));
            }
            if let Some(exhausted) = self.exhausted(&booked, task.finding, missing, &hour) {
                return Ok(Err(exhausted));
            }
            let number = booked.len() + 1;
            match self.records.book(&hour, number, &slots(task.finding, missing)).await? {
                Created::New => return Ok(Ok(hour)),
                Created::Existed => match self.records.slot(&hour, number).await? {
                    Some(theirs) => booked.push(theirs),
                    None => booked = self.records.slots(&hour).await?,
                },
            }
        }
    }

    /// Gives back what this hour's attempts at a response booked and did not send. Called when the response has ended.
    pub(super) async fn return_slots(&self, finding: &Finding, attempts: &[Attempt]) -> Result<(), HandleError> {
        let hour = hour(self.clock.now());
        if !attempts.iter().any(|attempt| attempt.intent.hour.as_ref() == Some(&hour)) {
            return Ok(());
        }
        let mut booked = self.records.slots(&hour).await?;
        loop {
            let left = unspent(&booked, finding, attempts, &hour);
            if left <= 0 {
                return Ok(());
            }
            let number = booked.len() + 1;
            match self.records.book(&hour, number, &slots(finding, -left)).await? {
                Created::New => return Ok(()),
                Created::Existed => match self.records.slot(&hour, number).await? {
                    Some(theirs) => booked.push(theirs),
                    None => booked = self.records.slots(&hour).await?,
                },
            }
        }
    }

    /// The narrowest limit that so many more writes would pass.
    fn exhausted(&self, booked: &[Slots], finding: &Finding, missing: i64, hour: &str) -> Option<Exhausted> {
        let budget = self.policy.settings.budget();
        let account = &finding.change.account;
        let sum = |counts: &dyn Fn(&Slots) -> bool| {
            booked.iter().filter(|slots| counts(slots)).fold(0i64, |sum, slots| sum.saturating_add(slots.writes))
        };
        let limits = [
            ("rule", budget.per_rule, sum(&|slots| slots.rule == finding.rule), format!("rule `{}`", finding.rule)),
            ("account", budget.per_account, sum(&|slots| slots.account == *account), format!("account `{account}`")),
            ("total", budget.total, sum(&|_| true), "everything together".to_owned()),
        ];
        limits.into_iter().find(|(_, most, taken, _)| taken.saturating_add(missing) > i64::from(*most)).map(
            |(limit, most, _, what)| Exhausted {
                alarm: format!("budgets/{hour}/alarms/{limit}-{}.json", hashed([what.as_str()])),
                reason: format!(
                    "the budget of {most} writes an hour for {what} is used up in the hour from {hour}:00Z; plans wait for approval"
                ),
            },
        )
    }
}

fn slots(finding: &Finding, writes: i64) -> Slots {
    let (rule, account) = (finding.rule.clone(), finding.change.account.clone());
    Slots { finding: finding.id.clone(), rule, account, writes }
}

/// How many slots of an hour a finding holds and has not used.
fn unspent(booked: &[Slots], finding: &Finding, attempts: &[Attempt], hour: &str) -> i64 {
    let own = booked.iter().filter(|slots| slots.finding == finding.id).map(|slots| slots.writes);
    let spent = attempts.iter().filter(|attempt| attempt.intent.hour.as_deref() == Some(hour)).map(Attempt::writes);
    own.fold(0i64, i64::saturating_add)
        .saturating_sub(spent.map(|writes| i64::try_from(writes).unwrap_or(i64::MAX)).sum::<i64>())
}
