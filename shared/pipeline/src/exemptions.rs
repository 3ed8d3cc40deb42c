//! Exemptions end: their owners are warned a week before, and afterwards what they suppressed is judged anew, without a new event.

use jiff::{SignedDuration, Timestamp};
use onus_core::{
    Actor, Area, ChangeSummary, Cloud, Created, Duty, Effects, Finding, FindingId, Mode, Notice, Origin, Outcome,
    Party, Resource, ServiceModel, Severity,
};
use serde_json::{Value, json};

use crate::config::Exemption;
use crate::error::HandleError;
use crate::lock::SKEW;
use crate::records::{Fate, Review, Reviewed};
use crate::schedule::{Schedule, Ticked};
use crate::tell::{Earlier, tell};

/// How long before its end an exemption is warned of.
pub const WARNED_BEFORE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The rule that a warning names. No file has it: it is about `onus.yaml` itself.
pub const ENDING: &str = "onus.exemption_ends";

impl Schedule<'_> {
    /// Tells every exemption that ends within a week, each end once. A warning that was begun is finished up to a week after the end.
    pub(crate) async fn warn(&self, ticked: &mut Ticked) -> Result<(), HandleError> {
        let now = self.auditor.clock.now();
        for exemption in &self.auditor.policy.exemptions {
            let near = |end: &Timestamp| *end - WARNED_BEFORE <= now && now < *end + WARNED_BEFORE;
            let Some(end) = exemption.expires.end().filter(near) else { continue };
            let suppressed = self.auditor.records.suppressed(&exemption.id()).await?.len();
            let finding = ending(self.cloud, exemption, end, suppressed, now);
            if end <= now && self.auditor.records.finding(&finding.id).await?.is_none() {
                continue;
            }
            let (created, finding) = self.auditor.claim(finding, &Fate::Told).await?;
            ticked.warned += usize::from(created == Created::New);
            let head = self.auditor.records.witness_finding(&finding, Vec::new(), created, now).await?;
            let notice = Notice::Found { finding: Box::new(finding), mode: Mode::Alert };
            let earlier = if created == Created::New { Earlier::None } else { Earlier::Possible };
            tell(&self.auditor.records, &self.auditor.sinks, &notice, earlier, &head).await?;
        }
        Ok(())
    }

    /// Judges anew what exemptions suppressed that have ended, or that `onus.yaml` no longer has.
    ///
    /// A failure on one finding keeps no other from being judged; of several, one that a retry may mend is returned.
    pub(crate) async fn review(&self, deadline: Timestamp, ticked: &mut Ticked) -> Result<(), HandleError> {
        let auditor = self.auditor;
        let mut failures = Vec::new();
        for id in auditor.records.exempting().await? {
            // By somebody's clock it may hold for a minute more, and what that one lets be has to be judged anew too.
            let over = auditor.clock.now().checked_sub(SKEW).unwrap_or(Timestamp::MIN);
            let holds = |entry: &Exemption| entry.id() == *id && entry.expires.holds(over);
            if auditor.policy.exemptions.iter().any(holds) {
                continue;
            }
            let done = auditor.records.reviewed(&id).await?;
            for finding in auditor.records.suppressed(&id).await? {
                if done.binary_search(&finding).is_ok() {
                    continue;
                }
                if auditor.clock.now() >= deadline {
                    tracing::warn!(exemption = id, "no time left, the next tick goes on from here");
                    return failures.into_iter().next().map_or(Ok(()), Err);
                }
                match self.review_one(&id, &finding).await {
                    Ok(outcome) => {
                        tracing::info!(exemption = id, %finding, outcome = ?outcome, "judged anew");
                        ticked.reviewed += 1;
                        ticked.told += usize::from(outcome == Reviewed::Told);
                    }
                    Err(error) => {
                        tracing::error!(error = &error as &dyn std::error::Error, exemption = id, %finding, "not judged anew");
                        failures.push(error);
                    }
                }
            }
        }
        failures.sort_by_key(|failure: &HandleError| !failure.is_retryable());
        failures.into_iter().next().map_or(Ok(()), Err)
    }

    async fn review_one(&self, exemption: &str, id: &FindingId) -> Result<Reviewed, HandleError> {
        let records = &self.auditor.records;
        let Some(finding) = records.finding(id).await? else {
            return Err(HandleError::UnknownFinding { finding: id.clone() });
        };
        let reason = match records.record(id).await? {
            None => "the record behind it was not kept".to_owned(),
            Some(record) => match (self.decode)(&record.source, &record.text) {
                Ok(change) if finding.is_of(&change) => {
                    let outcome = self.auditor.judge_again(&finding.rule, &change).await?;
                    return self.reviewed(exemption, &finding, outcome).await;
                }
                Ok(_) => "the record behind it is another's".to_owned(),
                Err(error) => format!("the record behind it cannot be read again: {error}"),
            },
        };
        // Nothing decides whether it still stands, so a person has to.
        let reason = format!("exemption `{exemption}` has ended, and {reason}");
        self.auditor.alarm(finding.clone(), reason, Earlier::Possible).await?;
        self.reviewed(exemption, &finding, Reviewed::Undetermined).await
    }

    /// Chains what an earlier review left that died, for nobody comes after this one, and keeps the outcome.
    async fn reviewed(&self, exemption: &str, finding: &Finding, outcome: Reviewed) -> Result<Reviewed, HandleError> {
        let (records, at) = (&self.auditor.records, self.auditor.clock.now());
        records.witness_finding(finding, Vec::new(), Created::Existed, at).await?;
        records.keep_review(exemption, &finding.id, &Review { at, outcome }).await?;
        Ok(outcome)
    }
}

/// The finding that warns of an end. The same for one end of one exemption, whenever it is made.
fn ending(cloud: Cloud, exemption: &Exemption, end: Timestamp, suppressed: usize, now: Timestamp) -> Finding {
    let id = exemption.id().into_owned();
    let change = ChangeSummary {
        uid: format!("exemption/{id}/{end}"),
        time: now,
        cloud,
        account: exemption.account.as_ref().map(ToString::to_string).unwrap_or_default(),
        region: String::new(),
        service: "onus".to_owned(),
        action: "ExemptionEnds".to_owned(),
        actor: Actor { kind: "Onus".into(), id: "onus".into(), ..Actor::default() },
        origin: Origin::default(),
        outcome: Outcome::Succeeded,
        resources: vec![Resource::new("Onus::Exemption", id.clone(), id.clone())],
    };
    Finding {
        id: FindingId::of(cloud, &change.uid, ENDING),
        rule: ENDING.to_owned(),
        title: "An exemption ends within a week".to_owned(),
        severity: Severity::Low,
        duty: Duty {
            area: Area::ConfigurationAndSettings,
            service: "Onus".to_owned(),
            model: ServiceModel::Saas,
            owner: Party::Customer,
        },
        why: format!(
            "Exemption `{id}` ({}, owner {}) ends at {end}. What it suppressed, {suppressed} findings so far, is then judged anew, told \
             and responded to as far as the policy allows.",
            exemption.reason, exemption.owner
        ),
        respond: vec![
            "Take back what was accepted, before the exemption ends.".to_owned(),
            "Or give it a later `expires` in onus.yaml, with a reason that still holds.".to_owned(),
        ],
        controls: Vec::new(),
        references: Vec::new(),
        remedy: None,
        change,
        effects: Effects::none(),
        from_state: false,
        request: json!(exemption),
        response: Value::Null,
        found_at: now,
    }
}
