//! What all steps of one job share: whether there is anything to do, and the one place that chooses between what a remediation does by
//! the record and what it does by what was known before.

use onus_core::plan::ReceiptKind;
use onus_core::state::read_image;
use onus_core::{Finding, Image, Known, Mode, PlanError, Read, Remediation, Resource, Restoration, Step, Tags};

use super::{Responder, call_failed};
use crate::error::HandleError;
use crate::policy::Subject;
use crate::records::Suppressed;

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

/// Why a job goes no further.
pub(super) enum Stop {
    /// The operator did not ask for a response.
    NotResponding(String),
    /// An exemption holds now: its place in `onus.yaml`, its id, and what is kept about it.
    Exempt { index: usize, id: String, suppressed: Suppressed },
    /// A response was asked for and cannot be given.
    Refuse(String),
}

impl Stop {
    /// Whether nobody is to do anything about it.
    pub(super) fn lets_be(&self) -> bool {
        !matches!(self, Self::Refuse(_))
    }

    pub(super) fn reason(&self) -> String {
        match self {
            Self::NotResponding(reason) | Self::Refuse(reason) => reason.clone(),
            Self::Exempt { index, suppressed, .. } => format!("exemptions[{index}] holds: {}", suppressed.reason),
        }
    }
}

impl Responder {
    /// Everything that is judged before anything is read.
    pub(super) fn task<'a>(
        &self,
        finding: &'a Finding,
        tags: Option<&Tags>,
        by: &'a str,
        kind: ReceiptKind,
    ) -> Result<Task<'a>, Stop> {
        let subject = Subject::from(finding).tagged(tags);
        if kind == ReceiptKind::Respond
            && let Some((index, exemption)) = self.policy.exemption(&subject, self.clock.now())
        {
            let suppressed = Suppressed {
                at: self.clock.now(),
                reason: exemption.reason.clone(),
                owner: exemption.owner.clone(),
                expires: exemption.expires.to_string(),
            };
            return Err(Stop::Exempt { index, id: exemption.id().into_owned(), suppressed });
        }
        let remediation = finding.remedy.as_deref().map(|id| (id, (self.remediations)(id)));
        if kind == ReceiptKind::Respond {
            let decision = self.mode(finding, tags, remediation.and_then(|(_, found)| found));
            if decision.configured >= Mode::Plan
                && let Some((id, None)) = remediation
            {
                return Err(Stop::Refuse(format!("this build has no remediation `{id}`")));
            }
            if decision.mode < Mode::Plan {
                let cap = decision.capped_by.map(|cap| format!(", because {cap}")).unwrap_or_default();
                return Err(Stop::NotResponding(format!("mode `{}` by {}{cap}", decision.mode, decision.source)));
            }
        }
        let Some(remediation) = remediation.and_then(|(_, found)| found) else {
            return Err(Stop::Refuse("the rule names no remediation that this build has".to_owned()));
        };
        let Some(resource) = finding.resource() else {
            return Err(Stop::Refuse("the finding names no resource".to_owned()));
        };
        if self.account.as_ref().is_some_and(|account| *account != finding.change.account) {
            let account = &finding.change.account;
            return Err(Stop::Refuse(format!("account `{account}` is not the one that this function acts in")));
        }
        Ok(Task { finding, resource: resource.clone(), remediation, by, kind, known: Known::default() })
    }

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
