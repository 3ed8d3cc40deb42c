//! What the ledger holds: every key and every form, in one place.
//!
//! | key | entry | written by |
//! |---|---|---|
//! | `claims/<cloud>/<change>/<rule>.json` | [`Claim`] | audit |
//! | `findings/<id>.json` | [`Finding`] | audit |
//! | `records/<id>.json` | [`KeptRecord`]: what the finding was read from | audit |
//! | `exempted/<exemption>/<id>` | [`Suppressed`] | both |
//! | `exempting/<exemption>` | empty object: the exemption has suppressed something | both |
//! | `judged/<id>/review-<exemption>.json` | [`Review`]: judged anew after the exemption had ended | the schedule |
//! | `reviewed/<exemption>/<id>` | the same: the index by exemption | the schedule |
//! | `days/<yyyy-mm-dd>/<id>` | empty: the index by day of the change, UTC | audit |
//! | `judged/<id>/<audit or respond>-<hash>.json` | [`Judgement`]: what the policy decided, and by which line | both |
//! | `told/<id>/<notice>/<sink>` | [`Head`]: the sink took the notice, after that link | both |
//! | `asked/<id>` | [`Head`]: a response was asked for, after that link | audit |
//! | `plans/<id>/<plan>.json` | [`PlanRecord`] | respond |
//! | `waiting/<yyyy-mm-dd>/<id>/<plan>` | [`Waiting`], by the day it was shown, UTC | respond |
//! | `settled/<yyyy-mm-dd>/<id>/<plan>` | empty object: answered, or an alarm told that nobody did | the schedule |
//! | `requests/<id>/link-<nonce>.json` | [`Request`]: the one answer that an approval link gives | the approval endpoint |
//! | `requests/<id>/<verb>-<n>.json` | [`Request`] | people |
//! | `decisions/<id>.json` | [`Job`]: the first of approve and deny | respond |
//! | `attempts/<id>/<attempt>/intent.json` | [`Intent`], before the first write; `respond-001`, `undo-001.1` | respond |
//! | `attempts/<id>/<attempt>/sent-<step>.json` | [`Sent`] | respond |
//! | `receipts/<id>/<respond, undo-n or refused-hash>.json` | [`Receipt`] | respond |
//! | `alarms/<id>/<notice>.json` | [`Alarm`] | both |
//! | `budgets/<yyyy-mm-ddThh>/<n>.json` | [`Slots`]: the hour's n-th booking of writes that nobody approved | respond |
//! | `budgets/<yyyy-mm-ddThh>/alarms/<limit>.json` | [`SharedAlarm`]: the limit was reached | respond |
//! | `contests/<resource and remediation>/<yyyy-mm-ddThh>/<moment>.{responded,stopped}.…` | empty, or [`Stopped`] | respond |
//! | `evidence/<id>/<n>.json` | [`Link`]: hashes of the entries above, chained | both |
//! | `states/<resource>/<part>/…` | what was read, see `src/records/states.rs` | all |
//! | `contests/<resource and remediation>/alarms/<id>.json` | [`SharedAlarm`]: others undo the responses | respond |
//! | `locks/<resource>/<n>/{taken,released}.json` | see `src/lock.rs` | respond |
//! | `locks/sweep/<region>/<checkpoint>/<n>/{taken,released}.json` | the slice that begins there is being audited | the sweep |
//!
//! Top-level names are apart so that roles can be: who may only ask needs to create in `requests/`, nothing else.
//! Ids that somebody else chose are hashed or percent-encoded before they become a segment.

mod contests;
mod entry;
mod evidence;
mod exemptions;
mod key;
mod slots;
mod states;
mod traces;
mod verify;
mod waiting;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use onus_core::{ChangeSummary, Cloud, Created, Finding, FindingId, Ledger, Notice, Receipt, Sent};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use entry::{
    Alarm, Claim, Fate, History, Intent, Judge, Judgement, PlanRecord, Request, SharedAlarm, Slots, Stopped,
};
pub use evidence::{Head, Link, Vouched};
pub use exemptions::{KeptRecord, Review, Reviewed, Suppressed};
pub(crate) use key::{alarm_key, exempted_key, hashed, kind_name, resource_lock};
use key::{claim_key, day_key, finding_key, receipt_name, told_key};
pub use traces::Traces;
pub use verify::Chain;
pub use waiting::Waiting;

use crate::error::RecordError;
use crate::job::Job;

/// The ledger, typed.
#[derive(Clone)]
pub struct Records(Arc<dyn Ledger>);

impl Records {
    /// Types a ledger.
    pub fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self(ledger)
    }

    pub(crate) async fn put<T: Serialize>(&self, key: &str, entry: &T) -> Result<Created, RecordError> {
        Ok(self.put_hashed(key, entry).await?.0)
    }

    /// The same, with the SHA-256 of what would be there if the create was the first.
    async fn put_hashed<T: Serialize>(&self, key: &str, entry: &T) -> Result<(Created, String), RecordError> {
        let corrupt = |source| RecordError::Corrupt { key: key.to_owned(), source };
        let bytes = serde_json::to_vec(entry).map_err(corrupt)?;
        let hash = evidence::sha256(&bytes);
        Ok((self.0.create(key, bytes).await?, hash))
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, RecordError> {
        let corrupt = |source| RecordError::Corrupt { key: key.to_owned(), source };
        self.0.read(key).await?.map(|bytes| serde_json::from_slice(&bytes).map_err(corrupt)).transpose()
    }

    pub(crate) async fn keys(&self, prefix: &str) -> Result<Vec<String>, RecordError> {
        Ok(self.0.list(prefix).await?)
    }

    async fn all<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<T>, RecordError> {
        let mut entries = Vec::new();
        for key in self.keys(prefix).await? {
            entries.extend(self.get(&key).await?);
        }
        Ok(entries)
    }

    /// Claims a rule on a change.
    pub(crate) async fn claim(&self, change: &ChangeSummary, claim: &Claim) -> Result<Created, RecordError> {
        self.put(&claim_key(change.cloud, &change.uid, &claim.rule), claim).await
    }

    /// The claim of a rule on a change, if anybody made it.
    pub(crate) async fn claimed(&self, cloud: Cloud, change: &str, rule: &str) -> Result<Option<Claim>, RecordError> {
        self.get(&claim_key(cloud, change, rule)).await
    }

    /// Keeps a finding, and lists it under the day of its change. Returns what is kept: the first of that id.
    pub(crate) async fn keep(&self, finding: Finding) -> Result<Finding, RecordError> {
        let key = finding_key(&finding.id);
        let kept = match self.put(&key, &finding).await? {
            Created::New => finding,
            Created::Existed => self.get(&key).await?.unwrap_or(finding),
        };
        self.0.create(&day_key(&kept), Vec::new()).await?;
        Ok(kept)
    }

    /// A finding by id; `None` when there is none.
    ///
    /// # Errors
    /// The ledger failed, or the entry cannot be read.
    pub async fn finding(&self, id: &FindingId) -> Result<Option<Finding>, RecordError> {
        self.get(&finding_key(id)).await
    }

    /// The ids of findings on changes made from one day through another (UTC), by day, then id. One request per day.
    ///
    /// # Errors
    /// The ledger failed.
    pub async fn findings(&self, from: Date, through: Date) -> Result<Vec<FindingId>, RecordError> {
        let mut ids = Vec::new();
        let mut next = Some(from);
        while let Some(day) = next.filter(|day| *day <= through) {
            let keys = self.keys(&format!("days/{day}")).await?;
            ids.extend(keys.iter().filter_map(|key| key.rsplit('/').next()?.parse::<FindingId>().ok()));
            next = day.tomorrow().ok();
        }
        Ok(ids)
    }

    /// Everything about one finding; `None` when there is none of that id.
    ///
    /// # Errors
    /// The ledger failed, or an entry cannot be read.
    pub async fn history(&self, id: &FindingId) -> Result<Option<History>, RecordError> {
        let Some(finding) = self.finding(id).await? else { return Ok(None) };
        let told = self.keys(&format!("told/{id}")).await?;
        let prefix = format!("told/{id}/");
        let mut history = History {
            claim: self.claimed(finding.change.cloud, &finding.change.uid, &finding.rule).await?,
            plans: self.all(&format!("plans/{id}")).await?,
            requests: self.all(&format!("requests/{id}")).await?,
            attempts: self.attempts(id).await?,
            receipts: self.all(&format!("receipts/{id}")).await?,
            alarms: self.all(&format!("alarms/{id}")).await?,
            told: told.iter().filter_map(|key| key.strip_prefix(&prefix)).map(str::to_owned).collect(),
            finding,
        };
        history.plans.sort_by_key(|plan| plan.at);
        history.requests.sort_by_key(|request| request.at);
        history.receipts.sort_by_key(|receipt| receipt.at);
        history.alarms.sort_by_key(|alarm| alarm.at);
        Ok(Some(history))
    }

    /// Puts down a person's request. The respond function picks it up; the key is returned.
    ///
    /// # Errors
    /// The ledger failed.
    pub async fn request(&self, job: &Job, at: Timestamp) -> Result<String, RecordError> {
        let request = Request { job: job.clone(), at };
        let prefix = format!("requests/{}", job.finding());
        let mut number = self.keys(&prefix).await?.len() + 1;
        loop {
            let key = format!("{prefix}/{}-{number}.json", job.verb());
            match self.put(&key, &request).await? {
                Created::New => return Ok(key),
                Created::Existed => number += 1,
            }
        }
    }

    /// The job of a request, by its key, as a store's notification names it. `None` when there is none, or when the entry is about
    /// another finding than its key says.
    ///
    /// # Errors
    /// The ledger failed, or the entry is no request.
    pub async fn requested(&self, key: &str) -> Result<Option<Job>, RecordError> {
        let named = key.strip_prefix("requests/").and_then(|rest| rest.split('/').next());
        let request: Option<Request> = self.get(key).await?;
        Ok(request.map(|request| request.job).filter(|job| named == Some(job.finding().as_str())))
    }

    /// Keeps a plan that is shown, by its calls. Returns what is kept: the first of those calls.
    pub(crate) async fn keep_plan(&self, record: PlanRecord) -> Result<PlanRecord, RecordError> {
        let key = format!("plans/{}/{}.json", record.plan.finding, record.plan.key());
        match self.put(&key, &record).await? {
            Created::New => Ok(record),
            Created::Existed => Ok(self.get(&key).await?.unwrap_or(record)),
        }
    }

    pub(crate) async fn plans(&self, id: &FindingId) -> Result<Vec<PlanRecord>, RecordError> {
        self.all(&format!("plans/{id}")).await
    }

    /// Approve or deny, whichever comes first; answers which one counts.
    pub(crate) async fn decided(&self, job: &Job) -> Result<Job, RecordError> {
        let key = format!("decisions/{}.json", job.finding());
        match self.put(&key, job).await? {
            Created::New => Ok(job.clone()),
            Created::Existed => Ok(self.get(&key).await?.unwrap_or_else(|| job.clone())),
        }
    }

    /// What was begun for a finding, in order: name and intent.
    pub(crate) async fn attempts(&self, id: &FindingId) -> Result<Vec<(String, Intent)>, RecordError> {
        let mut attempts = Vec::new();
        for key in self.keys(&format!("attempts/{id}")).await? {
            let Some(name) = key.strip_suffix("/intent.json").and_then(|rest| rest.rsplit('/').next()) else {
                continue;
            };
            if let Some(intent) = self.get(&key).await? {
                attempts.push((name.to_owned(), intent));
            }
        }
        Ok(attempts)
    }

    pub(crate) async fn intend(&self, id: &FindingId, name: &str, intent: &Intent) -> Result<Created, RecordError> {
        self.put(&format!("attempts/{id}/{name}/intent.json"), intent).await
    }

    pub(crate) async fn keep_sent(
        &self,
        id: &FindingId,
        name: &str,
        step: usize,
        sent: &Sent,
    ) -> Result<(), RecordError> {
        self.put(&format!("attempts/{id}/{name}/sent-{step}.json"), sent).await?;
        Ok(())
    }

    /// What is known to have been sent in an attempt, by step from 0.
    pub(crate) async fn sent(&self, id: &FindingId, name: &str, step: usize) -> Result<Option<Sent>, RecordError> {
        self.get(&format!("attempts/{id}/{name}/sent-{step}.json")).await
    }

    /// The receipt of the response; `None` while there is none (refusals before any write do not count).
    ///
    /// # Errors
    /// The ledger failed, or the entry cannot be read.
    pub async fn response(&self, id: &FindingId) -> Result<Option<Receipt>, RecordError> {
        self.get(&format!("receipts/{id}/respond.json")).await
    }

    /// The receipts of undos, in order (refusals before any write do not count).
    ///
    /// # Errors
    /// The ledger failed, or an entry cannot be read.
    pub async fn undos(&self, id: &FindingId) -> Result<Vec<Receipt>, RecordError> {
        let mut receipts = Vec::new();
        for number in 1.. {
            match self.get(&format!("receipts/{id}/undo-{number}.json")).await? {
                Some(receipt) => receipts.push(receipt),
                None => break,
            }
        }
        Ok(receipts)
    }

    /// Keeps a receipt. Returns what is kept: the first of its kind.
    pub(crate) async fn keep_receipt(&self, receipt: Receipt, undos: usize) -> Result<(Receipt, Created), RecordError> {
        let key = format!("receipts/{}/{}.json", receipt.finding, receipt_name(&receipt, undos));
        let created = self.put(&key, &receipt).await?;
        let kept = match created {
            Created::New => receipt,
            Created::Existed => self.get(&key).await?.unwrap_or(receipt),
        };
        Ok((kept, created))
    }

    /// Keeps an alarm that is told once. Returns what is kept: the first under that key.
    pub(crate) async fn share_alarm(&self, key: &str, alarm: SharedAlarm) -> Result<SharedAlarm, RecordError> {
        match self.put(key, &alarm).await? {
            Created::New => Ok(alarm),
            Created::Existed => Ok(self.get(key).await?.unwrap_or(alarm)),
        }
    }

    /// Approve or deny, if somebody decided.
    pub(crate) async fn decision(&self, id: &FindingId) -> Result<Option<Job>, RecordError> {
        self.get(&format!("decisions/{id}.json")).await
    }

    pub(crate) async fn keep_alarm(&self, notice: &Notice) -> Result<(), RecordError> {
        if let Notice::Alarm { reason, at, .. } = notice {
            let alarm = Alarm { reason: reason.clone(), at: *at };
            self.put(&alarm_key(notice), &alarm).await?;
        }
        Ok(())
    }

    /// Keeps what the policy decided, once for each decision; returns the key.
    pub(crate) async fn keep_judgement(&self, id: &FindingId, judgement: &Judgement) -> Result<String, RecordError> {
        let key = format!("judged/{id}/{}.json", judgement.name());
        self.put(&key, judgement).await?;
        Ok(key)
    }

    /// Whether a sink took a notice.
    pub(crate) async fn is_told(&self, notice: &Notice, sink: &str) -> Result<bool, RecordError> {
        Ok(self.0.read(&told_key(notice, sink)).await?.is_some())
    }

    /// Whether a response was asked for.
    pub(crate) async fn is_asked(&self, id: &FindingId) -> Result<bool, RecordError> {
        Ok(self.0.read(&format!("asked/{id}")).await?.is_some())
    }

    pub(crate) async fn mark_asked(&self, id: &FindingId, after: &Head) -> Result<(), RecordError> {
        self.put(&format!("asked/{id}"), after).await?;
        Ok(())
    }

    pub(crate) async fn mark_told(&self, notice: &Notice, sink: &str, after: &Head) -> Result<(), RecordError> {
        self.put(&told_key(notice, sink), after).await?;
        Ok(())
    }
}
