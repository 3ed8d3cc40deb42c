//! A rule that fired on a change.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::change::{Change, ChangeSummary, Cloud, Resource};
use crate::duty::Duty;
use crate::effect::{Doubt, Effects};

/// What a rule says about a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The change broke the rule.
    Fires,
    /// The change did not.
    Silent,
    /// The record alone cannot decide; the resource has to be read. Holds what is unknown, at least one.
    NeedsState(Vec<Doubt>),
}

/// How bad, in OCSF's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// OCSF 1.
    Informational,
    /// OCSF 2.
    Low,
    /// OCSF 3.
    Medium,
    /// OCSF 4.
    High,
    /// OCSF 5.
    Critical,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: [Self; 5] = [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The lower-case name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// OCSF's `severity_id`, 1 to 5.
    pub const fn ocsf_id(self) -> u8 {
        match self {
            Self::Informational => 1,
            Self::Low => 2,
            Self::Medium => 3,
            Self::High => 4,
            Self::Critical => 5,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no severity.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a severity, expected `informational`, `low`, `medium`, `high` or `critical`")]
pub struct UnknownSeverity(String);

impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or_else(|| UnknownSeverity(text.to_owned()))
    }
}

/// Names a finding: the same rule on the same record always has the same id, so seeing an event twice is harmless.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct FindingId(String);

impl FindingId {
    /// The id of a rule's finding on a record. 26 lower-case hexadecimal digits of a SHA-256 after `f-`.
    pub fn of(cloud: Cloud, change_uid: &str, rule: &str) -> Self {
        let mut hash = Sha256::new();
        for part in [cloud.as_str(), change_uid, rule] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut id = String::from("f-");
        for byte in hash.finalize().iter().take(13) {
            let _ = write!(id, "{byte:02x}"); // writing to a string cannot fail
        }
        Self(id)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A word that is no finding id.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a finding id, expected `f-` and 26 hexadecimal digits")]
pub struct BadFindingId(String);

impl FromStr for FindingId {
    type Err = BadFindingId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("f-").unwrap_or_default();
        if digits.len() == 26 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadFindingId(text.to_owned()))
        }
    }
}

impl From<FindingId> for String {
    fn from(id: FindingId) -> Self {
        id.0
    }
}

/// Checks the form, so that an id read from a queue or a store is safe in a key.
impl TryFrom<String> for FindingId {
    type Error = BadFindingId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// A rule fired on a change: everything that sinks, remediations and the ledger need, owned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// See [`FindingId::of`].
    pub id: FindingId,
    /// `aws.s3.bucket_made_public`.
    pub rule: String,
    /// The rule's title.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// Whose duty.
    pub duty: Duty,
    /// Why it matters.
    pub why: String,
    /// What a person does next.
    pub respond: Vec<String>,
    /// `cis-aws-5.0:2.1.4`, `attack:T1530`, …
    pub controls: Vec<String>,
    /// Pages to read.
    pub references: Vec<String>,
    /// The remediation the rule names.
    pub remedy: Option<String>,
    /// The change.
    pub change: ChangeSummary,
    /// What the change did, or, where state was read, what the resource is like now.
    pub effects: Effects,
    /// Whether live state was needed to decide.
    pub from_state: bool,
    /// What was asked for, as logged.
    pub request: Value,
    /// What was answered, as logged.
    pub response: Value,
    /// When Onus decided.
    pub found_at: Timestamp,
}

impl Finding {
    /// The resource the finding is about, when the record names one.
    pub fn resource(&self) -> Option<&Resource<'static>> {
        self.change.resources.first()
    }

    /// Whether the record that led here made the change `change`.
    pub fn is_of(&self, change: &Change<'_>) -> bool {
        self.change.cloud == change.cloud && self.change.uid == change.uid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_stable_and_parse_back() {
        let id = FindingId::of(Cloud::Aws, "e-1", "aws.s3.bucket_made_public");
        assert_eq!(id, FindingId::of(Cloud::Aws, "e-1", "aws.s3.bucket_made_public"));
        assert_ne!(id, FindingId::of(Cloud::Aws, "e-1a", "ws.s3.bucket_made_public"));
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        assert!("f-../../x".parse::<FindingId>().is_err());
        assert!(serde_json::from_str::<FindingId>("\"f-../../x\"").is_err());
    }
}
