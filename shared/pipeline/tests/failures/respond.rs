//! What the provider does to a response, before its first write and after it.

use jiff::SignedDuration;
use onus_core::{CallErrorKind, ReceiptOutcome};
use onus_pipeline::{Done, HandleError, Job};

use super::fakes::{FakeCloud, World, until_done};
use super::table::Column::{After, Before};
use super::{Case, Wrong, case};

const ENFORCE: &str = "modes: { default: enforce }";
const BY_TAG: &str = "modes: { default: alert, overrides: [{ tags: { env: dev }, mode: enforce }] }";
const PASSING: [CallErrorKind; 3] = [CallErrorKind::Throttled, CallErrorKind::Unavailable, CallErrorKind::Conflict];

/// A world with a finding that is to be responded to, told to both sinks.
async fn found(yaml: &str) -> (World, Job) {
    let world = World::new(yaml, &["fake.fires"], "fake.auto");
    world.cloud.tag("env", "dev");
    let job = Job::Respond(world.found().await);
    (world, job)
}

fn outcome(done: &Done) -> Option<&ReceiptOutcome> {
    match done {
        Done::Receipt { receipt } | Done::Refused { receipt } | Done::Already { receipt } => Some(&receipt.outcome),
        Done::NotResponding { .. } | Done::Planned { .. } => None,
    }
}

/// Responds, and looks for a refusal, an alarm, and no write.
async fn refused(wrong: &mut Wrong, name: &str, world: &World, job: &Job) {
    let done = world.responder().handle(job).await;
    wrong.unless(matches!(done, Ok(Done::Refused { .. })), || format!("{name}: {done:?}"));
    wrong.unless(world.sinks[0].kinds().last() == Some(&"alarm"), || format!("{name}: no alarm"));
    wrong.unless(world.cloud.writes().is_empty(), || format!("{name}: {:?}", world.cloud.writes()));
}

/// Responds, and looks for a receipt that says it could not be verified, told to everybody.
async fn unverified(wrong: &mut Wrong, name: &str, world: &World, job: &Job) {
    let done = world.responder().handle(job).await.expect("done");
    let holds = matches!(outcome(&done), Some(ReceiptOutcome::Unverified { .. }));
    wrong.unless(holds, || format!("{name}: {done:?}"));
    for sink in &world.sinks {
        wrong.unless(sink.kinds() == ["found", "responded"], || format!("{name}: {:?}", sink.kinds()));
    }
}

/// Lets the second write be answered like this.
fn refuse_second(cloud: &FakeCloud, kind: CallErrorKind) {
    cloud.during("Remove", |_| None);
    cloud.during("Remove", move |_| Some(kind));
}

pub(crate) fn cases() -> Vec<Case> {
    let throttles = "provider throttles, fails, or reports a conflict";
    let mut cases = vec![
        case(Before, throttles, "retried at once: the lease is released", async |wrong| {
            for kind in PASSING {
                let (world, job) = found(ENFORCE).await;
                world.cloud.refuse("Get", kind);
                let error = world.responder().handle(&job).await.expect_err("retry");
                let retried = error.is_retryable() && world.cloud.writes().is_empty();
                wrong.unless(retried, || format!("{kind:?}: {error:?}"));
                let done = world.responder().handle(&job).await;
                wrong.unless(matches!(done, Ok(Done::Receipt { .. })), || format!("{kind:?} at once: {done:?}"));
            }
        }),
        case(After, throttles, "retried: the next attempt reads, plans and sends what is left", async |wrong| {
            for kind in PASSING {
                let (world, job) = found(ENFORCE).await;
                refuse_second(&world.cloud, kind);
                let error = world.responder().handle(&job).await.expect_err("retry");
                wrong.unless(error.is_retryable(), || format!("{kind:?}: {error:?}"));
                wrong.unless(world.cloud.writes() == ["Remove bad-1"], || format!("{kind:?}: first"));
                world.cloud.set(&["bad-2", "bad-3", "good"]);
                let done = world.responder().handle(&job).await.expect("done");
                wrong.unless(outcome(&done) == Some(&ReceiptOutcome::Verified), || format!("{kind:?}: {done:?}"));
                let writes = world.cloud.writes();
                let left = writes == ["Remove bad-1", "Remove bad-2", "Remove bad-3"];
                wrong.unless(left, || format!("{kind:?}: {writes:?}"));
            }
        }),
        case(Before, "access denied", "refused, alarm", async |wrong| {
            let (world, job) = found(ENFORCE).await;
            world.cloud.refuse("Get", CallErrorKind::Denied);
            refused(wrong, "denied", &world, &job).await;
        }),
        case(After, "access denied", "receipt `unverified`, told", async |wrong| {
            let (world, job) = found(ENFORCE).await;
            refuse_second(&world.cloud, CallErrorKind::Denied);
            unverified(wrong, "denied", &world, &job).await;
        }),
        case(
            Before,
            "resource gone",
            "refused, alarm (or nothing to do, where the remediation reads it so)",
            async |wrong| {
                let (world, job) = found(ENFORCE).await;
                world.cloud.refuse("Get", CallErrorKind::NotFound);
                refused(wrong, "gone", &world, &job).await;
                let world = World::new(ENFORCE, &["fake.fires"], "fake.absent");
                let job = Job::Respond(world.found().await);
                world.cloud.refuse("Get", CallErrorKind::NotFound);
                let done = world.responder().handle(&job).await.expect("done");
                wrong.unless(outcome(&done) == Some(&ReceiptOutcome::NothingToDo), || format!("absent: {done:?}"));
            },
        ),
        case(After, "resource gone", "receipt by what is read back", async |wrong| {
            for gone in [true, false] {
                let (world, job) = found(ENFORCE).await;
                world.cloud.during("Remove", |_| None);
                world.cloud.during("Remove", move |cloud| {
                    cloud.set(if gone { &["good"] } else { &["bad-2", "good"] });
                    Some(CallErrorKind::NotFound)
                });
                let done = world.responder().handle(&job).await.expect("done");
                let verified = outcome(&done) == Some(&ReceiptOutcome::Verified);
                let unverified = matches!(outcome(&done), Some(ReceiptOutcome::Unverified { .. }));
                wrong.unless(if gone { verified } else { unverified }, || format!("gone {gone}: {done:?}"));
            }
        }),
        case(Before, "state not understood, remediation refuses", "refused, alarm", async |wrong| {
            let (world, job) = found(ENFORCE).await;
            world.cloud.set(&["bad-1", "precious"]);
            refused(wrong, "precious", &world, &job).await;
        }),
        case(After, "state not understood, remediation refuses", "receipt `unverified`, told", async |wrong| {
            let (world, job) = found(ENFORCE).await;
            world.cloud.set(&["bad-1", "good"]);
            world.cloud.during("Remove", |cloud| {
                cloud.statements.lock().expect("unpoisoned").insert("precious".to_owned());
                None
            });
            unverified(wrong, "precious", &world, &job).await;
        }),
        case(Before, "rule cannot be evaluated, no reader, other account", "refused, alarm", async |wrong| {
            let (world, job) = found(ENFORCE).await;
            let mut responder = world.responder();
            responder.account = Some("444455556666".to_owned());
            let done = responder.handle(&job).await;
            wrong.unless(matches!(done, Ok(Done::Refused { .. })), || format!("other account: {done:?}"));
            wrong.unless(world.sinks[0].kinds() == ["found", "alarm"], || "other account: no alarm".to_owned());
            // A build that lacks what a rule names is the responder's like of a kind that has no reader.
            let world = World::new(ENFORCE, &["fake.fires"], "fake.unbuilt");
            let job = Job::Respond(world.found().await);
            refused(wrong, "no remediation", &world, &job).await;
        }),
    ];
    cases.extend(tags_and_leases());
    cases.extend(reading_back());
    cases
}

fn tags_and_leases() -> Vec<Case> {
    let busy = "resource in another handler's hands";
    vec![
        case(Before, "tags could matter and the read of them fails, but may succeed later", "retried", async |wrong| {
            let (world, job) = found(BY_TAG).await;
            world.cloud.refuse("Tags", CallErrorKind::Unavailable);
            let error = world.responder().handle(&job).await.expect_err("retry");
            wrong.unless(error.is_retryable() && world.cloud.writes().is_empty(), || format!("{error:?}"));
            let done = world.responder().handle(&job).await.expect("done");
            wrong.unless(outcome(&done) == Some(&ReceiptOutcome::Verified), || format!("{done:?}"));
        }),
        case(
            Before,
            "tags could matter and cannot be read (denied, kind not known, answer not understood)",
            "refused, alarm",
            async |wrong| {
                for kind in [CallErrorKind::Denied, CallErrorKind::Invalid] {
                    let (world, job) = found(BY_TAG).await;
                    world.cloud.refuse("Tags", kind);
                    refused(wrong, &format!("{kind:?}"), &world, &job).await;
                }
                let (world, job) = found(BY_TAG).await;
                let mut responder = world.responder();
                responder.tags = |_, _| None;
                let done = responder.handle(&job).await;
                wrong.unless(matches!(done, Ok(Done::Refused { .. })), || format!("kind not known: {done:?}"));
            },
        ),
        case(Before, busy, "retried until a minute after its lease ends: clocks differ", async |wrong| {
            let (world, job) = found(ENFORCE).await;
            // Dies while it holds the lease: nothing more reaches the ledger, its release included.
            world.cloud.during("Get", {
                let fuse = std::sync::Arc::clone(&world.fuse);
                move |_| {
                    fuse.rearm(1);
                    Some(CallErrorKind::Unavailable)
                }
            });
            world.responder().handle(&job).await.expect_err("died");
            world.fuse.rearm(-1);
            let lease = world.responder().lease;
            for (after, free) in [(0, false), (lease.as_secs() + 59, false), (lease.as_secs() + 60, true)] {
                let passed = SignedDuration::from_secs(after);
                let clock = super::fakes::at(super::fakes::NOW).checked_add(passed).expect("in range");
                world.clock.set(&clock.to_string());
                let done = world.responder().handle(&job).await;
                let busy = matches!(&done, Err(error @ HandleError::Busy { .. }) if error.is_retryable());
                wrong.unless(busy != free, || format!("{after} s later: {done:?}"));
            }
            wrong.unless(world.cloud.writes().len() == 2, || format!("{:?}", world.cloud.writes()));
        }),
        case(After, busy, "a holder begins no write in the last half minute of its lease", async |wrong| {
            for (left, writes) in [(31, 2), (30, 1)] {
                let (world, job) = found(ENFORCE).await;
                let passes = world.responder().lease - SignedDuration::from_secs(left);
                let clock = std::sync::Arc::clone(&world.clock);
                world.cloud.during("Remove", move |_| {
                    clock.pass(passes);
                    None
                });
                let done = world.responder().handle(&job).await;
                let stopped = matches!(&done, Err(error @ HandleError::Busy { .. }) if error.is_retryable());
                wrong.unless(stopped == (writes == 1), || format!("{left} s left: {done:?}"));
                wrong.unless(world.cloud.writes().len() == writes, || format!("{left} s: {:?}", world.cloud.writes()));
                until_done(&world, async || world.responder().handle(&job).await).await;
                wrong.unless(world.cloud.writes().len() == 2, || format!("{left} s left: the rest is not done"));
            }
        }),
    ]
}

fn reading_back() -> Vec<Case> {
    vec![
        case(
            After,
            "reading back shows the old state",
            "read again up to three times, then `unverified`",
            async |wrong| {
                for (staleness, verified) in [(3, true), (4, false)] {
                    let mut world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
                    std::sync::Arc::get_mut(&mut world.cloud).expect("alone").staleness = staleness;
                    world.cloud.set(&["bad-1", "good"]);
                    let job = Job::Respond(world.found().await);
                    let done = world.responder().handle(&job).await.expect("done");
                    let holds = match outcome(&done) {
                        Some(ReceiptOutcome::Verified) => verified,
                        Some(ReceiptOutcome::Unverified { .. }) => !verified,
                        _ => false,
                    };
                    wrong.unless(holds, || format!("{staleness} old readings: {done:?}"));
                }
            },
        ),
        case(
            After,
            "the answer to a write is lost",
            "retried: what is planned again and refused as done already, and reads as healed, is verified",
            async |wrong| {
                let (world, job) = found(ENFORCE).await;
                world.cloud.set(&["bad-1", "good"]);
                world.cloud.during("Remove", |cloud| {
                    cloud.set(&["good"]);
                    // The next reading still shows it, so that it is planned and sent again.
                    *cloud.stale.lock().expect("unpoisoned") = vec![["bad-1", "good"].map(str::to_owned).into()];
                    Some(CallErrorKind::Unavailable)
                });
                let error = world.responder().handle(&job).await.expect_err("retry");
                wrong.unless(error.is_retryable(), || format!("{error:?}"));
                let done = world.responder().handle(&job).await.expect("done");
                wrong.unless(outcome(&done) == Some(&ReceiptOutcome::Verified), || format!("{done:?}"));
                let steps =
                    world.truth().response(job.finding()).await.expect("reads").map(|receipt| receipt.steps.len());
                wrong.unless(steps == Some(1), || format!("{steps:?} steps can be undone"));
            },
        ),
    ]
}
