//! The chain of evidence: whole after whatever happened, and broken at the link that somebody touched.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test file is a test from top to bottom"
)]

mod fakes;

use std::sync::Arc;

use fakes::{Last, World, undo, until_done};
use jiff::SignedDuration;
use onus_core::{FindingId, Ledger};
use onus_ledger::Options;
use onus_pipeline::Job;
use onus_pipeline::records::{Chain, Link, Records};

const ENFORCE: &str = "modes: { default: enforce }";

/// The ledger again, with some entries otherwise, or not there.
async fn tampered(world: &World, change: impl Fn(&str, Vec<u8>) -> Option<Vec<u8>>) -> Records {
    let store: Arc<dyn Ledger> = onus_ledger::open("memory://", &Options::default()).expect("memory opens");
    for key in world.keys().await {
        let value = world.store.read(&key).await.expect("reads").expect("there");
        if let Some(value) = change(&key, value) {
            store.create(&key, value).await.expect("creates");
        }
    }
    Records::new(store)
}

async fn responded() -> (World, FindingId) {
    let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
    let finding = world.found().await;
    world.responder().handle(&Job::Respond(finding.clone())).await.expect("done");
    world.responder().handle(&undo(&finding)).await.expect("undone");
    (world, finding)
}

#[tokio::test]
async fn a_chain_holds_record_decision_images_requests_and_verdict() {
    let (world, finding) = responded().await;
    let Chain::Whole { links, .. } = world.truth().verify(&finding).await.expect("reads") else { panic!("broken") };
    let mut vouched = Vec::new();
    for number in 1..=links {
        let bytes = world.store.read(&format!("evidence/{finding}/{number:04}.json")).await.expect("reads");
        let link: Link = serde_json::from_slice(&bytes.expect("there")).expect("a link");
        vouched
            .push(link.entries.into_iter().map(|entry| entry.key.replace(finding.as_str(), "ID")).collect::<Vec<_>>());
    }
    insta::assert_json_snapshot!(vouched, @r#"
    [
      [
        "records/ID.json",
        "claims/aws/b77c002db8f14d84c8d220c79d221ec2/fake.fires.json",
        "findings/ID.json"
      ],
      [
        "attempts/ID/respond-001/intent.json"
      ],
      [
        "attempts/ID/respond-001/sent-0.json",
        "attempts/ID/respond-001/sent-1.json",
        "receipts/ID/respond.json"
      ],
      [
        "attempts/ID/undo-001.1/intent.json"
      ],
      [
        "attempts/ID/undo-001.1/sent-0.json",
        "attempts/ID/undo-001.1/sent-1.json",
        "receipts/ID/undo-1.json"
      ]
    ]
    "#);
}

#[tokio::test]
async fn touching_any_link_or_entry_breaks_the_chain_there() {
    let (world, finding) = responded().await;
    let keys = world.keys().await;
    let links: Vec<&String> = keys.iter().filter(|key| key.starts_with("evidence/")).collect();
    let guarded = |key: &&String| {
        ["records/", "claims/", "findings/", "attempts/", "receipts/"].iter().any(|top| key.starts_with(top))
    };
    let entries: Vec<&String> = keys.iter().filter(guarded).collect();
    let mut wrong = Vec::new();
    for (index, victim) in links.iter().enumerate() {
        let touched = tampered(&world, |key, value| {
            let text = String::from_utf8(value.clone()).expect("text");
            Some(if key == *victim {
                text.replace("2026-11-02T10:00:05Z", "2026-11-02T10:00:06Z").into_bytes()
            } else {
                value
            })
        });
        // A link that was changed is found by the one after it; the last one by whoever kept its hash.
        let found = touched.await.verify(&finding).await.expect("reads");
        let last = index + 1 == links.len();
        let whole = world.truth().verify(&finding).await.expect("reads");
        if (last && (found == whole || !matches!(found, Chain::Whole { .. })))
            || (!last && !matches!(found, Chain::Broken { link, .. } if link == index + 2))
        {
            wrong.push(format!("{victim} changed: {found}"));
        }
        let removed = tampered(&world, |key, value| (key != *victim).then_some(value)).await;
        let found = removed.verify(&finding).await.expect("reads");
        if !matches!(found, Chain::Broken { link, .. } if link == index + 1) {
            wrong.push(format!("{victim} removed: {found}"));
        }
        let garbled = tampered(&world, |key, value| Some(if key == *victim { b"{".to_vec() } else { value })).await;
        let found = garbled.verify(&finding).await.expect("reads");
        if !matches!(found, Chain::Broken { link, .. } if link == index + 1) {
            wrong.push(format!("{victim} garbled: {found}"));
        }
    }
    for victim in entries {
        let changed = tampered(&world, |key, mut value| {
            if key == victim {
                value.push(b' ');
            }
            Some(value)
        });
        let found = changed.await.verify(&finding).await.expect("reads");
        if !matches!(&found, Chain::Broken { reason, .. } if reason.contains(victim.as_str())) {
            wrong.push(format!("{victim} changed: {found}"));
        }
        let removed = tampered(&world, |key, value| (key != victim).then_some(value)).await;
        let found = removed.verify(&finding).await.expect("reads");
        if !matches!(&found, Chain::Broken { reason, .. } if reason.contains("is gone")) {
            wrong.push(format!("{victim} removed: {found}"));
        }
    }
    let added = tampered(&world, |_, value| Some(value)).await;
    let store = onus_ledger::open("memory://", &Options::default()).expect("memory opens");
    for key in world.keys().await {
        store.create(&key, world.store.read(&key).await.expect("reads").expect("there")).await.expect("creates");
    }
    store.create(&format!("receipts/{finding}/refused-x.json"), b"{}".to_vec()).await.expect("creates");
    let found = Records::new(store).verify(&finding).await.expect("reads");
    if !matches!(&found, Chain::Broken { reason, .. } if reason.contains("in no link")) {
        wrong.push(format!("an entry slipped in: {found}"));
    }
    assert!(matches!(added.verify(&finding).await.expect("reads"), Chain::Whole { .. }));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn two_links_that_changed_places_break_the_chain_at_the_first() {
    let (world, finding) = responded().await;
    let mut links: Vec<String> = world.keys().await;
    links.retain(|key| key.starts_with("evidence/"));
    let mut wrong = Vec::new();
    for one in 0..links.len() {
        for other in one + 1..links.len() {
            let store: Arc<dyn Ledger> = onus_ledger::open("memory://", &Options::default()).expect("memory opens");
            for key in world.keys().await {
                let from = match &key {
                    key if *key == links[one] => &links[other],
                    key if *key == links[other] => &links[one],
                    key => key,
                };
                let value = world.store.read(from).await.expect("reads").expect("there");
                store.create(&key, value).await.expect("creates");
            }
            let found = Records::new(store).verify(&finding).await.expect("reads");
            if !matches!(found, Chain::Broken { link, .. } if link == one + 1) {
                wrong.push(format!("{} and {}: {found}", one + 1, other + 1));
            }
        }
    }
    assert!(links.len() > 2 && wrong.is_empty(), "{} links\n{}", links.len(), wrong.join("\n"));
}

#[tokio::test]
async fn the_chain_is_whole_wherever_a_handler_died() {
    for last in [Last::Lost, Last::Unheard] {
        let whole = World::dying(ENFORCE, &["fake.fires"], "fake.auto", last);
        whole.fuse.rearm(-1);
        let job = Job::Respond(whole.found().await);
        whole.responder().handle(&job).await.expect("done");
        for n in 1..=whole.fuse.done() {
            let world = World::dying(ENFORCE, &["fake.fires"], "fake.auto", last);
            let play = async || {
                world.auditor().handle(&fakes::change()).await?;
                world.responder().handle(&job).await.map(drop)
            };
            world.fuse.rearm(n);
            let _ = play().await;
            world.fuse.rearm(-1);
            world.clock.pass(SignedDuration::from_mins(6));
            until_done(&world, play).await;
            let chain = world.truth().verify(job.finding()).await.expect("reads");
            assert!(matches!(chain, Chain::Whole { .. }), "{last:?} {n}: {chain}");
        }
    }
}

#[tokio::test]
async fn a_finding_without_a_chain_is_said_to_have_none() {
    let world = World::new(ENFORCE, &[], "");
    let nobody: FindingId = "f-00000000000000000000000000".parse().expect("an id");
    assert_eq!(world.truth().verify(&nobody).await.expect("reads"), Chain::Missing);
}
