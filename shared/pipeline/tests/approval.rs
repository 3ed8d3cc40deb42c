//! A plan waits, links are told, and one answer counts.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test file is a test from top to bottom"
)]

mod fakes;

use std::sync::Arc;

use fakes::{Last, World, approve, at, change, decode, deny, until_done};
use jiff::{SignedDuration, Timestamp};
use onus_core::sink::Links;
use onus_core::{Clock, Cloud, FindingId, Notice, ReceiptOutcome};
use onus_pipeline::approval::{Answer, Unanswered, answer, shown};
use onus_pipeline::{ApprovalKey, ApprovalLinks, Done, Job, Schedule, Ticked};

const APPROVE: &str = "modes: { default: approve }";

fn key() -> ApprovalKey {
    ApprovalKey::new("a key of thirty-two bytes or more").expect("long enough")
}

fn links() -> ApprovalLinks {
    ApprovalLinks::new("https://onus.example.com/", key(), SignedDuration::from_hours(72)).expect("good")
}

/// A world in which a plan waits, and the links that were told.
async fn waiting() -> (World, FindingId, Links) {
    let mut world = World::new(APPROVE, &["fake.fires"], "fake.auto");
    world.links = Some(Arc::new(links()));
    let finding = world.found().await;
    let done = world.responder().handle(&Job::Respond(finding.clone())).await.expect("planned");
    assert!(matches!(done, Done::Planned { .. }), "{done:?}");
    let told = told_links(&world);
    (world, finding, told.into_iter().next().expect("links were told"))
}

fn told_links(world: &World) -> Vec<Links> {
    let told = world.sinks[0].told.lock().expect("unpoisoned");
    let links = told.iter().filter_map(|notice| match notice {
        Notice::Planned { links, .. } => links.clone(),
        _ => None,
    });
    links.collect()
}

fn token(link: &str) -> &str {
    link.split_once("?t=").expect("a token").1
}

/// Uses a link as the endpoint does, and picks the request up as the respond function does.
async fn used(world: &World, link: &str) -> Result<Done, Unanswered> {
    let now = world.clock.now();
    let link = key().check(token(link), now).expect("ours");
    let job = answer(&world.truth(), &link, "alice", now).await?;
    let key = format!("requests/{}/link-{}.json", link.finding, link.nonce);
    assert_eq!(world.truth().requested(&key).await.expect("reads"), Some(job.clone()));
    Ok(world.responder().handle(&job).await.expect("done"))
}

#[tokio::test]
async fn a_link_approves_once_and_uses_up_its_twin() {
    let (world, finding, told) = waiting().await;
    assert!(world.cloud.writes().is_empty());
    let done = used(&world, &told.approve).await.expect("answers");
    assert!(
        matches!(&done, Done::Receipt { receipt } if receipt.outcome == ReceiptOutcome::Verified && receipt.by == "alice")
    );
    for link in [&told.approve, &told.deny] {
        assert!(matches!(used(&world, link).await, Err(Unanswered::Answered)));
    }
    assert_eq!(world.cloud.writes().len(), 2, "the two bad statements, once");
    assert_eq!(world.store.list(&format!("requests/{finding}")).await.expect("lists").len(), 1);
}

#[tokio::test]
async fn a_link_denies_for_good() {
    let (world, _, told) = waiting().await;
    used(&world, &told.deny).await.expect("answers");
    assert!(matches!(used(&world, &told.approve).await, Err(Unanswered::Answered)));
    assert!(world.cloud.writes().is_empty());
}

#[tokio::test]
async fn of_many_who_use_a_link_at_once_one_answers() {
    let (world, finding, told) = waiting().await;
    let link = |text: &str| key().check(token(text), world.clock.now()).expect("ours");
    let (approve, deny) = (link(&told.approve), link(&told.deny));
    let records = world.truth();
    let now = world.clock.now();
    let uses = (0..20).map(|n| answer(&records, if n % 2 == 0 { &approve } else { &deny }, "alice", now));
    let answered = futures_of(uses).await;
    assert_eq!(answered.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(world.store.list(&format!("requests/{finding}")).await.expect("lists").len(), 1);
}

async fn futures_of<T>(work: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut done = Vec::new();
    let mut waiting: Vec<_> = work.map(Box::pin).collect();
    // A round each, in turn: all of them have looked before any has answered.
    while !waiting.is_empty() {
        let mut left = Vec::new();
        for mut one in waiting {
            match std::future::poll_fn(|context| std::task::Poll::Ready(one.as_mut().poll(context))).await {
                std::task::Poll::Ready(result) => done.push(result),
                std::task::Poll::Pending => left.push(one),
            }
        }
        waiting = left;
        tokio::task::yield_now().await;
    }
    done
}

#[tokio::test]
async fn the_resource_is_read_again_and_a_plan_that_was_not_shown_is_not_carried_out() {
    let (world, _, told) = waiting().await;
    world.cloud.set(&["bad-1", "bad-3", "good"]);
    let done = used(&world, &told.approve).await.expect("answers");
    assert!(matches!(done, Done::Refused { .. }), "{done:?}");
    assert!(world.cloud.writes().is_empty());
    let told = told_links(&world);
    assert_eq!(told.len(), 2, "the new plan is told, with links of its own");
    let done = used(&world, &told[1].approve).await.expect("answers");
    assert!(matches!(done, Done::Receipt { .. }), "{done:?}");
    assert_eq!(world.cloud.has(), ["good"]);
}

#[tokio::test]
async fn an_old_link_does_not_answer_a_newer_plan() {
    let (world, finding, old) = waiting().await;
    world.clock.pass(SignedDuration::from_mins(1));
    world.cloud.set(&["bad-1", "bad-3", "good"]);
    world.responder().handle(&Job::Respond(finding)).await.expect("planned anew");
    assert_eq!(told_links(&world).len(), 2);
    assert!(matches!(used(&world, &old.approve).await, Err(Unanswered::Outdated)));
}

#[tokio::test]
async fn an_approval_that_names_a_plan_agrees_to_no_other_that_was_shown() {
    let (world, finding, old) = waiting().await;
    let first = key().check(token(&old.approve), at(fakes::NOW)).expect("ours").plan;
    world.clock.pass(SignedDuration::from_mins(1));
    world.cloud.set(&["bad-3", "good"]);
    world.responder().handle(&Job::Respond(finding.clone())).await.expect("planned anew");
    let job = Job::Approve { finding: finding.clone(), by: "alice".to_owned(), plan: Some(first) };
    let done = world.responder().handle(&job).await.expect("done");
    assert!(matches!(done, Done::Refused { .. }), "{done:?}");
    assert!(world.cloud.writes().is_empty());
    world.responder().handle(&approve(&finding)).await.expect("done");
    assert_eq!(world.cloud.has(), ["good"], "any plan that was shown, from the command line");
}

#[tokio::test]
async fn a_link_is_about_what_the_page_shows() {
    let (world, finding, told) = waiting().await;
    let link = key().check(token(&told.deny), world.clock.now()).expect("ours");
    let about = shown(&world.truth(), &link).await.expect("shown");
    assert_eq!((about.finding.id, about.plan.plan.steps.len(), link.answer), (finding, 2, Answer::Deny));
    assert!(world.store.list("requests").await.expect("lists").is_empty(), "looking answers nothing");
}

#[tokio::test]
async fn links_are_told_only_where_a_person_is_asked_and_kept_nowhere() {
    let (world, _, told) = waiting().await;
    for key in world.keys().await {
        let entry = world.store.read(&key).await.expect("reads").unwrap_or_default();
        assert!(!String::from_utf8_lossy(&entry).contains(token(&told.approve)), "{key}");
    }
    let mut world = World::new("modes: { default: plan }", &["fake.fires"], "fake.auto");
    world.links = Some(Arc::new(links()));
    let finding = world.found().await;
    world.responder().handle(&Job::Respond(finding)).await.expect("planned");
    assert!(told_links(&world).is_empty(), "nobody may approve here");
}

async fn tick(world: &World) -> Ticked {
    let auditor = world.auditor();
    Schedule { auditor: &auditor, decode, cloud: Cloud::Aws }.tick(Timestamp::MAX).await.expect("ticked")
}

#[tokio::test]
async fn a_plan_that_nobody_answers_is_an_alarm_once() {
    let (world, _, _) = waiting().await;
    for (now, expired) in [
        ("2026-11-05T10:00:04Z", 0),
        ("2026-11-05T10:00:05Z", 1),
        ("2026-11-05T10:15:00Z", 0),
        ("2026-11-08T00:00:00Z", 0),
    ] {
        world.clock.set(now);
        assert_eq!(tick(&world).await.expired, expired, "{now}");
    }
    assert_eq!(world.sinks[0].kinds(), ["found", "planned", "alarm"]);
}

#[tokio::test]
async fn a_plan_that_was_answered_is_no_alarm() {
    for job in [approve, deny] {
        let (world, finding, _) = waiting().await;
        world.responder().handle(&job(&finding)).await.expect("done");
        world.clock.set("2026-11-06T00:00:00Z");
        assert_eq!(tick(&world).await.expired, 0);
        assert!(!world.sinks[0].kinds().contains(&"alarm"));
    }
}

#[tokio::test]
async fn a_tick_that_dies_while_it_looks_for_unanswered_plans_is_resumed() {
    for last in [Last::Lost, Last::Unheard] {
        let ready = async || {
            let world = World::dying(APPROVE, &["fake.fires"], "fake.auto", last);
            world.auditor().handle(&change()).await.expect("handled");
            let finding = world.found().await;
            until_done(&world, async || world.responder().handle(&Job::Respond(finding.clone())).await).await;
            world.clock.set("2026-11-06T00:00:00Z");
            world.fuse.rearm(-1);
            world
        };
        let whole = ready().await;
        tick(&whole).await;
        for n in 1..=whole.fuse.done() {
            let world = ready().await;
            world.fuse.rearm(n);
            let auditor = world.auditor();
            let schedule = Schedule { auditor: &auditor, decode, cloud: Cloud::Aws };
            schedule.tick(Timestamp::MAX).await.expect_err("died");
            world.fuse.rearm(-1);
            tick(&world).await;
            assert_eq!(world.keys().await, whole.keys().await, "{last:?} {n}");
            assert_eq!(world.sinks[0].distinct(), ["found", "planned", "alarm"], "{last:?} {n}");
        }
    }
}
