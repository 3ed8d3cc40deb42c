//! Every remediation, on an Azure in memory: takes back the bad part, leaves the rest, and can be undone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::too_many_lines, clippy::needless_pass_by_value)] // tables of cases, with JSON written in place

mod cases;
mod fake;
mod findings;
mod memory;
mod records;
mod refusals;
mod security_rules;
mod state;

use std::collections::BTreeSet;

use onus_azure::operations::operation;
use onus_azure::{remediation, remediations, state_readers};
use onus_core::proof::{self, Case};
use onus_core::{Finding, Image, PlanError, Remediation};

use fake::FakeArm;

/// Where the repository's own records are.
const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events");

/// Reads what a remediation wants, as the pipeline does.
async fn read(arm: &FakeArm, remediation: &dyn Remediation, finding: &Finding) -> Result<Image, PlanError> {
    onus_core::state::read_image(arm, |so_far| remediation.reads(finding, so_far)).await
}

fn the_remediation(case: &Case) -> &'static dyn Remediation {
    remediation(case.remediation).unwrap_or_else(|| panic!("no {}", case.remediation))
}

/// What a remediation does not do as it has to, on a cloud that holds the case.
async fn wrongs(case: &Case) -> Vec<String> {
    proof::wrongs(&FakeArm::new(case.world.clone()), the_remediation(case), case).await
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
async fn records_as_the_log_writes_them_lead_to_the_right_plan() {
    let (cases, mut wrong) = (records::all().await, Vec::new());
    for case in &cases {
        let found = wrongs(case).await;
        wrong.extend(found.into_iter().map(|what| format!("{}, {}: {what}", case.remediation, case.name)));
    }
    assert!(wrong.is_empty(), "{} wrongs:\n{}", wrong.len(), wrong.join("\n"));
    let recorded = remediations().len() - memory::RECORDED.len();
    assert_eq!(cases.len(), 2 * recorded, "every remediation is led to from both shapes");
}

#[test]
fn every_remediation_has_a_case() {
    let known = memory::all().into_iter().map(|recalled| recalled.case);
    let played: BTreeSet<&str> = cases::all().into_iter().chain(known).map(|case| case.remediation).collect();
    let all: BTreeSet<&str> = remediations().iter().map(|one| one.spec().id).collect();
    assert_eq!(played, all);
}

#[test]
fn every_operation_that_somebody_names_is_in_the_table_and_every_other_is_not() {
    let specs = remediations().iter().map(|one| one.spec());
    let named = specs.flat_map(|spec| [spec.reads, spec.writes, spec.undo].concat());
    let read = state_readers().iter().flat_map(|reader| reader.operations().to_vec());
    // Tags, and the log that a sweep reads.
    let others = onus_azure::tags::OPERATIONS.iter().copied().chain(["Microsoft.Insights:ActivityLogs_List"]);
    let listed = onus_azure::listers().iter().flat_map(|lister| lister.operations().to_vec());
    let named: BTreeSet<String> = named.chain(read).chain(others).chain(listed).map(str::to_owned).collect();
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
