//! An exemption ends: its owner is warned, and what it suppressed is judged anew, once, without a new event.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test file is a test from top to bottom"
)]

mod fakes;

use std::sync::Arc;

use fakes::{Last, World, change, decode};
use jiff::Timestamp;
use jiff::civil::date;
use onus_core::{CallErrorKind, Cloud, Mode, Notice};
use onus_pipeline::records::{Chain, Fate};
use onus_pipeline::{Auditor, Done, Policy, Schedule, Ticked};

const ENDS: &str = "2026-11-12T10:00:00Z";
/// Clocks may be a minute apart.
const AFTER: &str = "2026-11-12T10:01:00Z";

fn yaml(rest: &str) -> String {
    format!(
        "modes: {{ default: enforce }}
exemptions:
  - {{ id: www, rule: fake.*, resource: it, reason: a website, owner: web, expires: '{ENDS}' }}
{rest}"
    )
}

fn schedule(auditor: &Auditor) -> Schedule<'_> {
    Schedule { auditor, decode, cloud: Cloud::Aws }
}

async fn tick(world: &World) -> Ticked {
    schedule(&world.auditor()).tick(Timestamp::MAX).await.expect("ticked")
}

/// A world in which the rule fired while it was exempt.
async fn suppressed(rule: &'static str, rest: &str) -> World {
    let world = World::new(&yaml(rest), &[rule], "fake.auto");
    let report = world.auditor().handle(&change()).await.expect("handled");
    assert!(matches!(&report.outcomes[0].fate, Fate::Exempt { exemption, .. } if exemption == "www"), "{report:?}");
    assert!(world.sinks[0].kinds().is_empty());
    world
}

#[tokio::test]
async fn what_was_suppressed_is_kept_with_the_record_under_the_exemptions_id() {
    let world = suppressed("fake.fires", "").await;
    let (truth, id) = (world.truth(), world.found().await);
    assert_eq!(truth.suppressed("www").await.expect("reads"), std::slice::from_ref(&id));
    let entry = truth.suppression("www", &id).await.expect("reads").expect("kept");
    assert_eq!((entry.owner.as_str(), entry.expires.as_str()), ("web", ENDS));
    assert_eq!(truth.record(&id).await.expect("reads").expect("kept").text, "{}");
    assert!(truth.finding(&id).await.expect("reads").is_some());
}

#[tokio::test]
async fn an_end_is_warned_of_a_week_before_and_once() {
    let world = suppressed("fake.fires", "  - { rule: x, reason: r, owner: o, expires: never }").await;
    for (now, warned, notices) in [
        ("2026-11-05T09:59:59Z", 0, 0),
        ("2026-11-05T10:00:00Z", 1, 1),
        ("2026-11-05T10:15:00Z", 0, 1),
        ("2026-11-12T09:59:59Z", 0, 1),
    ] {
        world.clock.set(now);
        assert_eq!(tick(&world).await, Ticked { warned, ..Ticked::default() }, "{now}");
        assert_eq!(world.sinks[0].kinds().len(), notices, "{now}");
    }
    let notice = world.sinks[0].told.lock().expect("unpoisoned")[0].clone();
    let Notice::Found { finding, mode } = &notice else { panic!("{notice:?}") };
    assert_eq!((finding.rule.as_str(), *mode), ("onus.exemption_ends", Mode::Alert));
    assert!(finding.why.contains("`www`") && finding.why.contains("1 findings"), "{}", finding.why);
    let kept = world.truth().finding(&finding.id).await.expect("reads").expect("kept");
    assert_eq!(kept, **finding);
}

#[tokio::test]
async fn what_still_stands_after_the_end_is_told_and_responded_to_once() {
    for rule in ["fake.fires", "fake.asks"] {
        let world = suppressed(rule, "").await;
        for holds in ["2026-11-12T09:59:59Z", "2026-11-12T10:00:59Z"] {
            world.clock.set(holds);
            assert_eq!(tick(&world).await.reviewed, 0, "{rule}: by some clock it still holds");
        }
        world.clock.set(AFTER);
        assert_eq!(tick(&world).await, Ticked { reviewed: 1, told: 1, ..Ticked::default() }, "{rule}");
        assert_eq!(tick(&world).await, Ticked::default(), "{rule}: once");
        assert_eq!(
            world.sinks[0].kinds().iter().filter(|kind| **kind == "found").count(),
            2,
            "a warning and the finding"
        );
        let jobs = world.queue.jobs.lock().expect("unpoisoned").clone();
        assert_eq!(jobs.len(), 1, "{rule}");
        world.responder().handle(&jobs[0]).await.expect("done");
        assert_eq!(world.cloud.has(), ["good"], "{rule}: taken back");
    }
}

#[tokio::test]
async fn what_was_healed_meanwhile_is_left_alone() {
    let world = suppressed("fake.asks", "").await;
    world.cloud.set(&["good"]);
    world.clock.set(AFTER);
    assert_eq!(tick(&world).await, Ticked { reviewed: 1, ..Ticked::default() });
    assert!(world.sinks[0].kinds().is_empty() && world.queue.jobs.lock().expect("unpoisoned").is_empty());
}

#[tokio::test]
async fn an_exemption_that_is_taken_out_of_the_file_has_ended() {
    let mut world = suppressed("fake.fires", "").await;
    world.policy = Arc::new(Policy { exemptions: Vec::new(), ..(*world.policy).clone() });
    assert_eq!(tick(&world).await, Ticked { reviewed: 1, told: 1, ..Ticked::default() });
    assert_eq!(world.sinks[0].kinds(), ["found"]);
}

#[tokio::test]
async fn another_exemption_that_holds_takes_over_and_ends_in_its_turn() {
    let next = "  - { id: later, rule: fake.*, reason: r, owner: o, expires: 2026-11-20 }";
    let world = suppressed("fake.fires", next).await;
    world.clock.set(AFTER);
    assert_eq!(tick(&world).await, Ticked { reviewed: 1, ..Ticked::default() });
    let id = world.found().await;
    assert_eq!(world.truth().suppressed("later").await.expect("reads"), [id]);
    world.clock.set("2026-11-21T00:01:00Z");
    assert_eq!(tick(&world).await, Ticked { reviewed: 1, told: 1, ..Ticked::default() });
}

#[tokio::test]
async fn a_state_that_cannot_be_read_is_an_alarm_or_another_try() {
    let world = suppressed("fake.asks", "").await;
    world.clock.set(AFTER);
    world.cloud.refuse("Get", CallErrorKind::Throttled);
    let auditor = world.auditor();
    let error = schedule(&auditor).tick(Timestamp::MAX).await.expect_err("later");
    assert!(error.is_retryable(), "{error}");
    world.cloud.refuse("Get", CallErrorKind::Denied);
    assert_eq!(tick(&world).await.reviewed, 1);
    assert_eq!(world.sinks[0].kinds(), ["alarm"]);
    assert!(world.queue.jobs.lock().expect("unpoisoned").is_empty());
}

#[tokio::test]
async fn a_record_that_cannot_be_read_again_is_an_alarm() {
    let world = suppressed("fake.fires", "").await;
    world.clock.set(AFTER);
    let auditor = world.auditor();
    let blind = Schedule { decode: |_, _| Err("gibberish".into()), ..schedule(&auditor) };
    assert_eq!(blind.tick(Timestamp::MAX).await.expect("ticked").reviewed, 1);
    assert_eq!(world.sinks[0].kinds(), ["alarm"]);
    let id = world.found().await;
    assert_eq!(world.truth().reviewed("www").await.expect("reads"), [id]);
}

#[tokio::test]
async fn nothing_is_begun_after_the_deadline() {
    let world = suppressed("fake.fires", "").await;
    world.clock.set(AFTER);
    let auditor = world.auditor();
    assert_eq!(schedule(&auditor).tick(fakes::at(AFTER)).await.expect("ticked").reviewed, 0);
    assert_eq!(tick(&world).await.reviewed, 1, "the next tick does it");
}

#[tokio::test]
async fn a_tick_that_dies_anywhere_is_resumed_by_the_next() {
    for (rule, now) in [("fake.fires", AFTER), ("fake.asks", AFTER), ("fake.fires", "2026-11-10T00:00:00Z")] {
        for last in [Last::Lost, Last::Unheard] {
            let ready = async || {
                let world = World::dying(&yaml(""), &[rule], "fake.auto", last);
                world.auditor().handle(&change()).await.expect("handled");
                world.clock.set(now);
                world.fuse.rearm(-1);
                world
            };
            let whole = ready().await;
            tick(&whole).await;
            let expected = (whole.keys().await, whole.sinks[0].distinct());
            for n in 1..=whole.fuse.done() {
                let world = ready().await;
                world.fuse.rearm(n);
                schedule(&world.auditor()).tick(Timestamp::MAX).await.expect_err("died");
                world.fuse.rearm(-1);
                tick(&world).await;
                assert_eq!((world.keys().await, world.sinks[0].distinct()), expected, "{rule} {last:?} {n}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_tick_that_died_left_is_chained_also_when_the_thing_was_healed_since() {
    let ready = async || {
        let world = World::dying(&yaml(""), &["fake.asks"], "fake.auto", Last::Unheard);
        world.auditor().handle(&change()).await.expect("handled");
        world.clock.set(AFTER);
        // Another decision than when it was exempt.
        let mut world = world;
        let config =
            onus_pipeline::Config::<fakes::Nowhere>::parse("onus.yaml", "modes: { default: plan }").expect("reads");
        world.policy = Arc::new(Policy::from(&config));
        world.fuse.rearm(-1);
        world
    };
    let whole = ready().await;
    tick(&whole).await;
    let mut wrong = Vec::new();
    for n in 1..=whole.fuse.done() {
        let world = ready().await;
        world.fuse.rearm(n);
        schedule(&world.auditor()).tick(Timestamp::MAX).await.expect_err("died");
        world.fuse.rearm(-1);
        world.cloud.set(&["good"]);
        tick(&world).await;
        let truth = world.truth();
        let id = truth.suppressed("www").await.expect("reads")[0].clone();
        let traces = truth.traces(date(2026, 11, 1), date(2026, 11, 30)).await.expect("reads");
        let chain = truth.verify(&id, &traces).await.expect("reads");
        // Where a response was asked for, its answer is still to come.
        if !matches!(chain, Chain::Whole { .. } | Chain::Unfinished { .. }) {
            wrong.push(format!("{n}: {chain}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn two_ticks_at_once_are_one() {
    let world = suppressed("fake.fires", "").await;
    world.clock.set(AFTER);
    let (one, two) = (world.auditor(), world.auditor());
    let (one, two) = (schedule(&one), schedule(&two));
    let (one, two) = tokio::join!(one.tick(Timestamp::MAX), two.tick(Timestamp::MAX));
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(world.sinks[0].distinct(), ["found"]);
    assert_eq!(world.truth().reviewed("www").await.expect("reads").len(), 1);
}

#[tokio::test]
async fn what_an_exemption_kept_from_a_response_that_was_asked_for_is_judged_anew_too() {
    let mut world = World::new(&yaml(""), &["fake.fires"], "fake.auto");
    let exempting = world.policy.clone();
    world.policy = Arc::new(Policy { exemptions: Vec::new(), ..(*exempting).clone() });
    world.auditor().handle(&change()).await.expect("told, and asked");
    let (id, jobs) = (world.found().await, || world.queue.jobs.lock().expect("unpoisoned").clone());
    let job = jobs()[0].clone();
    // The exemption was written while the job waited, or the responder's clock is behind.
    world.policy = exempting;
    for _ in 0..2 {
        let done = world.responder().handle(&job).await.expect("let be");
        assert!(matches!(done, Done::NotResponding { .. }), "{done:?}");
    }
    let truth = world.truth();
    assert_eq!(truth.suppressed("www").await.expect("reads"), std::slice::from_ref(&id));
    let traces = truth.traces(date(2026, 11, 1), date(2026, 11, 30)).await.expect("reads");
    let chain = truth.verify(&id, &traces).await.expect("reads");
    assert!(matches!(chain, Chain::Whole { .. }), "{chain}");
    world.clock.set(AFTER);
    assert_eq!(tick(&world).await, Ticked { reviewed: 1, told: 1, ..Ticked::default() });
    assert_eq!(tick(&world).await, Ticked::default(), "once");
    assert_eq!(jobs().len(), 2, "asked again");
    world.responder().handle(&job).await.expect("done");
    assert_eq!(world.cloud.has(), ["good"], "taken back");
}
