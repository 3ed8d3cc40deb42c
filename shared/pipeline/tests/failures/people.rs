//! Plans that wait for people, links, undos, budgets, other writers, and jobs that nobody could have asked for.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use onus_core::sink::Links;
use onus_core::{Actor, Clock, Cloud, Mode, Notice, ReceiptOutcome};
use onus_pipeline::approval::{Unanswered, answer};
use onus_pipeline::{ApprovalKey, ApprovalLinks, Done, HandleError, Job, Schedule};

use super::fakes::{Estate, FakeSink, World, approve, decode, undo};
use super::table::Column::{Audit, Before};
use super::{Case, case};

const APPROVE: &str = "modes: { default: approve }";

fn key() -> ApprovalKey {
    ApprovalKey::new("a key of thirty-two bytes or more").expect("long enough")
}

fn alarms(sink: &FakeSink) -> Vec<String> {
    let told = sink.told.lock().expect("unpoisoned");
    let reason = |notice: &Notice| match notice {
        Notice::Alarm { reason, .. } => Some(reason.clone()),
        _ => None,
    };
    told.iter().filter_map(reason).collect()
}

/// A world in which a plan waits, and its links.
async fn waiting() -> (World, Job, Links) {
    let mut world = World::new(APPROVE, &["fake.fires"], "fake.auto");
    let lives = SignedDuration::from_hours(72);
    world.links = Some(Arc::new(ApprovalLinks::new("https://onus.example.com/", key(), lives).expect("good")));
    let job = Job::Respond(world.found().await);
    world.responder().handle(&job).await.expect("shown");
    let links = links(&world).pop().expect("links were told");
    (world, job, links)
}

fn links(world: &World) -> Vec<Links> {
    let told = world.sinks[0].told.lock().expect("unpoisoned");
    let links = |notice: &Notice| match notice {
        Notice::Planned { links, .. } => links.clone(),
        _ => None,
    };
    told.iter().filter_map(links).collect()
}

fn token(link: &str) -> &str {
    link.split_once("?t=").expect("a token").1
}

async fn requests(world: &World) -> usize {
    world.store.list("requests").await.expect("lists").len()
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = asked();
    cases.extend(bounded());
    cases
}

fn asked() -> Vec<Case> {
    vec![
        case(
            Audit,
            "nobody answers a plan within `settings.approval_hours`",
            "one alarm; `onus approve` and `onus deny` still answer, the links do not",
            async |wrong| {
                let (world, job, links) = waiting().await;
                world.clock.pass(SignedDuration::from_hours(72));
                for expired in [1, 0] {
                    let auditor = world.auditor();
                    let schedule = Schedule { auditor: &auditor, decode, cloud: Cloud::Aws };
                    let ticked = schedule.tick(Timestamp::MAX).await.expect("ticked");
                    wrong.unless(ticked.expired == expired, || format!("{ticked:?}"));
                }
                wrong.unless(alarms(&world.sinks[0]).len() == 1, || format!("{:?}", alarms(&world.sinks[0])));
                let checked = key().check(token(&links.approve), world.clock.now());
                wrong.unless(checked.is_err(), || "the link still answers".to_owned());
                let done = world.responder().handle(&approve(job.finding())).await;
                wrong.unless(matches!(done, Ok(Done::Receipt { .. })), || format!("{done:?}"));
            },
        ),
        case(
            Before,
            "an approval link is forged, expired, used, or of an older plan",
            "refused on its page; nothing is put down",
            async |wrong| {
                let (world, job, links) = waiting().await;
                let now = world.clock.now();
                let forged = format!("{}0", token(&links.approve));
                wrong.unless(key().check(&forged, now).is_err(), || "forged".to_owned());
                let later = now.checked_add(SignedDuration::from_hours(72)).expect("in range");
                wrong.unless(key().check(token(&links.approve), later).is_err(), || "expired".to_owned());
                wrong.unless(requests(&world).await == 0, || "something is put down".to_owned());
                let link = |links: &Links| key().check(token(&links.deny), now).expect("ours");
                let old = link(&links);
                world.clock.pass(SignedDuration::from_mins(1));
                world.cloud.set(&["bad-3", "good"]);
                world.responder().handle(&job).await.expect("shown anew");
                let outdated = answer(&world.truth(), &old, "alice", now).await;
                wrong.unless(matches!(outdated, Err(Unanswered::Outdated)), || format!("older plan: {outdated:?}"));
                wrong.unless(requests(&world).await == 0, || "something is put down".to_owned());
                let newer = link(&self::links(&world).pop().expect("told"));
                answer(&world.truth(), &newer, "alice", now).await.expect("answers");
                let used = answer(&world.truth(), &newer, "mallory", now).await;
                wrong.unless(matches!(used, Err(Unanswered::Answered)), || format!("used: {used:?}"));
                wrong.unless(requests(&world).await == 1, || "something more is put down".to_owned());
            },
        ),
        case(Before, "resource moved since the response (undo)", "refused, told", async |wrong| {
            let world = World::new("modes: { default: enforce }", &["fake.fires"], "fake.auto");
            let finding = world.found().await;
            world.responder().handle(&Job::Respond(finding.clone())).await.expect("done");
            world.cloud.set(&["good", "new"]);
            let done = world.responder().handle(&undo(&finding)).await;
            wrong.unless(matches!(done, Ok(Done::Refused { .. })), || format!("{done:?}"));
            wrong.unless(world.cloud.writes().len() == 2, || format!("{:?}", world.cloud.writes()));
            let kinds = world.sinks[0].kinds();
            wrong.unless(kinds == ["found", "responded", "responded"], || format!("{kinds:?}"));
        }),
        case(Before, "malformed job, unknown finding", "dead letter", async |wrong| {
            let world = World::new("modes: { default: enforce }", &[], "");
            let job: Job = serde_json::from_str(r#"{"respond":"f-00000000000000000000000000"}"#).expect("a job");
            let done = world.responder().handle(&job).await;
            let unknown = matches!(&done, Err(error @ HandleError::UnknownFinding { .. }) if !error.is_retryable());
            wrong.unless(unknown, || format!("{done:?}"));
            // What is no job never reaches the responder: the host puts it aside.
            for malformed in ["", "{}", r#"{"respond":"x"}"#, r#"{"undo":"f-00000000000000000000000000"}"#] {
                wrong.unless(serde_json::from_str::<Job>(malformed).is_err(), || format!("`{malformed}` is read"));
            }
        }),
    ]
}

fn bounded() -> Vec<Case> {
    vec![
        case(
            Before,
            "a limit of the hour's budget is reached",
            "the plan waits for approval; one alarm for each limit and hour",
            async |wrong| {
                let yaml = "modes: { default: enforce }\nsettings: { budget: { total: 1 } }";
                let (world, estate) = (World::new(yaml, &[], ""), Arc::new(Estate::default()));
                for n in 0..4 {
                    // The last one comes in the next hour, in which one more may be sent.
                    if n == 3 {
                        world.clock.pass(SignedDuration::from_hours(1));
                    }
                    let name = format!("it-{n}");
                    estate.add(&name, "bad");
                    let finding = world.found_on(&name, &name, None, Actor::default()).await.id;
                    let done = world.responder_of(&estate).handle(&Job::Respond(finding)).await;
                    let holds = match &done {
                        Ok(Done::Receipt { receipt }) => {
                            [0, 3].contains(&n) && receipt.outcome == ReceiptOutcome::Verified
                        }
                        Ok(Done::Planned { mode: Mode::Approve, .. }) => [1, 2].contains(&n),
                        _ => false,
                    };
                    wrong.unless(holds, || format!("{n}: {done:?}"));
                }
                wrong.unless(estate.writes().len() == 2, || format!("{:?}", estate.writes()));
                wrong.unless(alarms(&world.sinks[0]).len() == 1, || format!("{:?}", alarms(&world.sinks[0])));
            },
        ),
        case(
            Before,
            "others undo responses by one remediation on one resource, three times in an hour",
            "plans wait for approval until it has been quiet for an hour; one alarm names the other writer",
            async |wrong| {
                let world = World::new("modes: { default: enforce }", &[], "");
                let estate = Arc::new(Estate::default());
                for n in 0..6 {
                    if n == 5 {
                        world.clock.pass(SignedDuration::from_mins(61));
                    }
                    estate.add("it", "bad");
                    let actor = Actor { id: "arn:aws:iam::111122223333:user/mallory".into(), ..Actor::default() };
                    let finding = world.found_on(&format!("e-{n}"), "it", None, actor).await.id;
                    let done = world.responder_of(&estate).handle(&Job::Respond(finding)).await;
                    let holds = match &done {
                        Ok(Done::Receipt { .. }) => n < 3 || n == 5,
                        Ok(Done::Planned { mode: Mode::Approve, .. }) => n == 3 || n == 4,
                        _ => false,
                    };
                    wrong.unless(holds, || format!("{n}: {done:?}"));
                    world.clock.pass(SignedDuration::from_secs(7));
                }
                let alarms = alarms(&world.sinks[0]);
                wrong.unless(alarms.len() == 1 && alarms[0].contains("user/mallory"), || format!("{alarms:?}"));
            },
        ),
    ]
}
