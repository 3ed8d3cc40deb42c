//! What fails while a change is audited, but for ledger and sinks.

use jiff::Timestamp;
use onus_core::{CallErrorKind, Change, Cloud, Mode, Resource};
use onus_pipeline::{Cap, Schedule, Ticked};

use super::fakes::{World, change, decode};
use super::table::Column::Audit;
use super::{Case, Wrong, case};

const ENFORCE: &str = "modes: { default: enforce }";
const BY_TAG: &str = "modes: { default: alert, overrides: [{ tags: { env: dev }, mode: enforce }] }";

fn jobs(world: &World) -> usize {
    world.queue.jobs.lock().expect("unpoisoned").len()
}

/// Audits, and looks for one alarm and no response asked for.
async fn alarms(wrong: &mut Wrong, name: &str, world: &World, change: &Change<'_>) {
    let handled = world.auditor().handle(change).await;
    wrong.unless(handled.is_ok(), || format!("{name}: {handled:?}"));
    wrong.unless(world.sinks[0].kinds() == ["alarm"], || format!("{name}: {:?}", world.sinks[0].kinds()));
    wrong.unless(jobs(world) == 0, || format!("{name}: a response is asked for"));
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case(
            Audit,
            "provider throttles, fails, or reports a conflict",
            "retried; other rules are told meanwhile",
            async |wrong| {
                for kind in [CallErrorKind::Throttled, CallErrorKind::Unavailable, CallErrorKind::Conflict] {
                    let world = World::new(ENFORCE, &["fake.asks", "fake.fires"], "fake.auto");
                    world.cloud.refuse("Get", kind);
                    let error = world.auditor().handle(&change()).await.expect_err("retry");
                    wrong.unless(error.is_retryable(), || format!("{kind:?}: {error:?}"));
                    wrong.unless(world.sinks[0].kinds() == ["found"], || format!("{kind:?}: the other is not told"));
                    world.auditor().handle(&change()).await.expect("handled");
                    wrong.unless(world.sinks[0].kinds() == ["found", "found"], || format!("{kind:?}: not told later"));
                }
            },
        ),
        case(Audit, "access denied", "alarm", async |wrong| {
            let world = World::new(ENFORCE, &["fake.asks"], "fake.auto");
            world.cloud.refuse("Get", CallErrorKind::Denied);
            alarms(wrong, "denied", &world, &change()).await;
        }),
        case(Audit, "resource gone", "alarm", async |wrong| {
            let world = World::new(ENFORCE, &["fake.asks"], "fake.auto");
            world.cloud.refuse("Get", CallErrorKind::NotFound);
            alarms(wrong, "gone", &world, &change()).await;
        }),
        case(Audit, "state not understood, remediation refuses", "alarm", async |wrong| {
            let world = World::new(ENFORCE, &["fake.unsure"], "fake.auto");
            alarms(wrong, "state does not tell either", &world, &change()).await;
        }),
        case(Audit, "rule cannot be evaluated, no reader, other account", "alarm", async |wrong| {
            let world = World::new(ENFORCE, &["fake.breaks"], "fake.auto");
            alarms(wrong, "the rule breaks", &world, &change()).await;
            let world = World::new(ENFORCE, &["fake.asks"], "fake.auto");
            let resources = vec![Resource::new("Other", "arn:aws:other:::it", "it")];
            alarms(wrong, "no reader", &world, &Change { resources, ..change() }).await;
            let world = World::new(ENFORCE, &["fake.asks"], "fake.auto");
            let account = "444455556666".into();
            alarms(wrong, "other account", &world, &Change { account, ..change() }).await;
        }),
        case(
            Audit,
            "tags could matter and the read of them fails, but may succeed later",
            "told as `alert`, and retried",
            async |wrong| {
                let world = World::new(BY_TAG, &["fake.fires"], "fake.auto");
                world.cloud.tag("env", "dev");
                world.cloud.refuse("Tags", CallErrorKind::Throttled);
                let error = world.auditor().handle(&change()).await.expect_err("retry");
                wrong.unless(error.is_retryable(), || format!("{error:?}"));
                wrong.unless(world.sinks[0].kinds() == ["found"] && jobs(&world) == 0, || {
                    "not told as alert".to_owned()
                });
                world.auditor().handle(&change()).await.expect("handled");
                wrong.unless(jobs(&world) == 1, || "not judged again".to_owned());
            },
        ),
        case(
            Audit,
            "tags could matter and cannot be read (denied, kind not known, answer not understood)",
            "told as `alert`, and an alarm",
            async |wrong| {
                let unknown = vec![Resource::new("Unknown", "arn:aws:other:::it", "it")];
                let unknown = Change { resources: unknown, ..change() };
                for (name, change) in [("denied", change()), ("kind not known", unknown), ("not understood", change())]
                {
                    let world = World::new(BY_TAG, &["fake.fires"], "fake.auto");
                    match name {
                        "denied" => world.cloud.refuse("Tags", CallErrorKind::Denied),
                        "not understood" => world.cloud.during("Tags", |cloud| {
                            cloud.tags.lock().expect("unpoisoned").0.clear();
                            Some(CallErrorKind::Invalid)
                        }),
                        _ => {}
                    }
                    let report = world.auditor().handle(&change).await.expect("handled");
                    let decision = report.outcomes[0].decision;
                    wrong.unless(
                        (decision.mode, decision.capped_by) == (Mode::Alert, Some(Cap::UnknownTags))
                            && jobs(&world) == 0,
                        || format!("{name}: {decision:?}"),
                    );
                    let kinds = world.sinks[0].kinds();
                    wrong.unless(kinds == ["found", "alarm"], || format!("{name}: {kinds:?}"));
                }
            },
        ),
        case(
            Audit,
            "an exemption has ended",
            "its findings are judged anew by the schedule: told, healed, exempt by another one, or an alarm",
            async |wrong| {
                let other = "\n  - { rule: fake.*, reason: r, owner: o, expires: never }";
                let told = Ticked { reviewed: 1, told: 1, ..Ticked::default() };
                let reviewed = Ticked { reviewed: 1, ..Ticked::default() };
                let cases = [
                    ("told", "fake.fires", "", told, &["found"] as &[_]),
                    ("healed", "fake.asks", "", reviewed, &[]),
                    ("exempt by another one", "fake.fires", other, reviewed, &[]),
                    ("an alarm", "fake.asks", "", reviewed, &["alarm"]),
                ];
                for (name, rule, rest, expected, kinds) in cases {
                    let yaml = format!(
                        "modes: {{ default: enforce }}\nexemptions:\n  - {{ id: www, rule: fake.*, reason: r, owner: o, \
                         expires: '2026-11-03T00:00:00Z' }}{rest}"
                    );
                    let world = World::new(&yaml, &[rule], "fake.auto");
                    world.auditor().handle(&change()).await.expect("handled");
                    wrong.unless(world.sinks[0].kinds().is_empty(), || format!("{name}: told while exempt"));
                    match name {
                        "healed" => world.cloud.set(&["good"]),
                        "an alarm" => world.cloud.refuse("Get", CallErrorKind::Denied),
                        _ => {}
                    }
                    world.clock.set("2026-11-03T00:01:00Z");
                    for expected in [expected, Ticked::default()] {
                        let auditor = world.auditor();
                        let schedule = Schedule { auditor: &auditor, decode, cloud: Cloud::Aws };
                        let ticked = schedule.tick(Timestamp::MAX).await.expect("ticked");
                        wrong.unless(ticked == expected, || format!("{name}: {ticked:?}"));
                    }
                    wrong.unless(world.sinks[0].kinds() == kinds, || format!("{name}: {:?}", world.sinks[0].kinds()));
                }
            },
        ),
        case(Audit, "queue unavailable", "retried", async |wrong| {
            let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
            world.queue.failures.lock().expect("unpoisoned").push(true);
            let error = world.auditor().handle(&change()).await.expect_err("retry");
            wrong.unless(error.is_retryable(), || format!("{error:?}"));
            wrong.unless(world.sinks[0].kinds() == ["found"], || "nobody is told meanwhile".to_owned());
            world.auditor().handle(&change()).await.expect("handled");
            wrong.unless(world.sinks[0].kinds() == ["found"] && jobs(&world) == 1, || "not asked for later".to_owned());
        }),
    ]
}
