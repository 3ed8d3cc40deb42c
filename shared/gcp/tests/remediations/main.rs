//! Every remediation, on a cloud in memory: takes back the bad part, leaves the rest, and can be undone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::too_many_lines)] // tables of cases

mod cases;
mod fake;
mod findings;
mod memory;
mod records;
mod refusals;
mod state;

use std::collections::BTreeSet;

use onus_core::proof::{self, Case, Fake};
use onus_core::{CallErrorKind, Caller, Finding, Image, PlanError, Remediation};
use onus_gcp::{remediation, remediations};

use fake::FakeGcp;

/// Where the repository's own records are.
const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events");

/// Reads what a remediation wants, as the pipeline does.
async fn read(gcp: &FakeGcp, remediation: &dyn Remediation, finding: &Finding) -> Result<Image, PlanError> {
    onus_core::state::read_image(gcp, |so_far| remediation.reads(finding, so_far)).await
}

fn the_remediation(case: &Case) -> &'static dyn Remediation {
    remediation(case.remediation).unwrap_or_else(|| panic!("no {}", case.remediation))
}

/// What a remediation does not do as it has to, on a cloud that holds the case.
async fn wrongs(case: &Case) -> Vec<String> {
    proof::wrongs(&FakeGcp::new(case.world.clone()), the_remediation(case), case).await
}

#[tokio::test]
async fn every_remediation_heals_leaves_the_rest_and_can_be_undone() {
    let mut wrong = Vec::new();
    for case in &cases::all() {
        wrong.extend(wrongs(case).await);
    }
    assert!(wrong.is_empty(), "{} wrongs:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn records_lead_to_what_heals_and_can_be_undone() {
    let mut wrong = Vec::new();
    for case in &records::all() {
        let found = wrongs(case).await;
        wrong.extend(found.into_iter().map(|what| format!("{}, {}: {what}", case.remediation, case.name)));
    }
    assert!(wrong.is_empty(), "{} wrongs:\n{}", wrong.len(), wrong.join("\n"));
}

/// Remediations of things for which Google has no version token.
const UNCONDITIONAL: [&str; 3] =
    ["gcp.compute.narrow_firewall", "gcp.iam.disable_service_account_key", "gcp.logging.restore_sink"];

/// What comes of sending a call after somebody changed the thing that was read.
async fn after_another_change(case: &Case, undo: bool) -> Result<(), CallErrorKind> {
    let gcp = FakeGcp::new(case.world.clone());
    let remediation = the_remediation(case);
    let before = read(&gcp, remediation, &case.finding).await.unwrap();
    let step = remediation.plan(&case.finding, &before).unwrap().remove(0);
    let mut call = step.call;
    if undo {
        gcp.call(&call).await.unwrap();
        let after = read(&gcp, remediation, &case.finding).await.unwrap();
        call = after.fill(&step.inverse.unwrap()).unwrap();
    }
    gcp.touch_everything();
    let world = gcp.world();
    let sent = gcp.call(&call).await.map(|_| ()).map_err(|error| error.kind);
    assert!(sent.is_ok() || gcp.world() == world, "{}: a refused call wrote", case.remediation);
    sent
}

#[tokio::test]
async fn a_change_between_reading_and_writing_is_not_lost() {
    let mut wrong = Vec::new();
    for case in &cases::all() {
        let expected = if UNCONDITIONAL.contains(&case.remediation) { Ok(()) } else { Err(CallErrorKind::Conflict) };
        for undo in [false, true] {
            let found = after_another_change(case, undo).await;
            if found != expected {
                wrong.push(format!("{}, {}, undo {undo}: {found:?}, not {expected:?}", case.remediation, case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Remediations that set one switch: their undo touches nothing else.
const SWITCHES: [&str; 3] =
    ["gcp.iam.disable_service_account_key", "gcp.logging.restore_sink", "gcp.storage.enforce_public_access_prevention"];

#[tokio::test]
async fn whoever_writes_a_whole_list_tells_what_it_leaves() {
    let mut wrong = Vec::new();
    for case in &cases::all() {
        let remediation = the_remediation(case);
        let before = read(&FakeGcp::new(case.world.clone()), remediation, &case.finding).await.unwrap();
        if remediation.leaves(&case.finding, &before).is_none() != SWITCHES.contains(&case.remediation) {
            wrong.push(format!("{}, {}", case.remediation, case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_remediation_has_a_case() {
    let cases = cases::all();
    let played: BTreeSet<&str> = cases.iter().map(|case| case.remediation).collect();
    let missing: Vec<&str> = remediations().iter().map(|one| one.spec().id).filter(|id| !played.contains(id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_operation_that_somebody_names_is_in_the_table() {
    let specs = remediations().iter().map(|one| one.spec());
    let named = specs.flat_map(|spec| [spec.reads, spec.writes, spec.undo].concat());
    let read = onus_gcp::state_readers().iter().flat_map(|reader| reader.operations().to_vec());
    let known: BTreeSet<&str> = onus_gcp::operations::operations().collect();
    let listed = onus_gcp::listers().iter().flat_map(|lister| lister.operations().to_vec());
    let named = named.chain(read).chain(listed).map(str::to_owned).chain(onus_gcp::tags::operations());
    let missing: BTreeSet<String> = named.filter(|name| !known.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "add to operations/operations.txt and run generate_operations.py: {missing:?}");
}

#[test]
fn every_specification_is_complete() {
    let mut wrong = Vec::new();
    for spec in remediations().iter().map(|one| one.spec()) {
        for (list, named) in [("reads", spec.reads), ("writes", spec.writes), ("undo", spec.undo)] {
            if named.is_empty() || named.iter().any(|name| name.split_once(':').is_none()) {
                wrong.push(format!("{}: {list} {named:?}", spec.id));
            }
        }
        if !spec.kind.contains(".googleapis.com/") || spec.title.is_empty() {
            wrong.push(format!("{}: kind or title", spec.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
