//! Every remediation, on an Azure in memory: takes back the bad part, leaves the rest, and can be undone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::too_many_lines, clippy::needless_pass_by_value)] // tables of cases, with JSON written in place

mod cases;
mod fake;
mod findings;
mod records;
mod refusals;
mod security_rules;
mod state;

use std::collections::BTreeSet;

use onus_azure::operations::operation;
use onus_azure::{remediation, remediations, state_readers};
use onus_core::{Caller, Finding, Image, PlanError, Remediation, Step};

use cases::Case;
use fake::FakeArm;

/// Reads what a remediation wants, as the pipeline does.
async fn read(arm: &FakeArm, remediation: &dyn Remediation, finding: &Finding) -> Result<Image, PlanError> {
    onus_core::state::read_image(arm, |so_far| remediation.reads(finding, so_far)).await
}

/// Plans, applies, reads back, plans again, undoes and reads back. Tells everything that is not as it should be.
async fn wrongs(case: &Case) -> Vec<String> {
    let mut wrong = Vec::new();
    let arm = FakeArm::new(case.world.clone());
    let remediation = remediation(case.remediation).unwrap_or_else(|| panic!("no {}", case.remediation));
    let finding = &case.finding;
    let before = read(&arm, remediation, finding).await.unwrap();
    let steps = match remediation.plan(finding, &before) {
        Ok(steps) => steps,
        Err(error) => return vec![format!("no plan: {error}")],
    };
    if steps.is_empty() {
        wrong.push("plans nothing".to_owned());
    }
    wrong.extend(strangers(remediation, &arm, &steps));
    for step in &steps {
        if let Err(error) = arm.call(&step.call).await {
            wrong.push(format!("{error}"));
        }
    }
    for (id, expected) in &case.healed {
        let found = arm.world().get(*id).cloned().unwrap_or_default();
        if found != *expected {
            wrong.push(format!("`{id}` is {found}, not {expected}"));
        }
    }
    for (id, value) in case.world.iter().filter(|(id, _)| !case.healed.iter().any(|(healed, _)| healed == id)) {
        if arm.world().get(id) != Some(value) {
            wrong.push(format!("`{id}` was touched"));
        }
    }
    let after = read(&arm, remediation, finding).await.unwrap();
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
        let inverse = after.fill(step.inverse.as_ref().expect("every step of these has an inverse")).unwrap();
        let undone = arm.call(&inverse).await;
        wrong.extend(undone.err().map(|error| format!("undo: {error}")));
    }
    let undone = read(&arm, remediation, finding).await.unwrap();
    if !undone.same_as(&before) {
        wrong.push(format!("undone is {undone:?}, not {before:?}"));
    }
    if undone.same_as(&after) {
        wrong.push("an image does not tell before from after".to_owned());
    }
    if arm.world().keys().ne(case.world.keys()) {
        wrong.push("undone, other things are there than before".to_owned());
    }
    wrong
}

/// Calls that the specification does not name: the roles would not allow them.
fn strangers(remediation: &dyn Remediation, arm: &FakeArm, steps: &[Step]) -> Vec<String> {
    let spec = remediation.spec();
    let read = arm.calls().into_iter().map(|call| (spec.reads, "reads", call));
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
    let cases = cases::all();
    let mut wrong = Vec::new();
    for case in &cases {
        let found = wrongs(case).await;
        wrong.extend(found.into_iter().map(|what| format!("{}, {}: {what}", case.remediation, case.name)));
    }
    assert!(wrong.is_empty(), "{} wrongs:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_remediation_has_a_case() {
    let played: BTreeSet<&str> = cases::all().iter().map(|case| case.remediation).collect();
    let all: BTreeSet<&str> = remediations().iter().map(|one| one.spec().id).collect();
    assert_eq!(played, all);
}

#[test]
fn every_operation_that_somebody_names_is_in_the_table_and_every_other_is_not() {
    let specs = remediations().iter().map(|one| one.spec());
    let named = specs.flat_map(|spec| [spec.reads, spec.writes, spec.undo].concat());
    let read = state_readers().iter().flat_map(|reader| reader.operations().to_vec());
    let tags = onus_azure::tags::OPERATIONS.iter().copied();
    let listed = onus_azure::listers().iter().flat_map(|lister| lister.operations().to_vec());
    let named: BTreeSet<String> = named.chain(read).chain(tags).chain(listed).map(str::to_owned).collect();
    let known: BTreeSet<String> =
        onus_azure::operations::OPERATIONS.iter().map(onus_azure::operations::Operation::call_name).collect();
    assert_eq!(named, known);
}

#[test]
fn every_specification_is_complete() {
    let mut wrong = Vec::new();
    for spec in remediations().iter().map(|one| one.spec()) {
        for (list, named, reads) in
            [("reads", spec.reads, true), ("writes", spec.writes, false), ("undo", spec.undo, false)]
        {
            let method = |name: &&str| {
                let (provider, name) = name.split_once(':')?;
                operation(provider, name).map(|known| known.method.is_read())
            };
            if named.is_empty() || named.iter().any(|name| method(name) != Some(reads)) {
                wrong.push(format!("{}: {list} {named:?}", spec.id));
            }
        }
        if !spec.kind.starts_with("Microsoft.") || spec.title.is_empty() || spec.caveat.is_empty() {
            wrong.push(format!("{}: kind, title or caveat", spec.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
