//! What one handler stands on: the real auditor, responder and schedule over the model's ports.

use std::error::Error;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use onus_core::{
    Actor, Caller, Change, Clock, Cloud, Document, Effects, Finding, Ledger, Notice, Origin, Outcome, Resource, Sink,
    SinkConfig, SinkError,
};
use onus_pipeline::{
    Auditor, HandleError, Job, Pause, Policy, QueueError, Records, Responder, ResponseQueue, Schedule,
};

use super::cloud::{Way, reader, remediation, tag_source};
use super::links::links;
use super::people::send;
use super::rules::ModelRules;
use super::store::Store;
use super::sweep::sweep;
use super::world::{Body, ModelChange, World};

/// How long a lease holds, in seconds.
pub const LEASE: i64 = 180;

/// What one handler stands on.
pub struct Stage {
    /// The world.
    pub world: Arc<World>,
    /// The operator's policy.
    pub policy: Arc<Policy>,
    /// The handler.
    pub task: usize,
    /// How far its clock is from the true time, in seconds.
    pub skew: i64,
    /// When the platform ends it.
    pub until: Timestamp,
}

impl Stage {
    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(Store { world: Arc::clone(&self.world), task: self.task, kind: false })
    }

    fn records(&self) -> Records {
        Records::new(self.ledger())
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
            tags: tag_source,
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
            tags: tag_source,
            clock: self.clock(),
            links: self.world.terms.needs_approval.then(|| Arc::new(links())),
            meter: Arc::new(()),
            pause: Arc::new(Waits(Arc::clone(&self.world))),
            lease: SignedDuration::from_secs(LEASE),
        }
    }

    /// Does what a message asks for.
    ///
    /// # Errors
    /// As the pipeline's own handlers.
    pub async fn handle(self, body: Body) -> Result<(), HandleError> {
        let job = match body {
            Body::Event(uid) => {
                let record = self.world.change_of(&uid);
                let change = decode("model", &record.text).expect("the log holds records");
                return self.auditor().handle(&change).await.map(drop);
            }
            Body::Timer => return self.ring().await,
            Body::Job(job) => job,
            Body::Request(key) => match self.records().requested(&key).await? {
                Some(job) => job,
                None => return Ok(()),
            },
        };
        self.world.task(self.task, |task| task.job = Some(job.clone()));
        self.responder().handle(&job).await.map(drop)
    }

    /// What the timer calls: the sweep, then what is due without an event, whether or not the sweep failed.
    async fn ring(self) -> Result<(), HandleError> {
        let (auditor, clock) = (self.auditor(), self.clock());
        let lease = self.until.duration_since(self.world.now());
        let swept = sweep(&self.world, &self.ledger(), &*clock, &auditor, lease).await;
        let schedule = Schedule { auditor: &auditor, decode, cloud: Cloud::Aws };
        let due = schedule.tick(self.until).await;
        swept.and(due.map(drop))
    }
}

/// A record as the pipeline sees it.
///
/// # Errors
/// The text is no record.
pub fn decode<'a>(_: &str, text: &'a str) -> Result<Change<'a>, Box<dyn Error + Send + Sync>> {
    let model: ModelChange = serde_json::from_str(text)?;
    let kind = if model.document { "Document" } else { "Set" };
    Ok(Change {
        uid: model.uid.into(),
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
        resources: vec![Resource::new(kind, model.resource.clone(), model.resource)],
        outcome: Outcome::Succeeded,
        request: Document::absent(),
        response: Document::absent(),
        record: Document::absent(),
        text,
        derive: |_| Effects::none(),
        effects: OnceLock::new(),
    })
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
pub enum NoSink {}

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
