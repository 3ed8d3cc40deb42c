//! A person's answer to a plan that waits: through a link, or not at all.

mod link;

use jiff::{SignedDuration, Timestamp};
use onus_core::{Created, Finding, FindingId, Mode};

pub use link::{Answer, ApprovalKey, ApprovalLinks, BadBase, BadLink, Link, SHORTEST_KEY, ShortKey};

use crate::error::{HandleError, RecordError};
use crate::job::Job;
use crate::records::{PlanRecord, Records, Waiting};
use crate::schedule::{Schedule, Ticked};
use crate::tell::Earlier;

/// How far back the schedule looks for plans that nobody answered, beyond their time. A schedule that stood still for longer
/// alarms by itself.
const REACH: SignedDuration = SignedDuration::from_hours(8 * 24);

/// Why a link that was checked changes nothing.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// The ledger failed.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The ledger does not hold the plan.
    #[error("the ledger holds no such plan")]
    NoPlan,
    /// Another plan has been shown since: the resource has changed.
    #[error("a newer plan was shown: answer that one")]
    Outdated,
    /// Somebody answered, or the response was carried out.
    #[error("it was answered before")]
    Answered,
}

/// What a link is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The finding.
    pub finding: Finding,
    /// The plan.
    pub plan: PlanRecord,
}

/// Reads what a link is about, if it can still be answered. Changes nothing.
///
/// # Errors
/// It cannot, or the ledger failed.
pub async fn shown(records: &Records, link: &Link) -> Result<Shown, Unanswered> {
    let finding = records.finding(&link.finding).await?.ok_or(Unanswered::NoPlan)?;
    let plans = records.plans(&link.finding).await?;
    let newest = plans.iter().map(|plan| plan.at).max();
    let plan = plans.into_iter().find(|record| record.plan.key() == link.plan).ok_or(Unanswered::NoPlan)?;
    if newest.is_some_and(|newest| plan.at < newest) {
        return Err(Unanswered::Outdated);
    }
    if plan.mode != Mode::Approve || records.is_answered(&link.finding).await? {
        return Err(Unanswered::Answered);
    }
    Ok(Shown { finding, plan })
}

/// Puts the answer of a link down as a person's request, which the respond function picks up. The entry's key is made of the
/// link's nonce: creating it is what makes the link good for one use, and `approve` and `deny` of one showing the same.
///
/// # Errors
/// It can no longer be answered, or the ledger failed. After a failure of the ledger the same link may be used again.
pub async fn answer(records: &Records, link: &Link, by: &str, now: Timestamp) -> Result<Job, Unanswered> {
    shown(records, link).await?;
    let (finding, by) = (link.finding.clone(), by.to_owned());
    let job = match link.answer {
        Answer::Approve => Job::Approve { finding, by, plan: Some(link.plan.clone()) },
        Answer::Deny => Job::Deny { finding, by },
    };
    match records.request_once(&job, &link.nonce, now).await? {
        Created::New => Ok(job),
        Created::Existed => Err(Unanswered::Answered),
    }
}

impl Schedule<'_> {
    /// Alarms for each plan that nobody answered in time, once. It can still be answered with `onus approve` and `onus deny`.
    pub(crate) async fn expire(&self, ticked: &mut Ticked) -> Result<(), HandleError> {
        let lives = self.auditor.policy.settings.approval_lives();
        let now = self.auditor.clock.now();
        let until = now.checked_sub(lives).unwrap_or(Timestamp::MIN);
        let from = until.checked_sub(REACH).unwrap_or(Timestamp::MIN);
        for (key, finding) in self.auditor.records.waiting(from, until).await? {
            let Some(waiting) = self.auditor.records.waiting_since(&key).await? else { continue };
            if waiting.at > until {
                continue;
            }
            if self.is_overdue(&finding, &waiting).await?
                && let Some(found) = self.auditor.records.finding(&finding).await?
            {
                let hours = lives.as_hours();
                let reason = format!("nobody approved or denied the plan of {} within {hours} hours", waiting.at);
                self.auditor.alarm_at(found, reason, waiting.at, Earlier::Possible).await?;
                ticked.expired += 1;
            }
            self.auditor.records.settle(&key).await?;
        }
        Ok(())
    }

    /// Whether the plan is the last that was shown, and nobody answered it.
    async fn is_overdue(&self, finding: &FindingId, waiting: &Waiting) -> Result<bool, HandleError> {
        let records = &self.auditor.records;
        if records.is_answered(finding).await? {
            return Ok(false);
        }
        let newest = records.plans(finding).await?.into_iter().max_by_key(|plan| plan.at);
        Ok(newest.is_some_and(|newest| newest.plan.key() == waiting.plan))
    }
}
