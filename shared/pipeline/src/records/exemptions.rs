//! What exemptions suppressed, and what it takes to judge it anew.

use jiff::Timestamp;
use onus_core::{Finding, FindingId};
use serde::{Deserialize, Serialize};

use super::Records;
use super::key::{exempted_key, record_key, reviewed_key};
use crate::error::RecordError;

/// The record behind a finding, as it was audited: evidence, and what a finding is judged anew from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRecord {
    /// The log: `aws.cloudtrail`.
    pub source: String,
    /// The record's text.
    pub text: String,
}

/// A finding that an exemption suppressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    /// When.
    pub at: Timestamp,
    /// Why it is accepted.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// When the exemption was to end, as written.
    pub expires: String,
}

/// What became of a suppressed finding once its exemption had ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reviewed {
    /// What was found still stands: it was told, and a response asked for as far as the policy allows.
    Told,
    /// The resource is no longer as it was found.
    Healed,
    /// Another exemption holds.
    Exempt,
    /// Nobody could tell whether it still stands: an alarm was told.
    Undetermined,
    /// The rule is gone or off.
    NoRule,
}

/// One review of one finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// When.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: Reviewed,
}

impl Records {
    /// Keeps the record behind a finding; the first that is kept stays.
    pub(crate) async fn keep_record(&self, id: &FindingId, record: &KeptRecord) -> Result<(), RecordError> {
        self.put(&record_key(id), record).await?;
        Ok(())
    }

    /// The record behind a finding; `None` when none was kept.
    ///
    /// # Errors
    /// The ledger failed, or the entry cannot be read.
    pub async fn record(&self, id: &FindingId) -> Result<Option<KeptRecord>, RecordError> {
        self.get(&record_key(id)).await
    }

    /// Lists a finding under the exemption that suppressed it.
    pub(crate) async fn keep_suppressed(
        &self,
        exemption: &str,
        finding: &Finding,
        suppressed: &Suppressed,
    ) -> Result<(), RecordError> {
        self.put(&exempted_key(exemption, &finding.id), suppressed).await?;
        self.put(&format!("exempting/{exemption}"), &serde_json::json!({})).await?;
        Ok(())
    }

    /// The ids of exemptions that ever suppressed anything, whether they are still in `onus.yaml` or not.
    ///
    /// # Errors
    /// The ledger failed.
    pub async fn exempting(&self) -> Result<Vec<String>, RecordError> {
        Ok(last_segments(self.keys("exempting").await?).collect())
    }

    /// The findings that an exemption suppressed, by id.
    ///
    /// # Errors
    /// The ledger failed.
    pub async fn suppressed(&self, exemption: &str) -> Result<Vec<FindingId>, RecordError> {
        Ok(ids(self.keys(&format!("exempted/{exemption}")).await?))
    }

    /// When and why an exemption suppressed a finding; `None` when it did not.
    ///
    /// # Errors
    /// The ledger failed, or the entry cannot be read.
    pub async fn suppression(&self, exemption: &str, finding: &FindingId) -> Result<Option<Suppressed>, RecordError> {
        self.get(&exempted_key(exemption, finding)).await
    }

    /// The findings that were judged anew after an exemption had ended, by id.
    ///
    /// # Errors
    /// The ledger failed.
    pub async fn reviewed(&self, exemption: &str) -> Result<Vec<FindingId>, RecordError> {
        Ok(ids(self.keys(&format!("reviewed/{exemption}")).await?))
    }

    /// Keeps a review in the finding's evidence, then lists it as done.
    pub(crate) async fn keep_review(
        &self,
        exemption: &str,
        finding: &FindingId,
        review: &Review,
    ) -> Result<(), RecordError> {
        let key = format!("judged/{finding}/review-{exemption}.json");
        self.put(&key, review).await?;
        self.witness(finding, &[key], review.at).await?;
        self.put(&reviewed_key(exemption, finding), review).await?;
        Ok(())
    }
}

fn last_segments(keys: Vec<String>) -> impl Iterator<Item = String> {
    keys.into_iter().filter_map(|key| key.rsplit('/').next().map(str::to_owned))
}

fn ids(keys: Vec<String>) -> Vec<FindingId> {
    last_segments(keys).filter_map(|segment| segment.parse().ok()).collect()
}
