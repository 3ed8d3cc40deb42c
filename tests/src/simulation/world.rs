//! Everything that outlives a handler: time, ledger, cloud, queue, and who did what.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use jiff::{SignedDuration, Timestamp};
use onus_core::{Call, Created, FindingId, Notice};
use onus_pipeline::Job;
use serde::{Deserialize, Serialize};

use super::Guard;
use super::cloud::Things;
use super::invariants::{self, Violation};
use super::random::{Chance, Faults};
use super::terms::{Scene, Terms};

/// What one operation of a port suffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It has no effect and fails.
    Lost,
    /// It has its effect, and the handler is told that it failed.
    Unheard,
}

/// One bad change, as the cloud's log has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelChange {
    /// The record's id.
    pub uid: String,
    /// The resource.
    pub resource: String,
    /// Whether the resource is written whole.
    pub document: bool,
    /// The entry that was added.
    pub entry: String,
    /// When.
    pub time: Timestamp,
    /// After how many seconds the log shows it.
    #[serde(skip)]
    pub lag: i64,
    /// The record's text.
    #[serde(skip)]
    pub text: String,
}

/// What a message asks for.
#[derive(Debug, Clone)]
pub enum Body {
    /// A record, by its id.
    Event(String),
    /// A job of the audit function.
    Job(Job),
    /// A person's request, by its key in the ledger.
    Request(String),
    /// The timer rings: the log is swept, and what is due is done.
    Timer,
}

/// One message of a queue that delivers at least once.
#[derive(Debug, Clone)]
pub struct Message {
    /// What it asks for.
    pub body: Body,
    /// When it can be taken.
    pub visible: Timestamp,
    /// How often it was taken.
    pub tries: u32,
}

/// What is known of a handler.
#[derive(Debug, Clone, Default)]
pub struct Task {
    /// The job it does; none for audit, and until a request was read.
    pub job: Option<Job>,
    /// Whether it has written to the cloud.
    pub wrote: bool,
    /// The resources whose tags it was told.
    pub tags: BTreeSet<String>,
    /// Each resource's entries and version as they really were when it read last.
    pub read: BTreeMap<String, (BTreeSet<String>, u64)>,
}

/// One write of Onus that took effect.
#[derive(Debug, Clone)]
pub struct Write {
    /// For which finding.
    pub finding: FindingId,
    /// Whether nobody agreed to it.
    pub unasked: bool,
}

/// The world of one run.
pub struct World {
    /// Draws.
    pub chance: Chance,
    /// What the seed chose.
    pub terms: Terms,
    /// The guard that was taken away.
    pub missing: Option<Guard>,
    calm: AtomicBool,
    /// What happened, where somebody wants to read it.
    tale: Option<Mutex<Vec<String>>>,
    faults: Mutex<Faults>,
    now: Mutex<Timestamp>,
    ledger: Mutex<BTreeMap<String, Vec<u8>>>,
    things: Mutex<Things>,
    changes: Mutex<BTreeMap<String, Arc<ModelChange>>>,
    queue: Mutex<Vec<Message>>,
    tasks: Mutex<BTreeMap<usize, Task>>,
    writes: Mutex<Vec<Write>>,
    /// Every write to a resource: its name, its new version, and the handler; none for others.
    history: Mutex<Vec<(String, u64, Option<usize>)>>,
    told: Mutex<BTreeSet<String>>,
    violations: Mutex<Vec<Violation>>,
}

/// The moment at which every run begins.
pub const START: i64 = 1_767_225_600;

impl World {
    /// An empty world.
    pub fn new(seed: u64, scene: Scene, missing: Option<Guard>, told: bool) -> Self {
        let chance = Chance::new(seed);
        let terms = Terms::draw(scene, &chance);
        Self {
            chance,
            terms,
            missing,
            calm: AtomicBool::new(false),
            tale: told.then(Mutex::default),
            faults: Mutex::default(),
            now: Mutex::new(Timestamp::from_second(START).expect("in range")),
            ledger: Mutex::default(),
            things: Mutex::default(),
            changes: Mutex::default(),
            queue: Mutex::default(),
            tasks: Mutex::default(),
            writes: Mutex::default(),
            history: Mutex::default(),
            told: Mutex::default(),
            violations: Mutex::default(),
        }
    }

    /// One point at which a handler waits: others go on, and it may die.
    pub fn turn(&self) -> Turn {
        Turn { waited: self.is_calm() }
    }

    /// Waits, then draws what the operation suffers.
    pub async fn fault(&self) -> Fault {
        self.turn().await;
        if self.is_calm() {
            return Fault::None;
        }
        let mut faults = self.faults.lock().expect("unpoisoned");
        if self.chance.permille(self.terms.rates.lost) {
            faults.lost += 1;
            return Fault::Lost;
        }
        if self.chance.permille(self.terms.rates.unheard) {
            faults.unheard += 1;
            return Fault::Unheard;
        }
        Fault::None
    }

    /// Whether the provider throttles this call.
    pub fn throttles(&self) -> bool {
        let throttled = !self.is_calm() && self.chance.permille(self.terms.rates.throttled);
        self.count(|faults| faults.throttled += u64::from(throttled));
        throttled
    }

    /// Whether a sink or queue refuses.
    pub fn refuses(&self) -> bool {
        let refused = !self.is_calm() && self.chance.permille(self.terms.rates.refused);
        self.count(|faults| faults.refused += u64::from(refused));
        refused
    }

    /// Whether tags may not be read this time.
    pub fn denies(&self) -> bool {
        let denied = !self.is_calm() && self.chance.permille(self.terms.rates.denied);
        self.count(|faults| faults.denied += u64::from(denied));
        denied
    }

    /// Whether a write that is answered with success does not hold.
    pub fn forgets(&self) -> bool {
        let unheld = !self.is_calm() && self.chance.permille(self.terms.rates.unheld);
        self.count(|faults| faults.unheld += u64::from(unheld));
        unheld
    }

    /// Adds a line to the tale of the run.
    pub fn say(&self, line: impl FnOnce() -> String) {
        if let Some(tale) = &self.tale {
            tale.lock().expect("unpoisoned").push(format!("{} {}", self.now(), line()));
        }
    }

    /// The tale so far.
    pub fn tale(&self) -> Vec<String> {
        self.tale.as_ref().map(|tale| tale.lock().expect("unpoisoned").clone()).unwrap_or_default()
    }

    /// Counts what went wrong.
    pub fn count(&self, count: impl FnOnce(&mut Faults)) {
        count(&mut self.faults.lock().expect("unpoisoned"));
    }

    /// What went wrong so far.
    pub fn faults(&self) -> Faults {
        *self.faults.lock().expect("unpoisoned")
    }

    /// From now on nothing goes wrong, and nobody waits.
    pub fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    /// Whether faults have stopped.
    pub fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// The true time.
    pub fn now(&self) -> Timestamp {
        *self.now.lock().expect("unpoisoned")
    }

    /// Full hours since the beginning.
    pub fn hours(&self) -> usize {
        usize::try_from((self.now().as_second() - START) / 3600).unwrap_or_default()
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: i64) {
        let mut now = self.now.lock().expect("unpoisoned");
        *now = now.checked_add(SignedDuration::from_secs(seconds)).expect("in range");
    }

    /// Creates an entry, and holds the invariants about it.
    pub fn create(&self, task: usize, key: &str, value: Vec<u8>) -> Created {
        let mut ledger = self.ledger.lock().expect("unpoisoned");
        if ledger.contains_key(key) {
            return Created::Existed;
        }
        ledger.insert(key.to_owned(), value.clone());
        drop(ledger);
        self.say(|| format!("handler {task} creates {key}"));
        invariants::created(self, task, key, &value);
        Created::New
    }

    /// An entry.
    pub fn read(&self, key: &str) -> Option<Vec<u8>> {
        self.ledger.lock().expect("unpoisoned").get(key).cloned()
    }

    /// The keys below a prefix.
    pub fn list(&self, prefix: &str) -> Vec<String> {
        let below = format!("{}/", prefix.trim_end_matches('/'));
        let ledger = self.ledger.lock().expect("unpoisoned");
        ledger
            .range(below.clone()..)
            .take_while(|(key, _)| key.starts_with(&below))
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// The cloud.
    pub fn things(&self) -> MutexGuard<'_, Things> {
        self.things.lock().expect("unpoisoned")
    }

    /// The queue.
    pub fn queue(&self) -> MutexGuard<'_, Vec<Message>> {
        self.queue.lock().expect("unpoisoned")
    }

    /// A change by the id of its record.
    pub fn change_of(&self, uid: &str) -> Arc<ModelChange> {
        Arc::clone(self.changes.lock().expect("unpoisoned").get(uid).expect("only changes of the model are decoded"))
    }

    /// Every change so far.
    pub fn changes(&self) -> Vec<Arc<ModelChange>> {
        self.changes.lock().expect("unpoisoned").values().cloned().collect()
    }

    /// Logs a change.
    pub fn log(&self, mut change: ModelChange) {
        change.text = serde_json::to_string(&change).expect("a record is plain");
        self.changes.lock().expect("unpoisoned").insert(change.uid.clone(), Arc::new(change));
    }

    /// What is known of a handler, to look at or change.
    pub fn task<T>(&self, id: usize, look: impl FnOnce(&mut Task) -> T) -> T {
        look(self.tasks.lock().expect("unpoisoned").entry(id).or_default())
    }

    /// Notes what a handler really saw.
    pub fn seen(&self, task: usize, name: &str, entries: &BTreeSet<String>, version: u64) {
        self.task(task, |task| task.read.insert(name.to_owned(), (entries.clone(), version)));
    }

    /// What the response left, for an undo that has not written yet.
    pub fn left_by_response(&self, task: usize) -> Option<BTreeSet<String>> {
        let (job, wrote) = self.task(task, |task| (task.job.clone(), task.wrote));
        match job {
            Some(Job::Undo { finding, .. }) if !wrote => invariants::left_by_response(self, &finding),
            _ => None,
        }
    }

    /// Whether a handler responds to a finding for which one has written, be it this one or one that died since: it looks whether that worked.
    pub fn wants_read_back(&self, task: usize) -> bool {
        let tasks = self.tasks.lock().expect("unpoisoned");
        let responds = |task: &Task| match &task.job {
            None | Some(Job::Undo { .. }) => None,
            Some(job) => Some(job.finding().clone()),
        };
        let Some(finding) = tasks.get(&task).and_then(responds) else { return false };
        tasks.values().any(|other| other.wrote && responds(other).as_ref() == Some(&finding))
    }

    /// A write of Onus took effect.
    pub fn written(
        &self,
        task: usize,
        call: &Call,
        name: &str,
        before: &BTreeSet<String>,
        after: &BTreeSet<String>,
        version: u64,
    ) {
        invariants::written(self, task, call, name, before, after, version);
        self.task(task, |task| task.wrote = true);
    }

    /// Notes a write to a resource.
    pub fn note(&self, name: &str, version: u64, task: Option<usize>) {
        self.history.lock().expect("unpoisoned").push((name.to_owned(), version, task));
    }

    /// Whether another handler wrote to a resource after one version and before another.
    pub fn ours_between(&self, name: &str, after: u64, before: u64, task: usize) -> bool {
        let history = self.history.lock().expect("unpoisoned");
        history.iter().any(|(written, version, writer)| {
            written == name && (after + 1..before).contains(version) && writer.is_some_and(|writer| writer != task)
        })
    }

    /// Every write of Onus so far.
    pub fn writes(&self) -> MutexGuard<'_, Vec<Write>> {
        self.writes.lock().expect("unpoisoned")
    }

    /// A sink took a notice.
    pub fn tell(&self, notice: &Notice) {
        let key = format!("{}/{}", notice.finding().id, notice.kind());
        self.told.lock().expect("unpoisoned").insert(key);
    }

    /// Whether some notice of a kind about a finding was told.
    pub fn was_told(&self, finding: &FindingId, kind: &str) -> bool {
        self.told.lock().expect("unpoisoned").contains(&format!("{finding}/{kind}"))
    }

    /// Notes what must never happen.
    pub fn violated(&self, invariant: &'static str, what: String) {
        self.violations.lock().expect("unpoisoned").push(Violation { invariant, what });
    }

    /// What should never have happened.
    pub fn violations(&self) -> Vec<Violation> {
        self.violations.lock().expect("unpoisoned").clone()
    }
}

/// Ready at the second look.
#[derive(Debug)]
pub struct Turn {
    waited: bool,
}

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.waited, true) {
            return Poll::Ready(());
        }
        // A stream that reads ahead polls only what was woken.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
