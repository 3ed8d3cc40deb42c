//! `EventBridge` patterns: which events reach `aws-audit`.

use std::collections::{BTreeMap, BTreeSet};

use onus_rules::Catalog;
use serde_json::{Value, json};

/// The longest pattern that `EventBridge` takes by default, in characters
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>).
pub const LONGEST_PATTERN: usize = 2048;

/// Services whose event names carry the date of the API, so that only the start of a name is known.
const DATED: [&str; 2] = ["cloudfront", "lambda"];

/// Patterns that together match every event some rule watches, each short enough for `EventBridge`.
///
/// They may match more (an operation of one service in another's name), never less. `source` is left to AWS: only its own
/// services can send what starts with `aws.`.
pub fn patterns(catalog: &Catalog) -> Vec<Value> {
    let watched = catalog.watched();
    let watched: Vec<_> = watched.iter().filter(|watched| watched.source == "aws.cloudtrail").collect();
    if watched.iter().any(|watched| watched.service == "*") {
        return vec![pattern(&json!({}))];
    }
    let whole: BTreeSet<&str> =
        watched.iter().filter(|watched| watched.action == "*").map(|watched| watched.service).collect();
    let mut packs: Vec<Pack> = Vec::new();
    for operation in watched.iter().filter(|operation| !whole.contains(operation.service)) {
        let (service, action) = (operation.service, operation.action);
        if packs.last_mut().is_none_or(|pack| !pack.take(service, action)) {
            let mut pack = Pack::default();
            pack.add(service, action);
            packs.push(pack);
        }
    }
    let sources: Vec<String> = whole.into_iter().map(source).collect();
    let whole = (!sources.is_empty()).then(|| json!({ "eventSource": sources }));
    whole.into_iter().chain(packs.iter().map(Pack::detail)).map(|detail| pattern(&detail)).collect()
}

/// The service's `eventSource`.
fn source(service: &str) -> String {
    format!("{service}.amazonaws.com")
}

/// Operations that share a pattern: event source → names or starts of names.
#[derive(Default, Clone)]
struct Pack(BTreeMap<String, Vec<Value>>);

impl Pack {
    fn add(&mut self, service: &str, action: &str) {
        let name = if DATED.contains(&service) { json!({ "prefix": action }) } else { json!(action) };
        self.0.entry(source(service)).or_default().push(name);
    }

    /// Adds an operation unless the pattern would become too long.
    fn take(&mut self, service: &str, action: &str) -> bool {
        let mut larger = self.clone();
        larger.add(service, action);
        let fits = pattern(&larger.detail()).to_string().len() <= LONGEST_PATTERN;
        if fits {
            *self = larger;
        }
        fits
    }

    fn detail(&self) -> Value {
        let mut names: Vec<&Value> = self.0.values().flatten().collect();
        names.sort_by_key(ToString::to_string);
        names.dedup();
        json!({ "eventSource": self.0.keys().collect::<Vec<_>>(), "eventName": names })
    }
}

/// The five detail types of `CloudTrail` all end alike; China's start with `Amazon` instead of `AWS`.
fn pattern(detail: &Value) -> Value {
    let mut pattern = json!({ "source": [{ "prefix": "aws." }], "detail-type": [{ "suffix": " via CloudTrail" }] });
    if let (Value::Object(members), false) = (&mut pattern, *detail == json!({})) {
        members.insert("detail".to_owned(), detail.clone());
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a pattern of the kinds used here lets an event through.
    fn matches(pattern: &Value, source: &str, name: &str) -> bool {
        let detail = &pattern["detail"];
        let one = |wanted: &Value, text: &str| match wanted {
            Value::Null => true,
            Value::Array(any) => any.iter().any(|one| match one {
                Value::String(exact) => exact == text,
                other => other["prefix"].as_str().is_some_and(|start| text.starts_with(start)),
            }),
            _ => false,
        };
        one(&detail["eventSource"], source) && one(&detail["eventName"], name)
    }

    #[test]
    fn every_watched_event_reaches_the_function() {
        let catalog = Catalog::embedded();
        let patterns = patterns(catalog);
        let mut missed = Vec::new();
        for operation in catalog.watched().iter().filter(|operation| operation.source == "aws.cloudtrail") {
            let dated = if DATED.contains(&operation.service) { "20150331v2" } else { "" };
            let name = format!("{}{dated}", operation.action);
            if !patterns.iter().any(|pattern| matches(pattern, &source(operation.service), &name)) {
                missed.push(format!("{}:{}", operation.service, operation.action));
            }
        }
        assert!(missed.is_empty(), "no pattern matches {missed:?}");
        assert!(!patterns.iter().any(|pattern| matches(pattern, "ec2.amazonaws.com", "StopInstances")));
    }

    #[test]
    fn a_rule_that_watches_everything_needs_one_pattern() {
        let text = "title: x\nstatus: stable\nseverity: low\nduty: { area: identity_access_management, service: IAM }\nwhy: y\n\
            respond: [z]\ncontrols: [\"attack:T1078\"]\nreferences: [\"https://example.com/\"]\n\
            watch: { source: aws.cloudtrail, actions: [\"*:*\"] }\nwhen: change.read_only\ntests: []\n";
        let catalog = Catalog::load([("aws/iam/any_call.yaml".to_owned(), text.to_owned())]);
        let catalog = catalog.unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(patterns(&catalog), [pattern(&json!({}))]);
    }

    #[test]
    fn every_pattern_is_short_enough() {
        let long: Vec<_> = patterns(Catalog::embedded()).iter().map(|pattern| pattern.to_string().len()).collect();
        assert!(long.iter().all(|length| *length <= LONGEST_PATTERN), "{long:?}");
    }
}
