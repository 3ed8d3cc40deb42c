//! Who does what again and again to one resource: responses by one remediation, and changes that were let stand because of it.
//!
//! Entries lie under the hour and name their moment, so that a look back reads the keys of few hours and no entry twice.

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp, ToSpan};
use onus_core::FindingId;

use super::Records;
use super::entry::Stopped;
use crate::error::RecordError;

/// What was noted about a resource and remediation within a window of time.
#[derive(Debug, Default)]
pub(crate) struct Contest {
    /// The findings that were responded to, each once, oldest first.
    pub(crate) responded: Vec<FindingId>,
    /// The last time that a response was let be; `None` when there was none.
    pub(crate) stopped: Option<Stopped>,
}

impl Records {
    /// Notes that an attempt at a response begins.
    pub(crate) async fn note_response(
        &self,
        contest: &str,
        finding: &FindingId,
        attempt: &str,
        at: Timestamp,
    ) -> Result<(), RecordError> {
        let key = format!("contests/{contest}/{}/{}.responded.{finding}.{attempt}", hour(at), moment(at));
        self.put(&key, &serde_json::json!({})).await?;
        Ok(())
    }

    /// Notes that a response was let be.
    pub(crate) async fn note_stop(&self, contest: &str, stopped: &Stopped, at: Timestamp) -> Result<(), RecordError> {
        let key = format!("contests/{contest}/{}/{}.stopped.{}", hour(at), moment(at), stopped.finding);
        self.put(&key, stopped).await?;
        Ok(())
    }

    /// What was noted from one moment until another.
    pub(crate) async fn contest(
        &self,
        contest: &str,
        until: Timestamp,
        window: SignedDuration,
    ) -> Result<Contest, RecordError> {
        let from = until.checked_sub(window).unwrap_or(Timestamp::MIN);
        let (first, last) = (moment(from), moment(until));
        let (mut found, mut stop) = (Contest::default(), None);
        let mut next = from;
        while hour(next) <= hour(until) {
            let prefix = format!("contests/{contest}/{}", hour(next));
            for key in self.keys(&prefix).await? {
                let mut parts = key.strip_prefix(&prefix).unwrap_or_default().trim_start_matches('/').splitn(4, '.');
                let (Some(at), Some(kind), Some(finding)) = (parts.next(), parts.next(), parts.next()) else {
                    continue;
                };
                if at < first.as_str() || at > last.as_str() {
                    continue;
                }
                match (kind, finding.parse::<FindingId>()) {
                    ("responded", Ok(finding)) if !found.responded.contains(&finding) => found.responded.push(finding),
                    ("stopped", Ok(_)) => stop = Some(key.clone()),
                    _ => {}
                }
            }
            match next.checked_add(1.hour()) {
                Ok(later) => next = later,
                Err(_) => break,
            }
        }
        if let Some(key) = stop {
            found.stopped = self.get(&key).await?;
        }
        Ok(found)
    }
}

fn hour(at: Timestamp) -> String {
    Offset::UTC.to_datetime(at).strftime("%Y-%m-%dT%H").to_string()
}

/// A moment as text that sorts as time does, without the `.` that parts a key: nanoseconds are digits like the rest.
fn moment(at: Timestamp) -> String {
    Offset::UTC.to_datetime(at).strftime("%Y%m%dT%H%M%S%9f").to_string()
}
