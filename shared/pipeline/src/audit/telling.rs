//! What follows when a rule fires or cannot be decided: claimed, kept, told, asked a response for.

use jiff::Timestamp;
use onus_core::{Created, Finding, Mode, Notice, State};

use super::{Auditor, Case, Judged, Outcome};
use crate::error::HandleError;
use crate::job::Job;
use crate::policy::Decision;
use crate::records::{Claim, Fate, Head, Judgement, KeptRecord, Suppressed, alarm_key, exempted_key};
use crate::tags::Unknown;
use crate::tell::{Earlier, tell};

impl Auditor {
    /// A rule fired: kept, told, asked a response for.
    pub(super) async fn fired(
        &self,
        rule: &str,
        case: &mut Case<'_, '_>,
        state: Option<&State>,
    ) -> Result<Option<Outcome>, HandleError> {
        let Some(finding) = self.rules.finding(rule, case.change, state, self.clock.now()) else { return Ok(None) };
        let Judged { decision, exemption, unknown, judgement } = self.judge(&finding, case).await;
        if decision.mode == Mode::Off {
            return Ok(None);
        }
        let fate = exemption.unwrap_or(Fate::Told);
        let (created, finding, head) = self.keep(finding, &fate, Some(judgement), case).await?;
        let outcome = outcome(&finding, created, decision, fate);
        if outcome.fate == Fate::Told {
            self.told(finding, decision.mode, unknown, earlier(created), case.anew, &head).await?;
        }
        Ok(Some(outcome))
    }

    /// Nothing is wrong now, but an earlier delivery of the same change may have died between claiming and telling.
    pub(super) async fn resumed(
        &self,
        rule: &str,
        case: &mut Case<'_, '_>,
        state: &State,
    ) -> Result<Option<Outcome>, HandleError> {
        let change = case.change;
        let claim = self.records.claimed(change.cloud, &change.uid, rule).await?;
        let Some(claim) = claim else { return Ok(None) };
        let known = self.records.finding(&claim.finding).await?;
        let Some(finding) = known.or_else(|| self.rules.finding(rule, change, Some(state), self.clock.now())) else {
            return Ok(None);
        };
        // Whatever became of it, what belongs to a finding is kept whole.
        if claim.fate != Fate::Told {
            self.keep(finding, &claim.fate, None, case).await?;
            return Ok(None);
        }
        let Judged { decision, unknown, judgement, .. } = self.judge(&finding, case).await;
        let (_, finding, head) = self.keep(finding, &claim.fate, Some(judgement), case).await?;
        let outcome = outcome(&finding, Created::Existed, decision, claim.fate);
        self.told(finding, decision.mode, unknown, Earlier::Possible, case.anew, &head).await?;
        Ok(Some(outcome))
    }

    /// Delivers a finding; where tags that could matter are not known, it is told all the same, and so is that.
    async fn told(
        &self,
        finding: Finding,
        mode: Mode,
        unknown: Option<Unknown>,
        earlier: Earlier,
        anew: bool,
        head: &Head,
    ) -> Result<(), HandleError> {
        let delivered = self.deliver(finding.clone(), mode, earlier, anew, head).await;
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
    pub(super) async fn undetermined(
        &self,
        rule: &str,
        case: &mut Case<'_, '_>,
        reason: String,
    ) -> Result<Option<Outcome>, HandleError> {
        let Some(finding) = self.rules.finding(rule, case.change, None, self.clock.now()) else { return Ok(None) };
        // Tags that are not known add nothing: nothing is written, and the alarm is told.
        let Judged { decision, exemption, judgement, .. } = self.judge(&finding, case).await;
        if decision.mode == Mode::Off {
            return Ok(None);
        }
        let fate = exemption.unwrap_or(Fate::Undetermined { reason: reason.clone() });
        let (created, finding, _) = self.keep(finding, &fate, Some(judgement), case).await?;
        let outcome = outcome(&finding, created, decision, fate);
        if matches!(outcome.fate, Fate::Undetermined { .. }) {
            self.alarm(finding, reason, earlier(created)).await?;
        }
        Ok(Some(outcome))
    }

    pub(crate) async fn alarm(&self, finding: Finding, reason: String, earlier: Earlier) -> Result<(), HandleError> {
        let at = finding.found_at;
        self.alarm_at(finding, reason, at, earlier).await
    }

    /// An alarm about something that happened after the finding was made.
    pub(crate) async fn alarm_at(
        &self,
        finding: Finding,
        reason: String,
        at: Timestamp,
        earlier: Earlier,
    ) -> Result<(), HandleError> {
        let notice = Notice::Alarm { at, finding: Box::new(finding), reason };
        self.records.keep_alarm(&notice).await?;
        let head = self.records.witness(&notice.finding().id, &[alarm_key(&notice)], self.clock.now()).await?;
        tell(&self.records, &self.sinks, &notice, earlier, &head).await
    }

    /// Keeps the record, claims, keeps finding and decision, and chains all of it. A finding that an exemption suppresses is listed under it.
    async fn keep(
        &self,
        finding: Finding,
        fate: &Fate,
        judgement: Option<Judgement>,
        case: &Case<'_, '_>,
    ) -> Result<(Created, Finding, Head), HandleError> {
        let record = KeptRecord { source: case.change.source.to_owned(), text: case.change.text.to_owned() };
        self.records.keep_record(&finding.id, &record).await?;
        let (created, finding) = self.claim(finding, fate).await?;
        // After the claim: a handler that dies here has claimed, and whoever comes next looks for all that it left.
        let mut also = Vec::new();
        if let Some(judgement) = judgement {
            also.push(self.records.keep_judgement(&finding.id, &judgement).await?);
        }
        if let Fate::Exempt { exemption, reason, owner, expires, .. } = fate {
            let (reason, owner, expires) = (reason.clone(), owner.clone(), expires.clone());
            let suppressed = Suppressed { at: self.clock.now(), reason, owner, expires };
            self.records.keep_suppressed(exemption, &finding, &suppressed).await?;
            also.push(exempted_key(exemption, &finding.id));
        }
        let head = self.records.witness_finding(&finding, also, created, self.clock.now()).await?;
        Ok((created, finding, head))
    }

    /// Claims and keeps. A handler that died between the two left a claim without a finding, which the next one keeps.
    pub(crate) async fn claim(&self, finding: Finding, fate: &Fate) -> Result<(Created, Finding), HandleError> {
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
    async fn deliver(
        &self,
        finding: Finding,
        mode: Mode,
        earlier: Earlier,
        anew: bool,
        head: &Head,
    ) -> Result<(), HandleError> {
        let notice = Notice::Found { finding: Box::new(finding), mode };
        let told = tell(&self.records, &self.sinks, &notice, earlier, head).await;
        let earlier = if anew { Earlier::None } else { earlier };
        let asked = self.ask(notice.finding(), mode, earlier, head).await;
        told.and(asked)
    }

    async fn ask(&self, finding: &Finding, mode: Mode, earlier: Earlier, head: &Head) -> Result<(), HandleError> {
        let Some(queue) = self.queue.as_ref().filter(|_| mode >= Mode::Plan) else { return Ok(()) };
        if earlier == Earlier::Possible && self.records.is_asked(&finding.id).await? {
            return Ok(());
        }
        let job = Job::Respond(finding.id.clone());
        let failed = |source| HandleError::Enqueue { finding: finding.id.clone(), source };
        queue.enqueue(&job, finding).await.map_err(failed)?;
        Ok(self.records.mark_asked(&finding.id, head).await?)
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
