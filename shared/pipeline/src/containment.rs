//! How long it took from a change until it was taken back, and the forms in which metrics are exported.
//!
//! Everything is read from the ledger, so that a figure can be checked and counted again. No metrics library is needed: `CloudWatch` reads
//! metrics out of log lines of the embedded metric format, and OpenTelemetry's collectors read lines of OTLP's JSON encoding.

use jiff::Timestamp;
use onus_core::{Cloud, FindingId, ReceiptOutcome};
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::RecordError;
use crate::records::{History, Records};

/// The moments of one response that was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Containment {
    /// The finding.
    pub finding: FindingId,
    /// Whose cloud.
    pub cloud: Cloud,
    /// The rule.
    pub rule: String,
    /// When the change was made, by the provider's clock.
    pub event: Timestamp,
    /// When Onus first had it in hand: its claim.
    pub received: Timestamp,
    /// When the rule had decided.
    pub decided: Timestamp,
    /// When the first write was about to be sent.
    pub written: Timestamp,
    /// When reading back had shown it closed.
    pub verified: Timestamp,
}

/// The stretches of a containment; the first two are those of every finding.
const STRETCHES: [&str; 5] =
    ["event_to_received", "received_to_decided", "decided_to_written", "written_to_verified", "time_to_contain"];

impl Containment {
    /// The moments of a finding; `None` while no response to it was verified with a write.
    pub fn of(history: &History) -> Option<Self> {
        let finding = &history.finding;
        let receipt = history.receipts.iter().find(|receipt| {
            receipt.kind == onus_core::plan::ReceiptKind::Respond && receipt.outcome == ReceiptOutcome::Verified
        })?;
        let (_, intent) = history.attempts.iter().find(|(name, _)| name.starts_with("respond-"))?;
        Some(Self {
            finding: finding.id.clone(),
            cloud: finding.change.cloud,
            rule: finding.rule.clone(),
            event: finding.change.time,
            received: received(history),
            decided: finding.found_at,
            written: intent.at,
            verified: receipt.at,
        })
    }

    /// Each stretch by name, in milliseconds. Clocks differ: a stretch that would be negative is 0.
    pub fn stretches(&self) -> [(&'static str, i64); 5] {
        let [_, _, three, four, all] = STRETCHES;
        let [one, two] = until_decided(self.event, self.received, self.decided);
        [
            one,
            two,
            (three, between(self.decided, self.written)),
            (four, between(self.written, self.verified)),
            (all, between(self.event, self.verified)),
        ]
    }

    /// One log line in `CloudWatch`'s embedded metric format: the stretches by cloud and rule.
    ///
    /// Source: "Specification: Embedded metric format", Amazon CloudWatch user guide.
    pub fn emf(&self) -> Value {
        let metrics: Vec<Value> =
            STRETCHES.iter().map(|name| json!({ "Name": name, "Unit": "Milliseconds" })).collect();
        let mut line = json!({
            "_aws": {
                "Timestamp": self.verified.as_millisecond(),
                "CloudWatchMetrics": [{ "Namespace": "Onus", "Dimensions": [["cloud", "rule"]], "Metrics": metrics }],
            },
            "cloud": self.cloud,
            "rule": self.rule,
            "finding": self.finding,
        });
        if let Value::Object(members) = &mut line {
            members.extend(self.stretches().map(|(name, ms)| (name.to_owned(), Value::from(ms))));
        }
        line
    }

    /// One line of OTLP's JSON encoding: a gauge for each stretch, with cloud and rule as attributes.
    ///
    /// Source: `ExportMetricsServiceRequest`, OpenTelemetry protocol 1.x; 64-bit integers are text in it.
    pub fn otlp(&self) -> Value {
        let attribute = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
        let attributes = json!([attribute("cloud", self.cloud.as_str()), attribute("rule", &self.rule)]);
        let at = self.verified.as_nanosecond().to_string();
        let metrics = self.stretches().map(|(name, ms)| {
            json!({
                "name": format!("onus.{name}"),
                "unit": "ms",
                "gauge": { "dataPoints": [{ "timeUnixNano": at, "asInt": ms.to_string(), "attributes": attributes }] },
            })
        });
        json!({
            "resourceMetrics": [{
                "resource": { "attributes": [attribute("service.name", "onus")] },
                "scopeMetrics": [{ "scope": { "name": "onus" }, "metrics": metrics }],
            }],
        })
    }
}

/// The stretches of any finding until the rule had decided, contained or not, as [`Containment::stretches`] has them.
pub fn detection(history: &History) -> [(&'static str, i64); 2] {
    until_decided(history.finding.change.time, received(history), history.finding.found_at)
}

fn until_decided(event: Timestamp, received: Timestamp, decided: Timestamp) -> [(&'static str, i64); 2] {
    let [one, two, ..] = STRETCHES;
    [(one, between(event, received)), (two, between(received, decided))]
}

/// When a change was first in hand.
fn received(history: &History) -> Timestamp {
    history.claim.as_ref().map_or(history.finding.found_at, |claim| claim.at)
}

/// Milliseconds, never fewer than none.
fn between(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_millisecond() - from.as_millisecond()).max(0)
}

impl Records {
    /// The moments of a finding's response; `None` while none was verified with a write.
    ///
    /// # Errors
    /// The ledger failed, or an entry cannot be read.
    pub async fn containment(&self, finding: &FindingId) -> Result<Option<Containment>, RecordError> {
        Ok(self.history(finding).await?.as_ref().and_then(Containment::of))
    }
}

/// The value below which so many of a hundred lie, by nearest rank; `None` of nothing. Sorts.
pub fn percentile(values: &mut [i64], percent: usize) -> Option<i64> {
    values.sort_unstable();
    let rank = (values.len() * percent).div_ceil(100).max(1);
    values.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn containment() -> Containment {
        let at = |second: &str| format!("2026-11-02T10:00:{second}Z").parse().expect("a moment");
        Containment {
            finding: "f-0123456789abcdef0123456789".parse().expect("an id"),
            cloud: Cloud::Aws,
            rule: "aws.s3.bucket_policy_made_public".to_owned(),
            event: at("00"),
            received: at("05"),
            decided: at("05.250"),
            written: at("07"),
            verified: at("08"),
        }
    }

    #[test]
    fn metrics_have_the_forms_that_are_read() {
        insta::assert_snapshot!(containment().emf(), @r#"{"_aws":{"CloudWatchMetrics":[{"Dimensions":[["cloud","rule"]],"Metrics":[{"Name":"event_to_received","Unit":"Milliseconds"},{"Name":"received_to_decided","Unit":"Milliseconds"},{"Name":"decided_to_written","Unit":"Milliseconds"},{"Name":"written_to_verified","Unit":"Milliseconds"},{"Name":"time_to_contain","Unit":"Milliseconds"}],"Namespace":"Onus"}],"Timestamp":1793613608000},"cloud":"aws","decided_to_written":1750,"event_to_received":5000,"finding":"f-0123456789abcdef0123456789","received_to_decided":250,"rule":"aws.s3.bucket_policy_made_public","time_to_contain":8000,"written_to_verified":1000}"#);
        insta::assert_snapshot!(containment().otlp(), @r#"{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"onus"}}]},"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[{"asInt":"5000","attributes":[{"key":"cloud","value":{"stringValue":"aws"}},{"key":"rule","value":{"stringValue":"aws.s3.bucket_policy_made_public"}}],"timeUnixNano":"1793613608000000000"}]},"name":"onus.event_to_received","unit":"ms"},{"gauge":{"dataPoints":[{"asInt":"250","attributes":[{"key":"cloud","value":{"stringValue":"aws"}},{"key":"rule","value":{"stringValue":"aws.s3.bucket_policy_made_public"}}],"timeUnixNano":"1793613608000000000"}]},"name":"onus.received_to_decided","unit":"ms"},{"gauge":{"dataPoints":[{"asInt":"1750","attributes":[{"key":"cloud","value":{"stringValue":"aws"}},{"key":"rule","value":{"stringValue":"aws.s3.bucket_policy_made_public"}}],"timeUnixNano":"1793613608000000000"}]},"name":"onus.decided_to_written","unit":"ms"},{"gauge":{"dataPoints":[{"asInt":"1000","attributes":[{"key":"cloud","value":{"stringValue":"aws"}},{"key":"rule","value":{"stringValue":"aws.s3.bucket_policy_made_public"}}],"timeUnixNano":"1793613608000000000"}]},"name":"onus.written_to_verified","unit":"ms"},{"gauge":{"dataPoints":[{"asInt":"8000","attributes":[{"key":"cloud","value":{"stringValue":"aws"}},{"key":"rule","value":{"stringValue":"aws.s3.bucket_policy_made_public"}}],"timeUnixNano":"1793613608000000000"}]},"name":"onus.time_to_contain","unit":"ms"}],"scope":{"name":"onus"}}]}]}"#);
    }

    #[test]
    fn clocks_that_differ_make_no_negative_time() {
        let mut early = containment();
        early.received = "2026-11-02T09:59:59Z".parse().expect("a moment");
        assert_eq!(early.stretches().map(|(_, ms)| ms), [0, 6250, 1750, 1000, 8000]);
    }

    #[test]
    fn a_percentile_is_a_value_that_occurred() {
        let mut values = [5, 1, 4, 2, 3];
        let found: Vec<_> = [0, 50, 95, 100].map(|percent| percentile(&mut values, percent)).into();
        assert_eq!(found, [Some(1), Some(3), Some(5), Some(5)]);
        assert_eq!(percentile(&mut [], 50), None);
    }
}
