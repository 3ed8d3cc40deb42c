//! What Google Cloud's own tests play.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::too_many_lines,
    reason = "modules of another test, of which a part is used"
)]

#[path = "../../../shared/gcp/tests/remediations/cases.rs"]
mod cases;
#[path = "../../../shared/gcp/tests/remediations/fake/mod.rs"]
mod fake;
#[path = "../../../shared/gcp/tests/remediations/findings.rs"]
mod findings;
#[path = "../../../shared/gcp/tests/remediations/records.rs"]
mod records;

use std::sync::Arc;

use super::EVENTS;
use super::run::{Case, MakeWorld};

pub(crate) fn cases() -> Vec<Case> {
    let case = |case: onus_core::proof::Case| {
        let there = case.world;
        let world: MakeWorld = Arc::new(move || Arc::new(fake::FakeGcp::new(there.clone())));
        Case::new(case.name, case.remediation, &case.finding, world)
    };
    cases::all().into_iter().chain(records::all()).map(case).collect()
}
