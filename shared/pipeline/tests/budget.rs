//! A storm of changes: exactly the budget's writes, one alarm, and nothing lost.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test file is a test from top to bottom"
)]

mod fakes;

use std::collections::BTreeSet;
use std::sync::Arc;

use fakes::{Estate, FakeSink, Last, World, approve, deny, until_done};
use futures::StreamExt;
use jiff::SignedDuration;
use onus_core::{Actor, CallErrorKind, Mode, Notice, ReceiptOutcome};
use onus_pipeline::{Done, Job};

fn alarms(sink: &FakeSink) -> Vec<String> {
    let told = sink.told.lock().expect("unpoisoned");
    let reason = |notice: &Notice| match notice {
        Notice::Alarm { reason, .. } => Some(reason.clone()),
        _ => None,
    };
    told.iter().filter_map(reason).collect()
}

fn budget(limits: &str) -> String {
    format!("modes: {{ default: enforce }}\nsettings: {{ budget: {{ {limits} }} }}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_storm_of_a_thousand_changes_gets_twenty_writes_and_nine_hundred_and_eighty_plans_that_wait() {
    let world = Arc::new(World::new(&budget("per_rule: 1000, per_account: 1000, total: 20"), &[], ""));
    let estate = Arc::new(Estate::default());
    let mut findings = Vec::new();
    for n in 0..1000 {
        let name = format!("bucket-{n}");
        estate.add(&name, "bad");
        findings.push(world.found_on(&format!("e-{n}"), &name, None, Actor::default()).await.id);
    }
    let jobs = futures::stream::iter(findings.clone()).map(|finding| {
        let (world, estate) = (Arc::clone(&world), Arc::clone(&estate));
        tokio::spawn(async move {
            let responder = world.responder_of(&estate);
            // Each job is delivered twice, at the same time.
            let job = Job::Respond(finding);
            let (one, two) = tokio::join!(responder.handle(&job), responder.handle(&job));
            let retried = one.is_err() || two.is_err();
            for failed in [one, two].into_iter().filter_map(Result::err) {
                assert!(failed.is_retryable(), "{failed:?}");
            }
            if retried {
                responder.handle(&job).await.expect("the lease is released");
            }
        })
    });
    jobs.buffer_unordered(64).for_each(async |joined| joined.expect("no task panics")).await;

    let writes = estate.writes();
    assert_eq!(writes.len(), 20);
    assert_eq!(writes.iter().collect::<BTreeSet<_>>().len(), 20, "no resource twice: {writes:?}");
    let (mut written, mut waiting) = (0, 0);
    for finding in &findings {
        let history = world.truth().history(finding).await.expect("reads").expect("kept");
        match (history.receipts.as_slice(), history.plans.as_slice()) {
            ([receipt], []) if receipt.outcome == ReceiptOutcome::Verified => written += 1,
            ([], [plan]) if plan.mode == Mode::Approve && plan.plan.steps.len() == 1 => waiting += 1,
            other => panic!("lost: {finding}: {other:?}"),
        }
    }
    assert_eq!((written, waiting), (20, 980));
    let alarms: BTreeSet<String> = alarms(&world.sinks[0]).into_iter().collect();
    let expected = "the budget of 20 writes an hour for everything together is used up in the hour from 2026-11-02T10:00Z; \
                    plans wait for approval";
    assert_eq!(alarms.into_iter().collect::<Vec<_>>(), [expected]);

    // What waits can be approved, whatever the budget says, and be denied for good.
    let mut rest = Vec::new();
    for finding in findings {
        if world.truth().response(&finding).await.expect("reads").is_none() {
            rest.push(finding);
        }
    }
    let responder = world.responder_of(&estate);
    responder.handle(&approve(&rest[0])).await.expect("done");
    assert_eq!(estate.writes().len(), 21);
    responder.handle(&deny(&rest[1])).await.expect("denied");
    world.clock.pass(SignedDuration::from_hours(1));
    responder.handle(&Job::Respond(rest[1].clone())).await.expect("refused");
    assert_eq!(estate.writes().len(), 21);
    // In the next hour a delivery that comes again finds room.
    responder.handle(&Job::Respond(rest[2].clone())).await.expect("done");
    assert_eq!(estate.writes().len(), 22);
}

#[tokio::test]
async fn each_limit_holds_for_itself_and_a_plan_is_sent_whole_or_waits_whole() {
    // Statements per resource, in order; how many of them are removed.
    let cases: [(&str, &[usize], &[usize]); 6] = [
        ("per_rule: 3, per_account: 99, total: 99", &[2, 2, 1], &[2, 0, 1]),
        ("per_rule: 99, per_account: 3, total: 99", &[2, 2, 1], &[2, 0, 1]),
        ("per_rule: 99, per_account: 99, total: 3", &[2, 2, 1], &[2, 0, 1]),
        ("total: 0", &[1], &[0]),
        ("per_rule: 2", &[3, 2], &[0, 2]),
        ("per_rule: 4", &[1, 1, 1, 1, 1], &[1, 1, 1, 1, 0]),
    ];
    let mut wrong = Vec::new();
    for (limits, statements, expected) in cases {
        let world = World::new(&budget(limits), &[], "");
        let estate = Arc::new(Estate::default());
        let responder = world.responder_of(&estate);
        let mut removed = Vec::new();
        for (n, count) in statements.iter().enumerate() {
            let name = format!("it-{n}");
            for statement in 0..*count {
                estate.add(&name, &format!("bad-{statement}"));
            }
            let finding = world.found_on(&format!("e-{n}"), &name, None, Actor::default()).await;
            responder.handle(&Job::Respond(finding.id)).await.expect("done");
            removed.push(count - estate.has(&name).len());
        }
        if removed != expected {
            wrong.push(format!("{limits}: {removed:?}, not {expected:?}"));
        }
        let waits = statements.iter().zip(expected).any(|(all, removed)| all != removed);
        if alarms(&world.sinks[0]).len() != usize::from(waits) {
            wrong.push(format!("{limits}: {:?}", alarms(&world.sinks[0])));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_budget_is_never_passed_however_many_handlers_die() {
    for last in [Last::Lost, Last::Unheard] {
        for n in 1..60 {
            let world = World::dying(&budget("per_rule: 3"), &["fake.fires"], "fake.auto", last);
            let finding = world.found().await;
            // Two of two writes fit, in any number of attempts, for all but one slot that dying may cost.
            world.fuse.rearm(n);
            let _ = world.responder().handle(&Job::Respond(finding.clone())).await;
            world.fuse.rearm(-1);
            world.clock.pass(SignedDuration::from_mins(6));
            until_done(&world, async || world.responder().handle(&Job::Respond(finding.clone())).await).await;
            let entries = world.store.list("budgets/2026-11-02T10").await.expect("lists");
            assert_eq!(world.cloud.writes().len(), 2, "{last:?} {n}: {entries:?}");
        }
    }
}

#[tokio::test]
async fn what_a_response_did_not_use_is_given_back() {
    let world = World::new(&budget("per_rule: 2"), &["fake.fires"], "fake.auto");
    let finding = world.found().await;
    // Two slots are booked; the first call is refused for good, so that neither is used.
    world.cloud.refuse("Remove", CallErrorKind::Denied);
    world.responder().handle(&Job::Respond(finding)).await.expect("ended");
    assert!(world.cloud.writes().is_empty());
    let estate = Arc::new(Estate::default());
    for name in ["one", "two"] {
        estate.add(name, "bad");
        let finding = world.found_on(name, name, None, Actor::default()).await;
        world.responder_of(&estate).handle(&Job::Respond(finding.id)).await.expect("done");
    }
    assert_eq!(estate.writes().len(), 2);
    // A throttled call is no write either: the next delivery uses the slots that it booked.
    let world = World::new(&budget("per_rule: 2"), &["fake.fires"], "fake.auto");
    let job = Job::Respond(world.found().await);
    for _ in 0..3 {
        world.cloud.refuse("Remove", CallErrorKind::Throttled);
        world.responder().handle(&job).await.expect_err("retried");
    }
    let done = world.responder().handle(&job).await.expect("done");
    assert!(matches!(done, Done::Receipt { .. }), "{done:?}");
    assert_eq!(world.cloud.writes().len(), 2);
}

#[tokio::test]
async fn past_the_budget_only_calls_that_were_shown_can_be_approved() {
    let world = World::new(&budget("total: 0"), &["fake.fires"], "fake.auto");
    let finding = world.found().await;
    let waits = world.responder().handle(&Job::Respond(finding.clone())).await.expect("waits");
    assert!(matches!(waits, Done::Planned { .. }), "{waits:?}");
    world.cloud.set(&["bad-1", "bad-3", "good"]);
    let done = world.responder().handle(&approve(&finding)).await.expect("answers");
    assert!(matches!(done, Done::Refused { .. }), "{done:?}");
    assert!(world.cloud.writes().is_empty(), "nobody saw `bad-3`");
    assert_eq!(world.store.list(&format!("plans/{finding}")).await.expect("lists").len(), 2, "the new plan is shown");
    let done = world.responder().handle(&approve(&finding)).await.expect("done");
    assert!(matches!(done, Done::Receipt { .. }), "{done:?}");
    assert_eq!(world.cloud.has(), ["good"]);
    assert_eq!(world.store.list("decisions").await.expect("lists").len(), 1, "who let it pass the budget is kept");
}

#[tokio::test]
async fn within_the_budget_an_approval_of_what_the_policy_enforces_needs_no_plan() {
    let world = World::new(&budget("total: 2"), &["fake.fires"], "fake.auto");
    let finding = world.found().await;
    world.responder().handle(&approve(&finding)).await.expect("done");
    assert_eq!(world.cloud.has(), ["good"]);
    assert_eq!(world.store.list("budgets/2026-11-02T10").await.expect("lists").len(), 1, "it counts");
}

#[tokio::test]
async fn an_alarm_that_a_handler_died_over_is_told_by_the_next_one() {
    let count = {
        let world = World::new(&budget("total: 0"), &["fake.fires"], "fake.auto");
        let job = Job::Respond(world.found().await);
        world.fuse.rearm(-1);
        world.responder().handle(&job).await.expect("waits");
        world.fuse.done()
    };
    for last in [Last::Lost, Last::Unheard] {
        for n in 1..=count {
            let world = World::dying(&budget("total: 0"), &["fake.fires"], "fake.auto", last);
            let job = Job::Respond(world.found().await);
            world.fuse.rearm(n);
            let _ = world.responder().handle(&job).await;
            world.fuse.rearm(-1);
            world.clock.pass(SignedDuration::from_mins(6));
            until_done(&world, async || world.responder().handle(&job).await).await;
            for sink in &world.sinks {
                assert_eq!(sink.distinct(), ["found", "planned", "alarm"], "{last:?} {n}");
            }
        }
    }
}
