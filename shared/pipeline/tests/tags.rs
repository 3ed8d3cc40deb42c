//! Tags decide live: read once, only where they could matter, and never guessed.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test file is a test from top to bottom"
)]

mod fakes;

use fakes::{Last, World, change};
use onus_core::{CallErrorKind, Change, Mode, ReceiptOutcome, Resource};
use onus_pipeline::records::Fate;
use onus_pipeline::{Cap, Done, HandleError, Job};

const BY_TAG: &str = "modes: { default: alert, overrides: [{ tags: { env: dev }, mode: enforce }] }";
const SPARED: &str = "modes: { default: enforce, overrides: [{ tags: { env: prod }, mode: alert }] }";
const EXEMPT: &str = "modes: { default: enforce }
exemptions: [{ rule: '*', tags: { public: 'yes' }, reason: a website, owner: web, expires: never }]";

#[tokio::test]
async fn the_mode_follows_the_tags_that_the_resource_has_now() {
    let cases = [
        (BY_TAG, "env", "dev", Mode::Enforce),
        (BY_TAG, "env", "prod", Mode::Alert),
        (SPARED, "env", "prod", Mode::Alert),
    ];
    for (yaml, key, value, expected) in cases {
        let world = World::new(yaml, &["fake.fires"], "fake.auto");
        world.cloud.tag(key, value);
        let report = world.auditor().handle(&change()).await.expect("handled");
        assert_eq!(report.outcomes[0].decision.mode, expected, "{yaml} {value}");
        let asked = world.queue.jobs.lock().expect("unpoisoned").len();
        assert_eq!(asked, usize::from(expected == Mode::Enforce), "{yaml} {value}");
    }
}

#[tokio::test]
async fn tags_are_read_once_and_not_where_they_do_not_matter() {
    let rules = ["fake.fires", "fake.asks", "fake.silent"];
    let cases = [
        (BY_TAG, 1),
        ("modes: { default: enforce }", 0),
        ("modes: { default: off, overrides: [{ tags: { env: dev }, rule: 'other.*', mode: enforce }] }", 0),
    ];
    for (yaml, reads) in cases {
        let world = World::new(yaml, &rules, "fake.auto");
        world.auditor().handle(&change()).await.expect("handled");
        assert_eq!(world.cloud.tag_reads(), reads, "{yaml}");
    }
    let world = World::new(BY_TAG, &["fake.silent"], "fake.auto");
    world.auditor().handle(&change()).await.expect("handled");
    assert_eq!(world.cloud.tag_reads(), 0, "nothing fired");
}

#[tokio::test]
async fn tags_that_cannot_be_read_are_an_alert_and_no_write() {
    type Case = (&'static str, fn(&mut onus_pipeline::Auditor, &mut Change<'static>));
    let cases: [Case; 4] = [
        ("no caller", |auditor, _| auditor.caller = None),
        ("nobody knows how", |_, change| change.resources[0].kind = "Unknown".into()),
        ("no resource", |_, change| change.resources.clear()),
        ("another account", |_, change| change.account = "444455556666".into()),
    ];
    let mut wrong = Vec::new();
    for yaml in [BY_TAG, SPARED, EXEMPT] {
        for (name, alter) in cases {
            let world = World::new(yaml, &["fake.fires"], "fake.auto");
            let (mut auditor, mut change) = (world.auditor(), change());
            alter(&mut auditor, &mut change);
            let report = auditor.handle(&change).await.expect("handled");
            let decision = report.outcomes[0].decision;
            let jobs = world.queue.jobs.lock().expect("unpoisoned").len();
            if (decision.mode, decision.capped_by, jobs) != (Mode::Alert, Some(Cap::UnknownTags), 0)
                || world.sinks[0].kinds() != ["found", "alarm"]
            {
                wrong.push(format!("{name}, {yaml}: {decision:?}, {:?}", world.sinks[0].kinds()));
            }
        }
        let world = World::new(yaml, &["fake.fires"], "fake.auto");
        world.cloud.refuse("Tags", CallErrorKind::Denied);
        world.auditor().handle(&change()).await.expect("handled");
        if world.sinks[0].kinds() != ["found", "alarm"] {
            wrong.push(format!("denied, {yaml}: {:?}", world.sinks[0].kinds()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_kind_without_tags_has_none_and_is_not_asked() {
    let world = World::new(SPARED, &["fake.fires"], "fake.auto");
    let resources = vec![Resource::new("Untagged", "arn:aws:fake:::it", "it")];
    let report = world.auditor().handle(&Change { resources, ..change() }).await.expect("handled");
    assert_eq!((report.outcomes[0].decision.mode, world.cloud.tag_reads()), (Mode::Enforce, 0));
}

#[tokio::test]
async fn a_read_that_may_succeed_later_is_told_at_once_and_judged_again() {
    let world = World::new(BY_TAG, &["fake.fires"], "fake.auto");
    world.cloud.tag("env", "dev");
    world.cloud.refuse("Tags", CallErrorKind::Throttled);
    let error = world.auditor().handle(&change()).await.expect_err("retry");
    assert!(matches!(error, HandleError::Call { attempt: "read tags", .. }) && error.is_retryable(), "{error}");
    assert_eq!(world.sinks[0].kinds(), ["found"]);
    assert!(world.queue.jobs.lock().expect("unpoisoned").is_empty());
    world.auditor().handle(&change()).await.expect("handled");
    assert_eq!(world.sinks[0].kinds(), ["found"]);
    assert_eq!(world.queue.jobs.lock().expect("unpoisoned").len(), 1);
}

#[tokio::test]
async fn an_exemption_by_tag_is_kept_with_its_id() {
    let world = World::new(EXEMPT, &["fake.fires"], "fake.auto");
    world.cloud.tag("public", "yes");
    let report = world.auditor().handle(&change()).await.expect("handled");
    let Fate::Exempt { exemption, .. } = &report.outcomes[0].fate else { panic!("{report:?}") };
    assert_eq!(exemption.len(), 18, "{exemption}");
    assert!(world.sinks[0].kinds().is_empty());
}

#[tokio::test]
async fn a_response_reads_the_tags_again_before_it_writes() {
    for yaml in [BY_TAG, SPARED, EXEMPT] {
        let world = World::new(yaml, &["fake.fires"], "fake.auto");
        world.cloud.tag("env", "dev");
        let finding = world.found().await;
        world.cloud.tag("env", "prod");
        world.cloud.tag("public", "yes");
        let done = world.responder().handle(&Job::Respond(finding)).await.expect("done");
        assert!(matches!(done, Done::NotResponding { .. }), "{yaml}: {done:?}");
        assert!(world.cloud.writes().is_empty(), "{yaml}");

        let world = World::new(yaml, &["fake.fires"], "fake.auto");
        world.cloud.tag("env", "dev");
        let finding = world.found().await;
        world.cloud.refuse("Tags", CallErrorKind::Denied);
        let done = world.responder().handle(&Job::Respond(finding)).await.expect("done");
        let Done::Refused { receipt } = done else { panic!("{yaml}: {done:?}") };
        assert!(matches!(receipt.outcome, ReceiptOutcome::Refused { .. }));
        assert!(world.cloud.writes().is_empty(), "{yaml}");
        assert_eq!(world.sinks[0].kinds(), ["found", "alarm"], "{yaml}");
    }
}

#[tokio::test]
async fn a_handler_that_dies_while_it_reads_tags_is_resumed() {
    for last in [Last::Lost, Last::Unheard] {
        let whole = World::dying(BY_TAG, &["fake.fires"], "fake.auto", last);
        whole.cloud.tag("env", "dev");
        whole.auditor().handle(&change()).await.expect("handled");
        for n in 1..=whole.fuse.done() {
            let world = World::dying(BY_TAG, &["fake.fires"], "fake.auto", last);
            world.cloud.tag("env", "dev");
            world.fuse.rearm(n);
            world.auditor().handle(&change()).await.expect_err("died");
            world.fuse.rearm(-1);
            world.auditor().handle(&change()).await.expect("resumed");
            assert_eq!(world.keys().await, whole.keys().await, "{last:?} {n}");
            assert_eq!(world.sinks[0].distinct(), ["found"], "{last:?} {n}");
            assert!(!world.queue.jobs.lock().expect("unpoisoned").is_empty(), "{last:?} {n}");
        }
    }
}
