//! Who goes on next, who dies, and what each handler stands on.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use jiff::{SignedDuration, Timestamp};
use onus_pipeline::{Config, HandleError, Policy};

use super::cloud::Thing;
use super::people::{Act, RESOURCES, act, script, send};
use super::random::Faults;
use super::stage::{NoSink, Stage};
use super::terms::Scene;
use super::world::{Body, Message, World};
use super::{Guard, Violation, invariants};

/// How many handlers run at the same time; twice as many where everything happens at once.
const HANDLERS: usize = 3;
/// The longest that a handler lives, in seconds; its lease is a minute longer.
const LIFE: i64 = 120;
/// The longest that the timer's handler lives.
const LONG_LIFE: i64 = 900;
/// Seconds between two rings of the timer.
const RINGS: i64 = 240;
/// How far a handler's clock is from the true time, in seconds, either way.
pub(super) const SKEW: i64 = 25;
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
    /// How many writes took back each violation that was not exempt, in the order of the log.
    pub answers: Vec<usize>,
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
    /// When the timer rings next.
    rings: Timestamp,
}

/// Plays one seed.
pub fn run(seed: u64, scene: Scene, missing: Option<Guard>) -> Run {
    play(seed, scene, missing, false)
}

/// Plays one seed and tells what happened.
pub fn tell(seed: u64, scene: Scene, missing: Option<Guard>) -> Run {
    play(seed, scene, missing, true)
}

fn play(seed: u64, scene: Scene, missing: Option<Guard>, told: bool) -> Run {
    let world = Arc::new(World::new(seed, scene, missing, told));
    for (name, _) in RESOURCES {
        let entries = ["good-0".to_owned(), "good-9".to_owned()].into();
        world.things().insert(name.to_owned(), Thing { entries, version: 1 });
    }
    let config: Config<NoSink> = Config::parse("onus.yaml", &world.terms.yaml(missing)).expect("a good configuration");
    let mut script = script(&world.terms, &world.chance, world.now());
    script.reverse();
    let mut scheduler = Scheduler {
        policy: Arc::new(Policy::from(&config)),
        script,
        handlers: Vec::new(),
        aside: Vec::new(),
        started: 0,
        steps: 0,
        rings: world.now(),
        world: Arc::clone(&world),
    };
    scheduler.play();
    scheduler.settle();
    invariants::ended(&world);
    let writes = world.writes().len() as u64;
    Run {
        steps: scheduler.steps,
        faults: world.faults(),
        writes,
        answers: invariants::answers(&world),
        violations: world.violations(),
        tale: world.tale(),
    }
}

impl Scheduler {
    /// Goes on until nobody has anything to do.
    fn play(&mut self) {
        while self.steps < LONGEST {
            self.steps += 1;
            self.let_people_act();
            self.ring();
            self.end_the_old();
            let due = self.due();
            let most = if self.world.terms.crowded { 2 * HANDLERS } else { HANDLERS };
            let start = !due.is_empty() && self.handlers.len() < most;
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

    /// Stops the faults, drives again what was put aside as `onus replay-dlq` does, lets the timer ring, and lets it come to an end. No event that
    /// was lost is delivered: what never came is the sweep's to find.
    fn settle(&mut self) {
        self.world.calm_down();
        // Until the lease of a sweep that died is over.
        self.world.pass(LONG_LIFE + 120);
        for _ in 0..2 {
            for body in std::mem::take(&mut self.aside) {
                send(&self.world, body, 0);
            }
            self.rings = self.world.now();
            self.ring();
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

    /// Rings the timer when it is time.
    fn ring(&mut self) {
        if self.rings <= self.world.now() {
            send(&self.world, Body::Timer, 0);
            self.rings = later(self.world.now(), RINGS);
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
        let life = if matches!(message.body, Body::Timer) { LONG_LIFE } else { LIFE };
        let until = later(self.world.now(), life);
        let stage = Stage {
            world: Arc::clone(&self.world),
            policy: Arc::clone(&self.policy),
            task: self.started,
            skew: self.world.chance.between(-SKEW, SKEW),
            until,
        };
        let work = Box::pin(stage.handle(message.body.clone()));
        self.handlers.push(Handler { message, until, work });
    }

    /// Lets one handler go on to where it waits next, and perhaps no further.
    fn go_on(&mut self) {
        let at = self.world.chance.below(self.handlers.len());
        if !self.world.is_calm() {
            if self.world.chance.permille(self.world.terms.rates.crash) {
                return self.die(at);
            }
            if self.world.chance.permille(self.world.terms.rates.slow) {
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

    /// The message comes again, or is put aside. The timer just rings again, in its time.
    fn again(&mut self, message: Message, seconds: i64) {
        if matches!(message.body, Body::Timer) {
            return;
        }
        let tries = message.tries + 1;
        if tries >= TRIES && !self.world.is_calm() {
            self.aside.push(message.body);
            return;
        }
        let visible = later(self.world.now(), seconds * i64::from(tries.min(8)));
        self.world.queue().push(Message { visible, tries, ..message });
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

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).expect("in range")
}
