//! Every remediation, on a cloud in memory: takes back the bad part, leaves the rest, and can be undone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::too_many_lines)] // tables of cases

mod buckets;
mod cases;
mod fake;
mod findings;
mod policies;
mod records;
mod refusals;
mod security_groups;
mod state;

use std::collections::BTreeSet;

use onus_aws::{remediation, remediations};
use onus_core::{Caller, Finding, Image, PlanError, Remediation, Step};

use cases::Case;
use fake::FakeAws;

/// Reads what a remediation wants, as the pipeline does.
async fn read(aws: &FakeAws, remediation: &dyn Remediation, finding: &Finding) -> Result<Image, PlanError> {
    onus_core::state::read_image(aws, |so_far| remediation.reads(finding, so_far)).await
}

/// Plans, applies, reads back, plans again, undoes and reads back. Tells everything that is not as it should be.
async fn wrongs(case: &Case) -> Vec<String> {
    let mut wrong = Vec::new();
    let aws = FakeAws::new(case.world.clone());
    let remediation = remediation(case.remediation).unwrap_or_else(|| panic!("no {}", case.remediation));
    let finding = &case.finding;
    let before = read(&aws, remediation, finding).await.unwrap();
    let steps = match remediation.plan(finding, &before) {
        Ok(steps) => steps,
        Err(error) => return vec![format!("no plan: {error}")],
    };
    if steps.is_empty() {
        wrong.push("plans nothing".to_owned());
    }
    wrong.extend(strangers(remediation, &aws, &steps));
    for step in &steps {
        aws.call(&step.call).await.unwrap();
    }
    for (key, expected) in &case.healed {
        let world = aws.world();
        let found = world.get(*key).cloned().unwrap_or_default();
        if found != *expected {
            wrong.push(format!("`{key}` is {found}, not {expected}"));
        }
    }
    let untouched = case.world.iter().filter(|(key, _)| !case.healed.iter().any(|(healed, _)| healed == key));
    for (key, value) in untouched {
        if aws.world().get(key) != Some(value) {
            wrong.push(format!("`{key}` was touched"));
        }
    }
    let after = read(&aws, remediation, finding).await.unwrap();
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
        aws.call(step.inverse.as_ref().expect("every step of these has an inverse")).await.unwrap();
    }
    let undone = read(&aws, remediation, finding).await.unwrap();
    if !undone.same_as(&before) {
        wrong.push(format!("undone is {undone:?}, not {before:?}"));
    }
    if undone.same_as(&after) {
        wrong.push("an image does not tell before from after".to_owned());
    }
    wrong
}

/// Calls that the specification does not name: the roles would not allow them.
fn strangers(remediation: &dyn Remediation, aws: &FakeAws, steps: &[Step]) -> Vec<String> {
    let spec = remediation.spec();
    let read = aws.calls().into_iter().map(|call| (spec.reads, "reads", call));
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
fn every_operation_that_somebody_names_is_in_the_table() {
    let specs = remediations().iter().map(|one| one.spec());
    let named = specs.flat_map(|spec| [spec.reads, spec.writes, spec.undo].concat());
    let read = onus_aws::state_readers().iter().flat_map(|reader| reader.operations().to_vec());
    let known: BTreeSet<&str> = onus_aws::operations::operations().collect();
    let missing: BTreeSet<&str> = named.chain(read).filter(|name| !known.contains(name)).collect();
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
        if !spec.kind.starts_with("AWS::") || spec.title.is_empty() {
            wrong.push(format!("{}: kind or title", spec.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
