//! What a change overwrote or deleted goes back to what was known of it before, read as a baseline reads.

#![allow(clippy::needless_pass_by_value)] // JSON written in place

use onus_core::proof::{self, Case, Recalling, World};
use onus_core::{Finding, Image, Known, PlanError, Remediation, Step};
use onus_gcp::{remediation, state_reader};
use serde_json::{Value, json};

use super::cases::{Has as _, rule, sink, sink_change, world};
use super::fake::FakeGcp;

/// A bad change on what was known before it.
pub(crate) struct Recalled {
    /// What a baseline read; nothing where it is empty.
    pub(crate) was: World,
    pub(crate) case: Case,
    /// What the titles of the plan say, each a part.
    says: Vec<&'static str>,
}

async fn known(finding: &Finding, kind: &str, was: &World) -> Known {
    if was.is_empty() {
        return Known::default();
    }
    proof::known(&FakeGcp::new(was.clone()), state_reader(kind).unwrap(), finding).await.unwrap()
}

/// What is planned in a world.
async fn planned(id: &str, finding: &Finding, was: &World, is: &World) -> Result<Vec<Step>, PlanError> {
    let remediation = remediation(id).unwrap();
    let known = &known(finding, remediation.spec().kind, was).await;
    let recalling = Recalling { remediation, known };
    let reads = |so_far: &Image| recalling.reads(finding, so_far);
    let image = onus_core::state::read_image(&FakeGcp::new(is.clone()), reads).await?;
    recalling.plan(finding, &image)
}

/// Everything that is not as it has to be.
async fn wrongs(Recalled { was, case, says }: &Recalled) -> Vec<String> {
    let remediation = remediation(case.remediation).unwrap();
    let known = &known(&case.finding, remediation.spec().kind, was).await;
    let mut wrong = proof::wrongs(&FakeGcp::new(case.world.clone()), &Recalling { remediation, known }, case).await;
    let steps = planned(case.remediation, &case.finding, was, &case.world).await.unwrap_or_default();
    let titles = steps.iter().map(|step| step.title.as_str()).collect::<Vec<_>>().join("; ");
    let unsaid = says.iter().filter(|said| !titles.contains(**said));
    wrong.extend(unsaid.map(|said| format!("{}: `{titles}` does not say `{said}`", case.name)));
    wrong
}

const SINK: &str = "projects/shop/sinks/audit";
const OWN: &str = "serviceAccount:service-1@gcp-sa-logging.iam.gserviceaccount.com";
const OLD: &str = "serviceAccount:p1-2@gcp-sa-logging.iam.gserviceaccount.com";
const SHARED: &str = "serviceAccount:cloud-logs@system.gserviceaccount.com";

fn one(sink: Value) -> World {
    world([("sink/projects/shop/sinks/audit", sink)])
}

/// A sink with other members.
fn changed(writer: &str, members: Value) -> Value {
    let mut sink = sink(None, writer);
    for (name, member) in members.as_object().unwrap() {
        sink[name] = member.clone();
    }
    sink
}

fn deleted() -> Finding {
    sink_change("logging:DeleteSink", SINK, json!({ "sinkName": SINK }))
}

fn updated(mask: &str, sink: Value) -> Finding {
    sink_change("logging:UpdateSink", SINK, json!({ "sinkName": SINK, "updateMask": mask, "sink": sink }))
}

const RESTORE: &str = "gcp.logging.restore_sink";
const NARROW: &str = "gcp.compute.narrow_firewall";

/// A change of one sink: before, after, and what shall be left.
fn case(name: &'static str, finding: Finding, was: World, is: World, healed: World, says: &[&'static str]) -> Recalled {
    let healed = healed.into_iter().map(|(key, value)| (&*key.leak(), value)).collect();
    let case = Case { name, remediation: RESTORE, finding, world: is, healed };
    Recalled { was, case, says: says.to_vec() }
}

/// A change of one firewall rule, with the request as the audit log writes it.
fn firewall(name: &'static str, request: Value, [was, is, healed]: [Value; 3], says: &'static str) -> Recalled {
    let there = |rule: &Value| if rule.is_null() { World::new() } else { world([("firewall/shop/ops", rule.clone())]) };
    let mut finding = super::cases::rule_change("compute:firewalls.patch").opens(&["0.0.0.0/0"]);
    finding.request = request;
    let case =
        Case { name, remediation: NARROW, finding, world: there(&is), healed: vec![("firewall/shop/ops", healed)] };
    Recalled { was: there(&was), case, says: vec![says] }
}

fn firewalls() -> Vec<Recalled> {
    let office = rule(&json!({ "sourceRanges": ["192.0.2.0/24"], "disabled": false }));
    let world_too = rule(&json!({ "sourceRanges": ["0.0.0.0/0", "198.51.100.0/24"], "disabled": false }));
    let opened = json!({ "@type": "type.googleapis.com/compute.firewalls.patch", "sourceRanges": ["198.51.100.0/24", "0.0.0.0/0"] });
    let narrowed = rule(&json!({ "sourceRanges": ["198.51.100.0/24"], "disabled": false }));
    let with = |rule: &Value, members: Value| {
        let mut rule = rule.clone();
        rule.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        rule
    };
    let all = json!([{ "IPProtocol": "all" }]);
    let tagged = rule(&json!({ "sourceTags": ["bastion"], "disabled": false }));
    let off = with(&world_too, json!({ "disabled": true }));
    vec![
        firewall(
            "opened beside a new office",
            opened.clone(),
            [office.clone(), world_too.clone(), office.clone()],
            "set sourceRanges of the rule back",
        ),
        firewall(
            "opened, with all protocols and another priority",
            with(&opened, json!({ "alloweds": all, "priority": "10" })),
            [
                with(&office, json!({ "priority": 1000 })),
                with(&world_too, json!({ "allowed": all, "priority": 10 })),
                with(&office, json!({ "priority": 1000 })),
            ],
            "set allowed, priority, sourceRanges of the rule back",
        ),
        firewall(
            "ranges where there were tags",
            json!({ "sourceRanges": ["0.0.0.0/0"] }),
            [tagged.clone(), with(&tagged, json!({ "sourceRanges": ["0.0.0.0/0"] })), tagged],
            "set sourceRanges of the rule back",
        ),
        firewall(
            "a disabled rule enabled",
            json!({ "disabled": false }),
            [off.clone(), world_too.clone(), off],
            "set disabled of the rule back",
        ),
        firewall(
            "edited by somebody since",
            json!({ "sourceRanges": ["0.0.0.0/0"] }),
            [office.clone(), world_too.clone(), narrowed.clone()],
            "which part is whose cannot be told",
        ),
        firewall(
            "an opening before already",
            opened.clone(),
            [rule(&json!({ "sourceRanges": ["0.0.0.0/0"], "disabled": false })), world_too.clone(), narrowed.clone()],
            "which part is whose cannot be told",
        ),
        firewall(
            "told without a request",
            Value::Null,
            [office, world_too.clone(), narrowed.clone()],
            "which part is whose",
        ),
        firewall(
            "never read",
            opened,
            [Value::Null, world_too, narrowed],
            "what it was before the change is not known",
        ),
    ]
}

pub(crate) fn all() -> Vec<Recalled> {
    let mut all = sinks();
    all.extend(firewalls());
    all
}

fn sinks() -> Vec<Recalled> {
    let elsewhere = json!({ "destination": "storage.googleapis.com/elsewhere" });
    let emptied =
        json!({ "filter": "severity>=EMERGENCY", "exclusions": [{ "name": "all", "filter": "severity>=DEFAULT" }] });
    let mask = "filter,exclusions";
    let mut edited = changed(OWN, emptied.clone());
    edited["filter"] = json!("severity>=ERROR");
    let mut half = changed(OWN, json!({}));
    half["filter"] = json!("severity>=ERROR");
    let all = json!({ "disabled": true, "filter": "x", "includeChildren": true, "destination": "storage.googleapis.com/elsewhere" });
    vec![
        case(
            "deleted",
            deleted(),
            one(sink(None, OWN)),
            World::new(),
            one(sink(None, OWN)),
            &["storage.googleapis.com/shop-logs`"],
        ),
        case(
            "deleted, with the shared writer",
            deleted(),
            one(sink(None, SHARED)),
            World::new(),
            one(sink(None, SHARED)),
            &["make the sink again"],
        ),
        case(
            "deleted, with a writer that went with it",
            deleted(),
            one(sink(None, OLD)),
            World::new(),
            one(sink(None, OWN)),
            &["its new writer has to be let in", OLD],
        ),
        case(
            "redirected",
            updated("destination", elsewhere.clone()),
            one(sink(None, OWN)),
            one(changed(OWN, elsewhere.clone())),
            one(sink(None, OWN)),
            &["set destination of the sink back"],
        ),
        case(
            "narrowed by filter and exclusions",
            updated(mask, emptied.clone()),
            one(sink(None, OWN)),
            one(changed(OWN, emptied.clone())),
            one(sink(None, OWN)),
            &["set exclusions, filter of the sink back"],
        ),
        case(
            "narrowed, and its filter edited since",
            updated(mask, emptied.clone()),
            one(sink(None, OWN)),
            one(edited),
            one(half),
            &["set exclusions of the sink back"],
        ),
        case(
            "everything at once, with the shared writer",
            updated("sink.disabled,filter,include_children,destination", all.clone()),
            one(sink(None, SHARED)),
            one(changed(SHARED, all)),
            one(sink(None, SHARED)),
            &["set destination, disabled, filter, includeChildren of the sink back"],
        ),
        case(
            "an exclusion where there was none",
            updated("exclusions", emptied.clone()),
            one(changed(OWN, json!({ "exclusions": [] }))),
            one(changed(OWN, json!({ "exclusions": emptied["exclusions"] }))),
            one({
                let mut bare = sink(None, OWN);
                bare.as_object_mut().unwrap().remove("exclusions");
                bare
            }),
            &["set exclusions"],
        ),
        case(
            "disabled without a request in the record",
            sink_change("logging:UpdateSink", SINK, Value::Null).decided_by_state(),
            one(changed(OWN, elsewhere.clone())),
            one(sink(Some(true), OWN)),
            one(sink(Some(false), OWN)),
            &["enable the sink"],
        ),
    ]
}

#[tokio::test]
async fn what_was_known_comes_back_what_others_did_stays_and_all_of_it_can_be_undone() {
    let mut wrong = Vec::new();
    for case in &all() {
        wrong.extend(wrongs(case).await);
    }
    assert!(wrong.is_empty(), "{} wrongs:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn what_is_not_this_changes_or_was_never_read_is_let_be_and_told() {
    let elsewhere = json!({ "destination": "storage.googleapis.com/elsewhere" });
    let redirected = || updated("destination", elsewhere.clone());
    let off = || updated("disabled", json!({ "disabled": true }));
    let known = one(sink(None, OWN));
    let moved = one(changed(OWN, json!({ "destination": "storage.googleapis.com/third" })));
    let cases = [
        ("deleted, never read", deleted(), World::new(), World::new(), "cannot be restored"),
        ("redirected, never read", redirected(), World::new(), known.clone(), "cannot be restored"),
        ("disabled, and deleted since", off(), known.clone(), World::new(), "another change"),
        ("deleted, and made again otherwise", deleted(), known.clone(), moved.clone(), "nothing"),
        ("redirected, and again since", redirected(), known.clone(), moved, "nothing"),
        ("disabled, and enabled since", off(), known.clone(), known.clone(), "nothing"),
    ];
    let mut wrong = Vec::new();
    for (name, finding, was, is, expected) in cases {
        let told = match planned(RESTORE, &finding, &was, &is).await {
            Ok(steps) if steps.is_empty() => "nothing".to_owned(),
            Ok(steps) => format!("plans {}", steps[0].title),
            Err(error) => format!("{error}, retryable: {}", error.is_retryable()),
        };
        if !told.contains(expected) || told.contains("retryable: true") {
            wrong.push(format!("{name}: {told}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
