//! What the handlers are put together from here: real rules, a ledger in memory that may fail, queues that remember.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use onus_core::{Call, CallError, CallErrorKind, Caller, Clock, Cloud, Created, Ledger, LedgerError};
use onus_host::{
    DeadLetters, JobQueue, Lookup, LookupError, LookupPage, MessageResponder, PayloadAuditor, Queue, Rules, Sweep,
};
use onus_pipeline::{Auditor, Pause, Policy, QueueError, Records, Responder};
use onus_rules::{Catalog, Settings};
use serde_json::Value;
use tower_service::Service as _;

pub(crate) const NOW: &str = "2026-11-02T10:00:00Z";

/// The time stands still.
pub(crate) struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        NOW.parse().expect("a moment")
    }
}

struct AtOnce;

#[async_trait]
impl Pause for AtOnce {
    async fn pause(&self, _: u32) {}
}

/// A log with one record, whatever stretch of it is asked for.
struct Log(String);

#[async_trait]
impl Lookup for Log {
    async fn page(&self, _: Timestamp, _: Timestamp, _: Option<String>) -> Result<LookupPage, LookupError> {
        Ok(LookupPage { records: vec![self.0.clone()], next: None })
    }
}

/// Refuses every call.
struct Deaf;

#[async_trait]
impl Caller for Deaf {
    async fn call(&self, call: &Call) -> Result<Value, CallError> {
        Err(CallError {
            call: call.name(),
            kind: CallErrorKind::Denied,
            code: "Denied".to_owned(),
            message: String::new(),
        })
    }
}

/// A ledger that can be switched off.
pub(crate) struct Switched {
    inner: Arc<dyn Ledger>,
    off: AtomicBool,
}

impl Switched {
    fn check(&self, attempt: &'static str, key: &str) -> Result<(), LedgerError> {
        if !self.off.load(Ordering::SeqCst) {
            return Ok(());
        }
        Err(LedgerError { attempt, key: key.to_owned(), retryable: true, source: "switched off".into() })
    }
}

#[async_trait]
impl Ledger for Switched {
    async fn create(&self, key: &str, value: Vec<u8>) -> Result<Created, LedgerError> {
        self.check("create", key)?;
        self.inner.create(key, value).await
    }

    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        self.check("read", key)?;
        self.inner.read(key).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, LedgerError> {
        self.check("list", prefix)?;
        self.inner.list(prefix).await
    }
}

/// A queue that remembers, and refuses while it is told to.
#[derive(Default)]
pub(crate) struct Heap {
    messages: Mutex<Vec<(String, String)>>,
    refuses: AtomicBool,
}

impl Heap {
    pub(crate) fn messages(&self) -> Vec<(String, String)> {
        self.messages.lock().expect("unpoisoned").clone()
    }

    pub(crate) fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::SeqCst);
    }
}

#[async_trait]
impl Queue for Heap {
    fn longest(&self) -> usize {
        48 * 1024
    }

    async fn send(&self, message: &str, order: &str) -> Result<(), QueueError> {
        if self.refuses.load(Ordering::SeqCst) {
            return Err(QueueError { retryable: true, source: "full".into() });
        }
        self.messages.lock().expect("unpoisoned").push((message.to_owned(), order.to_owned()));
        Ok(())
    }
}

pub(crate) struct World {
    pub(crate) ledger: Arc<Switched>,
    pub(crate) jobs: Arc<Heap>,
    pub(crate) letters: Arc<Heap>,
}

impl World {
    pub(crate) fn new() -> Self {
        let inner = onus_ledger::open("memory://", &onus_ledger::Options::default()).expect("memory opens");
        let ledger = Arc::new(Switched { inner, off: AtomicBool::new(false) });
        Self { ledger, jobs: Arc::default(), letters: Arc::default() }
    }

    pub(crate) fn switch_off(&self, off: bool) {
        self.ledger.off.store(off, Ordering::SeqCst);
    }

    pub(crate) fn records(&self) -> Records {
        Records::new(Arc::clone(&self.ledger) as Arc<dyn Ledger>)
    }

    fn policy() -> Arc<Policy> {
        let config = onus_host::Config::parse("onus.yaml", "modes: { default: plan }").expect("reads");
        Arc::new(Policy::from(&config))
    }

    pub(crate) fn dead_letters(&self) -> DeadLetters {
        DeadLetters::new(Some(Arc::clone(&self.letters) as Arc<dyn Queue>))
    }

    pub(crate) fn auditor(&self) -> PayloadAuditor {
        let auditor = Auditor {
            rules: Arc::new(Rules::new(Cow::Borrowed(Catalog::embedded()), Settings::default())),
            policy: Self::policy(),
            records: self.records(),
            sinks: Vec::new(),
            caller: Some(Arc::new(Deaf)),
            account: None,
            readers: |kind| onus_host::clouds::state_readers().find(|reader| reader.kind() == kind),
            remediations: onus_host::clouds::remediation,
            tags: |_, _| None,
            queue: Some(Arc::new(JobQueue(Arc::clone(&self.jobs) as Arc<dyn Queue>))),
            clock: Arc::new(Still),
        };
        PayloadAuditor::new(auditor, self.dead_letters())
    }

    pub(crate) fn responder(&self) -> MessageResponder {
        let responder = Responder {
            policy: Self::policy(),
            records: self.records(),
            sinks: Vec::new(),
            caller: Arc::new(Deaf),
            account: None,
            remediations: onus_host::clouds::remediation,
            tags: |_, _| None,
            clock: Arc::new(Still),
            pause: Arc::new(AtOnce),
            links: None,
            meter: Arc::new(()),
            lease: SignedDuration::from_mins(6),
        };
        MessageResponder::new(responder, "onus/".to_owned())
    }

    /// What reads a log that holds one record.
    pub(crate) fn sweep(&self, cloud: Cloud, record: &Value) -> Sweep {
        Sweep {
            audit: Arc::new(self.auditor()),
            lookup: Arc::new(Log(record.to_string())),
            ledger: Arc::clone(&self.ledger) as Arc<dyn Ledger>,
            clock: Arc::new(Still),
            cloud,
            region: "global".to_owned(),
            baseline: None,
        }
    }

    /// How many findings the ledger holds.
    pub(crate) async fn findings(&self) -> usize {
        self.ledger.inner.list("findings").await.expect("the ledger lists").len()
    }
}

/// Sends one request to a handler: the status, and the body.
pub(crate) async fn ask(router: &Router, request: Request<Body>) -> (StatusCode, String) {
    let answer = router.clone().call(request).await.expect("a router always answers");
    let status = answer.status();
    let body = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
    (status, String::from_utf8(body.to_vec()).expect("text"))
}

/// The text of a fixture below `events/`.
pub(crate) fn fixture(path: &str) -> String {
    let path = format!("{}/../../events/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).expect("a fixture of the repository")
}
