//! What the respond function is asked to do, as queues and `requests/…` entries carry it.

use onus_core::FindingId;
use serde::{Deserialize, Serialize};

/// One request to the respond function.
///
/// As JSON: `{"respond":"f-…"}`, `{"approve":"f-…","by":"alice"}`, `{"deny":…}`, `{"undo":…}`. Doing a job twice has the
/// effect of doing it once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Wire", try_from = "Wire")]
pub enum Job {
    /// Respond to a finding as far as the policy allows.
    Respond(FindingId),
    /// A person agrees to the plan that was shown.
    Approve {
        /// To which finding.
        finding: FindingId,
        /// Who agrees, as they call themselves; the store's own access log holds the identity.
        by: String,
        /// To which plan, by `Plan::key`; `None`: to any that was shown.
        plan: Option<String>,
    },
    /// A person refuses the plan. Final.
    Deny {
        /// To which finding.
        finding: FindingId,
        /// Who refuses.
        by: String,
    },
    /// A person wants the response taken back.
    Undo {
        /// Of which finding.
        finding: FindingId,
        /// Who wants it.
        by: String,
    },
}

/// The longest name of a person that a job may carry.
const LONGEST_NAME: usize = 256;

impl Job {
    /// The finding it is about.
    pub fn finding(&self) -> &FindingId {
        match self {
            Self::Respond(finding)
            | Self::Approve { finding, .. }
            | Self::Deny { finding, .. }
            | Self::Undo { finding, .. } => finding,
        }
    }

    /// `respond`, `approve`, `deny` or `undo`.
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Respond(_) => "respond",
            Self::Approve { .. } => "approve",
            Self::Deny { .. } => "deny",
            Self::Undo { .. } => "undo",
        }
    }
}

/// A job that asks for none or several things, or does not say who asks.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadJob {
    /// Not exactly one verb.
    #[error("a job names exactly one of `respond`, `approve`, `deny` and `undo`, this one names {0}")]
    Verbs(usize),
    /// A plan that is named by anything but an approval.
    #[error("only a job to `approve` names a `plan`")]
    Plan,
    /// A person's request without the person, or a policy's request with one.
    #[error("a job to `{verb}` {problem}")]
    By {
        /// The verb.
        verb: &'static str,
        /// What is wrong with `by`.
        problem: &'static str,
    },
}

#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    respond: Option<FindingId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approve: Option<FindingId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deny: Option<FindingId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undo: Option<FindingId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
}

impl From<Job> for Wire {
    fn from(job: Job) -> Self {
        let none = Self::default();
        match job {
            Job::Respond(finding) => Self { respond: Some(finding), ..none },
            Job::Approve { finding, by, plan } => Self { approve: Some(finding), by: Some(by), plan, ..none },
            Job::Deny { finding, by } => Self { deny: Some(finding), by: Some(by), ..none },
            Job::Undo { finding, by } => Self { undo: Some(finding), by: Some(by), ..none },
        }
    }
}

impl TryFrom<Wire> for Job {
    type Error = BadJob;

    fn try_from(wire: Wire) -> Result<Self, Self::Error> {
        let Wire { respond, approve, deny, undo, by, plan } = wire;
        if plan.is_some() && approve.is_none() {
            return Err(BadJob::Plan);
        }
        let verbs = [&respond, &approve, &deny, &undo].into_iter().flatten().count();
        let person = |verb, by: Option<String>| match by.map(|by| by.trim().to_owned()) {
            None => Err(BadJob::By { verb, problem: "does not say `by` whom" }),
            Some(by) if by.is_empty() => Err(BadJob::By { verb, problem: "does not say `by` whom" }),
            Some(by) if by.len() > LONGEST_NAME => Err(BadJob::By { verb, problem: "has a `by` of over 256 bytes" }),
            Some(by) => Ok(by),
        };
        match (respond, approve, deny, undo) {
            (Some(_), None, None, None) if by.is_some() => {
                Err(BadJob::By { verb: "respond", problem: "is the policy's own and has no `by`" })
            }
            (Some(finding), None, None, None) => Ok(Job::Respond(finding)),
            (None, Some(finding), None, None) => Ok(Job::Approve { finding, by: person("approve", by)?, plan }),
            (None, None, Some(finding), None) => Ok(Job::Deny { finding, by: person("deny", by)? }),
            (None, None, None, Some(finding)) => Ok(Job::Undo { finding, by: person("undo", by)? }),
            _ => Err(BadJob::Verbs(verbs)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "f-0123456789abcdef0123456789";

    #[test]
    fn jobs_have_one_wire_form() {
        let finding: FindingId = ID.parse().expect("an id");
        let by = || "alice".to_owned();
        let jobs = [
            Job::Respond(finding.clone()),
            Job::Approve { finding: finding.clone(), by: by(), plan: None },
            Job::Approve { finding: finding.clone(), by: by(), plan: Some("planned-9f86d081884c7d65".to_owned()) },
            Job::Deny { finding: finding.clone(), by: by() },
            Job::Undo { finding, by: by() },
        ];
        insta::assert_json_snapshot!(jobs, @r#"
        [
          {
            "respond": "f-0123456789abcdef0123456789"
          },
          {
            "approve": "f-0123456789abcdef0123456789",
            "by": "alice"
          },
          {
            "approve": "f-0123456789abcdef0123456789",
            "by": "alice",
            "plan": "planned-9f86d081884c7d65"
          },
          {
            "deny": "f-0123456789abcdef0123456789",
            "by": "alice"
          },
          {
            "undo": "f-0123456789abcdef0123456789",
            "by": "alice"
          }
        ]
        "#);
        for job in jobs {
            let text = serde_json::to_string(&job).expect("a job serialises");
            assert_eq!(serde_json::from_str::<Job>(&text).expect("and comes back"), job);
        }
    }

    #[test]
    fn a_malformed_job_is_refused_with_the_reason() {
        let cases = [
            ("{}".to_owned(), "this one names 0"),
            (format!(r#"{{"respond":"{ID}","undo":"{ID}"}}"#), "this one names 2"),
            (format!(r#"{{"undo":"{ID}"}}"#), "does not say `by` whom"),
            (format!(r#"{{"undo":"{ID}","by":"  "}}"#), "does not say `by` whom"),
            (format!(r#"{{"respond":"{ID}","by":"alice"}}"#), "has no `by`"),
            (format!(r#"{{"deny":"{ID}","by":"alice","plan":"planned-1"}}"#), "only a job to `approve`"),
            (r#"{"respond":"f-../../secrets"}"#.to_owned(), "is not a finding id"),
            (format!(r#"{{"destroy":"{ID}"}}"#), "unknown field `destroy`"),
        ];
        let mut wrong = Vec::new();
        for (text, expected) in cases {
            match serde_json::from_str::<Job>(&text) {
                Err(error) if error.to_string().contains(expected) => {}
                other => wrong.push(format!("{text}: {other:?}")),
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
