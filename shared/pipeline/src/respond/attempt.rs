//! One attempt to carry out a plan, and how the next one goes on where it died.

use onus_core::{CallErrorKind, Created, Image, Mode, PlanError, Receipt, ReceiptOutcome, Sent, Step};

use super::executed::{Attempt, Left, executed, left};
use super::{Done, Responder, Task, call_failed};
use crate::error::HandleError;
use crate::job::Job;
use crate::lock::Held;
use crate::records::{Intent, kind_name};

/// How often the resource is read after the last write before the outcome counts as unverified.
pub(super) const READINGS: u32 = 4;

/// Why an approval does not count.
const NOT_SHOWN: &str = "the resource has changed since the plan was shown; a new plan is shown";

/// A person's part in a response.
#[derive(Clone, Copy)]
pub(super) struct Approval<'a> {
    /// The job of who approved.
    pub(super) by: Option<&'a Job>,
    /// Whether the policy lets nothing be sent without. Where it does not, who approves what they were shown lets it pass the limits.
    pub(super) needed: bool,
}

/// What sending came to.
pub(super) struct Sending {
    pub(super) sent: Vec<Sent>,
    /// The step that failed for good, in words.
    pub(super) failure: Option<String>,
}

impl Responder {
    /// Carries out the plan: intent, writes, reading back, receipt.
    pub(super) async fn apply(&self, task: &Task<'_>, approval: Approval<'_>) -> Result<Done, HandleError> {
        self.locked(task, async |held| {
            // Another handler may have finished while this one waited for the resource.
            match self.records.response(&task.finding.id).await? {
                Some(receipt) => self.already(task.finding, receipt).await,
                None => self.apply_locked(task, approval, held).await,
            }
        })
        .await
    }

    async fn apply_locked(&self, task: &Task<'_>, approval: Approval<'_>, held: &Held) -> Result<Done, HandleError> {
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
        let hour = match self.permit(task, approval, &earlier, &steps).await? {
            Permit::Given { hour } => hour,
            Permit::Refused(reason) => return self.refuse(task.finding, task.by, task.kind, reason).await,
            Permit::Waits { alarm } => {
                let waiting = self.show(task, Mode::Approve, image, steps).await?;
                if let Some((key, reason)) = alarm {
                    self.alarm_once(task.finding, &key, reason).await?;
                }
                return match approval.by {
                    Some(_) => self.refuse(task.finding, task.by, task.kind, NOT_SHOWN.to_owned()).await,
                    None => Ok(waiting),
                };
            }
        };
        let name = format!("{}-{:03}", kind_name(task.kind), earlier.len() + 1);
        let intent = Intent { by: task.by.to_owned(), at: self.clock.now(), hour, steps, before: image };
        self.note_response(task, &name, intent.at).await?;
        let sending = self.send(task, &name, &intent, held).await?;
        let read_back = match &sending.failure {
            None => self.read_back(task, &intent.before, READINGS).await,
            // What refused may have been there already: a write whose answer was lost, or somebody else's hand.
            Some(failure) => self.read_back(task, &intent.before, 1).await.map_err(|_| failure.clone()),
        };
        self.conclude(task, earlier, Some((intent, sending)), read_back).await
    }

    /// Whether these calls may be sent now: nobody denied them; a person saw and approved them, or else the policy needs nobody, nobody
    /// opposes them and they fit into the budget.
    async fn permit(
        &self,
        task: &Task<'_>,
        approval: Approval<'_>,
        earlier: &[Attempt],
        steps: &[Step],
    ) -> Result<Permit, HandleError> {
        let approved = match approval.by {
            Some(approve) if self.was_shown(task, approve, steps).await? => {
                self.records.decided(approve).await?;
                true
            }
            Some(_) if approval.needed => return Ok(Permit::Waits { alarm: None }),
            _ => false,
        };
        if let Some(Job::Deny { by, .. }) = self.records.decision(&task.finding.id).await? {
            return Ok(Permit::Refused(format!("denied by {by}")));
        }
        if approved {
            return Ok(Permit::Given { hour: None });
        }
        if let Some(alarm) = self.opposed(task, earlier, steps).await? {
            return Ok(Permit::Waits { alarm: Some(alarm) });
        }
        Ok(match self.take_slots(task, earlier, steps.len()).await? {
            Ok(hour) => Permit::Given { hour: Some(hour) },
            Err(exhausted) => Permit::Waits { alarm: Some((exhausted.alarm, exhausted.reason)) },
        })
    }

    /// Earlier attempts at this response that left no receipt, each with what is known to have been sent.
    async fn earlier(&self, task: &Task<'_>) -> Result<Vec<Attempt>, HandleError> {
        let prefix = format!("{}-", kind_name(task.kind));
        let mut earlier = Vec::new();
        for (name, intent) in self.records.attempts(&task.finding.id).await? {
            if name.starts_with(&prefix) {
                let sent = self.known_sent(task, &name, intent.steps.len()).await?;
                earlier.push(Attempt { intent, sent });
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

    /// Whether a person saw every one of these calls in one plan: in the one that the approval names, where it names one. Fewer than
    /// shown are fine: the rest is gone already.
    async fn was_shown(&self, task: &Task<'_>, approval: &Job, steps: &[Step]) -> Result<bool, HandleError> {
        let agreed = match approval {
            Job::Approve { plan, .. } => plan.as_deref(),
            _ => None,
        };
        let shown = self.records.plans(&task.finding.id).await?;
        Ok(shown
            .iter()
            .filter(|record| agreed.is_none_or(|plan| record.plan.key() == plan))
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
        self.records.witness_all(&task.finding.id, self.clock.now()).await?;
        let mut sending = Sending { sent: Vec::new(), failure: None };
        for (index, step) in intent.steps.iter().enumerate() {
            if !held.is_valid(self.clock.now()) {
                return Err(busy());
            }
            let result = self.caller.write(&step.call).await;
            let failure = result.as_ref().err().cloned();
            let sent = Sent { call: step.call.clone(), result };
            // Without an answer nobody knows what became of the call, and nothing is put down as known.
            if failure.as_ref().is_none_or(|error| error.kind != CallErrorKind::Unavailable) {
                self.records.keep_sent(&task.finding.id, name, index, &sent).await?;
            }
            sending.sent.push(sent);
            if let Some(error) = failure {
                if error.is_retryable() {
                    return Err(call_failed(kind_name(task.kind), task, error));
                }
                sending.failure = Some(format!("step {} of {}: {error}", index + 1, intent.steps.len()));
                return Ok(sending);
            }
        }
        Ok(sending)
    }

    /// Reads until the plan is empty, at most so many times: what was written may take a moment to show.
    async fn read_back(&self, task: &Task<'_>, before: &Image, readings: u32) -> Result<Image, String> {
        let mut problem = String::new();
        for attempt in 0..readings {
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
        earlier: Vec<Attempt>,
        current: Option<(Intent, Sending)>,
        read_back: Result<Image, String>,
    ) -> Result<Done, HandleError> {
        let mut attempts = earlier;
        attempts.extend(current.map(|(intent, sending)| Attempt { intent, sent: sending.sent }));
        self.return_slots(task.finding, &attempts).await?;
        if let Ok(image) = &read_back {
            self.remember(task, image).await?;
        }
        let before = attempts.first().map(|attempt| attempt.intent.before.clone()).unwrap_or_default();
        let mut receipt = self.receipt(task, ReceiptOutcome::Verified);
        receipt.steps = executed(&attempts, read_back.is_ok());
        let left = left(task, &attempts);
        receipt.sent = attempts.into_iter().flat_map(|attempt| attempt.sent).collect();
        match read_back {
            Ok(after) => {
                if after.same_as(&before) {
                    receipt.outcome = ReceiptOutcome::Unverified { reason: "the resource reads as before".to_owned() };
                }
                receipt.after = match left {
                    Left::AsRead => Some(after),
                    Left::Exactly(left) => Some(left),
                    Left::Mixed => None,
                };
            }
            Err(reason) => {
                receipt.outcome = ReceiptOutcome::Unverified { reason };
                receipt.after = self.read(task).await.ok();
            }
        }
        self.finish(task, Receipt { before, ..receipt }, 0).await
    }
}

/// Whether a plan may be sent.
enum Permit {
    /// Yes, on the budget of that hour; without one, because a person agreed.
    Given { hour: Option<String> },
    /// Never: nothing is sent.
    Refused(String),
    /// Only if a person agrees to these calls.
    Waits {
        /// The key of the one alarm that says so, and what it says; none where the policy always asks.
        alarm: Option<(String, String)>,
    },
}

/// How many steps are left.
fn remaining(task: &Task<'_>, image: &Image) -> Result<usize, PlanError> {
    Ok(task.steps(image)?.len())
}
