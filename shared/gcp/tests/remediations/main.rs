//! Every remediation, on a cloud in memory: takes back the bad part, leaves the rest, and can be undone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::too_many_lines)] // tables of cases

mod cases;
mod fake;
mod findings;
mod records;
mod refusals;
mod state;

use std::collections::BTreeSet;

use onus_core::{CallErrorKind, Caller, Finding, Image, PlanError, Remediation, Step};
use onus_gcp::{remediation, remediations};

use cases::Case;
use fake::{FakeGcp, sorted};

/// Reads what a remediation wants, as the pipeline does.
async fn read(gcp: &FakeGcp, remediation: &dyn Remediation, finding: &Finding) -> Result<Image, PlanError> {
    onus_core::state::read_image(gcp, |so_far| remediation.reads(finding, so_far)).await
}

fn the_remediation(case: &Case) -> &'static dyn Remediation {
    remediation(case.remediation).unwrap_or_else(|| panic!("no {}", case.remediation))
}

/// Plans, applies, reads back, plans again, undoes and reads back. Tells everything that is not as it should be.
async fn wrongs(case: &Case) -> Vec<String> {
    let mut wrong = Vec::new();
    let gcp = FakeGcp::new(case.world.clone());
    let remediation = the_remediation(case);
    let finding = &case.finding;
    let before = read(&gcp, remediation, finding).await.unwrap();
    let steps = match remediation.plan(finding, &before) {
        Ok(steps) => steps,
        Err(error) => return vec![format!("no plan: {error}")],
    };
    if steps.is_empty() {
        wrong.push("plans nothing".to_owned());
    }
    wrong.extend(strangers(remediation, &gcp, &steps));
    for step in &steps {
        gcp.call(&step.call).await.unwrap();
    }
    let world = gcp.world();
    for (key, value) in &case.world {
        let healed = case.healed.iter().find(|(healed, _)| healed == key);
        let (expected, what) = healed.map_or((value, "was touched"), |(_, healed)| (healed, "is not healed"));
        let found = world.get(key).cloned().unwrap_or_default();
        if sorted(&found) != sorted(expected) {
            wrong.push(format!("`{key}` {what}: it is {found}, not {expected}"));
        }
    }
    let after = read(&gcp, remediation, finding).await.unwrap();
    match remediation.plan(finding, &after) {
        Ok(left) if left.is_empty() => {}
        Ok(left) => wrong.push(format!("healed, yet plans {}", left[0].title)),
        Err(error) => wrong.push(format!("healed, yet cannot plan: {error}")),
    }
    if let Some(left) = remediation.leaves(finding, &before)
        && !left.same_as(&after)
    {
        wrong.push(format!("should leave {left:?}, left {after:?}"));
    }
    for step in steps.iter().rev() {
        let inverse = step.inverse.as_ref().expect("every step of these has an inverse");
        gcp.call(&after.fill(inverse).expect("what the undo depends on was read")).await.unwrap();
    }
    let undone = read(&gcp, remediation, finding).await.unwrap();
    if !undone.same_as(&before) {
        wrong.push(format!("undone is {undone:?}, not {before:?}"));
    }
    if undone.same_as(&after) {
        wrong.push("an image does not tell before from after".to_owned());
    }
    wrong
}

/// Calls that the specification does not name: the roles would not allow them.
fn strangers(remediation: &dyn Remediation, gcp: &FakeGcp, steps: &[Step]) -> Vec<String> {
    let spec = remediation.spec();
    let read = gcp.calls().into_iter().map(|call| (spec.reads, "reads", call));
    let written = steps.iter().map(|step| (spec.writes, "writes", step.call.clone()));
    let undone = steps.iter().filter_map(|step| Some((spec.undo, "undo", step.inverse.clone()?)));
    read.chain(written)
        .chain(undone)
        .filter(|(named, _, call)| !named.contains(&call.name().as_str()))
        .map(|(_, list, call)| format!("`{}` is not among its {list}", call.name()))
        .collect()
}

#[tokio::test]
async fn every_remediation_heals_leaves_the_rest_and_can_be_undone() {
    let mut wrong = Vec::new();
    for case in &cases::all() {
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
