//! What people and other automation do in a run, drawn from the seed before it begins.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use jiff::{SignedDuration, Timestamp};
use onus_core::{FindingId, Ledger};
use onus_pipeline::{Job, Records};

use super::links::{Click, follow};
use super::random::Chance;
use super::store::Store;
use super::sweep::LAG;
use super::terms::{Scene, Terms};
use super::world::{Body, Message, ModelChange, World};

/// The handler number under which people write to the ledger.
pub(super) const NOBODY: usize = 0;

/// The resources of every run, and whether each is written whole.
pub const RESOURCES: [(&str, bool); 4] = [("set", false), ("document", true), ("other", false), ("exempt", true)];

/// One thing that somebody does.
#[derive(Debug, Clone)]
pub enum Act {
    /// Adds a bad entry; the log says so.
    Violate {
        /// Which resource.
        resource: usize,
        /// Which entry.
        entry: String,
    },
    /// Adds or removes a legitimate entry.
    Edit {
        /// Which resource.
        resource: usize,
        /// Which entry.
        entry: String,
    },
    /// Removes a bad entry by hand.
    Mend {
        /// Which resource.
        resource: usize,
        /// Which entry.
        entry: String,
    },
    /// Looks every few seconds whether the entry is still there, so many times, and puts it back.
    Reapply {
        /// Which resource.
        resource: usize,
        /// Which entry.
        entry: String,
        /// How many looks are left.
        left: u32,
        /// How many seconds lie between two.
        every: i64,
    },
    /// Follows an approval link of some plan in the ledger.
    Follow(Click),
    /// Approves, denies or wants undone what the ledger holds.
    Ask(&'static str),
}

/// When who does what, in order.
pub fn script(terms: &Terms, chance: &Chance, start: Timestamp) -> Vec<(Timestamp, Act)> {
    let within = if terms.crowded { 30 } else { 400 };
    let acts = match terms.scene {
        Scene::Hostile if terms.crowded => crowded(chance),
        Scene::Hostile => hostile(chance),
        // The last resource is exempt.
        Scene::Lossy => (0..20)
            .map(|n| Act::Violate { resource: chance.below(RESOURCES.len() - 1), entry: format!("bad-{n}") })
            .collect(),
    };
    let at = |act| (start.checked_add(SignedDuration::from_secs(chance.between(0, within))).expect("in range"), act);
    let mut script: Vec<_> = acts.into_iter().map(at).collect();
    script.sort_by_key(|(at, _)| *at);
    script
}

fn hostile(chance: &Chance) -> Vec<Act> {
    let mut acts = Vec::new();
    // Now and then a storm.
    let (violations, entries) = if chance.permille(100) { (25, 8) } else { (5, 3) };
    for _ in 0..=chance.below(violations) {
        let (resource, entry) = (chance.below(RESOURCES.len()), format!("bad-{}", chance.below(entries)));
        acts.push(Act::Violate { resource, entry: entry.clone() });
        if chance.permille(150) {
            acts.push(Act::Reapply { resource, entry, left: 12, every: 20 });
        } else if chance.permille(200) {
            acts.push(Act::Mend { resource, entry });
        }
    }
    for _ in 0..chance.below(4) {
        acts.push(Act::Edit { resource: chance.below(RESOURCES.len()), entry: format!("good-{}", chance.below(3)) });
    }
    ask_around(chance, &mut acts);
    acts
}

/// Many hands on one resource at once.
fn crowded(chance: &Chance) -> Vec<Act> {
    let resource = chance.below(2);
    let mut acts: Vec<Act> =
        (0..3 + chance.below(3)).map(|n| Act::Violate { resource, entry: format!("bad-{n}") }).collect();
    for n in 0..chance.below(3) {
        acts.push(Act::Reapply { resource, entry: format!("bad-{n}"), left: 60, every: 1 });
    }
    acts.push(Act::Edit { resource, entry: "good-1".to_owned() });
    ask_around(chance, &mut acts);
    acts
}

fn ask_around(chance: &Chance, acts: &mut Vec<Act>) {
    for _ in 0..chance.below(6) {
        acts.push(Act::Ask(["approve", "approve", "deny", "undo", "undo"][chance.below(5)]));
    }
    for _ in 0..chance.below(4) {
        acts.push(Act::Follow(Click::ALL[chance.below(Click::ALL.len())]));
    }
}

/// Does one act. May answer with one to be done later.
pub fn act(world: &Arc<World>, act: Act) -> Option<(Timestamp, Act)> {
    match act {
        Act::Violate { resource, entry } => violate(world, resource, &entry),
        Act::Edit { resource, entry } => {
            write(world, resource, |entries| entries.remove(&entry) || entries.insert(entry.clone()));
        }
        Act::Mend { resource, entry } => write(world, resource, |entries| entries.remove(&entry)),
        Act::Reapply { resource, entry, left, every } => {
            if !world.things()[RESOURCES[resource].0].entries.contains(&entry) {
                violate(world, resource, &entry);
            }
            let left = left.saturating_sub(1);
            let later = world.now().checked_add(SignedDuration::from_secs(every)).expect("in range");
            return (left > 0 && !world.is_calm()).then_some((later, Act::Reapply { resource, entry, left, every }));
        }
        Act::Ask(verb) => ask(world, verb),
        Act::Follow(click) => follow(world, click),
    }
    None
}

fn write(world: &World, resource: usize, change: impl FnOnce(&mut BTreeSet<String>) -> bool) {
    let name = RESOURCES[resource].0;
    let mut things = world.things();
    let thing = things.get_mut(name).expect("made at the start");
    let before = thing.entries.clone();
    change(&mut thing.entries);
    if thing.entries != before {
        thing.version += 1;
        let version = thing.version;
        drop(things);
        world.note(name, version, None);
        world.count(|faults| faults.foreign_writes += 1);
    }
}

/// A bad entry, its record, and one to five deliveries of it; or none at all, and then only the sweep finds it.
fn violate(world: &World, resource: usize, entry: &str) {
    let (name, document) = RESOURCES[resource];
    write(world, resource, |entries| entries.insert(entry.to_owned()));
    let uid = format!("e-{}", world.changes().len());
    let (resource, entry, time) = (name.to_owned(), entry.to_owned(), world.now());
    let lag = world.chance.between(0, LAG);
    world.log(ModelChange { uid: uid.clone(), resource, document, entry, time, lag, text: String::new() });
    if world.chance.permille(world.terms.rates.dropped) {
        world.count(|faults| faults.dropped += 1);
        return;
    }
    let copies = 1 + world.chance.below(5);
    world.count(|faults| faults.duplicated += copies as u64 - 1);
    for _ in 0..copies {
        send(world, Body::Event(uid.clone()), world.chance.between(0, 60));
    }
}

/// Puts a message into the queue, to be seen so many seconds later.
pub fn send(world: &World, body: Body, later: i64) {
    let visible = world.now().checked_add(SignedDuration::from_secs(later)).expect("in range");
    world.queue().push(Message { body, visible, tries: 0 });
}

/// Puts a request about some finding into the ledger, as the command line does, and tells the queue of it.
fn ask(world: &Arc<World>, verb: &str) {
    let keys = world.list("findings");
    let Some(key) = keys.get(world.chance.below(keys.len())) else { return };
    let id = key.trim_start_matches("findings/").trim_end_matches(".json");
    let finding: FindingId = id.parse().expect("a finding's key holds its id");
    let by = "carol".to_owned();
    let job = match verb {
        "approve" => Job::Approve { finding, by, plan: None },
        "deny" => Job::Deny { finding, by },
        _ => Job::Undo { finding, by },
    };
    let ledger: Arc<dyn Ledger> = Arc::new(Store { world: Arc::clone(world), task: NOBODY, kind: true });
    let records = Records::new(ledger);
    let key = at_once(records.request(&job, world.now())).expect("a kind store does not fail");
    send(world, Body::Request(key), 1);
}

/// Runs what only waits for its turn.
pub fn at_once<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}
