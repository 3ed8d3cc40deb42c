//! From a job to a receipt: one write, verified, with an undo; and none in any doubt.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test file is a test from top to bottom"
)]

mod fakes;

use fakes::{Last, World, approve, deny, undo, until_done};
use jiff::SignedDuration;
use onus_core::plan::ReceiptKind;
use onus_core::{CallErrorKind, Mode, Receipt, ReceiptOutcome};
use onus_pipeline::{Done, HandleError, Job};

const ENFORCE: &str = "modes: { default: enforce }";
const REMOVED: [&str; 2] = ["Remove bad-1", "Remove bad-2"];

fn receipt(done: Done) -> Receipt {
    match done {
        Done::Receipt { receipt } | Done::Refused { receipt } | Done::Already { receipt } => *receipt,
        other => panic!("no receipt: {other:?}"),
    }
}

fn reason(done: Done) -> String {
    match (receipt(done)).outcome {
        ReceiptOutcome::Refused { reason } | ReceiptOutcome::Unverified { reason } => reason,
        other => panic!("no reason: {other:?}"),
    }
}

#[tokio::test]
async fn enforcing_takes_back_the_bad_part_and_only_that() {
    let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
    let finding = world.found().await;
    let done = world.responder().handle(&Job::Respond(finding.clone())).await.expect("done");
    assert_eq!(world.cloud.has(), ["good"]);
    assert_eq!(world.cloud.writes(), REMOVED);
    assert_eq!(world.sinks[0].kinds(), ["found", "responded"]);
    let receipt = receipt(done);
    assert_eq!(world.truth().response(&finding).await.expect("reads").as_ref(), Some(&receipt));
    insta::assert_json_snapshot!(receipt, @r#"
    {
      "finding": "f-16c44ee4c5aa08b4fcc66c8b2d",
      "kind": "respond",
      "remediation": "fake.auto",
      "resource": {
        "kind": "Fake",
        "id": "arn:aws:fake:::it",
        "name": "it"
      },
      "outcome": "verified",
      "at": "2026-11-02T10:00:05Z",
      "by": "policy",
      "steps": [
        {
          "title": "remove bad-1",
          "call": {
            "cloud": "aws",
            "service": "fake",
            "operation": "Remove",
            "parameters": {
              "id": "bad-1"
            }
          },
          "inverse": {
            "cloud": "aws",
            "service": "fake",
            "operation": "Add",
            "parameters": {
              "id": "bad-1"
            }
          }
        },
        {
          "title": "remove bad-2",
          "call": {
            "cloud": "aws",
            "service": "fake",
            "operation": "Remove",
            "parameters": {
              "id": "bad-2"
            }
          },
          "inverse": {
            "cloud": "aws",
            "service": "fake",
            "operation": "Add",
            "parameters": {
              "id": "bad-2"
            }
          }
        }
      ],
      "sent": [
        {
          "call": {
            "cloud": "aws",
            "service": "fake",
            "operation": "Remove",
            "parameters": {
              "id": "bad-1"
            }
          },
          "result": {
            "Ok": {}
          }
        },
        {
          "call": {
            "cloud": "aws",
            "service": "fake",
            "operation": "Remove",
            "parameters": {
              "id": "bad-2"
            }
          },
          "result": {
            "Ok": {}
          }
        }
      ],
      "before": {
        "it": {
          "statements": [
            "bad-1",
            "bad-2",
            "good"
          ]
        }
      },
      "after": {
        "it": {
          "statements": [
            "good"
          ]
        }
      }
    }
    "#);
    let keys: Vec<String> = world.keys().await.into_iter().filter(|key| !key.starts_with("claims")).collect();
    insta::assert_json_snapshot!(keys, @r#"
    [
      "records/f-16c44ee4c5aa08b4fcc66c8b2d.json",
      "findings/f-16c44ee4c5aa08b4fcc66c8b2d.json",
      "days/2026-11-02/f-16c44ee4c5aa08b4fcc66c8b2d",
      "asked/f-16c44ee4c5aa08b4fcc66c8b2d",
      "judged/f-16c44ee4c5aa08b4fcc66c8b2d/audit-6a0f153ce835ae1726f2634bd6e80cb9.json",
      "judged/f-16c44ee4c5aa08b4fcc66c8b2d/respond-6a0f153ce835ae1726f2634bd6e80cb9.json",
      "told/f-16c44ee4c5aa08b4fcc66c8b2d/found/one",
      "told/f-16c44ee4c5aa08b4fcc66c8b2d/found/two",
      "told/f-16c44ee4c5aa08b4fcc66c8b2d/responded-068a466280cf2a8b/one",
      "told/f-16c44ee4c5aa08b4fcc66c8b2d/responded-068a466280cf2a8b/two",
      "attempts/f-16c44ee4c5aa08b4fcc66c8b2d/respond-001/intent.json",
      "attempts/f-16c44ee4c5aa08b4fcc66c8b2d/respond-001/sent-0.json",
      "attempts/f-16c44ee4c5aa08b4fcc66c8b2d/respond-001/sent-1.json",
      "receipts/f-16c44ee4c5aa08b4fcc66c8b2d/respond.json",
      "budgets/2026-11-02T10/1.json",
      "contests/eab99a52e670423771af781120e3b975/2026-11-02T10/20261102T100005000000000.responded.f-16c44ee4c5aa08b4fcc66c8b2d.respond-001",
      "evidence/f-16c44ee4c5aa08b4fcc66c8b2d/0001.json",
      "evidence/f-16c44ee4c5aa08b4fcc66c8b2d/0002.json",
      "evidence/f-16c44ee4c5aa08b4fcc66c8b2d/0003.json",
      "locks/84b213a56d4fefcb58f159adadbb4d2d/1/released.json",
      "locks/84b213a56d4fefcb58f159adadbb4d2d/1/taken.json"
    ]
    "#);
}

#[tokio::test]
async fn a_job_done_twice_writes_once() {
    let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
    let job = Job::Respond(world.found().await);
    world.responder().handle(&job).await.expect("done");
    // What comes back later is another change's business.
    world.cloud.set(&["bad-1", "good"]);
    let again = world.responder().handle(&job).await.expect("done");
    assert!(matches!(again, Done::Already { .. }), "{again:?}");
    assert_eq!(world.cloud.writes(), REMOVED);
    assert_eq!(world.sinks[0].kinds(), ["found", "responded"]);
}

#[tokio::test]
async fn of_two_handlers_at_once_one_writes() {
    let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
    let job = Job::Respond(world.found().await);
    let (one, two) = (world.responder(), world.responder());
    let results = tokio::join!(one.handle(&job), two.handle(&job));
    for result in [results.0, results.1] {
        match result {
            Ok(done) => assert_eq!(receipt(done).outcome, ReceiptOutcome::Verified),
            Err(error) => assert!(matches!(error, HandleError::Busy { .. }), "{error:?}"),
        }
    }
    assert_eq!(world.cloud.writes(), REMOVED);
    assert_eq!(world.sinks[0].distinct(), ["found", "responded"]);
}

#[tokio::test]
async fn a_handler_that_dies_anywhere_is_resumed_and_writes_once() {
    for last in [Last::Lost, Last::Unheard] {
        let whole = World::dying(ENFORCE, &["fake.fires"], "fake.auto", last);
        let job = Job::Respond(whole.found().await);
        whole.fuse.rearm(-1);
        whole.responder().handle(&job).await.expect("done");
        for n in 1..=whole.fuse.done() {
            let world = World::dying(ENFORCE, &["fake.fires"], "fake.auto", last);
            let finding = world.found().await;
            world.fuse.rearm(n);
            // Dying over the last operation, the release of the lease, still is a success.
            let first = world.responder().handle(&job).await;
            assert!(first.is_ok() || first.is_err_and(|error| error.is_retryable()), "{last:?} {n}");
            world.fuse.rearm(-1);
            world.clock.pass(SignedDuration::from_mins(6));
            until_done(&world, async || world.responder().handle(&job).await).await;
            assert_eq!(world.cloud.writes(), REMOVED, "{last:?} {n}");
            assert_eq!(world.sinks[0].distinct(), ["found", "responded"], "{last:?} {n}");
            let receipt = world.truth().response(&finding).await.expect("reads").expect("kept");
            assert_eq!(receipt.outcome, ReceiptOutcome::Verified, "{last:?} {n}");
            assert_eq!(receipt.steps.len(), 2, "every inverse is known: {last:?} {n}");
            let undone = world.responder().handle(&undo(&finding)).await.expect("undone");
            assert_eq!(self::receipt(undone).outcome, ReceiptOutcome::Verified, "{last:?} {n}");
            assert_eq!(world.cloud.has(), ["bad-1", "bad-2", "good"], "{last:?} {n}");
        }
    }
}

#[tokio::test]
async fn an_undo_that_dies_anywhere_ends_in_a_restored_resource_or_in_a_refusal() {
    for last in [Last::Lost, Last::Unheard] {
        let whole = World::dying(ENFORCE, &["fake.fires"], "fake.auto", last);
        let finding = whole.found().await;
        whole.responder().handle(&Job::Respond(finding.clone())).await.expect("done");
        whole.fuse.rearm(-1);
        whole.responder().handle(&undo(&finding)).await.expect("undone");
        for n in 1..=whole.fuse.done() {
            let world = World::dying(ENFORCE, &["fake.fires"], "fake.auto", last);
            world.found().await;
            world.responder().handle(&Job::Respond(finding.clone())).await.expect("done");
            world.fuse.rearm(n);
            let _ = world.responder().handle(&undo(&finding)).await;
            world.fuse.rearm(-1);
            world.clock.pass(SignedDuration::from_mins(6));
            let done = until_done(&world, async || world.responder().handle(&undo(&finding)).await).await;
            let adds = world.cloud.writes().iter().filter(|write| write.starts_with("Add")).count();
            match receipt(done).outcome {
                ReceiptOutcome::Verified => {
                    assert_eq!(world.cloud.has(), ["bad-1", "bad-2", "good"], "{last:?} {n}");
                    assert_eq!(adds, 2, "{last:?} {n}");
                }
                // Between two writes nobody can tell Onus's half from somebody else's change.
                ReceiptOutcome::Refused { .. } => assert_eq!(adds, 1, "{last:?} {n}"),
                other => panic!("{last:?} {n}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn an_undo_restores_and_is_done_once() {
    let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
    let finding = world.found().await;
    world.responder().handle(&Job::Respond(finding.clone())).await.expect("done");
    let undone = receipt(world.responder().handle(&undo(&finding)).await.expect("undone"));
    assert_eq!((undone.kind, &undone.outcome, &*undone.by), (ReceiptKind::Undo, &ReceiptOutcome::Verified, "carol"));
    assert_eq!(world.cloud.has(), ["bad-1", "bad-2", "good"]);
    assert_eq!(world.cloud.writes()[2..], ["Add bad-2", "Add bad-1"], "in reverse order");
    let again = world.responder().handle(&undo(&finding)).await.expect("done");
    assert!(matches!(again, Done::Already { .. }));
    // The response does not come back by itself.
    let respond = world.responder().handle(&Job::Respond(finding)).await.expect("done");
    assert!(matches!(respond, Done::Already { .. }));
    assert_eq!(world.cloud.writes().len(), 4);
    assert_eq!(world.sinks[0].kinds(), ["found", "responded", "responded"]);
}

#[tokio::test]
async fn an_undo_refuses_what_it_could_break() {
    let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
    let finding = world.found().await;
    let done = world.responder().handle(&undo(&finding)).await.expect("refused");
    assert!(reason(done).contains("no response to undo"));
    world.responder().handle(&Job::Respond(finding.clone())).await.expect("done");
    world.cloud.set(&["good", "new"]);
    let done = world.responder().handle(&undo(&finding)).await.expect("refused");
    assert!(reason(done).contains("moved since"));
    assert_eq!(world.cloud.writes(), REMOVED);

    let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
    let finding = world.found().await;
    world.cloud.set(&["bad-final", "good"]);
    world.responder().handle(&Job::Respond(finding.clone())).await.expect("done");
    let done = world.responder().handle(&undo(&finding)).await.expect("refused");
    assert!(reason(done).contains("nothing undoes `remove bad-final`"));
}

#[tokio::test]
async fn mode_plan_shows_the_calls_and_sends_none() {
    let world = World::new("modes: { default: plan }", &["fake.fires"], "fake.auto");
    let finding = world.found().await;
    let done = world.responder().handle(&Job::Respond(finding.clone())).await.expect("planned");
    let Done::Planned { mode: Mode::Plan, plan } = done else { panic!("{done:?}") };
    assert_eq!(plan.steps.len(), 2);
    assert_eq!(world.sinks[0].kinds(), ["found", "planned"]);
    let refused = world.responder().handle(&approve(&finding)).await.expect("refused");
    assert!(reason(refused).contains("lets nobody approve"));
    assert!(world.cloud.writes().is_empty());
}

#[tokio::test]
async fn an_approved_plan_is_carried_out_under_the_name_of_who_approved() {
    let world = World::new(ENFORCE, &["fake.fires"], "fake.ask");
    let finding = world.found().await;
    world.responder().handle(&Job::Respond(finding.clone())).await.expect("waits");
    assert!(world.cloud.writes().is_empty());
    let done = receipt(world.responder().handle(&approve(&finding)).await.expect("done"));
    assert_eq!((&*done.by, &done.outcome), ("alice", &ReceiptOutcome::Verified));
    assert_eq!(world.cloud.writes(), REMOVED);
    let late = world.responder().handle(&deny(&finding)).await.expect("late");
    assert!(matches!(late, Done::Already { .. }));
}

#[tokio::test]
async fn where_the_policy_enforces_by_now_an_approval_needs_no_plan_shown() {
    let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
    let finding = world.found().await;
    world.responder().handle(&approve(&finding)).await.expect("done");
    assert_eq!(world.cloud.writes(), REMOVED);
}

#[tokio::test]
async fn an_approval_is_for_the_plan_that_was_shown() {
    let world = World::new(ENFORCE, &["fake.fires"], "fake.ask");
    let finding = world.found().await;
    world.responder().handle(&Job::Respond(finding.clone())).await.expect("waits");
    world.cloud.set(&["bad-3", "good"]);
    let done = world.responder().handle(&approve(&finding)).await.expect("refused");
    assert!(reason(done).contains("has changed since the plan was shown"));
    assert!(world.cloud.writes().is_empty());
    assert_eq!(world.sinks[0].kinds(), ["found", "planned", "planned", "responded"]);
    // Now that it was shown, the same person may agree to it.
    world.responder().handle(&approve(&finding)).await.expect("done");
    assert_eq!(world.cloud.writes(), ["Remove bad-3"]);
}

#[tokio::test]
async fn a_denied_plan_stays_denied() {
    let world = World::new(ENFORCE, &["fake.fires"], "fake.ask");
    let finding = world.found().await;
    world.responder().handle(&Job::Respond(finding.clone())).await.expect("waits");
    assert!(reason(world.responder().handle(&deny(&finding)).await.expect("denied")).contains("denied by bob"));
    let done = world.responder().handle(&approve(&finding)).await.expect("refused");
    assert!(reason(done).contains("denied by bob"));
    assert!(world.cloud.writes().is_empty());
}

#[tokio::test]
async fn in_any_doubt_nothing_is_written_and_a_person_is_told() {
    for (kind, retried) in [
        (CallErrorKind::Denied, false),
        (CallErrorKind::NotFound, false),
        (CallErrorKind::Invalid, false),
        (CallErrorKind::Throttled, true),
        (CallErrorKind::Unavailable, true),
    ] {
        let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
        let job = Job::Respond(world.found().await);
        world.cloud.refuse("Get", kind);
        let result = world.responder().handle(&job).await;
        assert_eq!(result.is_err(), retried, "{kind:?}");
        assert!(world.cloud.writes().is_empty(), "{kind:?}");
        let told: &[&str] = if retried { &["found"] } else { &["found", "alarm"] };
        assert_eq!(world.sinks[0].kinds(), told, "{kind:?}");
        // An orderly failure gives the resource back at once: the next delivery need not wait for the lease.
        let receipt = receipt(world.responder().handle(&job).await.expect("done"));
        assert_eq!(receipt.outcome, ReceiptOutcome::Verified, "{kind:?}");
    }
    let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
    let job = Job::Respond(world.found().await);
    world.cloud.set(&["bad-1", "precious"]);
    assert!(reason(world.responder().handle(&job).await.expect("refused")).contains("somebody needs it"));
    let mut responder = world.responder();
    responder.account = Some("444455556666".to_owned());
    assert!(reason(responder.handle(&job).await.expect("refused")).contains("account `111122223333`"));
    assert_eq!(world.sinks[0].kinds(), ["found", "alarm", "alarm"]);
    assert!(world.cloud.writes().is_empty());
}

#[tokio::test]
async fn a_write_that_fails_stops_the_response_and_says_what_was_done() {
    let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
    let finding = world.found().await;
    world.cloud.refuse("Remove", CallErrorKind::Denied);
    let done = receipt(world.responder().handle(&Job::Respond(finding.clone())).await.expect("ended"));
    assert!(
        matches!(&done.outcome, ReceiptOutcome::Unverified { reason } if reason.contains("step 1 of 2")),
        "{done:?}"
    );
    assert_eq!((done.sent.len(), done.steps.len()), (1, 0));
    assert!(world.cloud.writes().is_empty());
    assert_eq!(world.sinks[0].kinds(), ["found", "responded"]);
    let undone = world.responder().handle(&undo(&finding)).await.expect("refused");
    assert!(reason(undone).contains("only a verified response"));
}

#[tokio::test]
async fn a_throttled_write_is_tried_again_by_the_next_delivery() {
    for kind in [CallErrorKind::Throttled, CallErrorKind::Conflict, CallErrorKind::Unavailable] {
        let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
        let job = Job::Respond(world.found().await);
        world.cloud.refuse("Remove", kind);
        let error = world.responder().handle(&job).await.expect_err("retry");
        assert!(error.is_retryable(), "{kind:?}");
        world.responder().handle(&job).await.expect("done");
        assert_eq!(world.cloud.writes(), REMOVED, "{kind:?}");
    }
}

#[tokio::test]
async fn what_shows_late_is_verified_and_what_never_shows_is_not() {
    for (staleness, verified) in [(0, true), (3, true), (4, false)] {
        let mut world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
        std::sync::Arc::get_mut(&mut world.cloud).expect("alone").staleness = staleness;
        world.cloud.set(&["bad-1", "good"]);
        let job = Job::Respond(world.found().await);
        let done = receipt(world.responder().handle(&job).await.expect("ended"));
        assert_eq!(done.outcome == ReceiptOutcome::Verified, verified, "{staleness}: {:?}", done.outcome);
    }
}

#[tokio::test]
async fn what_is_gone_already_needs_no_write() {
    let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
    let job = Job::Respond(world.found().await);
    world.cloud.set(&["good"]);
    let done = receipt(world.responder().handle(&job).await.expect("done"));
    assert_eq!(done.outcome, ReceiptOutcome::NothingToDo);
    assert!(world.cloud.writes().is_empty());
    assert_eq!(world.sinks[0].kinds(), ["found", "responded"]);
}

#[tokio::test]
async fn the_policy_of_now_counts_not_that_of_the_audit() {
    let lowered = [
        "modes: { default: alert }",
        "rules: { off: ['*'] }",
        "modes: { default: enforce }\nexemptions: [{ rule: '*', reason: ok, owner: ops, expires: never }]",
        "modes: { default: enforce }\nsettings: { own_principals: [AROAEXAMPLEID] }",
    ];
    for yaml in lowered {
        let mut world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
        let job = Job::Respond(world.found().await);
        world.policy = World::new(yaml, &[], "").policy;
        let done = world.responder().handle(&job).await.expect("done");
        assert!(matches!(done, Done::NotResponding { .. }), "{yaml}: {done:?}");
        assert!(world.cloud.writes().is_empty(), "{yaml}");
    }
}

#[tokio::test]
async fn a_resource_in_other_hands_is_waited_for_until_the_lease_ends() {
    let world = World::dying(ENFORCE, &["fake.fires"], "fake.auto", Last::Lost);
    let job = Job::Respond(world.found().await);
    // Dies over the intent: the lease is never released.
    world.fuse.rearm(8);
    world.responder().handle(&job).await.expect_err("died");
    world.fuse.rearm(-1);
    let error = world.responder().handle(&job).await.expect_err("busy");
    assert!(matches!(error, HandleError::Busy { .. }), "{error:?}");
    assert!(world.cloud.writes().is_empty());
    world.clock.pass(SignedDuration::from_mins(6));
    world.responder().handle(&job).await.expect("done");
    assert_eq!(world.cloud.writes(), REMOVED);
}

#[tokio::test]
async fn no_more_responses_in_an_hour_than_the_budget_unless_a_person_agrees() {
    let yaml = format!("{ENFORCE}\nsettings: {{ responses_per_hour: 2, opposition: {{ responses: 99 }} }}");
    let world = World::new(&yaml, &["fake.fires"], "fake.auto");
    let mut outcomes = Vec::new();
    for uid in ["e-1", "e-2", "e-3", "e-4"] {
        world.cloud.set(&["bad-1", "good"]);
        let change = onus_core::Change { uid: uid.into(), ..fakes::change() };
        let report = world.auditor().handle(&change).await.expect("audited");
        let finding = report.outcomes[0].finding.clone();
        if uid == "e-4" {
            world.clock.pass(SignedDuration::from_hours(1));
        }
        let first = world.responder().handle(&Job::Respond(finding.clone())).await.expect("ended");
        outcomes.push(matches!(first, Done::Receipt { .. }));
        if uid == "e-3" {
            assert!(world.sinks[0].kinds().contains(&"alarm"));
            assert_eq!(world.cloud.has(), ["bad-1", "good"]);
            let done = receipt(world.responder().handle(&approve(&finding)).await.expect("done"));
            assert_eq!(done.outcome, ReceiptOutcome::Verified);
        }
    }
    assert_eq!(outcomes, [true, true, false, true]);
}

#[tokio::test]
async fn a_request_is_an_entry_that_the_responder_picks_up() {
    let world = World::new(ENFORCE, &["fake.fires"], "fake.ask");
    let finding = world.found().await;
    let records = world.records();
    let key = records.request(&approve(&finding), fakes::at(fakes::NOW)).await.expect("put down");
    assert_eq!(key, format!("requests/{finding}/approve-1.json"));
    let again = records.request(&approve(&finding), fakes::at(fakes::NOW)).await.expect("put down");
    assert_eq!(again, format!("requests/{finding}/approve-2.json"));
    assert_eq!(records.requested(&key).await.expect("reads"), Some(approve(&finding)));
    // An entry under another finding's key is not that finding's request.
    let forged = "requests/f-00000000000000000000000000/approve-1.json";
    let bytes = world.store.read(&key).await.expect("reads").expect("there");
    world.store.create(forged, bytes).await.expect("creates");
    assert_eq!(records.requested(forged).await.expect("reads"), None);
    let unknown = Job::Respond("f-00000000000000000000000000".parse().expect("an id"));
    let error = world.responder().handle(&unknown).await.expect_err("unknown");
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn a_history_tells_everything_about_a_finding() {
    let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
    let finding = world.found().await;
    world.responder().handle(&Job::Respond(finding.clone())).await.expect("done");
    world.responder().handle(&undo(&finding)).await.expect("undone");
    let day = "2026-11-02".parse().expect("a day");
    assert_eq!(world.truth().findings(day, day).await.expect("lists"), std::slice::from_ref(&finding));
    let before = "2026-11-01".parse().expect("a day");
    assert!(world.truth().findings(before, before).await.expect("lists").is_empty());
    let history = world.truth().history(&finding).await.expect("reads").expect("there");
    assert_eq!(history.receipts.len(), 2);
    assert_eq!(history.attempts.len(), 2);
    assert_eq!(history.told.len(), 6, "three notices to two sinks: {:?}", history.told);
}
