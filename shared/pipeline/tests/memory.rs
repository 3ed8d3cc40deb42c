//! What was seen is remembered once, by part and time, and what is known of a time before a change is what was seen surely before it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test file is a test from top to bottom"
)]

mod fakes;

use std::sync::Arc;

use fakes::{World, change, readers};
use jiff::SignedDuration;
use onus_core::{Call, Cloud, Image, Lister, Read, Resource};
use onus_pipeline::{Baseline, Job};
use serde_json::{Value, json};

fn image(value: Value) -> Image {
    serde_json::from_value(value).expect("an image")
}

#[tokio::test]
async fn the_same_part_is_put_down_once_and_each_is_known_as_it_was_before_the_change() {
    let world = World::new("", &[], "");
    let records = world.truth();
    let resource = Resource::new("Fake", "arn:aws:fake:::it", "it");
    let summary = change().summary();
    let at = |minutes: i64| summary.time.checked_add(SignedDuration::from_mins(minutes)).expect("in range");
    let steps = [
        (-300, json!({ "policy": { "a": 1, "b": 2 }, "acl": null }), 2),
        (-200, json!({ "policy": { "b": 2, "a": 1 }, "acl": null }), 0),
        (-100, json!({ "policy": { "a": 2 } }), 1),
        (-90, json!({ "policy": { "a": 1, "b": 2 } }), 1),
        (0, json!({ "policy": "seen while clocks may differ" }), 1),
        (1, json!({ "policy": "bad" }), 1),
    ];
    for (minutes, parts, new) in steps {
        let kept = records.remember(&summary, &resource, &image(parts.clone()), at(minutes)).await.expect("kept");
        assert_eq!(kept, new, "{minutes}: {parts}");
    }
    let known = records.remembered(&summary, &resource).await.expect("reads").expect("known");
    assert_eq!(known.image, image(json!({ "policy": { "a": 1, "b": 2 }, "acl": null })));
    assert_eq!(known.since, Some(at(-90)));
    // The same content is stored once, however often it was there.
    let contents = world.store.list("states").await.expect("lists").into_iter().filter(|key| key.contains("/content/"));
    assert_eq!(contents.count(), 5);
    let other = Resource::new("Fake", "arn:aws:fake:::other", "other");
    assert_eq!(records.remembered(&summary, &other).await.expect("reads"), None);
    let mut early = summary.clone();
    early.time = at(-299);
    assert_eq!(records.remembered(&early, &resource).await.expect("reads"), None, "a minute is left for clocks");
}

#[tokio::test]
async fn what_audit_and_respond_read_is_remembered() {
    let world = World::new("modes: { default: enforce }", &["fake.asks"], "fake.auto");
    let report = world.auditor().handle(&change()).await.expect("audited");
    world.responder().handle(&Job::Respond(report.outcomes[0].finding.clone())).await.expect("done");
    let mut later = change().summary();
    later.time = later.time.checked_add(SignedDuration::from_hours(1)).expect("in range");
    assert!(world.truth().remembered(&later, &change().resources[0]).await.expect("reads").is_some());
    let mut contents = Vec::new();
    for key in world.store.list("states").await.expect("lists").iter().filter(|key| key.contains("/content/")) {
        contents.push(String::from_utf8(world.store.read(key).await.expect("reads").expect("there")).expect("text"));
    }
    contents.sort();
    assert_eq!(contents, [r#"{"statements":["bad-1","bad-2","good"]}"#, r#"{"statements":["good"]}"#]);
}

struct Listed;

impl Lister for Listed {
    fn kind(&self) -> &'static str {
        "Fake"
    }

    fn operations(&self) -> &[&'static str] {
        &["fake:Get"]
    }

    fn list(&self, _: &onus_core::ChangeSummary) -> Read {
        Read::new("list", Call::aws("fake", "Get", "", json!({})))
    }

    fn resources(&self, _: &onus_core::ChangeSummary, _: &Value) -> Vec<Resource<'static>> {
        vec![
            Resource::new("Fake", "arn:aws:fake:::it", "it"),
            Resource::new("Unreadable", "arn:aws:fake:::other", "other"),
        ]
    }
}

#[tokio::test]
async fn a_baseline_records_what_is_new_and_tells_what_it_could_not_read() {
    let world = World::new("", &[], "");
    let baseline = Baseline {
        records: world.records(),
        caller: Arc::clone(&world.cloud) as Arc<dyn onus_core::Caller>,
        listers: vec![&Listed],
        readers,
        clock: world.clock.clone(),
    };
    let mut all = Vec::new();
    for _ in 0..2 {
        all.extend(baseline.record(Cloud::Aws, "111122223333", "eu-central-1").await.expect("recorded"));
        world.clock.pass(SignedDuration::from_hours(24));
    }
    assert_eq!(all.iter().map(|kind| (kind.resources, kind.new)).collect::<Vec<_>>(), [(2, 1), (2, 0)]);
    assert!(all[0].failed[0].contains("no reader for `Unreadable`"), "{:?}", all[0].failed);
    let mut later = change().summary();
    later.time = world.clock_now();
    let known = world.truth().remembered(&later, &change().resources[0]).await.expect("reads").expect("known");
    assert_eq!(known.image.get("it")["statements"], json!(["bad-1", "bad-2", "good"]));
}

/// Lists nothing itself, and one thing below one of two others.
struct Below;

impl Lister for Below {
    fn kind(&self) -> &'static str {
        "Fake"
    }

    fn operations(&self) -> &[&'static str] {
        &["fake:Get"]
    }

    fn applies(&self, place: &onus_core::ChangeSummary) -> bool {
        place.account != "elsewhere"
    }

    fn list(&self, _: &onus_core::ChangeSummary) -> Read {
        Read::new("list", Call::aws("fake", "Get", "", json!({})))
    }

    fn below(&self, _: &onus_core::ChangeSummary, _: &Value) -> Vec<Read> {
        let asked = || Read::new("list", Call::aws("fake", "Get", "", json!({})));
        vec![asked().keep(|_| json!("below")), asked()]
    }

    fn resources(&self, _: &onus_core::ChangeSummary, answer: &Value) -> Vec<Resource<'static>> {
        let below = *answer == json!("below");
        below.then(|| Resource::new("Fake", "arn:aws:fake:::it", "it")).into_iter().collect()
    }
}

#[tokio::test]
async fn what_has_no_list_of_its_own_is_listed_below_others_and_only_where_it_can_be() {
    let world = World::new("", &[], "");
    let baseline = Baseline {
        records: world.records(),
        caller: Arc::clone(&world.cloud) as Arc<dyn onus_core::Caller>,
        listers: vec![&Below],
        readers,
        clock: world.clock.clone(),
    };
    let recorded = baseline.record(Cloud::Aws, "111122223333", "eu-central-1").await.expect("recorded");
    assert_eq!(
        recorded.iter().map(|kind| (kind.resources, kind.new, kind.failed.len())).collect::<Vec<_>>(),
        [(1, 1, 0)]
    );
    assert_eq!(baseline.record(Cloud::Aws, "elsewhere", "eu-central-1").await.expect("recorded"), []);
}
