//! Takes a response back, if nobody touched the resource since.

use onus_core::plan::ReceiptKind;
use onus_core::{Finding, Image, PlanError, Receipt, ReceiptOutcome, Step};

use super::attempt::{READINGS, Sending};
use super::{Done, Responder, Task, call_failed};
use crate::error::HandleError;
use crate::lock::Held;
use crate::records::Intent;

impl Responder {
    pub(super) async fn undo(&self, finding: &Finding, by: &str) -> Result<Done, HandleError> {
        let kind = ReceiptKind::Undo;
        let task = match self.task(finding, None, by, kind) {
            Ok(task) => self.recalling(task).await?,
            Err(stop) => return self.refuse(finding, by, kind, stop.reason()).await,
        };
        self.locked(&task, async |held| {
            let undos = self.records.undos(&finding.id).await?;
            if let Some(done) = undos.iter().find(|undo| undo.outcome == ReceiptOutcome::Verified) {
                return self.already(finding, done.clone()).await;
            }
            let inverses = match self.records.response(&finding.id).await? {
                Some(receipt) => inverses(&receipt).map(|inverses| (receipt, inverses)),
                None => Err("there is no response to undo".to_owned()),
            };
            match inverses {
                Ok((receipt, inverses)) => self.undo_locked(&task, &receipt, inverses, undos.len(), held).await,
                Err(reason) => self.refuse(finding, by, kind, reason).await,
            }
        })
        .await
    }

    async fn undo_locked(
        &self,
        task: &Task<'_>,
        response: &Receipt,
        inverses: Vec<Step>,
        undos: usize,
        held: &Held,
    ) -> Result<Done, HandleError> {
        let name = format!("undo-{:03}.", undos + 1);
        let begun = self.records.attempts(&task.finding.id).await?;
        let begun = begun.iter().filter(|(attempt, _)| attempt.starts_with(&name)).count();
        let image = match self.read(task).await {
            Ok(image) => image,
            Err(PlanError::Read(source)) if source.is_retryable() => {
                return Err(call_failed("undo", task, source));
            }
            Err(error) => return self.refuse(task.finding, task.by, task.kind, error.to_string()).await,
        };
        let after = response.after.clone().unwrap_or_default();
        let mut intent =
            Intent { by: task.by.to_owned(), at: self.clock.now(), hour: None, steps: inverses, before: after };
        if begun > 0 && image.same_as(&response.before) {
            // An earlier handler sent everything and died before its receipt.
            return self.conclude_undo(task, response, intent, None, Ok(image), undos).await;
        }
        if !image.same_as(&intent.before) {
            let reason = if begun > 0 {
                "an earlier undo stopped midway, or the resource has moved since; restore it by hand".to_owned()
            } else {
                "the resource has moved since the response".to_owned()
            };
            return self.refuse(task.finding, task.by, task.kind, reason).await;
        }
        for step in &mut intent.steps {
            match image.fill(&step.call) {
                Ok(call) => step.call = call,
                Err(lacking) => {
                    let reason = format!("what was read holds no `{lacking}`, which the undo depends on");
                    return self.refuse(task.finding, task.by, task.kind, reason).await;
                }
            }
        }
        let sending = self.send(task, &format!("{name}{}", begun + 1), &intent, held).await?;
        let read_back = match &sending.failure {
            None => self.read_restored(task, &response.before).await,
            Some(failure) => Err(failure.clone()),
        };
        self.conclude_undo(task, response, intent, Some(sending), read_back, undos).await
    }

    /// Reads until the resource is as it was before the response, at most [`READINGS`] times.
    async fn read_restored(&self, task: &Task<'_>, before: &Image) -> Result<Image, String> {
        let mut problem = String::new();
        for attempt in 0..READINGS {
            if attempt > 0 {
                self.pause.pause(attempt).await;
            }
            match self.read(task).await {
                Ok(image) if image.same_as(before) => return Ok(image),
                Ok(_) => "reading back does not show the resource as it was".clone_into(&mut problem),
                Err(error) => {
                    problem = format!("cannot read back: {error}");
                    if !error.is_retryable() {
                        break;
                    }
                }
            }
        }
        Err(problem)
    }

    async fn conclude_undo(
        &self,
        task: &Task<'_>,
        response: &Receipt,
        intent: Intent,
        sending: Option<Sending>,
        read_back: Result<Image, String>,
        undos: usize,
    ) -> Result<Done, HandleError> {
        if let Ok(image) = &read_back {
            self.remember(task, image).await?;
        }
        let mut receipt = self.receipt(task, ReceiptOutcome::Verified);
        receipt.remediation.clone_from(&response.remediation);
        receipt.resource = response.resource.clone();
        receipt.steps = intent.steps;
        receipt.before = intent.before;
        receipt.sent = sending.map(|sending| sending.sent).unwrap_or_default();
        match read_back {
            Ok(image) => receipt.after = Some(image),
            Err(reason) => {
                receipt.outcome = ReceiptOutcome::Unverified { reason };
                receipt.after = self.read(task).await.ok();
            }
        }
        self.finish(task, receipt, undos).await
    }
}

/// The calls that take a response back, in reverse order; else the reason why there are none.
fn inverses(response: &Receipt) -> Result<Vec<Step>, String> {
    if response.outcome != ReceiptOutcome::Verified || response.after.is_none() {
        return Err("only a verified response can be undone".to_owned());
    }
    let mut inverses = Vec::new();
    for step in response.steps.iter().rev() {
        let Some(inverse) = &step.inverse else { return Err(format!("nothing undoes `{}`", step.title)) };
        let title = format!("undo: {}", step.title);
        inverses.push(Step { title, call: inverse.clone(), inverse: Some(step.call.clone()) });
    }
    Ok(inverses)
}
