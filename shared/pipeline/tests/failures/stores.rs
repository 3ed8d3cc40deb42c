//! Ledgers and sinks that fail, at every place they are used.

use jiff::SignedDuration;
use onus_core::{FindingId, ReceiptOutcome};
use onus_pipeline::{Done, HandleError, Job};

use super::fakes::{World, change, until_done};
use super::table::Column::{After, Audit, Before};
use super::{Case, Wrong, case};

const ENFORCE: &str = "modes: { default: enforce }";
const APPROVE: &str = "modes: { default: approve }";

/// What audit asks of the ledger: attempt, and a part of the key.
const AUDITS: [(&str, &str); 7] = [
    ("create", "records/"),
    ("create", "judged/"),
    ("create", "claims/"),
    ("create", "findings/"),
    ("create", "days/"),
    ("read", "evidence/"),
    ("create", "evidence/"),
];

/// What audit puts down when something has left it already.
const MARKS: [(&str, &str); 2] = [("create", "told/"), ("create", "asked/")];

/// What respond asks of the ledger before it writes.
const BEFORE: [(&str, &str); 11] = [
    ("read", "findings/"),
    ("read", "receipts/"),
    ("create", "judged/"),
    ("list", "locks/"),
    ("create", "taken"),
    ("list", "attempts/"),
    ("list", "contests/"),
    ("list", "budgets/"),
    ("create", "budgets/"),
    ("create", "intent"),
    ("create", "evidence/"),
];

/// What respond asks of the ledger after it has written.
const AFTER: [(&str, &str); 3] = [("create", "sent-0"), ("create", "sent-1"), ("create", "receipts/")];

async fn found(yaml: &str) -> (World, Job) {
    let world = World::new(yaml, &["fake.fires"], "fake.auto");
    let job = Job::Respond(world.found().await);
    (world, job)
}

async fn respond(world: &World, job: &Job) -> Result<Done, HandleError> {
    world.responder().handle(job).await
}

/// Garbage under a key that Onus reads.
async fn corrupt(world: &World, key: &str) {
    world.store.create(key, b"{".to_vec()).await.expect("creates");
}

async fn is_kept(world: &World, finding: &FindingId) -> bool {
    world.truth().finding(finding).await.expect("reads").is_some()
}

/// Plays respond to its end, however often it has to come, and looks for one write of each statement and one notice of each kind.
async fn ends_well(wrong: &mut Wrong, name: &str, world: &World, job: &Job) {
    world.clock.pass(SignedDuration::from_mins(7));
    let done = until_done(world, async || respond(world, job).await).await;
    let verified = match &done {
        Done::Receipt { receipt } | Done::Already { receipt } => receipt.outcome == ReceiptOutcome::Verified,
        _ => false,
    };
    wrong.unless(verified, || format!("{name}: {done:?}"));
    wrong.unless(world.cloud.writes() == ["Remove bad-1", "Remove bad-2"], || {
        format!("{name}: {:?}", world.cloud.writes())
    });
    let told = world.sinks[0].distinct();
    wrong.unless(told == ["found", "responded"], || format!("{name}: {told:?}"));
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = ledgers();
    cases.extend(sinks());
    cases
}

fn ledgers() -> Vec<Case> {
    let (down, denies) = ("ledger unavailable", "ledger denies, or an entry is corrupt");
    vec![
        case(Audit, down, "retried, nothing told that is not kept", async |wrong| {
            for (attempt, within) in AUDITS.into_iter().chain(MARKS) {
                let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
                world.ledger.fail(attempt, within, true);
                let handled = world.auditor().handle(&change()).await;
                let retried = handled.as_ref().is_err_and(HandleError::is_retryable);
                wrong.unless(retried && world.ledger.has_failed(), || format!("{attempt} {within}: {handled:?}"));
                let told = !world.sinks[0].kinds().is_empty();
                let marks = MARKS.contains(&(attempt, within));
                wrong.unless(told == marks, || format!("{attempt} {within}: told {told}"));
                let id = FindingId::of(onus_core::Cloud::Aws, &change().uid, "fake.fires");
                wrong.unless(!told || is_kept(&world, &id).await, || format!("{attempt} {within}: told, not kept"));
                world.auditor().handle(&change()).await.expect("handled");
                wrong.unless(world.sinks[0].distinct() == ["found"], || format!("{attempt} {within}: not told later"));
            }
        }),
        case(Before, down, "retried, nothing sent that is not kept", async |wrong| {
            for (attempt, within) in BEFORE {
                let (world, job) = found(ENFORCE).await;
                world.ledger.fail(attempt, within, true);
                let done = respond(&world, &job).await;
                let retried = done.as_ref().is_err_and(HandleError::is_retryable);
                wrong.unless(retried && world.ledger.has_failed(), || format!("{attempt} {within}: {done:?}"));
                wrong.unless(world.cloud.writes().is_empty(), || format!("{attempt} {within}: sent"));
                ends_well(wrong, &format!("{attempt} {within}"), &world, &job).await;
            }
        }),
        case(After, down, "retried; the intent and each answer are kept already", async |wrong| {
            for (attempt, within) in AFTER {
                let (world, job) = found(ENFORCE).await;
                world.ledger.fail(attempt, within, true);
                let done = respond(&world, &job).await;
                let retried = done.as_ref().is_err_and(HandleError::is_retryable);
                wrong.unless(retried && world.ledger.has_failed(), || format!("{attempt} {within}: {done:?}"));
                let keys = world.keys().await;
                let kept = |name: &str| keys.iter().filter(|key| key.contains(name)).count();
                let sent = world.cloud.writes().len() - usize::from(within.starts_with("sent"));
                let answers = (kept("/intent.json"), kept("/sent-"));
                wrong.unless(answers == (1, sent), || format!("{attempt} {within}: {answers:?} kept"));
                ends_well(wrong, &format!("{attempt} {within}"), &world, &job).await;
            }
        }),
        case(Audit, denies, "dead letter", async |wrong| {
            for (attempt, within) in AUDITS {
                let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
                world.ledger.fail(attempt, within, false);
                let handled = world.auditor().handle(&change()).await;
                let dead = handled.as_ref().is_err_and(|error| !error.is_retryable());
                wrong.unless(dead, || format!("{attempt} {within}: {handled:?}"));
            }
            let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
            let id = FindingId::of(onus_core::Cloud::Aws, &change().uid, "fake.fires");
            corrupt(&world, &format!("findings/{id}.json")).await;
            let handled = world.auditor().handle(&change()).await;
            wrong
                .unless(handled.as_ref().is_err_and(|error| !error.is_retryable()), || format!("corrupt: {handled:?}"));
        }),
        case(Before, denies, "dead letter", async |wrong| {
            for (attempt, within) in BEFORE {
                let (world, job) = found(ENFORCE).await;
                world.ledger.fail(attempt, within, false);
                let done = respond(&world, &job).await;
                let dead = done.as_ref().is_err_and(|error| !error.is_retryable()) && world.cloud.writes().is_empty();
                wrong.unless(dead, || format!("{attempt} {within}: {done:?}, {:?}", world.cloud.writes()));
            }
            for key in ["receipts/ID/respond.json", "attempts/ID/respond-001/intent.json", "evidence/ID/0002.json"] {
                let (world, job) = found(ENFORCE).await;
                corrupt(&world, &key.replace("ID", job.finding().as_str())).await;
                let done = respond(&world, &job).await;
                let dead = done.as_ref().is_err_and(|error| !error.is_retryable()) && world.cloud.writes().is_empty();
                wrong.unless(dead, || format!("{key}: {done:?}"));
            }
        }),
        case(After, denies, "dead letter", async |wrong| {
            for (attempt, within) in AFTER {
                let (world, job) = found(ENFORCE).await;
                world.ledger.fail(attempt, within, false);
                let done = respond(&world, &job).await;
                let dead = done.as_ref().is_err_and(|error| !error.is_retryable());
                wrong.unless(dead, || format!("{attempt} {within}: {done:?}"));
                // What was sent is not forgotten: the dead letter, driven again, goes on from it.
                ends_well(wrong, &format!("{attempt} {within}"), &world, &job).await;
            }
        }),
    ]
}

fn sinks() -> Vec<Case> {
    let (down, denies) = ("a sink is unavailable", "a sink denies or the notice is too large");
    let fails = |world: &World, retryable| {
        world.sinks[0].failures.lock().expect("unpoisoned").push(retryable);
    };
    vec![
        case(Audit, down, "retried; the others are told, a response is asked for", async move |wrong| {
            let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
            // Nobody takes it, five times over: it is never given up, and nothing says that it was told.
            for _ in 0..5 {
                for sink in &world.sinks {
                    sink.failures.lock().expect("unpoisoned").push(true);
                }
                let handled = world.auditor().handle(&change()).await;
                wrong.unless(handled.as_ref().is_err_and(HandleError::is_retryable), || format!("{handled:?}"));
            }
            let told = world.store.list("told").await.expect("lists");
            wrong.unless(told.is_empty(), || format!("{told:?}"));
            fails(&world, true);
            let handled = world.auditor().handle(&change()).await;
            wrong.unless(handled.as_ref().is_err_and(HandleError::is_retryable), || format!("{handled:?}"));
            wrong.unless(world.sinks[1].kinds() == ["found"], || "the other is not told".to_owned());
            let jobs = world.queue.jobs.lock().expect("unpoisoned").len();
            wrong.unless(jobs == 1, || format!("{jobs} responses are asked for"));
            world.auditor().handle(&change()).await.expect("handled");
            let kinds = (world.sinks[0].kinds(), world.sinks[1].kinds());
            wrong.unless(kinds == (vec!["found"], vec!["found"]), || format!("{kinds:?}"));
        }),
        case(Before, down, "retried", async move |wrong| {
            let (world, job) = found(APPROVE).await;
            fails(&world, true);
            let done = respond(&world, &job).await;
            wrong.unless(done.as_ref().is_err_and(HandleError::is_retryable), || format!("{done:?}"));
            wrong.unless(world.sinks[1].kinds() == ["found", "planned"], || "the other is not told".to_owned());
            respond(&world, &job).await.expect("shown");
            let kinds = (world.sinks[0].kinds(), world.sinks[1].kinds());
            wrong.unless(kinds.0 == ["found", "planned"] && kinds.0 == kinds.1, || format!("{kinds:?}"));
        }),
        case(After, down, "retried; the receipt is kept", async move |wrong| {
            let (world, job) = found(ENFORCE).await;
            fails(&world, true);
            let done = respond(&world, &job).await;
            wrong.unless(done.as_ref().is_err_and(HandleError::is_retryable), || format!("{done:?}"));
            let kept = world.truth().response(job.finding()).await.expect("reads");
            wrong.unless(kept.is_some(), || "no receipt is kept".to_owned());
            ends_well(wrong, "told later", &world, &job).await;
        }),
        case(Audit, denies, "dead letter; the others are told", async move |wrong| {
            let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
            fails(&world, false);
            let handled = world.auditor().handle(&change()).await;
            wrong.unless(handled.as_ref().is_err_and(|error| !error.is_retryable()), || format!("{handled:?}"));
            wrong.unless(world.sinks[1].kinds() == ["found"], || "the other is not told".to_owned());
            world.auditor().handle(&change()).await.expect("driven again");
            wrong.unless(world.sinks[0].kinds() == ["found"], || "the dead letter tells nobody".to_owned());
        }),
        case(Before, denies, "dead letter", async move |wrong| {
            let (world, job) = found(APPROVE).await;
            fails(&world, false);
            let done = respond(&world, &job).await;
            wrong.unless(done.as_ref().is_err_and(|error| !error.is_retryable()), || format!("{done:?}"));
        }),
        case(After, denies, "dead letter", async move |wrong| {
            let (world, job) = found(ENFORCE).await;
            fails(&world, false);
            let done = respond(&world, &job).await;
            wrong.unless(done.as_ref().is_err_and(|error| !error.is_retryable()), || format!("{done:?}"));
            ends_well(wrong, "driven again", &world, &job).await;
        }),
    ]
}
