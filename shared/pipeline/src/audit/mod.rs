//! From a change to findings that are kept, told and responded to.

mod again;
mod state;
mod telling;

use std::sync::Arc;

use onus_core::{
    Caller, Change, ChangeSummary, Clock, Doubt, Finding, FindingId, Mode, Safety, Severity, Sink, TagSources, Verdict,
};
use serde::Serialize;
use state::{States, Unread};

use crate::error::HandleError;
use crate::policy::{Decision, Policy, Subject};
use crate::ports::{Candidate, Readers, Remediations, ResponseQueue, Rules};
use crate::records::{Fate, Judge, Judgement, Records};
use crate::tags::{TagLookup, Unknown};

/// Evaluates changes, and sees to it that what fires is kept, told and asked a response for.
///
/// Handling a change again, at any time and also at the same time, has the effect of handling it once.
pub struct Auditor {
    /// The rules.
    pub rules: Arc<dyn Rules>,
    /// How far responses may go.
    pub policy: Arc<Policy>,
    /// The ledger.
    pub records: Records,
    /// Where findings are told.
    pub sinks: Vec<Arc<dyn Sink>>,
    /// Reads state; `None` when there is nobody to ask, and then a rule that needs state ends in an alarm.
    pub caller: Option<Arc<dyn Caller>>,
    /// The account that `caller` acts in, where it is known: the state of another account's resource is not read.
    pub account: Option<String>,
    /// State readers by resource kind.
    pub readers: Readers,
    /// How tags are read, where the policy selects by them.
    pub tags: TagSources,
    /// Remediations by id: their [`Safety`] caps the mode.
    pub remediations: Remediations,
    /// Where responses are asked for; `None` when nobody responds.
    pub queue: Option<Arc<dyn ResponseQueue>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// What became of one change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The provider's id of the record.
    pub change: String,
    /// How many rules watch it.
    pub candidates: usize,
    /// The rules that fired or could not be decided, in the catalogue's order.
    pub outcomes: Vec<Outcome>,
}

/// What became of one rule on a change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The finding's id.
    pub finding: FindingId,
    /// The rule.
    pub rule: String,
    /// The rule's severity.
    pub severity: Severity,
    /// Whether this handler was the first to claim it.
    pub new: bool,
    /// How far a response may go.
    pub decision: Decision,
    /// What was decided.
    #[serde(flatten)]
    pub fate: Fate,
}

/// What the rules on one change share.
struct Case<'a, 'c> {
    change: &'a Change<'c>,
    summary: &'a ChangeSummary,
    states: States,
    tags: TagLookup<'a>,
    /// Whether it is judged anew: then a response is asked for even if one was before, for that one was let be.
    anew: bool,
}

/// What the policy says about a finding.
struct Judged {
    decision: Decision,
    exemption: Option<Fate>,
    /// Why tags that could matter are not known. The decision and the exemption are as if the resource had none, and the mode is
    /// `alert` at most.
    unknown: Option<Unknown>,
    /// The decision as it is kept.
    judgement: Judgement,
}

impl Auditor {
    /// Handles one change. One that has only begun is left to the record of its end.
    ///
    /// # Errors
    /// A sink, the queue, the ledger or a read failed; all that could be done was done, and handling the change again does the rest.
    /// Of several failures, one that a retry may mend is returned.
    pub async fn handle(&self, change: &Change<'_>) -> Result<Report, HandleError> {
        let candidates = self.rules.candidates(change);
        let mut report = Report { change: change.uid.to_string(), candidates: candidates.len(), outcomes: Vec::new() };
        if candidates.is_empty() || change.outcome == onus_core::Outcome::Begun {
            return Ok(report);
        }
        let summary = change.summary();
        let mut case = self.case(change, &summary);
        let mut failures = Vec::new();
        for candidate in candidates {
            match self.handle_rule(candidate, &mut case).await {
                Ok(outcome) => report.outcomes.extend(outcome),
                Err(failure) => {
                    tracing::error!(error = &failure as &dyn std::error::Error, rule = candidate.id, change = %change.uid, "rule not handled");
                    failures.push(failure);
                }
            }
        }
        failures.sort_by_key(|failure| !failure.is_retryable());
        failures.into_iter().next().map_or(Ok(report), Err)
    }

    fn case<'a, 'c>(&'a self, change: &'a Change<'c>, summary: &'a ChangeSummary) -> Case<'a, 'c> {
        let tags = TagLookup::new(self.reads_in(&change.account), self.tags, summary);
        Case { change, summary, states: States::new(), tags, anew: false }
    }

    async fn handle_rule(&self, rule: Candidate<'_>, case: &mut Case<'_, '_>) -> Result<Option<Outcome>, HandleError> {
        let subject = Subject::new(rule.id, rule.controls, rule.severity, case.summary);
        let safety = rule.remedy.and_then(|id| self.safety(id));
        // Tags are read only for what fires; until then they leave the mode open.
        if self.policy.decide(&subject, safety).mode == Mode::Off {
            return Ok(None);
        }
        let doubts = match self.rules.evaluate(rule.id, case.change, None) {
            Ok(Verdict::Silent) => return Ok(None),
            Ok(Verdict::Fires) => return self.fired(rule.id, case, None).await,
            Ok(Verdict::NeedsState(doubts)) => doubts,
            Err(error) => return self.undetermined(rule.id, case, unevaluable(&*error)).await,
        };
        let state = match self.state(rule.state, case).await? {
            Ok(state) => state,
            Err(Unread::Later(source)) => {
                let finding = FindingId::of(case.change.cloud, &case.change.uid, rule.id);
                return Err(HandleError::Call { attempt: "read state", finding, source });
            }
            Err(Unread::Never(reason)) => return self.undetermined(rule.id, case, unread(&doubts, &reason)).await,
        };
        match self.rules.evaluate(rule.id, case.change, Some(&state)) {
            Ok(Verdict::Fires) => self.fired(rule.id, case, Some(&state)).await,
            Ok(Verdict::Silent) => self.resumed(rule.id, case, &state).await,
            Ok(Verdict::NeedsState(doubts)) => {
                self.undetermined(rule.id, case, unread(&doubts, "live state does not tell either")).await
            }
            Err(error) => self.undetermined(rule.id, case, unevaluable(&*error)).await,
        }
    }

    /// What the policy says about a finding, tags included where they could matter.
    async fn judge(&self, finding: &Finding, case: &mut Case<'_, '_>) -> Judged {
        let (subject, now) = (Subject::from(finding), self.clock.now());
        let safety = finding.remedy.as_deref().and_then(|id| self.safety(id));
        let (tags, unknown) = match case.tags.look(&self.policy, &subject, safety, now).await {
            Ok(tags) => (tags, None),
            Err(unknown) => (None, Some(unknown)),
        };
        let subject = subject.tagged(tags);
        let decision = self.policy.decide(&subject, safety);
        let decision = if unknown.is_some() { decision.without_tags() } else { decision };
        let judgement = Judgement::new(Judge::Audit, &self.policy, &subject, decision, now);
        let exemption = self.policy.exemption(&subject, now).map(|(index, exemption)| Fate::Exempt {
            index,
            exemption: exemption.id().into_owned(),
            reason: exemption.reason.clone(),
            owner: exemption.owner.clone(),
            expires: exemption.expires.to_string(),
        });
        Judged { decision, exemption, unknown, judgement }
    }

    /// The remediation's own limit; `None` when this build does not have it.
    fn safety(&self, remedy: &str) -> Option<Safety> {
        (self.remediations)(remedy).map(|remediation| remediation.spec().safety)
    }
}

fn unread(doubts: &[Doubt], reason: &str) -> String {
    let doubts: Vec<String> = doubts.iter().map(ToString::to_string).collect();
    format!("cannot decide: {}; {reason}", doubts.join(", "))
}

fn unevaluable(error: &(dyn std::error::Error + Send + Sync)) -> String {
    format!("cannot evaluate the rule: {error}")
}
