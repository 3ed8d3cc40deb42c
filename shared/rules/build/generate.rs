//! Rust source of the static data.

use std::fmt::Write as _;

use crate::matrix_file::MatrixFile;
use crate::model::{CaseFile, Expect, RuleFile, Status, WatchOutcome, check};

/// The rules in the order of their ids, their cases, and the index of watched operations.
pub(crate) fn catalog(rules: &[(String, RuleFile)]) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "pub(super) static RULES: [Rule; {}] = [", rules.len());
    for (id, file) in rules {
        let _ = writeln!(out, "    {},", rule(id, file));
    }
    let _ = writeln!(out, "];\n\npub(super) static CASES: [&[Case]; {}] = [", rules.len());
    for (_, file) in rules {
        let cases: Vec<String> = file.tests.iter().map(case).collect();
        let _ = writeln!(out, "    &[{}],", cases.join(", "));
    }
    let live = |file: &RuleFile| file.status != Status::Deprecated;
    let actions = |file: &RuleFile| if live(file) { file.watch.actions.clone() } else { Vec::new() };
    let index = check::index(rules.iter().map(|(_, file)| actions(file)));
    let _ = writeln!(out, "];\n\npub(super) static INDEX: [Entry; {}] = [", index.len());
    for ((service, action), positions) in index {
        let (service, action) = (text(&service), text(&action));
        let _ = writeln!(out, "    Entry {{ service: {service}, action: {action}, rules: Borrowed(&{positions:?}) }},");
    }
    out.push_str("];\n");
    out
}

fn rule(id: &str, file: &RuleFile) -> String {
    let outcome = match file.watch.outcome {
        WatchOutcome::Succeeded => "Succeeded",
        WatchOutcome::Failed => "Failed",
        WatchOutcome::Any => "Any",
    };
    let status = match file.status {
        Status::Draft => "Draft",
        Status::Stable => "Stable",
        Status::Deprecated => "Deprecated",
    };
    let fields = [
        ("id", text(id)),
        ("title", text(file.title.trim())),
        ("status", format!("Status::{status}")),
        ("severity", format!("Severity::{}", camel(&file.severity))),
        ("area", format!("Area::{}", camel(&file.duty.area))),
        ("service", text(&file.duty.service)),
        ("why", text(file.why.trim())),
        ("benign", text(file.benign.trim())),
        ("respond", texts(&file.respond)),
        ("controls", texts(&file.controls)),
        ("references", texts(&file.references)),
        (
            "watch",
            format!(
                "Watch {{ source: {}, actions: {}, outcome: WatchOutcome::{outcome} }}",
                text(&file.watch.source),
                texts(&file.watch.actions)
            ),
        ),
        ("when", text(&file.when)),
        ("state", maybe(file.state.as_deref())),
        ("state_when", maybe(file.state_when.as_deref())),
        ("remedy", maybe(file.remedy.as_deref())),
        ("programs", "Programs::new()".to_owned()),
    ];
    structure("Rule", &fields)
}

fn case(case: &CaseFile) -> String {
    let expect = match case.expect {
        Expect::Fires => "Fires",
        Expect::Silent => "Silent",
        Expect::NeedsState => "NeedsState",
    };
    let fields = [
        ("name", text(&case.name)),
        ("expect", format!("Expect::{expect}")),
        ("event", maybe(case.event.as_deref())),
        ("record", maybe(case.record_json().as_deref())),
        ("with", text(&case.with_json())),
        ("state", maybe(case.state_json().as_deref())),
        ("settings", maybe(case.settings_json().as_deref())),
    ];
    structure("Case", &fields)
}

/// The matrix: areas with their cells, and services with their duties.
pub(crate) fn matrix(matrix: &MatrixFile) -> String {
    let mut out = String::from("pub(super) static AREAS: &[AreaRow] = &[\n");
    for area in &matrix.areas {
        let cells: Vec<String> = area
            .owners
            .iter()
            .map(|(model, cell)| {
                let fields = [
                    ("model", format!("ServiceModel::{}", camel(model))),
                    ("owner", format!("Party::{}", camel(&cell.owner))),
                    ("source", literal(&matrix.page(&cell.source))),
                ];
                structure("Cell", &fields)
            })
            .collect();
        let fields = [
            ("area", format!("Area::{}", camel(&area.area))),
            ("about", literal(&area.about)),
            ("cells", format!("&[{}]", cells.join(", "))),
        ];
        let _ = writeln!(out, "    {},", structure("AreaRow", &fields));
    }
    out.push_str("];\n\npub(super) static SERVICES: &[ServiceRow] = &[\n");
    for service in &matrix.services {
        let duties: Vec<String> = service
            .customer
            .iter()
            .map(|duty| {
                let unseen =
                    duty.unseen.as_ref().map_or("None".to_owned(), |reason| format!("Some({})", literal(reason)));
                let fields = [
                    ("area", format!("Area::{}", camel(&duty.area))),
                    ("text", literal(&duty.duty)),
                    ("unseen", unseen),
                ];
                structure("CustomerDuty", &fields)
            })
            .collect();
        let provider: Vec<String> = service.provider.iter().map(|duty| literal(duty)).collect();
        let fields = [
            ("cloud", format!("Cloud::{}", camel(&service.cloud))),
            ("name", literal(&service.name)),
            ("model", format!("ServiceModel::{}", camel(&service.model))),
            ("customer", format!("&[{}]", duties.join(", "))),
            ("provider", format!("&[{}]", provider.join(", "))),
            ("source", literal(&matrix.page(&service.source))),
        ];
        let _ = writeln!(out, "    {},", structure("ServiceRow", &fields));
    }
    out.push_str("];\n");
    out
}

fn structure(name: &str, fields: &[(&str, String)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(field, value)| format!("{field}: {value}")).collect();
    format!("{name} {{ {} }}", fields.join(", "))
}

/// `identity_access_management` → `IdentityAccessManagement`; `onprem` → `OnPrem`, the one name that is two words.
fn camel(word: &str) -> String {
    if word == "onprem" {
        return "OnPrem".to_owned();
    }
    let capital = |part: &str| part.get(..1).unwrap_or_default().to_uppercase() + part.get(1..).unwrap_or_default();
    word.split('_').map(capital).collect()
}

fn literal(value: &str) -> String {
    format!("{value:?}")
}

fn text(value: &str) -> String {
    format!("Borrowed({value:?})")
}

fn texts(values: &[String]) -> String {
    let values: Vec<String> = values.iter().map(|value| text(value.trim())).collect();
    format!("Borrowed(&[{}])", values.join(", "))
}

fn maybe(value: Option<&str>) -> String {
    value.map_or("None".to_owned(), |value| format!("Some({})", text(value)))
}
