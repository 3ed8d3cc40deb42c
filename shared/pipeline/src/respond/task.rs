//! What all steps of one job share, and the one place that chooses between what a remediation does by the record and what it does by
//! what was known before.

use onus_core::plan::ReceiptKind;
use onus_core::state::read_image;
use onus_core::{Finding, Image, Known, PlanError, Read, Remediation, Resource, Restoration, Step};

use super::{Responder, call_failed};
use crate::error::HandleError;

/// What all steps of one job share.
pub(crate) struct Task<'a> {
    pub(crate) finding: &'a Finding,
    pub(crate) resource: Resource<'static>,
    pub(crate) remediation: &'static dyn Remediation,
    /// What was known of the resource before the change; empty where the remediation does not ask.
    pub(crate) known: Known,
    /// `policy`, or the person who approved or wants the undo.
    pub(crate) by: &'a str,
    pub(crate) kind: ReceiptKind,
    /// Whether a person agreed to the plan.
    pub(crate) approved: bool,
}

impl Task<'_> {
    /// How it goes back to what was known; `None` when nothing is.
    fn restoration(&self) -> Option<&dyn Restoration> {
        self.remediation.restoration().filter(|_| !self.known.is_empty())
    }

    fn reads(&self, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        match self.restoration() {
            Some(restoration) => restoration.reads(self.finding, &self.known, so_far),
            None => self.remediation.reads(self.finding, so_far),
        }
    }

    /// The steps that are to do on an image.
    pub(super) fn steps(&self, image: &Image) -> Result<Vec<Step>, PlanError> {
        match self.restoration() {
            Some(restoration) => restoration.plan(self.finding, &self.known, image),
            None => self.remediation.plan(self.finding, image),
        }
    }

    /// What the steps on an image leave, where they write whole documents.
    pub(super) fn leaves(&self, image: &Image) -> Option<Image> {
        match self.restoration() {
            Some(restoration) => restoration.leaves(self.finding, &self.known, image),
            None => self.remediation.leaves(self.finding, image),
        }
    }

    /// The resource whose state its reads are about: the finding's first of the remediation's kind.
    fn subject(&self) -> &Resource<'static> {
        let kind = self.remediation.spec().kind;
        self.finding.change.resources.iter().find(|resource| resource.kind == kind).unwrap_or(&self.resource)
    }
}

impl Responder {
    /// The task with what was known before the change, where its remediation can use that.
    pub(super) async fn recalling<'a>(&self, task: Task<'a>) -> Result<Task<'a>, HandleError> {
        if task.remediation.restoration().is_none() {
            return Ok(task);
        }
        let known = self.records.known(&task.finding.change, task.remediation.spec().kind).await?;
        Ok(Task { known, ..task })
    }

    /// Reads the resource.
    pub(super) async fn read(&self, task: &Task<'_>) -> Result<Image, PlanError> {
        read_image(self.caller.as_ref(), |so_far| task.reads(so_far)).await
    }

    /// Keeps what was read.
    pub(super) async fn remember(&self, task: &Task<'_>, image: &Image) -> Result<(), HandleError> {
        self.records.remember(&task.finding.change, task.subject(), image, self.clock.now()).await?;
        Ok(())
    }

    /// Reads and plans. The inner error is a reason not to act; the outer one may pass.
    pub(super) async fn plan(&self, task: &Task<'_>) -> Result<Result<(Image, Vec<Step>), String>, HandleError> {
        let planned = match self.read(task).await {
            Ok(image) => {
                self.remember(task, &image).await?;
                task.steps(&image).map(|steps| (image, steps))
            }
            Err(error) => Err(error),
        };
        match planned {
            Ok(planned) => Ok(Ok(planned)),
            Err(PlanError::Read(source)) if source.is_retryable() => Err(call_failed("plan", task, source)),
            Err(error) => Ok(Err(error.to_string())),
        }
    }
}
