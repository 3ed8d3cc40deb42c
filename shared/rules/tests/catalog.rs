//! Every rule keeps the catalogue's promises.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "this is a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use onus_core::{Change, Outcome};
use onus_rules::{Catalog, Expect, Status, cases, evaluate, responsibility};
use onus_sources::{Decoded, scan};
use serde_json::{Value, json};

fn fixture(event: &str) -> Result<String, String> {
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events");
    fs::read_to_string(events.join(event)).map_err(|error| error.to_string())
}

/// Decodes as the functions do: the record tells by itself whose log it is from.
fn decode(text: &str, visit: &mut dyn FnMut(&Change<'_>)) -> Result<(), String> {
    let mut problem = None;
    let visited = scan("record", text.as_bytes(), &mut |entry| match entry.result {
        Ok(Decoded::Change(change)) => visit(&change),
        Ok(Decoded::Skipped(skip)) => problem = Some(format!("skipped: {}", skip.as_str())),
        Err(error) => problem = Some(error.to_string()),
    });
    visited.map_err(|error| error.to_string())?;
    problem.map_or(Ok(()), Err)
}

#[test]
fn every_rule_behaves_as_its_own_tests_say() {
    let catalog = Catalog::embedded();
    let mut wrong = Vec::new();
    for rule in catalog.rules() {
        for case in catalog.cases(&rule.id) {
            if let Err(error) = cases::check(rule, case, &fixture, &decode) {
                wrong.push(format!("{}: `{}`: {error}", rule.id, case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} rule tests disagree:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_rule_is_tested_both_ways_and_on_a_refused_call() {
    let catalog = Catalog::embedded();
    let mut wrong = Vec::new();
    for rule in catalog.rules() {
        let cases = catalog.cases(&rule.id);
        let told = |case: &cases::Case| {
            let record = case.record_text(&fixture).ok()?;
            let mut told = None;
            let refused = |change: &Change<'_>| matches!(change.outcome, Outcome::Failed { .. });
            decode(&record, &mut |change| told = Some((change.operation(), refused(change)))).ok()?;
            told
        };
        let of = |expect: Expect| -> BTreeSet<String> {
            let told = cases.iter().filter(|case| case.expect == expect).filter_map(told);
            told.filter(|(_, refused)| !refused).map(|(operation, _)| operation).collect()
        };
        let fires = of(Expect::Fires);
        if fires.is_empty() {
            wrong.push(format!("{}: no test fires", rule.id));
        }
        // Where the call alone decides, only a refused one is silent.
        let decides = rule.when.trim() != "true";
        if decides && fires.intersection(&of(Expect::Silent)).next().is_none() {
            wrong.push(format!("{}: no silent test on an action that fires", rule.id));
        }
        if !cases.iter().filter_map(told).any(|(_, refused)| refused) {
            wrong.push(format!("{}: no test of a denied attempt", rule.id));
        }
    }
    assert!(wrong.is_empty(), "{} rules lack a test:\n{}", wrong.len(), wrong.join("\n"));
}

/// Every place of a record's bodies, as a JSON pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let escape = |name: &str| name.replace('~', "~0").replace('/', "~1");
    let members: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (escape(name), value)).collect(),
        Value::Array(elements) => elements.iter().enumerate().map(|(n, value)| (n.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (name, value) in members {
        let place = format!("{at}/{name}");
        places(value, &place, found);
        found.push(place);
    }
}

/// The members of a record that hold what was asked for and answered, of every log.
const BODIES: [&str; 5] = ["requestParameters", "responseElements", "properties", "targetResources", "protoPayload"];

/// Puts an object in place of a text that holds one, so that there are places in it: the decoders take either.
fn open_texts(body: &mut Value) {
    let Value::Object(members) = body else { return };
    for member in members.values_mut() {
        if let Some(Ok(object @ Value::Object(_))) = member.as_str().map(serde_json::from_str) {
            *member = object;
        }
    }
}

/// A provider may write anything. A rule may then fail, and say so; it must not take the function down.
#[test]
fn no_shape_of_a_record_makes_a_rule_panic() {
    let catalog = Catalog::embedded();
    let others = [json!(null), json!(1), json!("x"), json!([]), json!({}), json!(true), json!([{}, "x", 7])];
    let (mut evaluated, mut failed) = (0, 0);
    for rule in catalog.rules() {
        let Some(case) = catalog.cases(&rule.id).iter().find(|case| case.expect == Expect::Fires) else { continue };
        let (Ok(record), Ok(settings)) = (case.record_text(&fixture), case.settings()) else { continue };
        let mut record: Value = serde_json::from_str(&record).unwrap();
        let mut found = Vec::new();
        for body in BODIES {
            open_texts(&mut record[body]);
            places(&record[body], &format!("/{body}"), &mut found);
            found.push(format!("/{body}"));
        }
        for place in found {
            for other in &others {
                let mut record = record.clone();
                let Some(slot) = record.pointer_mut(&place) else { continue };
                *slot = other.clone();
                // Not every such record decodes, and that is no matter of the rules.
                let _ = decode(&record.to_string(), &mut |change| {
                    evaluated += 1;
                    failed += usize::from(evaluate(rule, change, None, &settings).is_err());
                });
            }
        }
    }
    assert!(evaluated >= 20 * catalog.rules().len(), "{evaluated} evaluations are too few");
    assert!(failed < evaluated / 10, "{failed} of {evaluated} evaluations fail: the rules expect too much of a record");
}

#[test]
fn the_files_load_as_a_users_rules_would() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
    let loaded = Catalog::load_dir(&folder).unwrap_or_else(|errors| panic!("{errors}"));
    let embedded = Catalog::embedded();
    let ids = |catalog: &Catalog| catalog.rules().map(|rule| rule.id.to_string()).collect::<BTreeSet<_>>();
    assert_eq!(ids(&loaded), ids(embedded));
    assert_eq!(loaded.watched(), embedded.watched());
    assert!(embedded.merged(&loaded).is_err() || loaded.rules().len() == 0, "an id has one meaning");
}

#[test]
fn every_stable_rule_says_what_it_is_good_for() {
    let mut wrong = Vec::new();
    for rule in Catalog::embedded().rules().filter(|rule| rule.status == Status::Stable) {
        for (what, missing) in [
            ("controls", rule.controls.is_empty()),
            ("references", rule.references.is_empty()),
            ("benign", rule.benign.is_empty()),
        ] {
            if missing {
                wrong.push(format!("{}: no {what}", rule.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{} stable rules are incomplete:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_service_in_the_matrix_has_a_complete_row() {
    let matrix = responsibility::matrix();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for row in matrix.services {
        if !seen.insert((row.cloud, row.name)) {
            wrong.push(format!("{} {}: twice", row.cloud, row.name));
        }
        if row.customer.is_empty() || row.provider.is_empty() {
            wrong.push(format!("{} {}: a side without duties", row.cloud, row.name));
        }
    }
    for area in onus_core::Area::ALL {
        for model in onus_core::ServiceModel::ALL {
            if matrix.cell(*area, *model).is_none_or(|cell| cell.source.is_empty()) {
                wrong.push(format!("{area} × {model}: no cell with a source"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
