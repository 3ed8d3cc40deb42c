//! From a change to findings that are kept, told and responded to.

use std::collections::BTreeMap;
use std::sync::Arc;

use onus_core::state::read_image;
use onus_core::{
    CallError, Caller, Change, ChangeSummary, Clock, Created, Doubt, Finding, FindingId, Mode, Notice, Resource,
    Safety, Severity, Sink, State, TagSources, Verdict,
};
use serde::Serialize;

use crate::error::HandleError;
use crate::job::Job;
use crate::policy::{Decision, Policy, Subject};
use crate::ports::{Candidate, Readers, Remediations, ResponseQueue, Rules};
use crate::records::{Claim, Fate, Records};
use crate::tags::{TagLookup, Unknown};
use crate::tell::{Earlier, tell};

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
}

/// What the policy says about a finding.
struct Judged {
    decision: Decision,
    exemption: Option<Fate>,
    /// Why tags that could matter are not known. The decision and the exemption are as if the resource had none, and the mode is
    /// `alert` at most.
    unknown: Option<Unknown>,
}

/// The states of the change's resources, by position, each read at most once for all rules that need it.
type States = BTreeMap<usize, Result<State, Unread>>;

/// Why there is no state.
#[derive(Debug, Clone)]
enum Unread {
    /// A person has to look.
    Never(String),
    /// It may be read later.
    Later(CallError),
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
        let tags = TagLookup::new(self.reads_in(&change.account), self.tags, &summary);
        let mut case = Case { change, summary: &summary, states: States::new(), tags };
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
        let state = match self.state(rule.state, case).await {
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
        let exemption = self.policy.exemption(&subject, now).map(|(index, exemption)| Fate::Exempt {
            index,
            exemption: exemption.id().into_owned(),
            reason: exemption.reason.clone(),
            owner: exemption.owner.clone(),
            expires: exemption.expires.to_string(),
        });
        Judged { decision, exemption, unknown }
    }

    /// The remediation's own limit; `None` when this build does not have it.
    fn safety(&self, remedy: &str) -> Option<Safety> {
        (self.remediations)(remedy).map(|remediation| remediation.spec().safety)
    }

    /// Who reads in an account, or why nobody does.
    fn reads_in(&self, account: &str) -> Result<&dyn Caller, String> {
        let Some(caller) = &self.caller else { return Err("there are no credentials to read with".to_owned()) };
        if self.account.as_ref().is_some_and(|own| own != account) {
            return Err(format!("account `{account}` is not the one that can be read"));
        }
        Ok(caller.as_ref())
    }

    /// The state a rule asks for: of the change's first resource of that kind, else of its first that can be read.
    async fn state(&self, kind: Option<&str>, case: &mut Case<'_, '_>) -> Result<State, Unread> {
        let readable = |resource: &&Resource<'_>| (self.readers)(&resource.kind).is_some();
        let asked = |resource: &&Resource<'_>| kind.is_some_and(|kind| resource.kind == kind) && readable(resource);
        let resources = &case.change.resources;
        let position = resources.iter().position(|r| asked(&r)).or_else(|| resources.iter().position(|r| readable(&r)));
        let Some((position, resource)) = position.and_then(|at| Some((at, resources.get(at)?))) else {
            let kinds: Vec<&str> = resources.iter().map(|resource| &*resource.kind).collect();
            return Err(Unread::Never(match kinds.as_slice() {
                [] => "the record names no resource".to_owned(),
                kinds => format!("no reader for `{}`", kinds.join("`, `")),
            }));
        };
        if let Some(known) = case.states.get(&position) {
            return known.clone();
        }
        let state = self.read_state(resource, case).await;
        case.states.insert(position, state.clone());
        state
    }

    async fn read_state(&self, resource: &Resource<'_>, case: &Case<'_, '_>) -> Result<State, Unread> {
        let Some(reader) = (self.readers)(&resource.kind) else {
            return Err(Unread::Never(format!("no reader for `{}`", resource.kind)));
        };
        let caller = self.reads_in(&case.change.account).map_err(Unread::Never)?;
        let summary = case.summary;
        match read_image(caller, |so_far| Ok::<_, CallError>(reader.reads(summary, resource, so_far))).await {
            Ok(image) => Ok(State { effects: reader.effects(summary, resource, &image), image }),
            Err(error) if error.is_retryable() => Err(Unread::Later(error)),
            Err(error) => Err(Unread::Never(error.to_string())),
        }
    }

    /// A rule fired: kept, told, asked a response for.
    async fn fired(
        &self,
        rule: &str,
        case: &mut Case<'_, '_>,
        state: Option<&State>,
    ) -> Result<Option<Outcome>, HandleError> {
        let Some(finding) = self.rules.finding(rule, case.change, state, self.clock.now()) else { return Ok(None) };
        let Judged { decision, exemption, unknown } = self.judge(&finding, case).await;
        if decision.mode == Mode::Off {
            return Ok(None);
        }
        let fate = exemption.unwrap_or(Fate::Told);
        let (created, finding) = self.claim(finding, &fate).await?;
        let outcome = outcome(&finding, created, decision, fate);
        if outcome.fate == Fate::Told {
            self.told(finding, decision.mode, unknown, earlier(created)).await?;
        }
        Ok(Some(outcome))
    }

    /// Nothing is wrong now, but an earlier delivery of the same change may have died between claiming and telling.
    async fn resumed(
        &self,
        rule: &str,
        case: &mut Case<'_, '_>,
        state: &State,
    ) -> Result<Option<Outcome>, HandleError> {
        let change = case.change;
        let claim = self.records.claimed(change.cloud, &change.uid, rule).await?;
        let Some(claim) = claim.filter(|claim| claim.fate == Fate::Told) else { return Ok(None) };
        let finding = match self.records.finding(&claim.finding).await? {
            Some(finding) => finding,
            None => match self.rules.finding(rule, change, Some(state), self.clock.now()) {
                Some(finding) => self.records.keep(finding).await?,
                None => return Ok(None),
            },
        };
        let Judged { decision, unknown, .. } = self.judge(&finding, case).await;
        let outcome = outcome(&finding, Created::Existed, decision, claim.fate);
        self.told(finding, decision.mode, unknown, Earlier::Possible).await?;
        Ok(Some(outcome))
    }

    /// Delivers a finding; where tags that could matter are not known, it is told all the same, and so is that.
    async fn told(
        &self,
        finding: Finding,
        mode: Mode,
        unknown: Option<Unknown>,
        earlier: Earlier,
    ) -> Result<(), HandleError> {
        let delivered = self.deliver(finding.clone(), mode, earlier).await;
        let alarmed = match unknown {
            None => Ok(()),
            Some(Unknown::Never(reason)) => self.alarm(finding, reason, earlier).await,
            Some(Unknown::Later(source)) => {
                Err(HandleError::Call { attempt: "read tags", finding: finding.id, source })
            }
        };
        delivered.and(alarmed)
    }

    /// A rule could not be decided: a person has to look.
    async fn undetermined(
        &self,
        rule: &str,
        case: &mut Case<'_, '_>,
        reason: String,
    ) -> Result<Option<Outcome>, HandleError> {
        let Some(finding) = self.rules.finding(rule, case.change, None, self.clock.now()) else { return Ok(None) };
        // Tags that are not known add nothing: nothing is written, and the alarm is told.
        let Judged { decision, exemption, .. } = self.judge(&finding, case).await;
        if decision.mode == Mode::Off {
            return Ok(None);
        }
        let fate = exemption.unwrap_or(Fate::Undetermined { reason: reason.clone() });
        let (created, finding) = self.claim(finding, &fate).await?;
        let outcome = outcome(&finding, created, decision, fate);
        if matches!(outcome.fate, Fate::Undetermined { .. }) {
            self.alarm(finding, reason, earlier(created)).await?;
        }
        Ok(Some(outcome))
    }

    async fn alarm(&self, finding: Finding, reason: String, earlier: Earlier) -> Result<(), HandleError> {
        let notice = Notice::Alarm { at: finding.found_at, finding: Box::new(finding), reason };
        self.records.keep_alarm(&notice).await?;
        tell(&self.records, &self.sinks, &notice, earlier).await
    }

    /// Claims and keeps. A handler that died between the two left a claim without a finding, which the next one keeps.
    async fn claim(&self, finding: Finding, fate: &Fate) -> Result<(Created, Finding), HandleError> {
        let claim = Claim {
            finding: finding.id.clone(),
            rule: finding.rule.clone(),
            change: finding.change.uid.clone(),
            at: finding.found_at,
            fate: fate.clone(),
        };
        let created = self.records.claim(&finding.change, &claim).await?;
        Ok((created, self.records.keep(finding).await?))
    }

    /// Tells, and asks for a response even where a sink failed.
    async fn deliver(&self, finding: Finding, mode: Mode, earlier: Earlier) -> Result<(), HandleError> {
        let notice = Notice::Found { finding: Box::new(finding), mode };
        let told = tell(&self.records, &self.sinks, &notice, earlier).await;
        let asked = self.ask(notice.finding(), mode, earlier).await;
        told.and(asked)
    }

    async fn ask(&self, finding: &Finding, mode: Mode, earlier: Earlier) -> Result<(), HandleError> {
        let Some(queue) = self.queue.as_ref().filter(|_| mode >= Mode::Plan) else { return Ok(()) };
        if earlier == Earlier::Possible && self.records.is_asked(&finding.id).await? {
            return Ok(());
        }
        let job = Job::Respond(finding.id.clone());
        let failed = |source| HandleError::Enqueue { finding: finding.id.clone(), source };
        queue.enqueue(&job, finding).await.map_err(failed)?;
        Ok(self.records.mark_asked(&finding.id).await?)
    }
}

fn earlier(created: Created) -> Earlier {
    match created {
        Created::New => Earlier::None,
        Created::Existed => Earlier::Possible,
    }
}

fn outcome(finding: &Finding, created: Created, decision: Decision, fate: Fate) -> Outcome {
    Outcome {
        finding: finding.id.clone(),
        rule: finding.rule.clone(),
        severity: finding.severity,
        new: created == Created::New,
        decision,
        fate,
    }
}

fn unread(doubts: &[Doubt], reason: &str) -> String {
    let doubts: Vec<String> = doubts.iter().map(ToString::to_string).collect();
    format!("cannot decide: {}; {reason}", doubts.join(", "))
}

fn unevaluable(error: &(dyn std::error::Error + Send + Sync)) -> String {
    format!("cannot evaluate the rule: {error}")
}
