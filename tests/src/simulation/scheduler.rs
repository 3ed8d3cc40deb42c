//! Who goes on next, who dies, and what each handler stands on.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use onus_core::{
    Actor, Caller, Change, Clock, Cloud, Document, Effects, Finding, Ledger, Notice, Origin, Outcome, Resource, Sink,
    SinkConfig, SinkError,
};
use onus_pipeline::{Auditor, Config, HandleError, Job, Pause, Policy, QueueError, Records, Responder, ResponseQueue};

use super::cloud::{Thing, Way, reader, remediation};
use super::people::{Act, RESOURCES, act, script, send};
use super::random::Faults;
use super::rules::ModelRules;
use super::store::Store;
use super::world::{Body, Message, ModelChange, World};
use super::{Guard, Violation, invariants};

/// How many handlers run at the same time.
const HANDLERS: usize = 3;
/// The longest that a handler lives, in seconds; its lease is a minute longer.
const LIFE: i64 = 120;
/// How far a handler's clock is from the true time, in seconds, either way.
const SKEW: i64 = 25;
/// How often a message is tried before it is put aside.
const TRIES: u32 = 12;
/// Steps after which a run counts as never ending.
const LONGEST: u64 = 200_000;

/// What one seed came to.
#[derive(Debug, Clone)]
pub struct Run {
    /// Times that something went on.
    pub steps: u64,
    /// What went wrong.
    pub faults: Faults,
    /// Writes of Onus to the cloud.
    pub writes: u64,
    /// What should never have happened.
    pub violations: Vec<Violation>,
    /// What happened, line by line, where that was asked for.
    pub tale: Vec<String>,
}

type Work = Pin<Box<dyn Future<Output = Result<(), HandleError>>>>;

struct Handler {
    message: Message,
    until: Timestamp,
    work: Work,
}

struct Scheduler {
    world: Arc<World>,
    policy: Arc<Policy>,
    script: Vec<(Timestamp, Act)>,
    handlers: Vec<Handler>,
    aside: Vec<Body>,
    started: usize,
    steps: u64,
}

/// Plays one seed.
pub fn run(seed: u64, missing: Option<Guard>) -> Run {
    play(seed, missing, false)
}

/// Plays one seed and tells what happened.
pub fn tell(seed: u64, missing: Option<Guard>) -> Run {
    play(seed, missing, true)
}

fn play(seed: u64, missing: Option<Guard>, told: bool) -> Run {
    let world = Arc::new(World::new(seed, missing, told));
    for (name, _) in RESOURCES {
        let entries = ["good-0".to_owned(), "good-9".to_owned()].into();
        world.things().insert(name.to_owned(), Thing { entries, version: 1 });
    }
    let config: Config<NoSink> = Config::parse("onus.yaml", &world.yaml()).expect("a good configuration");
    let mut script = script(&world.chance, world.now());
    script.reverse();
    let mut scheduler = Scheduler {
        policy: Arc::new(Policy::from(&config)),
        script,
        handlers: Vec::new(),
        aside: Vec::new(),
        started: 0,
        steps: 0,
        world: Arc::clone(&world),
    };
    scheduler.play();
    scheduler.settle();
    invariants::ended(&world);
    let writes = world.writes().len() as u64;
    Run { steps: scheduler.steps, faults: world.faults(), writes, violations: world.violations(), tale: world.tale() }
}

impl Scheduler {
    /// Goes on until nobody has anything to do.
    fn play(&mut self) {
        while self.steps < LONGEST {
            self.steps += 1;
            self.let_people_act();
            self.end_the_old();
            let due = self.due();
            let start = !due.is_empty() && self.handlers.len() < HANDLERS;
            if start && (self.handlers.is_empty() || self.world.chance.permille(300)) {
                self.start(due[self.world.chance.below(due.len())]);
            } else if !self.handlers.is_empty() {
                self.go_on();
            } else if !self.wait() {
                return;
            }
        }
        self.world.violated("every run ends", format!("{LONGEST} steps"));
    }

    /// Stops the faults, delivers everything once more, and lets it come to an end.
    fn settle(&mut self) {
        self.world.calm_down();
        self.world.pass(LIFE + 120);
        for _ in 0..2 {
            for body in self.aside.drain(..).collect::<Vec<_>>() {
                send(&self.world, body, 0);
            }
            for change in self.world.changes() {
                send(&self.world, Body::Event(change.uid.clone()), 0);
            }
            self.play();
        }
        if !self.aside.is_empty() {
            self.world.violated("nothing is put aside in calm", format!("{:?}", self.aside));
        }
    }

    fn let_people_act(&mut self) {
        while self.script.last().is_some_and(|(at, _)| *at <= self.world.now()) {
            let Some((_, next)) = self.script.pop() else { return };
            self.world.say(|| format!("people: {next:?}"));
            if let Some(later) = act(&self.world, next) {
                self.script.push(later);
                self.script.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
            }
        }
    }

    /// Kills handlers that lived too long, as the platform does.
    fn end_the_old(&mut self) {
        let now = self.world.now();
        while let Some(old) = self.handlers.iter().position(|handler| handler.until <= now) {
            self.die(old);
        }
    }

    fn die(&mut self, at: usize) {
        let handler = self.handlers.swap_remove(at);
        self.world.say(|| format!("a handler of {:?} dies", handler.message.body));
        self.world.count(|faults| faults.crashes += 1);
        self.again(handler.message, LIFE + 60);
    }

    /// The messages that can be taken.
    fn due(&self) -> Vec<usize> {
        let now = self.world.now();
        self.world.queue().iter().enumerate().filter(|(_, message)| message.visible <= now).map(|(at, _)| at).collect()
    }

    fn start(&mut self, at: usize) {
        let message = self.world.queue().swap_remove(at);
        self.started += 1;
        self.world.say(|| format!("handler {} takes {:?}", self.started, message.body));
        let until = self.world.now().checked_add(SignedDuration::from_secs(LIFE)).expect("in range");
        let stage = Stage {
            world: Arc::clone(&self.world),
            policy: Arc::clone(&self.policy),
            task: self.started,
            skew: self.world.chance.between(-SKEW, SKEW),
        };
        let work = Box::pin(stage.handle(message.body.clone()));
        self.handlers.push(Handler { message, until, work });
    }

    /// Lets one handler go on to where it waits next, and perhaps no further.
    fn go_on(&mut self) {
        let at = self.world.chance.below(self.handlers.len());
        if !self.world.is_calm() {
            if self.world.chance.permille(self.world.rates.crash) {
                return self.die(at);
            }
            if self.world.chance.permille(100) {
                self.world.pass(self.world.chance.between(1, 5));
            }
        }
        let handler = &mut self.handlers[at];
        let Poll::Ready(result) = handler.work.as_mut().poll(&mut Context::from_waker(Waker::noop())) else { return };
        let handler = self.handlers.swap_remove(at);
        self.world.say(|| format!("{:?} ends: {result:?}", handler.message.body));
        match result {
            Ok(()) => {}
            Err(error) if error.is_retryable() => self.again(handler.message, 15),
            Err(_) => self.aside.push(handler.message.body),
        }
    }

    /// The message comes again, or is put aside.
    fn again(&mut self, message: Message, seconds: i64) {
        let tries = message.tries + 1;
        if tries >= TRIES && !self.world.is_calm() {
            self.aside.push(message.body);
            return;
        }
        let visible = self.world.now().checked_add(SignedDuration::from_secs(seconds * i64::from(tries.min(8))));
        self.world.queue().push(Message { visible: visible.expect("in range"), tries, ..message });
    }

    /// Passes the time until something is to be done; `false` when nothing ever is.
    fn wait(&mut self) -> bool {
        let next = self.world.queue().iter().map(|message| message.visible).min();
        let next = next.into_iter().chain(self.script.last().map(|(at, _)| *at)).min();
        let Some(next) = next else { return false };
        let seconds = next.as_second() - self.world.now().as_second();
        self.world.pass(seconds.max(1));
        true
    }
}

/// What one handler stands on.
struct Stage {
    world: Arc<World>,
    policy: Arc<Policy>,
    task: usize,
    skew: i64,
}

impl Stage {
    fn records(&self) -> Records {
        let ledger: Arc<dyn Ledger> = Arc::new(Store { world: Arc::clone(&self.world), task: self.task, kind: false });
        Records::new(ledger)
    }

    fn caller(&self, writes: bool) -> Arc<dyn Caller> {
        Arc::new(Way { world: Arc::clone(&self.world), task: self.task, writes })
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(Skewed { world: Arc::clone(&self.world), seconds: self.skew })
    }

    fn sinks(&self) -> Vec<Arc<dyn Sink>> {
        vec![Arc::new(Listener(Arc::clone(&self.world)))]
    }

    fn auditor(&self) -> Auditor {
        Auditor {
            rules: Arc::new(ModelRules(Arc::clone(&self.world))),
            policy: Arc::clone(&self.policy),
            records: self.records(),
            sinks: self.sinks(),
            caller: Some(self.caller(false)),
            account: None,
            readers: reader,
            remediations: remediation,
            tags: |_, _| Some(onus_core::TagSource::Untagged),
            queue: Some(Arc::new(Jobs(Arc::clone(&self.world)))),
            clock: self.clock(),
        }
    }

    fn responder(&self) -> Responder {
        Responder {
            policy: Arc::clone(&self.policy),
            records: self.records(),
            sinks: self.sinks(),
            caller: self.caller(true),
            account: None,
            remediations: remediation,
            tags: |_, _| Some(onus_core::TagSource::Untagged),
            clock: self.clock(),
            links: None,
            pause: Arc::new(Waits(Arc::clone(&self.world))),
            lease: SignedDuration::from_secs(LIFE + 60),
        }
    }

    async fn handle(self, body: Body) -> Result<(), HandleError> {
        let job = match body {
            Body::Event(uid) => {
                let change = decoded(&self.world.change_of(&uid));
                return self.auditor().handle(&change).await.map(drop);
            }
            Body::Job(job) => job,
            Body::Request(key) => match self.records().requested(&key).await? {
                Some(job) => job,
                None => return Ok(()),
            },
        };
        self.world.task(self.task, |task| task.job = Some(job.clone()));
        self.responder().handle(&job).await.map(drop)
    }
}

/// The change as the pipeline sees it.
fn decoded(model: &ModelChange) -> Change<'static> {
    let kind = if model.document { "Document" } else { "Set" };
    Change {
        uid: model.uid.clone().into(),
        time: model.time,
        cloud: Cloud::Aws,
        account: "111122223333".into(),
        region: "".into(),
        source: "model",
        service: "model".into(),
        action: "Add".into(),
        action_raw: "Add".into(),
        read_only: false,
        actor: Actor::default(),
        origin: Origin::default(),
        resources: vec![Resource::new(kind, model.resource.clone(), model.resource.clone())],
        outcome: Outcome::Succeeded,
        request: Document::absent(),
        response: Document::absent(),
        record: Document::absent(),
        text: "{}",
        derive: |_| Effects::none(),
        effects: OnceLock::new(),
    }
}

struct Skewed {
    world: Arc<World>,
    seconds: i64,
}

impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        self.world.now().checked_add(SignedDuration::from_secs(self.seconds)).expect("in range")
    }
}

struct Waits(Arc<World>);

#[async_trait]
impl Pause for Waits {
    async fn pause(&self, attempt: u32) {
        self.0.turn().await;
        self.0.pass(i64::from(attempt));
    }
}

/// `onus.yaml` names no sink here.
#[derive(serde::Deserialize)]
enum NoSink {}

impl SinkConfig for NoSink {
    fn name(&self) -> &str {
        match *self {}
    }
}

struct Listener(Arc<World>);

#[async_trait]
impl Sink for Listener {
    fn name(&self) -> &'static str {
        "listener"
    }

    async fn tell(&self, notice: &Notice) -> Result<(), SinkError> {
        self.0.turn().await;
        if self.0.refuses() {
            let source = "the sink is not there".into();
            return Err(SinkError { sink: "listener".to_owned(), retryable: true, source });
        }
        self.0.tell(notice);
        self.0.turn().await;
        Ok(())
    }
}

struct Jobs(Arc<World>);

#[async_trait]
impl ResponseQueue for Jobs {
    async fn enqueue(&self, job: &Job, _: &Finding) -> Result<(), QueueError> {
        self.0.turn().await;
        if self.0.refuses() {
            return Err(QueueError { retryable: true, source: "the queue is not there".into() });
        }
        let copies = if self.0.is_calm() { 1 } else { 1 + self.0.chance.below(3) };
        for _ in 0..copies {
            let later = self.0.chance.between(0, 10);
            send(&self.0, Body::Job(job.clone()), later);
        }
        self.0.turn().await;
        Ok(())
    }
}
