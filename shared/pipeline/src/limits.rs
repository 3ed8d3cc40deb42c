//! How much may be written without a person: the settings that bound what a wrong rule, a storm of changes or a tug of war can do.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many writes may be sent in one hour (UTC) without a person. A write is one call of a plan: a plan of three calls takes three.
/// A plan that does not fit into what is left of any of the three waits for approval, and one alarm an hour says so. What a person
/// approves or undoes is not counted. 0 lets every plan wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Writes on findings of one rule. 25 when left out.
    pub per_rule: u32,
    /// Writes in one account, subscription or project. 50 when left out.
    pub per_account: u32,
    /// Writes altogether, of everybody who shares the ledger. 100 when left out.
    pub total: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { per_rule: 25, per_account: 50, total: 100 }
    }
}

/// When a tug of war is given up: somebody makes the same change again each time it was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Opposition {
    /// How many responses by one remediation on one resource may be undone by others before no more is sent there and one alarm names
    /// who undoes them. 3 when left out; at least 1.
    #[schemars(range(min = 1))]
    pub responses: u32,
    /// Within how many minutes. Also how long it has to be quiet before responses go on by themselves. 60 when left out; at most 1,440.
    #[schemars(range(min = 1, max = 1440))]
    pub minutes: u32,
}

impl Default for Opposition {
    fn default() -> Self {
        Self { responses: 3, minutes: 60 }
    }
}

impl Opposition {
    /// The window as a span of time.
    pub fn window(self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.minutes))
    }

    /// What is wrong with the numbers, if anything is.
    pub(crate) fn problem(self) -> Option<&'static str> {
        match self {
            Self { responses: 0, .. } => Some("settings.opposition.responses is 0, expected at least 1"),
            Self { minutes: 0 | 1441.., .. } => Some("settings.opposition.minutes is not between 1 and 1440"),
            _ => None,
        }
    }
}
