//! The memory of states: every part of a resource that was ever read, each time it was new.
//!
//! `states/<resource>/<part>/at/<moment>.<content>` says when a part became what `states/<resource>/<part>/content/<content>.json` holds; the
//! content is named by its hash, so the same one is stored once, and a part that reads as last time is not put down again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::Offset;
use onus_core::{ChangeSummary, Created, Image, Known, Remembered, Resource};
use serde_json::Value;

use super::Records;
use super::key::{hashed, segment};
use crate::error::RecordError;
use crate::lock::SKEW;

/// What the keys of one resource say: part → when → content.
type Timeline = BTreeMap<String, BTreeMap<String, String>>;

impl Records {
    /// Keeps what was read of a resource. Answers how many of its parts were new.
    ///
    /// # Errors
    /// The ledger failed.
    pub async fn remember(
        &self,
        place: &ChangeSummary,
        resource: &Resource<'_>,
        image: &Image,
        at: Timestamp,
    ) -> Result<usize, RecordError> {
        let base = base(place, resource);
        let timeline = self.timeline(&base).await?;
        let mut new = 0;
        for (part, value) in &image.0 {
            let part = segment(part);
            let content = hashed([canonical(value).as_str()]);
            if timeline.get(&part).and_then(|times| times.values().next_back()) == Some(&content) {
                continue;
            }
            // The content first: a moment never names one that is not there.
            self.put(&format!("{base}/{part}/content/{content}.json"), value).await?;
            let marked = self.put(&format!("{base}/{part}/at/{}.{content}", moment(at)), &Value::Null).await?;
            new += usize::from(marked == Created::New);
        }
        Ok(new)
    }

    /// What was known of a resource's parts before a change: of each the last that was seen surely before it, a minute being left for clocks
    /// that differ. `None` when no part was seen by then.
    ///
    /// # Errors
    /// The ledger failed, or an entry cannot be read.
    pub async fn remembered(
        &self,
        place: &ChangeSummary,
        resource: &Resource<'_>,
    ) -> Result<Option<Remembered>, RecordError> {
        let base = base(place, resource);
        let before = moment(place.time.checked_sub(SKEW).unwrap_or(Timestamp::MIN));
        let (mut image, mut youngest) = (Image::default(), None);
        for (part, times) in self.timeline(&base).await? {
            let Some((seen, content)) = times.range(..before.clone()).next_back() else { continue };
            let Some(value) = self.get::<Value>(&format!("{base}/{part}/content/{content}.json")).await? else {
                continue;
            };
            let name = percent_encoding::percent_decode_str(&part).decode_utf8_lossy().into_owned();
            image.0.insert(name, value);
            youngest = youngest.max(Some(seen.clone()));
        }
        let since = youngest.and_then(|seen| time(&seen));
        Ok((!image.0.is_empty()).then_some(Remembered { image, since }))
    }

    /// What was known of those of a change's resources that are of a kind.
    pub(crate) async fn known(&self, change: &ChangeSummary, kind: &str) -> Result<Known, RecordError> {
        let mut known = Vec::new();
        let ids: BTreeSet<&str> = change.resources.iter().filter(|r| r.kind == kind).map(|r| &*r.id).collect();
        for resource in change.resources.iter().filter(|resource| ids.contains(&*resource.id) && resource.kind == kind)
        {
            if let Some(remembered) = self.remembered(change, resource).await? {
                known.push((resource.id.to_string(), remembered));
            }
        }
        Ok(known.into_iter().collect())
    }

    async fn timeline(&self, base: &str) -> Result<Timeline, RecordError> {
        let mut timeline = Timeline::new();
        for key in self.keys(base).await? {
            let mut parts = key.strip_prefix(base).unwrap_or_default().trim_start_matches('/').split('/');
            if let (Some(part), Some("at"), Some(mark)) = (parts.next(), parts.next(), parts.next())
                && let Some((at, content)) = mark.split_once('.')
            {
                timeline.entry(part.to_owned()).or_default().insert(at.to_owned(), content.to_owned());
            }
        }
        Ok(timeline)
    }
}

/// Where a resource's states lie. A full id (an ARN, an ARM id, an asset name) says all; a bare name counts within its account and region.
fn base(place: &ChangeSummary, resource: &Resource<'_>) -> String {
    let (account, region) = if resource.id == resource.name && !resource.id.contains(['/', ':']) {
        (&*place.account, &*place.region)
    } else {
        ("", "")
    };
    format!("states/{}", hashed([place.cloud.as_str(), account, region, &resource.kind, &resource.id]))
}

/// JSON with the members of objects in order, so that equal values have one hash.
fn canonical(value: &Value) -> String {
    fn ordered(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let sorted: BTreeMap<&String, Value> =
                    members.iter().map(|(name, value)| (name, ordered(value))).collect();
                sorted.into_iter().map(|(name, value)| (name.clone(), value)).collect::<serde_json::Map<_, _>>().into()
            }
            Value::Array(elements) => elements.iter().map(ordered).collect(),
            other => other.clone(),
        }
    }
    ordered(value).to_string()
}

/// A moment as text that sorts as time does.
fn moment(at: Timestamp) -> String {
    Offset::UTC.to_datetime(at).strftime("%Y%m%dT%H%M%S%9fZ").to_string()
}

fn time(moment: &str) -> Option<Timestamp> {
    let (seconds, nanoseconds) = moment.strip_suffix('Z')?.split_at_checked(15)?;
    format!("{seconds}.{nanoseconds}Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_moment_is_read_back() {
        let at: Timestamp = "2026-11-02T10:00:05.000000007Z".parse().expect("a moment");
        assert_eq!(moment(at), "20261102T100005000000007Z");
        assert_eq!(time(&moment(at)), Some(at));
    }

    #[test]
    fn the_order_of_members_does_not_matter() {
        let (one, other) = (json!({ "a": [{ "c": 1, "b": 2 }] }), json!({ "a": [{ "b": 2, "c": 1 }] }));
        assert_eq!(canonical(&one), canonical(&other));
        assert_ne!(canonical(&one), canonical(&json!({ "a": [] })));
    }
}
