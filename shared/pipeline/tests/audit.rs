//! From a change to a finding that is kept, told and asked a response for: once, whatever dies.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test file is a test from top to bottom"
)]

mod fakes;

use fakes::{Last, World, change};
use onus_core::{CallErrorKind, Change, Mode, Resource};
use onus_pipeline::records::Fate;
use onus_pipeline::{HandleError, ModeSource};

const ENFORCE: &str = "modes: { default: enforce }";

#[tokio::test]
async fn a_finding_is_kept_told_and_asked_a_response_for() {
    let world = World::new(ENFORCE, &["fake.fires", "fake.silent"], "fake.auto");
    let report = world.auditor().handle(&change()).await.expect("handled");
    assert_eq!((report.candidates, report.outcomes.len()), (2, 1));
    assert_eq!(world.sinks[0].kinds(), ["found"]);
    assert_eq!(world.sinks[1].kinds(), ["found"]);
    let jobs = world.queue.jobs.lock().expect("unpoisoned").clone();
    insta::assert_json_snapshot!((report, jobs), @r#"
    [
      {
        "change": "e-1/../x",
        "candidates": 2,
        "outcomes": [
          {
            "finding": "f-16c44ee4c5aa08b4fcc66c8b2d",
            "rule": "fake.fires",
            "severity": "high",
            "new": true,
            "decision": {
              "mode": "enforce",
              "configured": "enforce",
              "source": "default"
            },
            "fate": "told"
          }
        ]
      },
      [
        {
          "respond": "f-16c44ee4c5aa08b4fcc66c8b2d"
        }
      ]
    ]
    "#);
    insta::assert_json_snapshot!(world.keys().await, @r#"
    [
      "claims/aws/b77c002db8f14d84c8d220c79d221ec2/fake.fires.json",
      "records/f-16c44ee4c5aa08b4fcc66c8b2d.json",
      "findings/f-16c44ee4c5aa08b4fcc66c8b2d.json",
      "days/2026-11-02/f-16c44ee4c5aa08b4fcc66c8b2d",
      "asked/f-16c44ee4c5aa08b4fcc66c8b2d",
      "judged/f-16c44ee4c5aa08b4fcc66c8b2d/audit-6a0f153ce835ae1726f2634bd6e80cb9.json",
      "told/f-16c44ee4c5aa08b4fcc66c8b2d/found/one",
      "told/f-16c44ee4c5aa08b4fcc66c8b2d/found/two",
      "evidence/f-16c44ee4c5aa08b4fcc66c8b2d/0001.json"
    ]
    "#);
}

#[tokio::test]
async fn a_change_seen_twice_is_one_finding() {
    let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
    let first = world.auditor().handle(&change()).await.expect("handled");
    let second = world.auditor().handle(&change()).await.expect("handled");
    assert!(first.outcomes[0].new && !second.outcomes[0].new);
    assert_eq!(world.sinks[0].kinds(), ["found"]);
    assert_eq!(world.queue.jobs.lock().expect("unpoisoned").len(), 1);
}

#[tokio::test]
async fn a_change_that_has_only_begun_is_left_to_its_end() {
    let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
    let mut begun = change();
    begun.outcome = onus_core::Outcome::Begun;
    assert!(world.auditor().handle(&begun).await.expect("handled").outcomes.is_empty());
    assert!(world.keys().await.is_empty(), "nothing is claimed before the end is known");
    let ended = world.auditor().handle(&change()).await.expect("handled");
    assert!(ended.outcomes[0].new, "the end has the same uid and finds no claim");
}

#[tokio::test]
async fn a_change_seen_by_two_at_once_is_one_claim() {
    let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
    let (one, two) = (world.auditor(), world.auditor());
    let (one_change, two_change) = (change(), change());
    let (one, two) = tokio::join!(one.handle(&one_change), two.handle(&two_change));
    let new = [one, two].map(|report| report.expect("handled").outcomes[0].new);
    assert_eq!(new.iter().filter(|new| **new).count(), 1);
    assert_eq!(world.sinks[0].distinct(), ["found"]);
}

#[tokio::test]
async fn a_handler_that_dies_anywhere_is_resumed_by_the_next_delivery() {
    for rule in ["fake.fires", "fake.asks", "fake.breaks"] {
        for last in [Last::Lost, Last::Unheard] {
            let whole = World::dying(ENFORCE, &[rule], "fake.auto", last);
            whole.auditor().handle(&change()).await.expect("handled");
            let expected = (whole.keys().await, whole.sinks[0].distinct());
            for n in 1..=whole.fuse.done() {
                let world = World::dying(ENFORCE, &[rule], "fake.auto", last);
                world.fuse.rearm(n);
                let error = world.auditor().handle(&change()).await.expect_err("died");
                assert!(error.is_retryable(), "{rule} {last:?} {n}: {error}");
                world.fuse.rearm(-1);
                world.auditor().handle(&change()).await.expect("resumed");
                assert_eq!((world.keys().await, world.sinks[0].distinct()), expected, "{rule} {last:?} {n}");
                let jobs = world.queue.jobs.lock().expect("unpoisoned").clone();
                assert_eq!(jobs.is_empty(), rule == "fake.breaks", "{rule} {last:?} {n}");
            }
        }
    }
}

#[tokio::test]
async fn what_was_claimed_is_told_even_if_the_state_is_good_by_then() {
    let world = World::new(ENFORCE, &["fake.asks"], "fake.auto");
    world.sinks[0].failures.lock().expect("unpoisoned").push(true);
    world.auditor().handle(&change()).await.expect_err("a sink failed");
    world.cloud.set(&["good"]);
    world.auditor().handle(&change()).await.expect("handled");
    assert_eq!(world.sinks[0].kinds(), ["found"]);
}

#[tokio::test]
async fn a_sink_that_fails_keeps_nobody_else_from_being_told() {
    for retryable in [true, false] {
        let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
        world.sinks[0].failures.lock().expect("unpoisoned").push(retryable);
        let error = world.auditor().handle(&change()).await.expect_err("a sink failed");
        assert!(matches!(&error, HandleError::Deliver { sink, .. } if sink == "one"), "{error:?}");
        assert_eq!(error.is_retryable(), retryable);
        assert_eq!(world.sinks[1].kinds(), ["found"]);
        assert_eq!(world.queue.jobs.lock().expect("unpoisoned").len(), 1, "a response is asked for all the same");
        world.auditor().handle(&change()).await.expect("handled");
        assert_eq!((world.sinks[0].kinds().len(), world.sinks[1].kinds().len()), (1, 1));
    }
}

#[tokio::test]
async fn the_resource_that_the_rule_asks_for_is_read_wherever_the_record_names_it() {
    let other = Resource::new("Other", "arn:aws:fake:::other", "other");
    let fake = change().resources.remove(0);
    for (resources, expected) in [(vec![other.clone(), fake], "found"), (vec![other], "alarm"), (vec![], "alarm")] {
        let world = World::new(ENFORCE, &["fake.asks"], "fake.auto");
        let case = format!("{resources:?}");
        world.auditor().handle(&Change { resources, ..change() }).await.expect("handled");
        assert_eq!(world.sinks[0].kinds(), [expected], "{case}");
    }
}

#[tokio::test]
async fn state_that_cannot_be_read_is_an_alarm_or_a_retry_never_silence() {
    use CallErrorKind::{Conflict, Denied, Invalid, NotFound, Throttled, Unavailable};
    for kind in [Denied, NotFound, Invalid] {
        let world = World::new(ENFORCE, &["fake.asks"], "fake.auto");
        world.cloud.refuse("Get", kind);
        let report = world.auditor().handle(&change()).await.expect("handled");
        assert!(matches!(report.outcomes[0].fate, Fate::Undetermined { .. }), "{kind:?}");
        assert_eq!(world.sinks[0].kinds(), ["alarm"], "{kind:?}");
        assert!(world.queue.jobs.lock().expect("unpoisoned").is_empty(), "{kind:?}");
    }
    for kind in [Throttled, Unavailable, Conflict] {
        let world = World::new(ENFORCE, &["fake.asks", "fake.fires"], "fake.auto");
        world.cloud.refuse("Get", kind);
        let error = world.auditor().handle(&change()).await.expect_err("retry");
        assert!(error.is_retryable(), "{kind:?}");
        assert_eq!(world.sinks[0].kinds(), ["found"], "the rule that needs no state is told: {kind:?}");
    }
}

#[tokio::test]
async fn what_nobody_can_read_is_an_alarm() {
    type Case = (&'static str, fn(&mut onus_pipeline::Auditor, &mut onus_core::Change<'static>));
    let mut wrong = Vec::new();
    let cases: [Case; 4] = [
        ("no caller", |auditor, _| auditor.caller = None),
        ("no reader", |_, change| change.resources[0].kind = "Unknown".into()),
        ("no resource", |_, change| change.resources.clear()),
        ("another account", |_, change| change.account = "444455556666".into()),
    ];
    for (name, alter) in cases {
        let world = World::new(ENFORCE, &["fake.asks"], "fake.auto");
        let (mut auditor, mut change) = (world.auditor(), change());
        alter(&mut auditor, &mut change);
        auditor.handle(&change).await.expect("handled");
        if world.sinks[0].kinds() != ["alarm"] {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[tokio::test]
async fn an_exemption_that_holds_is_recorded_and_one_that_ended_is_not_heeded() {
    let yaml = |expires| {
        format!(
            "{ENFORCE}\nexemptions: [{{ rule: fake.*, resource: it, reason: on purpose, owner: ops, expires: {expires} }}]"
        )
    };
    for (expires, told) in [("never", 0), ("2026-11-02", 0), ("2026-11-01", 1), ("2026-11-02T10:00:05Z", 1)] {
        let world = World::new(&yaml(expires), &["fake.fires"], "fake.auto");
        let report = world.auditor().handle(&change()).await.expect("handled");
        assert_eq!(world.sinks[0].kinds().len(), told, "{expires}");
        assert_eq!(world.queue.jobs.lock().expect("unpoisoned").len(), told, "{expires}");
        assert_eq!(matches!(report.outcomes[0].fate, Fate::Exempt { .. }), told == 0, "{expires}");
        let history = world.truth().history(&report.outcomes[0].finding).await.expect("reads").expect("kept");
        assert_eq!(history.claim.expect("claimed").fate, report.outcomes[0].fate, "{expires}");
    }
}

#[tokio::test]
async fn a_response_is_asked_for_only_from_mode_plan_on_and_only_with_a_remediation() {
    let cases = [
        ("off", "fake.auto", None),
        ("alert", "fake.auto", Some((Mode::Alert, 0))),
        ("plan", "fake.auto", Some((Mode::Plan, 1))),
        ("enforce", "fake.manual", Some((Mode::Plan, 1))),
        ("enforce", "fake.ask", Some((Mode::Approve, 1))),
        ("enforce", "fake.unknown", Some((Mode::Alert, 0))),
        ("enforce", "", Some((Mode::Alert, 0))),
    ];
    for (mode, remedy, expected) in cases {
        let world = World::new(&format!("modes: {{ default: {mode} }}"), &["fake.fires"], remedy);
        let report = world.auditor().handle(&change()).await.expect("handled");
        let jobs = world.queue.jobs.lock().expect("unpoisoned").len();
        let got = report.outcomes.first().map(|outcome| (outcome.decision.mode, jobs));
        assert_eq!(got, expected, "{mode} {remedy}");
    }
}

#[tokio::test]
async fn what_onus_changed_itself_is_told_and_not_responded_to() {
    let yaml = format!("{ENFORCE}\nsettings: {{ own_principals: [AROAEXAMPLEID] }}");
    let world = World::new(&yaml, &["fake.fires"], "fake.auto");
    let report = world.auditor().handle(&change()).await.expect("handled");
    assert_eq!(report.outcomes[0].decision.mode, Mode::Alert);
    assert_eq!(report.outcomes[0].decision.source, ModeSource::Default);
    assert_eq!(world.sinks[0].kinds(), ["found"]);
    assert!(world.queue.jobs.lock().expect("unpoisoned").is_empty());
}
