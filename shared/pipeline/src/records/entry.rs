//! The forms of entries.

use jiff::Timestamp;
use onus_core::{Finding, FindingId, Image, Mode, Plan, Receipt, Step};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::hashed;
use crate::job::Job;
use crate::policy::{Decision, Policy, Subject};

/// The first thing written about a rule and a change: of two handlers of one event, one creates it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The finding.
    pub finding: FindingId,
    /// The rule.
    pub rule: String,
    /// The provider's id of the record.
    pub change: String,
    /// When it was claimed.
    pub at: Timestamp,
    /// What became of it.
    #[serde(flatten)]
    pub fate: Fate,
}

/// What a claim decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fate")]
pub enum Fate {
    /// The finding is told, and responded to as far as the policy allows.
    Told,
    /// An exemption holds: the finding is kept, and nobody is told.
    Exempt {
        /// Its index in `exemptions`.
        index: usize,
        /// Its id.
        #[serde(default)]
        exemption: String,
        /// Its reason.
        reason: String,
        /// Its owner.
        owner: String,
        /// Its end, as written.
        expires: String,
    },
    /// The rule could not be decided: an alarm is told.
    Undetermined {
        /// Why.
        reason: String,
    },
}

/// Which function asked the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judge {
    /// Audit, when it made or met the finding.
    Audit,
    /// Respond, before it did what it was asked.
    Respond,
}

/// What the policy decided about a finding, and by which line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// Who asked.
    pub judge: Judge,
    /// When this was decided for the first time.
    pub at: Timestamp,
    /// The mode that applied, what was configured, where, and what capped it.
    pub decision: Decision,
    /// The line that decided, as it stood in `onus.yaml` then: an override, an entry of `rules.off`, or the default mode.
    pub line: Value,
    /// The id of the exemption that held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exemption: Option<String>,
}

impl Judgement {
    /// Puts a decision together with the lines that made it.
    pub(crate) fn new(judge: Judge, policy: &Policy, subject: &Subject<'_>, decision: Decision, at: Timestamp) -> Self {
        let exemption = policy.exemption(subject, at).map(|(_, exemption)| exemption.id().into_owned());
        Self { judge, at, decision, line: policy.line(decision.source), exemption }
    }

    /// Tells decisions apart by all but their time.
    pub(super) fn name(&self) -> String {
        let judge = match self.judge {
            Judge::Audit => "audit",
            Judge::Respond => "respond",
        };
        let content = serde_json::json!([self.decision, self.line, self.exemption]).to_string();
        format!("{judge}-{}", hashed([content.as_str()]))
    }
}

/// A plan that was shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanRecord {
    /// The mode that applied.
    pub mode: Mode,
    /// When it was made.
    pub at: Timestamp,
    /// The plan.
    pub plan: Plan,
}

/// What is about to be sent. Holds the image before, so that nothing is lost if the handler dies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// Who asked.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The hour in whose budget the calls are booked; `None` when a person agreed to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<String>,
    /// The calls.
    pub steps: Vec<Step>,
    /// The resource before.
    pub before: Image,
}

/// One entry of an hour's account: slots for writes, taken or given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slots {
    /// For which finding.
    pub finding: FindingId,
    /// The finding's rule.
    pub rule: String,
    /// The account of its change.
    pub account: String,
    /// How many slots; negative when they are given back.
    pub writes: i64,
}

/// An alarm that is told once, whoever meets its cause first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedAlarm {
    /// The finding it is told with.
    pub finding: FindingId,
    /// What happened.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// A person's request, as the CLI puts it down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What is asked.
    pub job: Job,
    /// When it was put down, by the asker's clock.
    pub at: Timestamp,
}

/// What a person has to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// What was attempted and why it failed.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// Everything the ledger holds about one finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct History {
    /// The finding.
    pub finding: Finding,
    /// The claim; `None` only if a handler died between the two.
    pub claim: Option<Claim>,
    /// The plans shown, oldest first.
    pub plans: Vec<PlanRecord>,
    /// What people asked, oldest first.
    pub requests: Vec<Request>,
    /// What was begun, in order: attempt name and intent.
    pub attempts: Vec<(String, Intent)>,
    /// What was done, oldest first.
    pub receipts: Vec<Receipt>,
    /// What failed, oldest first.
    pub alarms: Vec<Alarm>,
    /// `notice/sink` of what was told.
    pub told: Vec<String>,
}

/// A response that was let be, because others undo each one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// The finding that would have been responded to.
    pub finding: FindingId,
    /// The finding that met this first, with which the one alarm was told.
    pub first: FindingId,
}
