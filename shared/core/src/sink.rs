//! Where findings are told, as a port.

use std::fmt::Write as _;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::finding::Finding;
use crate::plan::{Plan, Receipt};
use crate::response::Mode;

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "notice")]
pub enum Notice {
    /// A rule fired.
    Found {
        /// The finding.
        finding: Box<Finding>,
        /// The mode that applies to it.
        mode: Mode,
    },
    /// A response was planned and waits, or is shown only.
    Planned {
        /// The finding.
        finding: Box<Finding>,
        /// The mode that applies: `plan` or `approve`.
        mode: Mode,
        /// The exact calls.
        plan: Box<Plan>,
        /// When it was planned.
        at: Timestamp,
        /// How to answer without the command line, where the plan waits for that. Whoever holds them may answer: they are told to
        /// sinks, and kept nowhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        links: Option<Links>,
    },
    /// A response or an undo ended.
    Responded {
        /// The finding.
        finding: Box<Finding>,
        /// What was done.
        receipt: Box<Receipt>,
    },
    /// Onus could not do its work on this finding; a person has to look.
    Alarm {
        /// The finding.
        finding: Box<Finding>,
        /// What was attempted and why it failed.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

/// Links that answer a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// Leads to a page that lets the plan be carried out.
    pub approve: String,
    /// Leads to a page that refuses it for good.
    pub deny: String,
    /// Until when they are good.
    pub expires: Timestamp,
}

impl Notice {
    /// The finding it is about.
    pub fn finding(&self) -> &Finding {
        match self {
            Self::Found { finding, .. }
            | Self::Planned { finding, .. }
            | Self::Responded { finding, .. }
            | Self::Alarm { finding, .. } => finding,
        }
    }

    /// The last part of the CloudEvents type: `found`, `planned`, `responded`, `alarm`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Found { .. } => "found",
            Self::Planned { .. } => "planned",
            Self::Responded { .. } => "responded",
            Self::Alarm { .. } => "alarm",
        }
    }

    /// Tells this notice from the others about the same finding, and is the same whenever the same thing is told again:
    /// `found`, `planned-9f86d081884c7d65` (by its calls), `responded-…` (by its receipt), `alarm-…` (by its reason).
    /// Lower-case letters, digits and `-`.
    pub fn key(&self) -> String {
        let content = match self {
            Self::Found { .. } => return self.kind().to_owned(),
            Self::Planned { plan, .. } => return plan.key(),
            Self::Responded { receipt, .. } => serde_json::json!(receipt),
            Self::Alarm { reason, .. } => serde_json::json!(reason),
        };
        key(self.kind(), &content)
    }

    /// When it came to be.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Found { finding, .. } => finding.found_at,
            Self::Planned { at, .. } | Self::Alarm { at, .. } => *at,
            Self::Responded { receipt, .. } => receipt.at,
        }
    }
}

/// A word, and 16 hexadecimal digits that stand for a content.
pub(crate) fn key(kind: &str, content: &serde_json::Value) -> String {
    let digest = Sha256::digest(content.to_string().as_bytes());
    let mut key = format!("{kind}-");
    for byte in digest.iter().take(8) {
        let _ = write!(key, "{byte:02x}"); // writing to a string cannot fail
    }
    key
}

/// Why a sink did not take a notice.
#[derive(Debug, thiserror::Error)]
#[error("cannot tell sink `{sink}`")]
pub struct SinkError {
    /// The sink's name in `onus.yaml`.
    pub sink: String,
    /// Whether telling again may succeed.
    pub retryable: bool,
    /// The sink's own error.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// A place that notices are told to.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Its name in `onus.yaml`, unique.
    fn name(&self) -> &str;

    /// Tells one notice. Telling the same notice twice must be recognisable by its id.
    ///
    /// # Errors
    /// The sink did not take it.
    async fn tell(&self, notice: &Notice) -> Result<(), SinkError>;
}

/// How an operator writes a sink down. Which kinds there are and what each needs is known to whoever opens them.
pub trait SinkConfig {
    /// The name that errors and the ledger know the sink by: its own, else its kind.
    fn name(&self) -> &str;
}
