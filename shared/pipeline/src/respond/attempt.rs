//! One attempt to carry out a plan, and how the next one goes on where it died.

use onus_core::{Call, Created, Image, PlanError, Receipt, ReceiptOutcome, Sent, Step};

use super::{Done, Responder, Task, call_failed};
use crate::error::HandleError;
use crate::job::Job;
use crate::lock::Held;
use crate::records::{Intent, kind_name};

/// How often the resource is read after the last write before the outcome counts as unverified.
pub(super) const READINGS: u32 = 4;

/// What sending came to.
pub(super) struct Sending {
    pub(super) sent: Vec<Sent>,
    /// The step that failed for good, in words.
    pub(super) failure: Option<String>,
}

impl Responder {
    /// Carries out the plan: intent, writes, reading back, receipt.
    pub(super) async fn apply(&self, task: &Task<'_>, approval: Option<&Job>) -> Result<Done, HandleError> {
        self.locked(task, async |held| {
            // Another handler may have finished while this one waited for the resource.
            match self.records.response(&task.finding.id).await? {
                Some(receipt) => self.already(task.finding, receipt).await,
                None => self.apply_locked(task, approval, held).await,
            }
        })
        .await
    }

    async fn apply_locked(&self, task: &Task<'_>, approval: Option<&Job>, held: &Held) -> Result<Done, HandleError> {
        let earlier = self.earlier(task).await?;
        let (image, steps) = match self.plan(task).await? {
            Ok(planned) => planned,
            Err(reason) if earlier.is_empty() => {
                return self.refuse(task.finding, task.by, task.kind, reason).await;
            }
            Err(reason) => return self.conclude(task, earlier, None, Err(reason)).await,
        };
        if steps.is_empty() && earlier.is_empty() {
            return self.nothing_to_do(task, image).await;
        }
        if steps.is_empty() {
            return self.conclude(task, earlier, None, Ok(image)).await;
        }
        if let Some(approval) = approval {
            if !self.was_shown(task, &steps).await? {
                let reason = "the resource has changed since the plan was shown; a new plan is shown".to_owned();
                self.show(task, onus_core::Mode::Approve, image, steps).await?;
                return self.refuse(task.finding, task.by, task.kind, reason).await;
            }
            if let Job::Deny { by, .. } = self.records.decided(approval).await? {
                return self.refuse(task.finding, task.by, task.kind, format!("denied by {by}")).await;
            }
        }
        // What was begun is finished, and what a person agreed to is theirs.
        if earlier.is_empty()
            && !task.approved
            && let Err(reason) = self.take_slot(task).await?
        {
            return self.refuse(task.finding, task.by, task.kind, reason).await;
        }
        let name = format!("{}-{:03}", kind_name(task.kind), earlier.len() + 1);
        let intent = Intent { by: task.by.to_owned(), at: self.clock.now(), steps, before: image };
        let sending = self.send(task, &name, &intent, held).await?;
        let read_back = match &sending.failure {
            None => self.read_back(task, &intent.before).await,
            Some(failure) => Err(failure.clone()),
        };
        self.conclude(task, earlier, Some((intent, sending)), read_back).await
    }

    /// Earlier attempts at this response that left no receipt, each with what is known to have been sent.
    async fn earlier(&self, task: &Task<'_>) -> Result<Vec<(Intent, Vec<Sent>)>, HandleError> {
        let prefix = format!("{}-", kind_name(task.kind));
        let mut earlier = Vec::new();
        for (name, intent) in self.records.attempts(&task.finding.id).await? {
            if name.starts_with(&prefix) {
                let sent = self.known_sent(task, &name, intent.steps.len()).await?;
                earlier.push((intent, sent));
            }
        }
        Ok(earlier)
    }

    async fn known_sent(&self, task: &Task<'_>, name: &str, steps: usize) -> Result<Vec<Sent>, HandleError> {
        let mut known = Vec::new();
        for step in 0..steps {
            match self.records.sent(&task.finding.id, name, step).await? {
                Some(sent) => known.push(sent),
                None => break,
            }
        }
        Ok(known)
    }

    /// Whether a person saw every one of these calls in one plan. Fewer than shown are fine: the rest is gone already.
    async fn was_shown(&self, task: &Task<'_>, steps: &[Step]) -> Result<bool, HandleError> {
        let shown = self.records.plans(&task.finding.id).await?;
        Ok(shown
            .iter()
            .any(|record| steps.iter().all(|step| record.plan.steps.iter().any(|known| known.call == step.call))))
    }

    /// Puts down what is about to be sent, then sends it in order. Stops at the first failure.
    ///
    /// # Errors
    /// A failure that may pass: the next delivery plans again and sends what is left.
    pub(super) async fn send(
        &self,
        task: &Task<'_>,
        name: &str,
        intent: &Intent,
        held: &Held,
    ) -> Result<Sending, HandleError> {
        let busy = || HandleError::Busy { finding: task.finding.id.clone(), until: held.until() };
        if self.records.intend(&task.finding.id, name, intent).await? == Created::Existed {
            return Err(busy());
        }
        let mut sending = Sending { sent: Vec::new(), failure: None };
        for (index, step) in intent.steps.iter().enumerate() {
            if !held.is_valid(self.clock.now()) {
                return Err(busy());
            }
            let result = self.caller.call(&step.call).await;
            let failure = result.as_ref().err().cloned();
            let sent = Sent { call: step.call.clone(), result };
            if let Some(error) = failure {
                if error.is_retryable() {
                    return Err(call_failed(kind_name(task.kind), task, error));
                }
                sending.sent.push(sent);
                sending.failure = Some(format!("step {} of {}: {error}", index + 1, intent.steps.len()));
                return Ok(sending);
            }
            self.records.keep_sent(&task.finding.id, name, index, &sent).await?;
            sending.sent.push(sent);
        }
        Ok(sending)
    }

    /// Reads until the plan is empty, at most [`READINGS`] times: what was written may take a moment to show.
    async fn read_back(&self, task: &Task<'_>, before: &Image) -> Result<Image, String> {
        let mut problem = String::new();
        for attempt in 0..READINGS {
            if attempt > 0 {
                self.pause.pause(attempt).await;
            }
            match self.read(task).await {
                Err(error) => {
                    problem = format!("cannot read back: {error}");
                    if !error.is_retryable() {
                        break;
                    }
                }
                Ok(image) => match remaining(task, &image) {
                    Ok(0) if !image.same_as(before) => return Ok(image),
                    Ok(0) => "the resource reads as before".clone_into(&mut problem),
                    Ok(left) => problem = format!("reading back shows {left} steps still to do"),
                    Err(error) => problem = format!("cannot plan on what was read back: {error}"),
                },
            }
        }
        Err(problem)
    }

    /// Writes the receipt of all attempts together: what was sent, its inverses, the first image and the last.
    async fn conclude(
        &self,
        task: &Task<'_>,
        earlier: Vec<(Intent, Vec<Sent>)>,
        current: Option<(Intent, Sending)>,
        read_back: Result<Image, String>,
    ) -> Result<Done, HandleError> {
        let mut attempts = earlier;
        attempts.extend(current.map(|(intent, sending)| (intent, sending.sent)));
        let before = attempts.first().map(|(intent, _)| intent.before.clone()).unwrap_or_default();
        let later: Vec<Vec<Call>> = attempts
            .iter()
            .skip(1)
            .map(|(intent, _)| intent.steps.iter().map(|step| step.call.clone()).collect())
            .chain([Vec::new()])
            .collect();
        let mut receipt = self.receipt(task, ReceiptOutcome::Verified);
        for ((intent, sent), planned_next) in attempts.into_iter().zip(later) {
            receipt.steps.extend(executed(&intent, &sent, &planned_next));
            receipt.sent.extend(sent);
        }
        match read_back {
            Ok(after) => {
                if after.same_as(&before) {
                    receipt.outcome = ReceiptOutcome::Unverified { reason: "the resource reads as before".to_owned() };
                }
                receipt.after = Some(after);
            }
            Err(reason) => {
                receipt.outcome = ReceiptOutcome::Unverified { reason };
                receipt.after = self.read(task).await.ok();
            }
        }
        self.finish(task.finding, Receipt { before, ..receipt }, 0).await
    }
}

/// How many steps are left.
fn remaining(task: &Task<'_>, image: &Image) -> Result<usize, PlanError> {
    Ok(task.remediation.plan(task.finding, image)?.len())
}

/// The steps of an attempt that took effect: those with an answer, and the one a handler died over if the next plan no
/// longer has it.
fn executed(intent: &Intent, sent: &[Sent], planned_next: &[Call]) -> Vec<Step> {
    let answered = sent.iter().filter(|sent| sent.result.is_ok()).count();
    let refused = sent.iter().any(|sent| sent.result.is_err());
    let mut steps: Vec<Step> = intent.steps.iter().take(answered).cloned().collect();
    let unknown = intent.steps.get(answered).filter(|_| !refused);
    steps.extend(unknown.filter(|step| !planned_next.contains(&step.call)).cloned());
    steps
}
