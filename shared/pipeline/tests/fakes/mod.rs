//! A cloud, rules, sinks and a ledger of a few lines each, all of which can be made to die at the n-th operation.

#![allow(dead_code, unreachable_pub, missing_docs, reason = "a module of test crates, each of which uses a part")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test file is a test from top to bottom"
)]

pub mod chains;
mod cloud;
mod estate;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use onus_core::{
    Actor, Area, Change, ChangeSummary, Clock, Cloud, Created, Document, Doubt, Duty, Effects, Finding, FindingId,
    Ledger, LedgerError, Notice, Origin, Outcome, Party, Resource, ServiceModel, Severity, Sink, SinkError, State,
    Verdict,
};
use onus_pipeline::{
    ApprovalLinks, Auditor, Candidate, Config, HandleError, Job, Pause, Policy, QueueError, Records, Responder,
    ResponseQueue, Rules,
};
use serde_json::Value;

use cloud::statements_of;
pub use cloud::{FakeCloud, readers, remediations, tag_source};
pub use estate::{Estate, estate_remediations};

/// The sinks of these tests are handed over, never written down.
#[derive(serde::Deserialize)]
pub enum Nowhere {}

impl onus_core::SinkConfig for Nowhere {
    fn name(&self) -> &str {
        match *self {}
    }
}

/// Counts operations and, from a chosen one on, lets them all fail: the handler is dead.
#[derive(Debug, Default)]
pub struct Fuse {
    /// Operations until death; negative: never.
    left: AtomicI64,
    done: AtomicI64,
}

/// What the operation at which the handler dies still does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// Nothing.
    Lost,
    /// It takes effect, but the handler never hears of it.
    Unheard,
}

impl Fuse {
    pub fn never() -> Arc<Self> {
        Arc::new(Self { left: AtomicI64::new(-1), done: AtomicI64::new(0) })
    }

    pub fn rearm(&self, left: i64) {
        self.left.store(left, Ordering::SeqCst);
        self.done.store(0, Ordering::SeqCst);
    }

    pub fn done(&self) -> i64 {
        self.done.load(Ordering::SeqCst)
    }

    /// Runs one operation: `None` when the handler is dead.
    async fn run<T>(&self, last: Last, work: impl Future<Output = T>) -> Option<T> {
        self.done.fetch_add(1, Ordering::SeqCst);
        match self.left.load(Ordering::SeqCst) {
            left if left < 0 => Some(work.await),
            0 => None,
            1 => {
                self.left.store(0, Ordering::SeqCst);
                if last == Last::Unheard {
                    work.await;
                }
                None
            }
            left => {
                self.left.store(left - 1, Ordering::SeqCst);
                Some(work.await)
            }
        }
    }
}

fn dead() -> Box<dyn std::error::Error + Send + Sync> {
    "the handler died".into()
}

pub struct FakeLedger {
    pub inner: Arc<dyn Ledger>,
    /// The next attempt of that name on a key with this in it fails, and whether a retry may help.
    pub failing: Mutex<Option<(&'static str, &'static str, bool)>>,
    pub fuse: Arc<Fuse>,
    pub last: Last,
}

impl FakeLedger {
    fn failed(attempt: &'static str, key: &str) -> LedgerError {
        LedgerError { attempt, key: key.to_owned(), retryable: true, source: dead() }
    }

    /// Lets the next attempt of that name on a key with this in it fail.
    pub fn fail(&self, attempt: &'static str, within: &'static str, retryable: bool) {
        *self.failing.lock().expect("unpoisoned") = Some((attempt, within, retryable));
    }

    /// Whether the failure that was asked for has happened.
    pub fn has_failed(&self) -> bool {
        self.failing.lock().expect("unpoisoned").is_none()
    }

    fn due(&self, attempt: &'static str, key: &str) -> Result<(), LedgerError> {
        let mut failing = self.failing.lock().expect("unpoisoned");
        match failing.take_if(|(name, within, _)| *name == attempt && key.contains(*within)) {
            Some((_, _, retryable)) => Err(LedgerError { retryable, ..Self::failed(attempt, key) }),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Ledger for FakeLedger {
    async fn create(&self, key: &str, value: Vec<u8>) -> Result<Created, LedgerError> {
        self.due("create", key)?;
        let work = self.inner.create(key, value);
        self.fuse.run(self.last, work).await.unwrap_or_else(|| Err(Self::failed("create", key)))
    }

    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        self.due("read", key)?;
        self.fuse.run(self.last, self.inner.read(key)).await.unwrap_or_else(|| Err(Self::failed("read", key)))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, LedgerError> {
        self.due("list", prefix)?;
        self.fuse.run(self.last, self.inner.list(prefix)).await.unwrap_or_else(|| Err(Self::failed("list", prefix)))
    }
}

/// The rule `fake.fires` fires; `fake.asks` needs state, and fires when a statement begins with `bad`; `fake.unsure` cannot tell with state either;
/// `fake.breaks` cannot be evaluated.
pub struct FakeRules {
    pub rules: Vec<&'static str>,
    pub remedy: &'static str,
}

impl Rules for FakeRules {
    fn candidates(&self, _: &Change<'_>) -> Vec<Candidate<'_>> {
        let candidate = |id: &&'static str| Candidate {
            id,
            controls: &[],
            severity: Severity::High,
            remedy: Some(self.remedy).filter(|remedy| !remedy.is_empty()),
            state: Some("Fake"),
        };
        self.rules.iter().map(candidate).collect()
    }

    fn evaluate(
        &self,
        rule: &str,
        _: &Change<'_>,
        state: Option<&State>,
    ) -> Result<Verdict, Box<dyn std::error::Error + Send + Sync>> {
        match (rule, state) {
            ("fake.fires", _) => Ok(Verdict::Fires),
            ("fake.asks", None) | ("fake.unsure", _) => {
                Ok(Verdict::NeedsState(vec![Doubt::new("request", "is left out")]))
            }
            ("fake.asks", Some(state)) if statements_of(&state.image).iter().any(|id| id.starts_with("bad")) => {
                Ok(Verdict::Fires)
            }
            ("fake.breaks", _) => Err("no such key".into()),
            _ => Ok(Verdict::Silent),
        }
    }

    fn finding(&self, rule: &str, change: &Change<'_>, state: Option<&State>, found_at: Timestamp) -> Option<Finding> {
        let remedy = Some(self.remedy.to_owned()).filter(|remedy| !remedy.is_empty());
        Some(finding_on(change.summary(), rule, remedy, state.is_some(), found_at))
    }
}

pub fn finding_on(
    change: ChangeSummary,
    rule: &str,
    remedy: Option<String>,
    from_state: bool,
    found_at: Timestamp,
) -> Finding {
    Finding {
        id: FindingId::of(change.cloud, &change.uid, rule),
        rule: rule.to_owned(),
        title: "A bad statement was added".to_owned(),
        severity: Severity::High,
        duty: Duty {
            area: Area::ConfigurationAndSettings,
            service: "Fake".to_owned(),
            model: ServiceModel::Paas,
            owner: Party::Customer,
        },
        why: "It is bad.".to_owned(),
        respond: vec!["Ask.".to_owned()],
        controls: Vec::new(),
        references: Vec::new(),
        remedy,
        change,
        effects: Effects::none(),
        from_state,
        request: Value::Null,
        response: Value::Null,
        found_at,
    }
}

pub const NOW: &str = "2026-11-02T10:00:05Z";

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

pub fn change<'a>() -> Change<'a> {
    Change {
        uid: "e-1/../x".into(),
        time: at("2026-11-02T10:00:00Z"),
        cloud: Cloud::Aws,
        account: "111122223333".into(),
        region: "eu-central-1".into(),
        source: "aws.cloudtrail",
        service: "fake".into(),
        action: "Add".into(),
        action_raw: "Add".into(),
        read_only: false,
        actor: Actor {
            kind: "AssumedRole".into(),
            id: "arn:aws:sts::111122223333:assumed-role/dev/alice".into(),
            principal: "AROAEXAMPLEID:alice".into(),
            account: "111122223333".into(),
            issuer: Some("AROAEXAMPLEID".into()),
            ..Actor::default()
        },
        origin: Origin::default(),
        resources: vec![Resource::new("Fake", "arn:aws:fake:::it", "it")],
        outcome: Outcome::Succeeded,
        request: Document::absent(),
        response: Document::absent(),
        record: Document::absent(),
        text: "{}",
        derive: |_| Effects::none(),
        effects: OnceLock::new(),
    }
}

/// Reads a kept record again.
pub fn decode<'a>(source: &str, text: &'a str) -> Result<Change<'a>, Box<dyn std::error::Error + Send + Sync>> {
    if source != "aws.cloudtrail" || text != "{}" {
        return Err("no such record".into());
    }
    Ok(change())
}

/// A clock that only tests move.
pub struct FakeClock(Mutex<Timestamp>);

impl FakeClock {
    pub fn set(&self, now: &str) {
        *self.0.lock().expect("unpoisoned") = at(now);
    }

    pub fn pass(&self, span: SignedDuration) {
        let mut now = self.0.lock().expect("unpoisoned");
        *now = now.checked_add(span).expect("in range");
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("unpoisoned")
    }
}

pub struct NoPause;

#[async_trait]
impl Pause for NoPause {
    async fn pause(&self, _: u32) {}
}

/// Remembers what it was told, by notice key.
pub struct FakeSink {
    pub name: &'static str,
    pub told: Mutex<Vec<Notice>>,
    /// Fails this often, with this retryability, before it takes anything.
    pub failures: Mutex<Vec<bool>>,
    pub fuse: Arc<Fuse>,
    pub last: Last,
}

impl FakeSink {
    pub fn kinds(&self) -> Vec<&'static str> {
        self.told.lock().expect("unpoisoned").iter().map(Notice::kind).collect()
    }

    /// What a receiver sees that drops ids it knows.
    pub fn distinct(&self) -> Vec<&'static str> {
        let mut seen = BTreeSet::new();
        let told = self.told.lock().expect("unpoisoned");
        told.iter().filter(|notice| seen.insert(notice.key())).map(Notice::kind).collect()
    }
}

#[async_trait]
impl Sink for FakeSink {
    fn name(&self) -> &str {
        self.name
    }

    async fn tell(&self, notice: &Notice) -> Result<(), SinkError> {
        let failed = |retryable| SinkError { sink: self.name.to_owned(), retryable, source: dead() };
        if let Some(retryable) = self.failures.lock().expect("unpoisoned").pop() {
            return Err(failed(retryable));
        }
        let work = async { self.told.lock().expect("unpoisoned").push(notice.clone()) };
        self.fuse.run(self.last, work).await.ok_or_else(|| failed(true))
    }
}

pub struct FakeQueue {
    pub jobs: Mutex<Vec<Job>>,
    /// Fails this often, with this retryability, before it takes anything.
    pub failures: Mutex<Vec<bool>>,
    pub fuse: Arc<Fuse>,
    pub last: Last,
}

#[async_trait]
impl ResponseQueue for FakeQueue {
    async fn enqueue(&self, job: &Job, _about: &Finding) -> Result<(), QueueError> {
        if let Some(retryable) = self.failures.lock().expect("unpoisoned").pop() {
            return Err(QueueError { retryable, source: dead() });
        }
        let work = async { self.jobs.lock().expect("unpoisoned").push(job.clone()) };
        self.fuse.run(self.last, work).await.ok_or_else(|| QueueError { retryable: true, source: dead() })
    }
}

/// Keeps what it is told of.
#[derive(Default)]
pub struct Gauge(Mutex<Vec<onus_pipeline::Containment>>);

impl Gauge {
    /// The findings that were contained, in the order of their figures.
    pub fn contained(&self) -> Vec<FindingId> {
        self.0.lock().expect("unpoisoned").iter().map(|containment| containment.finding.clone()).collect()
    }
}

#[async_trait]
impl onus_pipeline::Meter for Gauge {
    async fn contained(&self, containment: &onus_pipeline::Containment) {
        self.0.lock().expect("unpoisoned").push(containment.clone());
    }
}

/// Everything together.
pub struct World {
    pub fuse: Arc<Fuse>,
    pub store: Arc<dyn Ledger>,
    pub ledger: Arc<FakeLedger>,
    pub cloud: Arc<FakeCloud>,
    pub sinks: Vec<Arc<FakeSink>>,
    pub queue: Arc<FakeQueue>,
    pub clock: Arc<FakeClock>,
    pub policy: Arc<Policy>,
    pub rules: Arc<FakeRules>,
    pub links: Option<Arc<ApprovalLinks>>,
    pub meter: Arc<Gauge>,
}

impl World {
    /// A world whose resource has two bad statements and a good one, with this `onus.yaml` and this remedy.
    pub fn new(yaml: &str, rules: &[&'static str], remedy: &'static str) -> Self {
        Self::dying(yaml, rules, remedy, Last::Lost)
    }

    pub fn dying(yaml: &str, rules: &[&'static str], remedy: &'static str, last: Last) -> Self {
        let fuse = Fuse::never();
        let store = onus_ledger::open("memory://", &onus_ledger::Options::default()).expect("memory opens");
        let sink = |name| {
            let (told, failures) = (Mutex::default(), Mutex::default());
            Arc::new(FakeSink { name, told, failures, fuse: Arc::clone(&fuse), last })
        };
        let config = Config::<Nowhere>::parse("onus.yaml", yaml).expect("a good configuration");
        Self {
            ledger: Arc::new(FakeLedger {
                inner: Arc::clone(&store),
                failing: Mutex::default(),
                fuse: Arc::clone(&fuse),
                last,
            }),
            cloud: Arc::new(FakeCloud {
                statements: Mutex::new(["bad-1", "bad-2", "good"].map(str::to_owned).into()),
                writes: Mutex::default(),
                tags: Mutex::default(),
                refusals: Mutex::default(),
                stale: Mutex::default(),
                staleness: 0,
                meanwhile: Mutex::default(),
                fuse: Arc::clone(&fuse),
                last,
            }),
            sinks: vec![sink("one"), sink("two")],
            queue: Arc::new(FakeQueue {
                jobs: Mutex::default(),
                failures: Mutex::default(),
                fuse: Arc::clone(&fuse),
                last,
            }),
            clock: Arc::new(FakeClock(Mutex::new(at(NOW)))),
            policy: Arc::new(Policy::from(&config)),
            rules: Arc::new(FakeRules { rules: rules.to_vec(), remedy }),
            links: None,
            meter: Arc::default(),
            store,
            fuse,
        }
    }

    pub fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn records(&self) -> Records {
        let ledger: Arc<dyn Ledger> = self.ledger.clone();
        Records::new(ledger)
    }

    /// Looks at the ledger without counting operations.
    pub fn truth(&self) -> Records {
        Records::new(Arc::clone(&self.store))
    }

    fn dyn_sinks(&self) -> Vec<Arc<dyn Sink>> {
        self.sinks.iter().map(|sink| Arc::clone(sink) as Arc<dyn Sink>).collect()
    }

    pub fn auditor(&self) -> Auditor {
        Auditor {
            rules: self.rules.clone(),
            policy: self.policy.clone(),
            records: self.records(),
            sinks: self.dyn_sinks(),
            caller: Some(self.cloud.clone()),
            account: Some("111122223333".to_owned()),
            readers,
            remediations,
            tags: tag_source,
            queue: Some(self.queue.clone()),
            clock: self.clock.clone(),
        }
    }

    pub fn responder(&self) -> Responder {
        Responder {
            policy: self.policy.clone(),
            records: self.records(),
            sinks: self.dyn_sinks(),
            caller: self.cloud.clone(),
            account: Some("111122223333".to_owned()),
            remediations,
            tags: tag_source,
            clock: self.clock.clone(),
            links: self.links.clone(),
            pause: Arc::new(NoPause),
            meter: self.meter.clone(),
            lease: SignedDuration::from_mins(5),
        }
    }

    /// A responder over many resources.
    pub fn responder_of(&self, estate: &Arc<Estate>) -> Responder {
        Responder { caller: estate.clone(), remediations: estate_remediations, ..self.responder() }
    }

    /// Keeps a finding on a resource of an estate, made now; with a statement it is about that one alone.
    pub async fn found_on(&self, uid: &str, resource: &str, statement: Option<&str>, actor: Actor<'static>) -> Finding {
        let request = statement.map_or(Value::Null, |id| serde_json::json!({ "id": id }));
        self.keep_found(uid, resource, actor, Origin::default(), request).await
    }

    /// The same by a client that calls itself so.
    pub async fn found_by(&self, uid: &str, resource: &str, actor: Actor<'static>, user_agent: &str) -> Finding {
        let origin = Origin { address: "198.51.100.7".into(), user_agent: user_agent.to_owned().into() };
        self.keep_found(uid, resource, actor, origin, Value::Null).await
    }

    async fn keep_found(
        &self,
        uid: &str,
        resource: &str,
        actor: Actor<'static>,
        origin: Origin<'static>,
        request: Value,
    ) -> Finding {
        let change = Change {
            uid: uid.to_owned().into(),
            time: self.clock.now(),
            resources: vec![Resource::new("Fake", format!("arn:aws:fake:::{resource}"), resource.to_owned())],
            actor,
            origin,
            ..change()
        };
        let remedy = Some("estate.auto".to_owned());
        let mut finding = finding_on(change.summary(), "fake.fires", remedy, false, self.clock.now());
        finding.request = request;
        let bytes = serde_json::to_vec(&finding).expect("serialises");
        self.store.create(&format!("findings/{}.json", finding.id), bytes).await.expect("creates");
        finding
    }

    /// The finding of `fake.fires`, audited.
    pub async fn found(&self) -> FindingId {
        self.auditor().handle(&change()).await.expect("audited");
        FindingId::of(Cloud::Aws, &change().uid, "fake.fires")
    }

    /// Every key in the ledger.
    pub async fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        for top in [
            "claims",
            "records",
            "findings",
            "exempted",
            "exempting",
            "reviewed",
            "days",
            "asked",
            "judged",
            "told",
            "plans",
            "waiting",
            "settled",
            "requests",
            "decisions",
            "attempts",
            "receipts",
            "alarms",
            "budgets",
            "contests",
            "evidence",
            "locks",
        ] {
            keys.extend(self.store.list(top).await.expect("lists"));
        }
        keys
    }
}

pub fn approve(finding: &FindingId) -> Job {
    Job::Approve { finding: finding.clone(), by: "alice".to_owned(), plan: None }
}

pub fn deny(finding: &FindingId) -> Job {
    Job::Deny { finding: finding.clone(), by: "bob".to_owned() }
}

pub fn undo(finding: &FindingId) -> Job {
    Job::Undo { finding: finding.clone(), by: "carol".to_owned() }
}

/// Retries as a queue would, a lease apart, until it is done.
pub async fn until_done<T>(world: &World, mut work: impl AsyncFnMut() -> Result<T, HandleError>) -> T {
    for _ in 0..5 {
        match work().await {
            Ok(done) => return done,
            Err(error) => assert!(error.is_retryable(), "{error:?}"),
        }
        world.clock.pass(SignedDuration::from_mins(6));
    }
    panic!("never done");
}
