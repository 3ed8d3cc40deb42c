//! From a job to a receipt. The only code that writes to a cloud.

mod attempt;
mod budget;
mod executed;
mod opposition;
mod task;
mod undo;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use onus_core::plan::ReceiptKind;
use onus_core::{
    Caller, Clock, Created, Finding, FindingId, Image, Mode, Notice, Plan, Receipt, ReceiptOutcome, Remediation, Sink,
    Step, TagSources, Tags,
};
use serde::Serialize;

use crate::approval::ApprovalLinks;
use crate::error::HandleError;
use crate::job::Job;
use crate::lock;
use crate::policy::{Policy, Subject};
use crate::ports::{Meter, Pause, Remediations};
use crate::records::{Judge, Judgement, PlanRecord, Records, SharedAlarm, exempted_key, resource_lock};
use crate::tags::{TagLookup, Unknown};
use crate::tell::{Earlier, tell};
use attempt::Approval;
use task::{Stop, Task};

/// Carries out jobs: plans, waits for people, applies, verifies, undoes.
///
/// Doing a job again, at any time and also at the same time, has the effect of doing it once.
pub struct Responder {
    /// How far responses may go, judged anew for each job: what the audit function saw may be hours old.
    pub policy: Arc<Policy>,
    /// The ledger.
    pub records: Records,
    /// Where plans, receipts and alarms are told.
    pub sinks: Vec<Arc<dyn Sink>>,
    /// Reads and writes.
    pub caller: Arc<dyn Caller>,
    /// The account that `caller` acts in, where it is known: a finding in another account is refused.
    pub account: Option<String>,
    /// Remediations by id.
    pub remediations: Remediations,
    /// How tags are read, where the policy selects by them.
    pub tags: TagSources,
    /// Makes links that answer a plan; `None` where nobody listens to them.
    pub links: Option<Arc<ApprovalLinks>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Waits between readings.
    pub pause: Arc<dyn Pause>,
    /// Where it is told how fast changes are contained.
    pub meter: Arc<dyn Meter>,
    /// How long one handler may hold a resource. Longer than a handler can live: the function's timeout and a minute.
    pub lease: SignedDuration,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "done")]
pub enum Done {
    /// The policy lets nobody respond. Nothing was planned.
    NotResponding {
        /// Why.
        reason: String,
    },
    /// The plan was kept and told, and nothing sent.
    Planned {
        /// `plan`: it is shown only. `approve`: it waits for a person.
        mode: Mode,
        /// The plan.
        plan: Box<Plan>,
    },
    /// Something was sent, or nothing had to be.
    Receipt {
        /// What was done.
        receipt: Box<Receipt>,
    },
    /// Nothing was sent, for the reason in the receipt.
    Refused {
        /// The refusal.
        receipt: Box<Receipt>,
    },
    /// An earlier delivery of the job had done it already.
    Already {
        /// What that one did.
        receipt: Box<Receipt>,
    },
}

impl Responder {
    /// Does one job.
    ///
    /// # Errors
    /// The ledger, a sink or the provider failed, or another handler holds the resource. Doing the job again goes on from where this
    /// stopped.
    pub async fn handle(&self, job: &Job) -> Result<Done, HandleError> {
        let id = job.finding();
        let Some(finding) = self.records.finding(id).await? else {
            return Err(HandleError::UnknownFinding { finding: id.clone() });
        };
        match job {
            Job::Respond(_) => self.respond(&finding, "policy", None).await,
            Job::Approve { by, .. } => self.respond(&finding, by, Some(job)).await,
            Job::Deny { by, .. } => self.deny(&finding, by, job).await,
            Job::Undo { by, .. } => self.undo(&finding, by).await,
        }
    }

    async fn respond(&self, finding: &Finding, by: &str, approval: Option<&Job>) -> Result<Done, HandleError> {
        if let Some(receipt) = self.records.response(&finding.id).await? {
            return self.already(finding, receipt).await;
        }
        let tags = match self.tags_of(finding).await? {
            Ok(tags) => tags,
            Err(reason) => return self.refuse(finding, by, ReceiptKind::Respond, reason).await,
        };
        self.judge(finding, tags.as_ref()).await?;
        let task = match self.task(finding, tags.as_ref(), by, ReceiptKind::Respond) {
            Ok(task) => self.recalling(task).await?,
            Err(stop) if approval.is_none() && stop.lets_be() => return self.let_be(finding, &stop).await,
            Err(stop) => return self.refuse(finding, by, ReceiptKind::Respond, stop.reason()).await,
        };
        let mode = self.mode(finding, tags.as_ref(), Some(task.remediation)).mode;
        if mode == Mode::Enforce || (mode == Mode::Approve && approval.is_some()) {
            return self.apply(&task, Approval { by: approval, needed: mode == Mode::Approve }).await;
        }
        if approval.is_some() {
            let reason = format!("the policy's mode is `{mode}`, which lets nobody approve");
            return self.refuse(finding, by, task.kind, reason).await;
        }
        match self.plan(&task).await? {
            Ok((before, steps)) if steps.is_empty() => self.nothing_to_do(&task, before).await,
            Ok((before, steps)) => self.show(&task, mode, before, steps).await,
            Err(reason) => self.refuse(finding, by, task.kind, reason).await,
        }
    }

    /// Nothing is planned. A finding that an exemption suppresses only now, for it was written since or by this clock holds still, is listed under
    /// it: at its end it is judged anew.
    async fn let_be(&self, finding: &Finding, stop: &Stop) -> Result<Done, HandleError> {
        let now = self.clock.now();
        if let Stop::Exempt { id, suppressed, .. } = stop {
            self.records.keep_suppressed(id, finding, suppressed).await?;
            self.records.witness(&finding.id, &[exempted_key(id, &finding.id)], now).await?;
        }
        self.records.witness_all(&finding.id, now).await?;
        Ok(Done::NotResponding { reason: stop.reason() })
    }

    /// A person refuses: recorded as the decision, and as the finding's receipt.
    async fn deny(&self, finding: &Finding, by: &str, job: &Job) -> Result<Done, HandleError> {
        if let Some(receipt) = self.records.response(&finding.id).await? {
            return self.already(finding, receipt).await;
        }
        let reason = match self.records.decided(job).await? {
            Job::Approve { by: earlier, .. } => format!("approved by {earlier} before {by} denied it"),
            _ => format!("denied by {by}"),
        };
        self.refuse(finding, by, ReceiptKind::Respond, reason).await
    }

    /// The resource's tags, where the policy could decide by them. The inner error is a reason not to act; the outer one may pass.
    async fn tags_of(&self, finding: &Finding) -> Result<Result<Option<Tags>, String>, HandleError> {
        let reads = match &self.account {
            Some(account) if *account != finding.change.account => {
                Err("another function acts in its account".to_owned())
            }
            _ => Ok(self.caller.as_ref()),
        };
        let remediation = finding.remedy.as_deref().and_then(self.remediations);
        let safety = remediation.map(|remediation| remediation.spec().safety);
        let mut lookup = TagLookup::new(reads, self.tags, &finding.change);
        match lookup.look(&self.policy, &Subject::from(finding), safety, self.clock.now()).await {
            Ok(tags) => Ok(Ok(tags.cloned())),
            Err(Unknown::Never(reason)) => Ok(Err(reason)),
            Err(Unknown::Later(source)) => {
                Err(HandleError::Call { attempt: "read tags", finding: finding.id.clone(), source })
            }
        }
    }

    /// Keeps what the policy says now. It is chained with what follows from it.
    async fn judge(&self, finding: &Finding, tags: Option<&Tags>) -> Result<(), HandleError> {
        let remediation = finding.remedy.as_deref().and_then(self.remediations);
        let decision = self.mode(finding, tags, remediation);
        let subject = Subject::from(finding).tagged(tags);
        let judgement = Judgement::new(Judge::Respond, &self.policy, &subject, decision, self.clock.now());
        self.records.keep_judgement(&finding.id, &judgement).await?;
        Ok(())
    }

    /// The mode that applies now, exemptions aside.
    fn mode(
        &self,
        finding: &Finding,
        tags: Option<&Tags>,
        remediation: Option<&dyn Remediation>,
    ) -> crate::policy::Decision {
        let safety = remediation.map(|remediation| remediation.spec().safety);
        self.policy.decide(&Subject::from(finding).tagged(tags), safety)
    }

    /// Keeps and tells a plan that nobody carries out now.
    async fn show(&self, task: &Task<'_>, mode: Mode, before: Image, steps: Vec<Step>) -> Result<Done, HandleError> {
        let plan = Plan {
            finding: task.finding.id.clone(),
            remediation: task.remediation.spec().id.to_owned(),
            resource: task.resource.clone(),
            steps,
            before,
        };
        // What was shown before counts from then: telling it again gives the same links.
        let shown = PlanRecord { mode, at: self.clock.now(), plan: plan.clone() };
        let at = self.records.keep_plan(shown).await?.at;
        let mut links = None;
        if mode == Mode::Approve {
            self.records.wait(&plan, at).await?;
            links = self.links.as_ref().map(|links| links.of(&plan, at));
        }
        let finding = Box::new(task.finding.clone());
        let notice = Notice::Planned { finding, mode, plan: Box::new(plan.clone()), at, links };
        let head = self.records.witness_all(&task.finding.id, at).await?;
        tell(&self.records, &self.sinks, &notice, Earlier::Possible, &head).await?;
        Ok(Done::Planned { mode, plan: Box::new(plan) })
    }

    async fn nothing_to_do(&self, task: &Task<'_>, before: Image) -> Result<Done, HandleError> {
        let receipt = Receipt { before, ..self.receipt(task, ReceiptOutcome::NothingToDo) };
        self.finish(task, receipt, 0).await
    }

    /// A receipt with nothing sent yet.
    fn receipt(&self, task: &Task<'_>, outcome: ReceiptOutcome) -> Receipt {
        Receipt {
            finding: task.finding.id.clone(),
            kind: task.kind,
            remediation: task.remediation.spec().id.to_owned(),
            resource: task.resource.clone(),
            outcome,
            at: self.clock.now(),
            by: task.by.to_owned(),
            steps: Vec::new(),
            sent: Vec::new(),
            before: Image::default(),
            after: None,
        }
    }

    /// Keeps a receipt, then tells it. Who keeps it first measures, also when a sink fails: the next delivery is not the first.
    async fn finish(&self, task: &Task<'_>, receipt: Receipt, undos: usize) -> Result<Done, HandleError> {
        let (receipt, created) = self.records.keep_receipt(receipt, undos).await?;
        let told = self.tell_receipt(task.finding, &receipt).await;
        if created == Created::New && receipt.kind == ReceiptKind::Respond {
            self.measure(&receipt.finding).await;
        }
        told?;
        Ok(Done::Receipt { receipt: Box::new(receipt) })
    }

    /// Tells how fast a change was contained, where it was.
    async fn measure(&self, finding: &FindingId) {
        match self.records.containment(finding).await {
            Ok(Some(containment)) => self.meter.contained(&containment).await,
            Ok(None) => {}
            Err(error) => tracing::warn!(%finding, %error, "containment not measured"),
        }
    }

    /// The job was done before; its receipt may not have been told to everybody.
    async fn already(&self, finding: &Finding, receipt: Receipt) -> Result<Done, HandleError> {
        self.tell_receipt(finding, &receipt).await?;
        Ok(Done::Already { receipt: Box::new(receipt) })
    }

    async fn tell_receipt(&self, finding: &Finding, receipt: &Receipt) -> Result<(), HandleError> {
        let head = self.records.witness_all(&finding.id, self.clock.now()).await?;
        let notice = Notice::Responded { finding: Box::new(finding.clone()), receipt: Box::new(receipt.clone()) };
        tell(&self.records, &self.sinks, &notice, Earlier::Possible, &head).await
    }

    /// Nothing is sent. A response that is refused is an alarm, for the finding stands; what a person asked is answered with a
    /// receipt.
    async fn refuse(
        &self,
        finding: &Finding,
        by: &str,
        kind: ReceiptKind,
        reason: String,
    ) -> Result<Done, HandleError> {
        let receipt = Receipt {
            finding: finding.id.clone(),
            kind,
            remediation: finding.remedy.clone().unwrap_or_default(),
            resource: finding.resource().cloned().unwrap_or_default(),
            outcome: ReceiptOutcome::Refused { reason: reason.clone() },
            at: self.clock.now(),
            by: by.to_owned(),
            steps: Vec::new(),
            sent: Vec::new(),
            before: Image::default(),
            after: None,
        };
        let receipt = self.records.keep_receipt(receipt, 0).await?.0;
        if by == "policy" {
            let notice = Notice::Alarm { finding: Box::new(finding.clone()), reason, at: receipt.at };
            self.tell_alarm(&notice, receipt.at).await?;
        } else {
            self.tell_receipt(finding, &receipt).await?;
        }
        Ok(Done::Refused { receipt: Box::new(receipt) })
    }

    /// Keeps and tells an alarm of which there is one under this key, with the finding that met its cause first.
    async fn alarm_once(&self, finding: &Finding, key: &str, reason: String) -> Result<(), HandleError> {
        let alarm = SharedAlarm { finding: finding.id.clone(), reason, at: self.clock.now() };
        let alarm = self.records.share_alarm(key, alarm).await?;
        if alarm.finding != finding.id {
            return Ok(());
        }
        let notice = Notice::Alarm { finding: Box::new(finding.clone()), reason: alarm.reason, at: alarm.at };
        self.tell_alarm(&notice, alarm.at).await
    }

    /// Keeps an alarm, chains it with what else was kept, then tells it.
    async fn tell_alarm(&self, alarm: &Notice, at: Timestamp) -> Result<(), HandleError> {
        self.records.keep_alarm(alarm).await?;
        let head = self.records.witness_all(&alarm.finding().id, at).await?;
        tell(&self.records, &self.sinks, alarm, Earlier::Possible, &head).await
    }

    /// Holds the resource while `work` runs, and gives it back however that ends.
    async fn locked<T>(
        &self,
        task: &Task<'_>,
        work: impl AsyncFnOnce(&lock::Held) -> Result<T, HandleError>,
    ) -> Result<T, HandleError> {
        let name = resource_lock(task.finding, Some(&task.resource));
        let held = match lock::take(&self.records, &name, self.clock.now(), self.lease).await? {
            Ok(held) => held,
            Err(until) => return Err(HandleError::Busy { finding: task.finding.id.clone(), until }),
        };
        let result = work(&held).await;
        let released = held.release(&self.records).await;
        let result = result?;
        if let Err(error) = released {
            // The work is done and kept; the lease ends by itself.
            tracing::warn!(error = &error as &dyn std::error::Error, "lease not released");
        }
        Ok(result)
    }
}

fn call_failed(attempt: &'static str, task: &Task<'_>, source: onus_core::CallError) -> HandleError {
    HandleError::Call { attempt, finding: task.finding.id.clone(), source }
}
