//! Evidence whose end was cut off: named while anything in the ledger tells of it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test file is a test from top to bottom"
)]

mod fakes;

use fakes::chains::{APPROVE, Entries, entries, look, responded, verified, vouched, with, without};
use fakes::{World, deny};
use onus_core::FindingId;
use onus_ledger::Options;
use onus_pipeline::Job;
use onus_pipeline::records::{Chain, Records};

/// Takes out the links from one on, with all that they vouch for but what people asked and the index by day.
fn cut(all: &Entries, finding: &FindingId, from: usize) -> Entries {
    let gone: Vec<String> = vouched(all, finding)[from - 1..].concat();
    let gone: Vec<String> = gone.iter().map(|key| key.replace("ID", finding.as_str())).collect();
    let gone: Vec<String> =
        gone.into_iter().filter(|key| !key.starts_with("requests/") && !key.starts_with("days/")).collect();
    let link =
        |key: &str| key.strip_prefix("evidence/")?.split('/').nth(1)?.strip_suffix(".json")?.parse::<usize>().ok();
    without(all, |key| gone.iter().any(|gone| gone == key) || link(key).is_some_and(|number| number >= from))
}

#[tokio::test]
async fn an_end_that_was_cut_off_is_missed_by_whatever_was_made_after_it() {
    let (world, finding) = responded().await;
    let all = entries(&world).await;
    let (id, links) = (finding.as_str(), vouched(&all, &finding).len());
    assert_eq!(links, 5);
    let mut wrong = Vec::new();
    for from in 1..=links {
        // Somebody was told of the receipt in link 3 and of that in link 5, and before link 2 a response was asked for.
        let found = verified(&cut(&all, &finding, from), &finding).await;
        if !matches!(&found, Chain::Broken { link, reason } if *link == from && reason.contains("was made after it")) {
            wrong.push(format!("cut at {from}: {found}"));
        }
    }
    let forget =
        |entries: &Entries, traces: &[&str]| without(entries, |key| traces.iter().any(|trace| key.starts_with(trace)));
    let told_responded = format!("told/{id}/responded");
    let (undo_gone, response_gone, finding_gone) =
        (cut(&all, &finding, 4), cut(&all, &finding, 2), cut(&all, &finding, 1));
    // Who cuts off the end takes out what tells of it, one after the other.
    let quiet = forget(&response_gone, &[&told_responded]);
    let slots = forget(&quiet, &["budgets/"]);
    let contests = forget(&slots, &["contests/"]);
    let asked = forget(&contests, &["asked/"]);
    let requests = forget(&asked, &["requests/"]);
    let told = forget(&finding_gone, &["told/", "asked/"]);
    let half = without(&cut(&all, &finding, 3), |key| key.starts_with(&told_responded));
    let cases = [
        (
            "the undo, and who was told of it",
            forget(&undo_gone, &[&told_responded]),
            "unfinished after link 3: `requests/ID/undo-1.json`",
        ),
        (
            "the response's receipt, and who was told of it",
            half,
            "unfinished after link 2: `attempts/ID/respond-001/intent.json` has no receipt",
        ),
        (
            "the response, and who was told of it",
            quiet,
            "unfinished after link 1: `budgets/2026-11-02T10/1.json` has no receipt",
        ),
        ("its slots too", slots, "unfinished after link 1: `contests/"),
        ("its mark too", contests, "unfinished after link 1: `asked/ID` was answered by nobody"),
        (
            "that it was asked for too",
            asked,
            "unfinished after link 1: `requests/ID/undo-1.json` was answered by nobody",
        ),
        ("the request too", requests, "whole: 1 links"),
        ("the whole chain, and who was told", told, "broken at link 1: `days/"),
    ];
    for (what, entries, expected) in cases {
        let found = verified(&entries, &finding).await.to_string().replace(id, "ID");
        if !found.starts_with(expected) {
            wrong.push(format!("{what}: {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn folders_by_day_and_hour_tell_of_what_was_cut_off() {
    let world = World::new(APPROVE, &["fake.fires"], "fake.auto");
    let finding = world.found().await;
    world.responder().handle(&Job::Respond(finding.clone())).await.expect("shown");
    world.responder().handle(&deny(&finding)).await.expect("denied");
    let all = entries(&world).await;
    assert!(matches!(verified(&all, &finding).await, Chain::Whole { links: 3, .. }));
    let quiet = without(&cut(&all, &finding, 2), |key| key.starts_with("told/"));
    let found = verified(&quiet, &finding).await.to_string();
    assert!(found.starts_with("broken at link 2: `waiting/2026-11-02/"), "{found}");

    // An hour's bookings are numbered: a hole is named, and so is a finding that no day lists.
    let (world, finding) = responded().await;
    let mut all = entries(&world).await;
    let booking = all["budgets/2026-11-02T10/1.json"].clone();
    all = with(&all, "budgets/2026-11-02T10/3.json", &booking);
    let (_, traces) = look(&all, &finding).await;
    assert_eq!(traces.gaps, ["`budgets/2026-11-02T10/2.json` is gone, and `budgets/2026-11-02T10/3.json` is there"]);
    assert!(world.truth().unlisted().await.expect("reads").is_empty());
    let hidden = without(&all, |key| key.starts_with("days/"));
    let store = onus_ledger::open("memory://", &Options::default()).expect("memory opens");
    for (key, value) in &hidden {
        store.create(key, value.clone()).await.expect("creates");
    }
    let unlisted = Records::new(store).unlisted().await.expect("reads");
    assert!(unlisted.len() == 1 && unlisted.contains(&finding), "{unlisted:?}");
    assert!(verified(&hidden, &finding).await.to_string().contains("is gone"));
}
