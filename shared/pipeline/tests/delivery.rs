//! At-least-once delivery: whatever comes twice, late, mixed up, or without its answer has one effect.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test file is a test from top to bottom"
)]

mod fakes;

use std::sync::Arc;

use fakes::{Estate, Last, World, undo, until_done};
use jiff::SignedDuration;
use onus_core::{Actor, ReceiptOutcome};
use onus_pipeline::Job;
use proptest::prelude::*;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().expect("starts")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Six changes on three resources; every job is delivered one to five times, in any order, up to four at a time.
    #[test]
    fn each_change_is_taken_back_once_in_whatever_order_and_number_its_jobs_come(
        copies in prop::collection::vec(1usize..=5, 6),
        order in any::<prop::sample::Index>(),
        seed in any::<u64>(),
    ) {
        runtime().block_on(async {
            let world = Arc::new(World::new("modes: { default: enforce }", &[], ""));
            let estate = Arc::new(Estate::default());
            let mut jobs = Vec::new();
            for (n, copies) in copies.iter().enumerate() {
                let (name, statement) = (format!("it-{}", n % 3), format!("bad-{n}"));
                estate.add(&name, &statement);
                let finding = world.found_on(&format!("e-{n}"), &name, Some(&statement), Actor::default()).await;
                jobs.extend(std::iter::repeat_n(Job::Respond(finding.id), *copies));
            }
            let turn = order.index(jobs.len());
            jobs.rotate_left(turn);
            jobs.sort_by_key(|job| job.finding().as_str().bytes().fold(seed, |sum, b| sum.rotate_left(7) ^ u64::from(b)));
            let mut waiting = jobs;
            let responder = world.responder_of(&estate);
            for _ in 0..20 {
                let mut again = Vec::new();
                for batch in waiting.chunks(4) {
                    let done = futures::future::join_all(batch.iter().map(|job| responder.handle(job))).await;
                    for (job, result) in batch.iter().zip(done) {
                        if let Err(error) = result {
                            assert!(error.is_retryable(), "{error:?}");
                            again.push(job.clone());
                        }
                    }
                }
                waiting = again;
            }
            assert!(waiting.is_empty(), "{waiting:?}");
            let mut writes = estate.writes();
            writes.sort();
            let expected: Vec<String> = (0..6).map(|n| format!("it-{} Remove bad-{n}", n % 3)).collect();
            let mut expected = expected;
            expected.sort();
            assert_eq!(writes, expected);
            assert_eq!(world.meter.contained().len(), 6, "one figure for each, however often its jobs came");
        });
    }
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_and_that_shows_late_is_found_done_and_can_be_undone() {
    let whole = World::dying("modes: { default: enforce }", &["fake.fires"], "fake.auto", Last::Unheard);
    whole.cloud.set(&["bad-1", "good"]);
    let job = Job::Respond(whole.found().await);
    whole.fuse.rearm(-1);
    whole.responder().handle(&job).await.expect("done");
    let mut lost = 0;
    for n in 1..=whole.fuse.done() {
        let mut world = World::dying("modes: { default: enforce }", &["fake.fires"], "fake.auto", Last::Unheard);
        // The next reading still shows the resource as it was.
        Arc::get_mut(&mut world.cloud).expect("alone").staleness = 1;
        world.cloud.set(&["bad-1", "good"]);
        let finding = world.found().await;
        world.fuse.rearm(n);
        let _ = world.responder().handle(&job).await;
        let written = world.cloud.writes().len();
        let known = world.truth().response(&finding).await.expect("reads").is_some();
        world.fuse.rearm(-1);
        world.clock.pass(SignedDuration::from_mins(6));
        until_done(&world, async || world.responder().handle(&job).await).await;
        lost += usize::from(written == 1 && !known);
        assert_eq!(world.cloud.writes(), ["Remove bad-1"], "{n}");
        let receipt = world.truth().response(&finding).await.expect("reads").expect("kept");
        assert_eq!((&receipt.outcome, receipt.steps.len()), (&ReceiptOutcome::Verified, 1), "{n}: {receipt:?}");
        world.responder().handle(&undo(&finding)).await.expect("undone");
        assert_eq!(world.cloud.has(), ["bad-1", "good"], "{n}");
    }
    assert!(lost > 0, "no handler died between the write and its receipt");
}

#[tokio::test]
async fn a_response_is_measured_once_also_when_a_sink_fails_first_and_an_undo_never() {
    let world = World::new("modes: { default: enforce }", &["fake.fires"], "fake.auto");
    world.cloud.set(&["bad-1", "good"]);
    let finding = world.found().await;
    let job = Job::Respond(finding.clone());
    *world.sinks[0].failures.lock().expect("unpoisoned") = vec![true];
    let error = world.responder().handle(&job).await.expect_err("the sink fails");
    assert!(error.is_retryable(), "{error:?}");
    for _ in 0..3 {
        world.responder().handle(&job).await.expect("told");
    }
    world.responder().handle(&undo(&finding)).await.expect("undone");
    assert_eq!(world.meter.contained(), [finding]);
}

#[tokio::test]
async fn what_wrote_nothing_is_not_measured() {
    let world = World::new("modes: { default: enforce }", &["fake.fires"], "fake.auto");
    world.cloud.set(&["good"]);
    world.responder().handle(&Job::Respond(world.found().await)).await.expect("done");
    assert_eq!(world.meter.contained(), []);
}
