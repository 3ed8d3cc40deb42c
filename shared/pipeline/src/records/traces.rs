//! What the ledger's folders by day and hour tell of findings: kept for other purposes, and left when somebody cuts off a chain's end.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use onus_core::FindingId;
use serde::Serialize;

use super::Records;
use super::entry::Slots;
use crate::error::RecordError;

/// The folders whose keys begin with a finding's id and that hold what a day's index should list.
const OWN_FOLDERS: [&str; 5] = ["evidence", "findings", "attempts", "receipts", "told"];

/// What folders by day and hour tell, by finding.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Traces {
    /// Logs with a hole: an entry is gone, and a later one is there.
    pub gaps: Vec<String>,
    #[serde(skip)]
    listed: BTreeMap<FindingId, String>,
    #[serde(skip)]
    waiting: BTreeMap<FindingId, Vec<(String, String)>>,
    #[serde(skip)]
    booked: BTreeMap<FindingId, String>,
}

impl Traces {
    /// The key that lists a finding by the day of its change.
    pub(super) fn listed(&self, finding: &FindingId) -> Option<&str> {
        self.listed.get(finding).map(String::as_str)
    }

    /// The plans of a finding that are listed as waiting: key, and plan.
    pub(super) fn waiting(&self, finding: &FindingId) -> &[(String, String)] {
        self.waiting.get(finding).map_or(&[], Vec::as_slice)
    }

    /// An entry that books slots for a finding's response.
    pub(super) fn booked(&self, finding: &FindingId) -> Option<&str> {
        self.booked.get(finding).map(String::as_str)
    }

    /// The findings that any of it names.
    pub fn findings(&self) -> BTreeSet<FindingId> {
        self.listed.keys().chain(self.waiting.keys()).chain(self.booked.keys()).cloned().collect()
    }
}

impl Records {
    /// What the folders by day and hour tell from one day through another (UTC). Lists each day twice and the budgets once, and reads the
    /// bookings of those days.
    ///
    /// # Errors
    /// The ledger failed, or a booking cannot be read.
    pub async fn traces(&self, from: Date, through: Date) -> Result<Traces, RecordError> {
        let mut traces = Traces::default();
        let mut next = Some(from);
        while let Some(day) = next.filter(|day| *day <= through) {
            for key in self.keys(&format!("days/{day}")).await? {
                if let Some(id) = key.rsplit('/').next().and_then(|id| id.parse().ok()) {
                    traces.listed.insert(id, key);
                }
            }
            for key in self.keys(&format!("waiting/{day}")).await? {
                let mut parts = key.split('/').skip(2);
                if let (Some(Ok(id)), Some(plan)) = (parts.next().map(str::parse), parts.next()) {
                    let plan = plan.to_owned();
                    traces.waiting.entry(id).or_default().push((key, plan));
                }
            }
            next = day.tomorrow().ok();
        }
        self.bookings(from, through, &mut traces).await?;
        Ok(traces)
    }

    async fn bookings(&self, from: Date, through: Date, traces: &mut Traces) -> Result<(), RecordError> {
        let mut hours: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for key in self.keys("budgets").await? {
            let mut parts = key.split('/').skip(1);
            let (Some(hour), Some(name), None) = (parts.next(), parts.next(), parts.next()) else { continue };
            let day = hour.split('T').next().and_then(|day| day.parse::<Date>().ok());
            let number = name.strip_suffix(".json").and_then(|number| number.parse().ok());
            if let (Some(day), Some(number)) = (day, number)
                && (from..=through).contains(&day)
            {
                hours.entry(hour.to_owned()).or_default().insert(number);
            }
        }
        for (hour, numbers) in hours {
            let last = numbers.last().copied().unwrap_or(0);
            for gone in (1..last).filter(|number| !numbers.contains(number)) {
                traces
                    .gaps
                    .push(format!("`budgets/{hour}/{gone}.json` is gone, and `budgets/{hour}/{last}.json` is there"));
            }
            for number in numbers {
                if let Some(Slots { finding, writes: 1.., .. }) = self.slot(&hour, number).await? {
                    traces.booked.insert(finding, format!("budgets/{hour}/{number}.json"));
                }
            }
        }
        Ok(())
    }

    /// The findings that something tells of and that no day lists: whoever takes one out of its day hides it from everybody who goes by days.
    /// Lists the whole ledger but for what was read.
    ///
    /// # Errors
    /// The ledger failed.
    pub async fn unlisted(&self) -> Result<BTreeSet<FindingId>, RecordError> {
        let named = |key: &str, at: usize| {
            let segment = key.split('/').nth(at)?;
            segment.strip_suffix(".json").unwrap_or(segment).parse::<FindingId>().ok()
        };
        let days = self.keys("days").await?;
        let listed: BTreeSet<FindingId> = days.iter().filter_map(|key| named(key, 2)).collect();
        let mut found = BTreeSet::new();
        for folder in OWN_FOLDERS {
            found.extend(self.keys(folder).await?.iter().filter_map(|key| named(key, 1)));
        }
        Ok(&found - &listed)
    }
}
