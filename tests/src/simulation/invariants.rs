//! What must hold whatever happens.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use onus_core::plan::ReceiptKind;
use onus_core::{Call, Cloud, Finding, FindingId, Receipt, ReceiptOutcome};
use onus_pipeline::Job;
use onus_pipeline::records::{Chain, PlanRecord, Records};
use serde_json::Value;

use super::cloud::entries_of;
use super::people::RESOURCES;
use super::rules::{BY_RECORD, BY_STATE};
use super::scheduler::SKEW;
use super::store::Store;
use super::world::{ModelChange, World, Write};

/// Something that must never happen, happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant was broken.
    pub invariant: &'static str,
    /// By what.
    pub what: String,
}

/// A response takes away the entry of its own change, and an undo adds it again; neither touches another.
pub const LEGITIMATE: &str = "no legitimate entry is lost";
/// A write has a claim, an intent with the plan, and the image before.
pub const RECORDED: &str = "no write without claim, plan and image before";
/// Nobody writes to a resource between another handler's reading and its writing.
pub const ALONE: &str = "one writer per resource";
/// The hour's budget is kept.
pub const BUDGET: &str = "writes stay within the budget";
/// Who has to be asked is asked.
pub const ASKED: &str = "no write without the approval that it needs";
/// What a link approves is what its page showed, and each link is good for one use, while it is fresh.
pub const LINKED: &str = "a link approves what it showed, once";
/// Nobody responds where an exemption holds.
pub const EXEMPT: &str = "no write where an exemption holds";
/// Where tags decide, who writes was told them, and they let it.
pub const TAGGED: &str = "no write without the tags that could forbid it";
/// A verified receipt is about a resource that was seen without the entry.
pub const VERIFIED: &str = "verified means seen";
/// An undo writes only to the resource as the response left it, and a verified one restored it.
pub const RESTORES: &str = "undo restores or refuses";
/// A violation ends closed, exempt, waiting or alarmed.
pub const ENDS: &str = "every violation ends closed, exempt, waiting or alarmed";
/// Whatever died or raced, the evidence of every finding that was kept is one whole chain.
pub const CHAINED: &str = "every finding's evidence is a whole chain";

/// The end of an exemption is warned of by one finding, and whatever died meanwhile, that one is told.
pub const WARNED: &str = "an exemption's end is warned of once";

/// The finding of a change.
pub fn finding_of(change: &ModelChange) -> FindingId {
    FindingId::of(Cloud::Aws, &change.uid, if change.document { BY_STATE } else { BY_RECORD })
}

fn receipt(world: &World, finding: &FindingId, name: &str) -> Option<Receipt> {
    serde_json::from_slice(&world.read(&format!("receipts/{finding}/{name}.json"))?).ok()
}

/// The entries of the resource after the response; `None` without a verified one.
pub fn left_by_response(world: &World, finding: &FindingId) -> Option<BTreeSet<String>> {
    let receipt = receipt(world, finding, "respond")?;
    Some(entries_of(receipt.after.as_ref()?).into_iter().map(str::to_owned).collect())
}

/// The rule of warnings, as `onus_pipeline` names it.
const ENDING: &str = "onus.exemption_ends";

/// Looks at an entry that was just created.
pub fn created(world: &World, task: usize, key: &str, value: &[u8]) {
    if !key.starts_with("receipts/") {
        return;
    }
    let Ok(receipt) = serde_json::from_slice::<Receipt>(value) else {
        return world.violated(RECORDED, format!("`{key}` is no receipt"));
    };
    if receipt.outcome != ReceiptOutcome::Verified {
        return;
    }
    let seen = world.task(task, |task| task.read.get(&*receipt.resource.name).cloned());
    let Some((seen, _)) = seen else {
        return world.violated(VERIFIED, format!("`{key}` was written without reading"));
    };
    match receipt.kind {
        ReceiptKind::Respond => {
            let entry = entry_of(world, &receipt.finding);
            if entry.is_none_or(|entry| seen.contains(&entry)) {
                world.violated(VERIFIED, format!("`{key}`: the entry was there: {seen:?}"));
            }
        }
        ReceiptKind::Undo => {
            let before = self::receipt(world, &receipt.finding, "respond").map(|response| response.before);
            let before: BTreeSet<String> =
                before.iter().flat_map(|image| entries_of(image)).map(str::to_owned).collect();
            if seen != before {
                world.violated(RESTORES, format!("`{key}`: {seen:?} instead of {before:?}"));
            }
        }
    }
}

/// The entry that a finding is about.
fn entry_of(world: &World, finding: &FindingId) -> Option<String> {
    let finding: Value = serde_json::from_slice(&world.read(&format!("findings/{finding}.json"))?).ok()?;
    finding["request"]["entry"].as_str().map(str::to_owned)
}

/// What was put down before a call: the plan that holds it, and the image before.
fn intent_of(world: &World, finding: &FindingId, undoes: bool, call: &Call) -> Option<Value> {
    let verb = if undoes { "/undo-" } else { "/respond-" };
    let is_intent = |key: &String| key.ends_with("/intent.json") && key.contains(verb);
    let keys = world.list(&format!("attempts/{finding}")).into_iter().filter(is_intent);
    let intents = keys.filter_map(|key| serde_json::from_slice::<Value>(&world.read(&key)?).ok());
    let holds = |intent: &Value| {
        let planned = intent["steps"].as_array().into_iter().flatten();
        intent["before"]["it"]["entries"].is_array()
            && planned.into_iter().any(|step| step["call"]["parameters"] == call.parameters)
    };
    intents.filter(holds).last()
}

/// Looks at a write that just took effect.
pub fn written(
    world: &World,
    task: usize,
    call: &Call,
    name: &str,
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
    version: u64,
) {
    let (job, read) = world.task(task, |task| (task.job.clone(), task.read.get(name).cloned()));
    let Some(job) = job else { return world.violated(RECORDED, format!("{call} without a job")) };
    let finding = job.finding().clone();
    let undoes = matches!(job, Job::Undo { .. });
    let entry = entry_of(world, &finding).unwrap_or_default();
    let moved: Vec<&String> = before.symmetric_difference(after).collect();
    if moved != [&entry] || after.contains(&entry) != undoes {
        world.violated(LEGITIMATE, format!("{call} for `{entry}` made {before:?} to {after:?}"));
    }
    let intent = intent_of(world, &finding, undoes, call);
    let claimed = world
        .list("claims")
        .iter()
        .any(|key| world.read(key).is_some_and(|claim| String::from_utf8_lossy(&claim).contains(finding.as_str())));
    if intent.is_none() || !claimed {
        world.violated(RECORDED, format!("{call} for {finding}"));
    }
    let seen_at = read.as_ref().map_or(0, |(_, version)| *version);
    if world.ours_between(name, seen_at, version, task) {
        world.violated(ALONE, format!("{call} although another handler wrote since this one read"));
    }
    if undoes {
        let left = left_by_response(world, &finding);
        let seen = read.map(|(entries, _)| entries);
        if left.is_none() || left != seen {
            world.violated(RESTORES, format!("{call} on {seen:?}, which the response left as {left:?}"));
        }
        return;
    }
    // Who agrees lets a response pass the budget; what the policy lets pass by itself is booked in an hour.
    let asked = intent.is_some_and(|intent| intent["hour"].is_null());
    permitted(world, task, name, call, asked.then_some(&job));
    if world.terms.needs_approval && !(asked && matches!(job, Job::Approve { .. })) {
        world.violated(ASKED, format!("{call} for {finding}"));
    }
    let mut writes = world.writes();
    writes.push(Write { finding, unasked: !asked });
    // A run begins at a full hour, and clocks that are apart may see the hour before and the one after.
    let unasked =
        writes.iter().filter(|write| write.unasked).map(|write| &write.finding).collect::<BTreeSet<_>>().len();
    if unasked > (world.hours() + 2) * world.terms.budget {
        world.violated(BUDGET, format!("{unasked} findings, budget {}", world.terms.budget));
    }
}

/// Looks whether exemptions, tags and, where somebody was asked, links let a response write.
fn permitted(world: &World, task: usize, name: &str, call: &Call, asked: Option<&Job>) {
    // A handler's clock may be ahead.
    let held = |until: Timestamp| world.now() + SignedDuration::from_secs(SKEW + 1) < until;
    if name == "exempt" || (name == "other" && world.terms.exempt_until.is_some_and(held)) {
        world.violated(EXEMPT, format!("{call}"));
    }
    if let Some(resource) = world.terms.hands_off {
        let told = world.task(task, |task| task.tags.contains(name));
        if !told || RESOURCES[resource].0 == name {
            world.violated(TAGGED, format!("{call}, tags told: {told}"));
        }
    }
    if let Some(Job::Approve { finding, plan: Some(plan), .. }) = asked {
        let shown = world.read(&format!("plans/{finding}/{plan}.json"));
        let shown: Option<PlanRecord> = shown.and_then(|record| serde_json::from_slice(&record).ok());
        if !shown.is_some_and(|record| record.plan.steps.iter().any(|step| step.call == *call)) {
            world.violated(LINKED, format!("{call} is not part of `{plan}`"));
        }
    }
}

/// Looks at the world when everything is over.
pub fn ended(world: &Arc<World>) {
    let changes = world.changes();
    for change in &changes {
        let later = |other: &&Arc<ModelChange>| {
            other.resource == change.resource && other.entry == change.entry && other.time > change.time
        };
        let there = world.things().get(&change.resource).is_some_and(|thing| thing.entries.contains(&change.entry));
        // A person who undoes one of several responses about one entry has decided about the entry.
        let same = |other: &&Arc<ModelChange>| other.resource == change.resource && other.entry == change.entry;
        let undone = changes.iter().filter(same).any(|other| was_undone(world, other));
        if there && !undone && !changes.iter().any(|other| later(&other)) && !is_accounted_for(world, change) {
            let finding = finding_of(change);
            world.violated(ENDS, format!("`{}` in `{}`: {finding} stands open", change.entry, change.resource));
        }
    }
    warned(world);
    chained(world);
}

/// Looks at the warnings. Only the exemption of `other` ever ends.
fn warned(world: &World) {
    let of = |key: &String| serde_json::from_slice::<Finding>(&world.read(key)?).ok();
    let warnings =
        world.list("findings").iter().filter_map(of).filter(|finding| finding.rule == ENDING).collect::<Vec<_>>();
    if warnings.len() > usize::from(world.terms.exempt_until.is_some()) {
        world.violated(WARNED, format!("{} warnings", warnings.len()));
    }
    for warning in warnings.iter().filter(|warning| !world.was_told(&warning.id, "found")) {
        world.violated(WARNED, format!("{} was not told", warning.id));
    }
}

/// How many writes took back each violation that was not exempt, in the order of the log.
pub fn answers(world: &World) -> Vec<usize> {
    let writes = world.writes();
    let mut changes = world.changes();
    changes.retain(|change| change.resource != "exempt");
    changes.sort_by_key(|change| (change.time, change.uid.clone()));
    changes
        .iter()
        .map(|change| {
            let finding = finding_of(change);
            writes.iter().filter(|write| write.finding == finding).count()
        })
        .collect()
}

/// Looks at the chain of every finding, the way `onus verify --all` does. Nothing waits or fails any more, so one look is enough.
fn chained(world: &Arc<World>) {
    let records = Records::new(Arc::new(Store { world: Arc::clone(world), task: 0, kind: true }));
    let today = Offset::UTC.to_datetime(world.now()).date();
    let from = today.checked_sub(7.days()).unwrap_or(today);
    let traces = match at_once(records.traces(from, today)) {
        Some(Ok(traces)) if traces.gaps.is_empty() => traces,
        other => return world.violated(CHAINED, format!("the folders by day and hour: {other:?}")),
    };
    for key in world.list("findings") {
        let id = key.strip_prefix("findings/").and_then(|name| name.strip_suffix(".json"));
        let Some(finding) = id.and_then(|id| id.parse::<FindingId>().ok()) else {
            world.violated(CHAINED, format!("`{key}` names no finding"));
            continue;
        };
        match at_once(records.verify(&finding, &traces)) {
            Some(Ok(Chain::Whole { .. })) => {}
            Some(Ok(chain)) => world.violated(CHAINED, format!("{finding} is {chain}")),
            Some(Err(error)) => world.violated(CHAINED, format!("{finding}: {error}")),
            None => world.violated(CHAINED, format!("{finding}: its ledger waits after the end")),
        }
    }
}

/// The result of what waits for nothing; `None` when it does.
fn at_once<T>(work: impl Future<Output = T>) -> Option<T> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

fn receipts(world: &World, finding: &FindingId) -> Vec<Receipt> {
    let keys = world.list(&format!("receipts/{finding}"));
    keys.iter().filter_map(|key| serde_json::from_slice(&world.read(key)?).ok()).collect()
}

/// Whether a person wanted a response undone and the undo began: how it ended is in its receipt.
fn was_undone(world: &World, change: &ModelChange) -> bool {
    world.list(&format!("attempts/{}", finding_of(change))).iter().any(|key| key.contains("/undo-"))
}

/// Why an entry may still be there.
fn is_accounted_for(world: &World, change: &ModelChange) -> bool {
    let finding = finding_of(change);
    let exempt = change.resource == "exempt";
    // Where a tag says that nobody may touch it, somebody is told, and that is all.
    let hands_off = world.terms.hands_off.is_some_and(|resource| RESOURCES[resource].0 == change.resource);
    let left_alone = hands_off && world.was_told(&finding, "found");
    let alarmed = world.was_told(&finding, "alarm");
    let waits = world.was_told(&finding, "planned") && world.read(&format!("decisions/{finding}.json")).is_none();
    let told = world.was_told(&finding, "responded");
    let refused = told
        && receipts(world, &finding).iter().any(|receipt| {
            receipt.kind == ReceiptKind::Respond
                && !matches!(receipt.outcome, ReceiptOutcome::Verified | ReceiptOutcome::NothingToDo)
        });
    exempt || left_alone || alarmed || waits || refused
}
