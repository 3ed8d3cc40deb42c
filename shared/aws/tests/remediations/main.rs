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
use onus_core::proof::{self, Case};
use onus_core::{Finding, Image, PlanError, Remediation};

use fake::FakeAws;

/// Where the repository's own records are.
const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events");

/// Reads what a remediation wants, as the pipeline does.
async fn read(aws: &FakeAws, remediation: &dyn Remediation, finding: &Finding) -> Result<Image, PlanError> {
    onus_core::state::read_image(aws, |so_far| remediation.reads(finding, so_far)).await
}

fn the_remediation(case: &Case) -> &'static dyn Remediation {
    remediation(case.remediation).unwrap_or_else(|| panic!("no {}", case.remediation))
}

/// What a remediation does not do as it has to, on a cloud that holds the case.
async fn wrongs(case: &Case) -> Vec<String> {
    proof::wrongs(&FakeAws::new(case.world.clone()), the_remediation(case), case).await
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
async fn changes_are_taken_back_as_cloudtrail_writes_them() {
    let cases = records::all();
    let mut wrong = Vec::new();
    for case in &cases {
        wrong.extend(wrongs(case).await.into_iter().map(|what| format!("{}: {what}", case.name)));
    }
    // What only memory can bring back is played in `restorations/`.
    let by_memory = ["aws.cloudtrail.restore_trail", "aws.ec2.restore_flow_logs"];
    let missing = onus_aws::remediations().iter().map(|one| one.spec().id).filter(|id| !by_memory.contains(id));
    wrong.extend(
        missing.filter(|id| !cases.iter().any(|case| case.remediation == *id)).map(|id| format!("{id} has no record")),
    );
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
