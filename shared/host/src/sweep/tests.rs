use std::borrow::Cow;
use std::sync::Mutex;

use onus_core::{Call, CallError, Caller};
use onus_pipeline::{Auditor, Policy, Records};
use onus_rules::{Catalog, Settings};
use serde_json::{Value, json};

use super::*;
use crate::dead_letters::DeadLetters;
use crate::rules::Rules;

const NOW: &str = "2026-01-31T12:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

struct Fixed(Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Refuses every call: a sweep of these records needs none.
struct Deaf;

#[async_trait]
impl Caller for Deaf {
    async fn call(&self, call: &Call) -> Result<Value, CallError> {
        let kind = onus_core::CallErrorKind::Denied;
        Err(CallError { call: call.name(), kind, code: "AccessDenied".to_owned(), message: String::new() })
    }
}

/// A log with one record on two pages of every stretch, and what was asked of it.
#[derive(Default)]
struct Log {
    asked: Mutex<Vec<(Timestamp, Timestamp)>>,
    fails: bool,
}

#[async_trait]
impl Lookup for Log {
    async fn page(&self, from: Timestamp, to: Timestamp, next: Option<String>) -> Result<LookupPage, LookupError> {
        if self.fails {
            return Err(LookupError { from, to, source: "throttled".into() });
        }
        if next.is_some() {
            return Ok(LookupPage::default());
        }
        self.asked.lock().unwrap().push((from, to));
        let record = json!({
            "eventVersion": "1.11", "eventID": "e-1", "eventTime": "2026-01-31T11:00:00Z", "eventName": "StopLogging",
            "eventSource": "cloudtrail.amazonaws.com", "awsRegion": "us-east-1", "recipientAccountId": "111122223333",
            "userIdentity": { "type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/alice" },
            "requestParameters": { "name": "trail" }, "responseElements": null, "readOnly": false, "eventType": "AwsApiCall",
        });
        Ok(LookupPage { records: vec![record.to_string()], next: Some("2".to_owned()) })
    }
}

fn sweep(log: &Arc<Log>, ledger: &Arc<dyn Ledger>, now: &str) -> Sweep {
    let caller: Arc<dyn Caller> = Arc::new(Deaf);
    let auditor = Auditor {
        rules: Arc::new(Rules::new(Cow::Borrowed(Catalog::embedded()), Settings::default())),
        policy: Arc::new(Policy::default()),
        records: Records::new(Arc::clone(ledger)),
        sinks: Vec::new(),
        caller: Some(Arc::clone(&caller)),
        account: None,
        readers: onus_aws::state_reader,
        remediations: onus_aws::remediation,
        tags: onus_aws::tag_source,
        queue: None,
        clock: Arc::new(Fixed(at(now))),
    };
    let audit = Arc::new(PayloadAuditor::new(auditor, DeadLetters::default()));
    let lookup = Arc::clone(log) as Arc<dyn Lookup>;
    Sweep {
        audit,
        lookup,
        ledger: Arc::clone(ledger),
        clock: Arc::new(Fixed(at(now))),
        cloud: Cloud::Aws,
        region: "us-east-1".to_owned(),
        baseline: None,
    }
}

fn memory() -> Arc<dyn Ledger> {
    onus_ledger::open("memory://", &onus_ledger::Options::default()).unwrap()
}

#[tokio::test]
async fn the_first_sweep_reaches_back_an_hour_and_the_next_goes_on_from_there() {
    let (log, ledger) = (Arc::new(Log::default()), memory());
    let swept = sweep(&log, &ledger, NOW).run(Timestamp::MAX).await.unwrap();
    assert_eq!((swept.slices, swept.changes, swept.until), (4, 4, Some(at(NOW))));
    assert!(swept.findings >= 4, "the stopped trail is found in every slice: {swept:?}");

    let swept = sweep(&log, &ledger, "2026-01-31T12:10:00Z").run(Timestamp::MAX).await.unwrap();
    assert_eq!(swept.slices, 1);
    let asked = log.asked.lock().unwrap();
    assert_eq!(asked.first().unwrap().0, at("2026-01-31T10:40:00Z"), "an hour and the overlap");
    assert_eq!(*asked.last().unwrap(), (at("2026-01-31T11:40:00Z"), at("2026-01-31T12:10:00Z")));
}

#[tokio::test]
async fn a_checkpoint_of_an_earlier_day_is_found() {
    let (log, ledger) = (Arc::new(Log::default()), memory());
    sweep(&log, &ledger, "2026-01-29T23:59:00Z").run(Timestamp::MAX).await.unwrap();
    log.asked.lock().unwrap().clear();
    sweep(&log, &ledger, NOW).run(Timestamp::MAX).await.unwrap();
    assert_eq!(log.asked.lock().unwrap().first().unwrap().0, at("2026-01-29T23:39:00Z"));
}

#[tokio::test]
async fn a_slice_that_was_not_finished_has_no_checkpoint() {
    let ledger = memory();
    let failing = Arc::new(Log { fails: true, ..Log::default() });
    let error = sweep(&failing, &ledger, NOW).run(Timestamp::MAX).await.unwrap_err();
    assert_eq!(error.kind(), "Lookup");
    let late = sweep(&Arc::new(Log::default()), &ledger, NOW).run(at(NOW)).await.unwrap();
    assert_eq!(late, Swept::default(), "no time was left");
    assert_eq!(ledger.list("sweeps/us-east-1").await.unwrap(), Vec::<String>::new());
}

/// A log that fails after another sweep has run.
struct Overtaken(Sweep);

#[async_trait]
impl Lookup for Overtaken {
    async fn page(&self, from: Timestamp, to: Timestamp, _: Option<String>) -> Result<LookupPage, LookupError> {
        let swept = self.0.run(Timestamp::MAX).await.unwrap();
        assert_eq!(swept, Swept::default(), "somebody is at it");
        Err(LookupError { from, to, source: "throttled".into() })
    }
}

#[tokio::test]
async fn what_one_sweep_fails_on_no_other_has_passed_meanwhile() {
    let (log, ledger) = (Arc::new(Log::default()), memory());
    let overtaken = Arc::new(Overtaken(sweep(&log, &ledger, "2026-01-31T12:00:01Z")));
    let one = Sweep { lookup: overtaken, ..sweep(&log, &ledger, NOW) };
    one.run(Timestamp::MAX).await.unwrap_err();
    assert!(ledger.list("sweeps/us-east-1").await.unwrap().is_empty());
    let swept = sweep(&log, &ledger, NOW).run(Timestamp::MAX).await.unwrap();
    assert_eq!(swept.slices, 4, "nobody has to wait for one that gave up");
}

#[tokio::test]
async fn a_sweep_that_died_is_waited_out() {
    let (log, ledger) = (Arc::new(Log::default()), memory());
    let records = Records::new(Arc::clone(&ledger));
    let died = lock::take(&records, "sweep/us-east-1/first", at(NOW), SignedDuration::from_mins(15)).await.unwrap();
    assert!(died.is_ok());
    let too_soon = sweep(&log, &ledger, "2026-01-31T12:15:59Z").run(Timestamp::MAX).await.unwrap();
    assert_eq!(too_soon, Swept::default());
    let swept = sweep(&log, &ledger, "2026-01-31T12:16:00Z").run(Timestamp::MAX).await.unwrap();
    assert_eq!(swept.slices, 4);
}
