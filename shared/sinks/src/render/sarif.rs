//! SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/>): one run, one rule for each rule that has a result.

use std::collections::BTreeMap;

use onus_core::{Finding, Severity};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::Located;

/// The log of one run. Results keep the order given; rules are sorted by id.
pub fn log<'a>(findings: impl IntoIterator<Item = Located<'a>>) -> Value {
    let findings: Vec<Located<'a>> = findings.into_iter().collect();
    let rules: BTreeMap<&str, &Finding> =
        findings.iter().map(|located| (located.finding.rule.as_str(), located.finding)).collect();
    let index: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(index, id)| (*id, index)).collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Onus",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.values().map(|finding| rule(finding)).collect::<Vec<_>>(),
            }},
            "results": findings.iter().map(|located| {
                result(located, index.get(located.finding.rule.as_str()).copied().unwrap_or_default())
            }).collect::<Vec<_>>(),
        }],
    })
}

/// A `reportingDescriptor`.
fn rule(finding: &Finding) -> Value {
    let mut rule = json!({
        "id": finding.rule,
        "shortDescription": { "text": finding.title },
        "fullDescription": { "text": finding.why },
        "help": { "text": finding.respond.join("\n") },
        "defaultConfiguration": { "level": level(finding.severity) },
        "properties": {
            "tags": finding.controls,
            "security-severity": score(finding.severity),
        },
    });
    if let (Some(page), Value::Object(members)) = (finding.references.first(), &mut rule) {
        members.insert("helpUri".to_owned(), Value::from(page.as_str()));
    }
    rule
}

fn result(located: &Located<'_>, index: usize) -> Value {
    let finding = located.finding;
    let change = &finding.change;
    let resource = finding.resource().map_or("", |resource| &resource.id);
    // A record that cannot decide is for a person to review, not a pass and not a failure; such a result has no level.
    let fires = located.verdict == "fires";
    let on = if resource.is_empty() { String::new() } else { format!(" on {resource}") };
    json!({
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": if fires { level(finding.severity) } else { "none" },
        "kind": if fires { "fail" } else { "review" },
        "message": { "text": format!("{}: {}:{}{on} by {}", finding.title, change.service, change.action, change.actor.id) },
        "locations": [{
            "physicalLocation": { "artifactLocation": { "uri": uri(located.file) } },
            "logicalLocations": [{ "fullyQualifiedName": resource, "kind": "resource" }],
        }],
        "partialFingerprints": { "onusFinding/v1": finding.id },
        "properties": {
            "record": located.record,
            "verdict": located.verdict,
            "severity": finding.severity,
            "duty": finding.duty,
            "account": change.account,
            "region": change.region,
            "time": change.time,
        },
    })
}

/// A path or URL as a URI reference. Standard input has no location: an empty reference stands for it.
fn uri(file: &str) -> String {
    const KEPT: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'<')
        .add(b'>')
        .add(b'`')
        .add(b'{')
        .add(b'}')
        .add(b'\\')
        .add(b'^')
        .add(b'|')
        .add(b'%')
        .add(b'#')
        .add(b'?');
    if file == "-" { String::new() } else { utf8_percent_encode(file, KEPT).to_string() }
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Informational => "note",
    }
}

/// GitHub's `security-severity`: over 9.0 is critical, from 7.0 high, from 4.0 medium.
const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Informational => "0.0",
    }
}
