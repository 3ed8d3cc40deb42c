//! `onus stats`: how many findings there were and how fast they were contained, by cloud and rule.

use std::collections::BTreeMap;

use anyhow::Context;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use onus_core::plan::ReceiptKind;
use onus_core::{Cloud, ReceiptOutcome};
use onus_pipeline::Containment;
use onus_pipeline::containment::{detection, percentile};
use onus_pipeline::records::History;
use serde::Serialize;

use crate::Ended;
use crate::args::{ListFormat, StatsArgs};
use crate::ledger::{open, runtime};
use crate::output::{json_document, say, table};

/// The columns before the stretches.
const COUNTS: [&str; 7] = ["cloud", "rule", "findings", "contained", "unverified", "waiting", "alarmed"];

/// The stretches in the order of the way, with what stands above each.
const STRETCHES: [(&str, &str); 5] = [
    ("event_to_received", "received"),
    ("received_to_decided", "decided"),
    ("decided_to_written", "written"),
    ("written_to_verified", "verified"),
    ("time_to_contain", "whole"),
];

const LEGEND: &str = "p50 / p95 of the time from the change until Onus received it, from there until the rule decided, the first write was \
     sent and the change was verified to be gone; whole: from the change until then";

/// What was counted of one rule.
#[derive(Debug, Default, Serialize)]
struct Counted {
    findings: usize,
    contained: usize,
    unverified: usize,
    /// Plans that wait, and nothing after them.
    waiting: usize,
    /// Findings whose last word is an alarm or a refusal.
    alarmed: usize,
    /// By stretch: the median, the 95th percentile and the longest, in milliseconds. Those until a change was decided are of all
    /// findings, the others of those that were contained.
    milliseconds: BTreeMap<&'static str, [i64; 3]>,
    #[serde(skip)]
    stretches: BTreeMap<&'static str, Vec<i64>>,
}

#[derive(Serialize)]
struct Row {
    cloud: Cloud,
    rule: String,
    #[serde(flatten)]
    counted: Counted,
}

/// Prints the figures of so many days, by the day of the change.
///
/// # Errors
/// The ledger cannot be read.
pub(crate) fn run(args: &StatsArgs) -> anyhow::Result<Ended> {
    let records = open(&args.ledger)?;
    let today = Offset::UTC.to_datetime(Timestamp::now()).date();
    let from = today.checked_sub(i64::from(args.days).days()).context("cannot count that many days back")?;
    let mut rules: BTreeMap<(Cloud, String), Counted> = BTreeMap::new();
    runtime()?.block_on(async {
        for id in records.findings(from, today).await? {
            if let Some(history) = records.history(&id).await? {
                let key = (history.finding.change.cloud, history.finding.rule.clone());
                rules.entry(key).or_default().add(&history);
            }
        }
        anyhow::Ok(())
    })?;
    let rows = rules.into_iter().map(|((cloud, rule), counted)| Row { cloud, rule, counted: counted.summed() });
    let rows: Vec<Row> = rows.collect();
    match args.format {
        ListFormat::Json => say!("{}", json_document(&rows)?),
        ListFormat::Table => {
            let head: Vec<&str> = COUNTS.into_iter().chain(STRETCHES.map(|(_, head)| head)).collect();
            say!("{}", table::grid(&head, rows.iter().map(Row::cells).collect()));
            say!("{LEGEND}");
        }
    }
    Ok(Ended::Clean)
}

impl Counted {
    fn add(&mut self, history: &History) {
        self.findings += 1;
        if let Some(containment) = Containment::of(history) {
            self.contained += 1;
            return self.measure(&containment.stretches());
        }
        self.measure(&detection(history));
        let responded = history.receipts.iter().rfind(|receipt| receipt.kind == ReceiptKind::Respond);
        match responded.map(|receipt| &receipt.outcome) {
            Some(ReceiptOutcome::Unverified { .. }) => self.unverified += 1,
            Some(ReceiptOutcome::Refused { .. }) => self.alarmed += 1,
            Some(_) => {}
            None if !history.plans.is_empty() => self.waiting += 1,
            None => self.alarmed += usize::from(!history.alarms.is_empty()),
        }
    }

    fn measure(&mut self, stretches: &[(&'static str, i64)]) {
        for (name, ms) in stretches {
            self.stretches.entry(name).or_default().push(*ms);
        }
    }

    fn summed(mut self) -> Self {
        for (name, values) in &mut self.stretches {
            let at = |values: &mut Vec<i64>, percent| percentile(values, percent).unwrap_or_default();
            self.milliseconds.insert(name, [at(values, 50), at(values, 95), at(values, 100)]);
        }
        self
    }
}

impl Row {
    fn cells(&self) -> Vec<String> {
        let counted = &self.counted;
        let counts = [counted.findings, counted.contained, counted.unverified, counted.waiting, counted.alarmed];
        let mut cells = vec![self.cloud.to_string(), self.rule.clone()];
        cells.extend(counts.iter().map(ToString::to_string));
        cells.extend(STRETCHES.iter().map(|(name, _)| match counted.milliseconds.get(name) {
            Some([median, high, _]) => format!("{} / {}", duration(*median), duration(*high)),
            None => String::new(),
        }));
        cells
    }
}

/// `56 ms`, `1.2 s`, and from a hundred seconds on `120 s`.
fn duration(ms: i64) -> String {
    match ms {
        ..1000 => format!("{ms} ms"),
        1000..100_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => format!("{} s", ms / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_as_exact_as_people_read_them() {
        let shown = [0, 56, 999, 1_000, 1_290, 99_999, 120_500].map(duration);
        assert_eq!(shown, ["0 ms", "56 ms", "999 ms", "1.0 s", "1.2 s", "99.9 s", "120 s"]);
    }
}
