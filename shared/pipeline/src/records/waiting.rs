//! Plans that wait for a person, by the day they were shown.

use jiff::{Timestamp, ToSpan};
use onus_core::{Created, FindingId, Plan};
use serde::{Deserialize, Serialize};

use super::Records;
use super::entry::Request;
use super::key::day;
use crate::error::RecordError;
use crate::job::Job;

/// A plan that was shown and waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Since when.
    pub at: Timestamp,
    /// Which, by [`Plan::key`].
    pub plan: String,
}

impl Records {
    /// Lists a plan among those that wait.
    pub(crate) async fn wait(&self, plan: &Plan, at: Timestamp) -> Result<(), RecordError> {
        let waiting = Waiting { at, plan: plan.key() };
        self.put(&format!("waiting/{}/{}/{}", day(at), plan.finding, waiting.plan), &waiting).await?;
        Ok(())
    }

    /// Plans shown on the days of two moments and between, that were not settled: key and finding.
    pub(crate) async fn waiting(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(String, FindingId)>, RecordError> {
        let mut found = Vec::new();
        let (mut next, last) = (day(from), day(until));
        while next <= last {
            let keys = self.keys(&format!("waiting/{next}")).await?;
            if !keys.is_empty() {
                let settled = self.keys(&format!("settled/{next}")).await?;
                let open = keys.into_iter().filter(|key| settled.binary_search(&settled_key(key)).is_err());
                found.extend(open.filter_map(|key| {
                    let finding = key.split('/').nth(2)?.parse().ok()?;
                    Some((key, finding))
                }));
            }
            next = match next.checked_add(1.day()) {
                Ok(day) => day,
                Err(_) => break,
            };
        }
        Ok(found)
    }

    pub(crate) async fn waiting_since(&self, key: &str) -> Result<Option<Waiting>, RecordError> {
        self.get(key).await
    }

    /// The plan needs no more looking at: it was answered, or an alarm told that it was not.
    pub(crate) async fn settle(&self, key: &str) -> Result<(), RecordError> {
        self.put(&settled_key(key), &serde_json::json!({})).await?;
        Ok(())
    }

    /// Whether somebody approved or denied, or the response was carried out.
    pub(crate) async fn is_answered(&self, id: &FindingId) -> Result<bool, RecordError> {
        Ok(self.get::<Job>(&format!("decisions/{id}.json")).await?.is_some() || self.response(id).await?.is_some())
    }

    /// Puts down a person's request under a name that nobody else uses; of several, the first counts.
    pub(crate) async fn request_once(&self, job: &Job, nonce: &str, at: Timestamp) -> Result<Created, RecordError> {
        let request = Request { job: job.clone(), at };
        self.put(&format!("requests/{}/link-{nonce}.json", job.finding()), &request).await
    }
}

fn settled_key(waiting: &str) -> String {
    waiting.replacen("waiting", "settled", 1)
}
