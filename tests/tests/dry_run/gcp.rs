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
#[path = "../../../shared/gcp/tests/remediations/memory.rs"]
mod memory;
#[path = "../../../shared/gcp/tests/remediations/records.rs"]
mod records;

use std::sync::Arc;

use onus_core::proof::World;

use super::EVENTS;
use super::run::{Case, MakeWorld};

pub(crate) fn cases() -> Vec<Case> {
    cases::all().into_iter().chain(records::all()).map(case).collect()
}

fn world(there: World) -> MakeWorld {
    Arc::new(move || Arc::new(fake::FakeGcp::new(there.clone())))
}

fn case(case: onus_core::proof::Case) -> Case {
    Case::new(case.name, case.remediation, &case.finding, world(case.world))
}

/// Changes of what a baseline had read before.
pub(crate) fn restorations() -> Vec<Case> {
    let known = memory::all().into_iter().filter(|recalled| !recalled.was.is_empty());
    known.map(|recalled| Case { before: Some(world(recalled.was)), ..case(recalled.case) }).collect()
}
