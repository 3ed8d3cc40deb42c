//! The real respond function behind a proxy that spoils one of its calls, or kills it over one: the matrix of calls and faults.

pub mod proxy;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cloudtrail::{event, record};
use crate::lambda::Function;
use crate::local_aws::LocalAws;
use crate::stage::{Stage, batch, binary, returned};
use proxy::Proxy;

/// How long the binary under test holds a resource at most, in seconds.
const LEASE: u64 = 40;
/// How long others leave a resource alone that a killed handler held: its lease, and how far clocks may be apart, which is a third of a short
/// lease (`pipeline/src/lock.rs`).
const HELD: Duration = Duration::from_secs(LEASE + LEASE / 3 + 2);
/// Every cell is a response to the same rule in the same hour: the budget is another test's.
const CONFIG: &str =
    "{ modes: { default: enforce }, settings: { budget: { per_rule: 9999, per_account: 9999, total: 9999 } } }";
/// What the functions log, to standard error: nothing that would tear the matrix apart.
const LOG: &str = "warn";
/// How often a message is delivered before the handler is given time.
const DELIVERIES: u32 = 3;

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The service answers that there are too many requests, and does nothing.
    Throttled,
    /// The service answers 500 and does nothing.
    Failed,
    /// The answer comes late.
    Delayed,
    /// The connection is cut before the service sees the request.
    CutBefore,
    /// The service does its work, and the connection is cut before the answer.
    CutAfter,
    /// The function is killed before the service sees the request.
    KilledBefore,
    /// The service does its work, and the function is killed before the answer.
    KilledAfter,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 7] = [
        Self::Throttled,
        Self::Failed,
        Self::Delayed,
        Self::CutBefore,
        Self::CutAfter,
        Self::KilledBefore,
        Self::KilledAfter,
    ];
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Throttled => "throttled",
            Self::Failed => "500",
            Self::Delayed => "late",
            Self::CutBefore => "cut before",
            Self::CutAfter => "cut after",
            Self::KilledBefore => "kill before",
            Self::KilledAfter => "kill after",
        })
    }
}

/// What became of one call and fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// How often the message was delivered until it was done.
    pub deliveries: u32,
    /// What is not as it has to be; empty when the violation was closed once and nothing was lost.
    pub wrong: Vec<String>,
}

/// A response that may not be done yet.
struct Begun {
    queue: String,
    finding: String,
    deliveries: u32,
    done: bool,
    seen: Vec<proxy::Seen>,
}

/// The stage, the proxy, and the function that found what is to be taken back.
pub struct Bench {
    stage: Stage,
    proxy: Proxy,
    audit: Function,
    played: u32,
    /// Every notice so far.
    told: RefCell<Vec<String>>,
}

impl Bench {
    /// A local AWS with a proxy before it.
    pub fn new() -> Self {
        let stage = Stage::new(LocalAws::moto());
        let proxy = Proxy::start(&stage.aws.url);
        let audit = Function::start(&binary("aws-audit"), stage.env_with(&[("ONUS_LOG", LOG)]));
        Self { stage, proxy, audit, played: 0, told: RefCell::default() }
    }

    /// The calls of one undisturbed response, in order.
    pub fn calls(&mut self) -> Vec<String> {
        let begun = self.begin(None);
        let (cell, calls) = self.judge(begun);
        assert_eq!(cell, Cell { deliveries: 1, wrong: Vec::new() }, "an undisturbed response");
        calls.into_iter().map(|call| call.name).collect()
    }

    /// Spoils one call in each of these ways: the call's number from 0, and the fault. Responses whose handler was killed, or whose lease nobody
    /// knows the owner of, are finished together, once their leases have ended.
    pub fn spoil(&mut self, cells: &[(usize, Fault)]) -> Vec<Cell> {
        let mut begun: Vec<Begun> = cells.iter().map(|(call, fault)| self.begin(Some((*call, *fault)))).collect();
        if begun.iter().any(|begun| !begun.done) {
            std::thread::sleep(HELD);
        }
        let mut function = self.respond();
        for unfinished in begun.iter_mut().filter(|begun| !begun.done) {
            self.proxy.arm(None);
            self.deliver(&mut function, unfinished);
        }
        begun.into_iter().map(|begun| self.judge(begun).0).collect()
    }

    fn respond(&self) -> Function {
        let (url, lease) = (self.proxy.url.clone(), LEASE.to_string());
        let env = self.stage.env_with(&[
            ("AWS_ENDPOINT_URL", &url),
            ("ONUS_LEASE_SECONDS", &lease),
            ("ONUS_LOG", LOG),
            ("ONUS_CONFIG", CONFIG),
        ]);
        let function = Function::start(&binary("aws-respond"), env);
        self.proxy.victim(function.id());
        // Its own warming up is not part of the response.
        function.settled();
        function
    }

    /// Makes a violation, has it found, and delivers the message until it is done, or the handler is killed, or others have to wait.
    fn begin(&mut self, spoilt: Option<(usize, Fault)>) -> Begun {
        self.played += 1;
        let queue = format!("orders-{}", self.played);
        let finding = self.find(&queue);
        let mut begun = Begun { queue, finding, deliveries: 0, done: false, seen: Vec::new() };
        let mut function = self.respond();
        self.proxy.arm(spoilt);
        self.deliver(&mut function, &mut begun);
        begun
    }

    /// Delivers the message at most [`DELIVERIES`] times.
    fn deliver(&self, function: &mut Function, begun: &mut Begun) {
        let message = batch(&[json!({ "respond": begun.finding }).to_string()]);
        for _ in 0..DELIVERIES {
            begun.deliveries += 1;
            match function.try_invoke(&message) {
                None => break,
                Some(answer) if returned(answer.clone())["batchItemFailures"] == json!([]) => {
                    begun.done = true;
                    break;
                }
                Some(_) => {}
            }
        }
        begun.seen.extend(self.proxy.disarm());
    }

    /// What became of a response that was begun, and the calls it took.
    fn judge(&self, begun: Begun) -> (Cell, Vec<proxy::Seen>) {
        let mut wrong = self.wrongs(&begun);
        if !begun.done {
            wrong.push(format!("not done after {} deliveries", begun.deliveries));
        }
        (Cell { deliveries: begun.deliveries, wrong }, begun.seen)
    }

    /// Makes a queue public and has it found.
    fn find(&self, queue: &str) -> String {
        let arn = format!("arn:aws:sqs:us-east-1:{}:{queue}", crate::local_aws::ACCOUNT);
        let statement = |sid: &str, principal: Value, action: &str| json!({ "Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": arn });
        let root = format!("arn:aws:iam::{}:root", crate::local_aws::ACCOUNT);
        let policy = json!({ "Version": "2012-10-17", "Statement": [
            statement("ShopSends", json!({ "AWS": root }), "sqs:SendMessage"),
            statement("Everybody", json!("*"), "sqs:*"),
        ] })
        .to_string();
        let url = self.stage.client.call("sqs", "CreateQueue", json!({ "QueueName": queue }))["QueueUrl"].clone();
        let attributes = json!({ "Policy": policy });
        self.stage.client.call("sqs", "SetQueueAttributes", json!({ "QueueUrl": url, "Attributes": attributes }));
        let request = json!({ "queueUrl": url, "attributes": attributes });
        let record = record(queue, "sqs", "SetQueueAttributes", request, Value::Null);
        let report = returned(self.audit.invoke(&event(&record)));
        let findings = report["findings"].as_array().expect("a list").iter();
        let mut ours = findings.filter(|finding| finding[1] == "aws.sqs.queue_made_public");
        self.stage.messages(&self.stage.responses);
        ours.next().unwrap_or_else(|| panic!("not found: {report}"))[0].as_str().expect("an id").to_owned()
    }

    /// What must be true once the message is done, whatever happened.
    fn wrongs(&self, begun: &Begun) -> Vec<String> {
        let Begun { queue, finding, seen, .. } = begun;
        let mut wrong = Vec::new();
        let sids = self.sids(queue);
        if sids != ["ShopSends"] {
            wrong.push(format!("the queue's policy holds {sids:?}"));
        }
        let writes = seen.iter().filter(|call| call.name == "sqs SetQueueAttributes" && call.served).count();
        if writes != 1 {
            wrong.push(format!("{writes} writes"));
        }
        let receipts = self.receipts(finding);
        if receipts.len() != 1 || receipts.values().any(|receipt| receipt["outcome"] != "verified") {
            wrong.push(format!("receipts {receipts:?}"));
        }
        self.told.borrow_mut().extend(self.stage.messages(&self.stage.told));
        if !self
            .told
            .borrow()
            .iter()
            .any(|notice| notice.contains("io.onus.finding.responded") && notice.contains(finding.as_str()))
        {
            wrong.push("nobody was told".to_owned());
        }
        let dead = self.stage.messages(&self.stage.dead);
        if !dead.is_empty() {
            wrong.push(format!("put aside: {dead:?}"));
        }
        wrong
    }

    fn sids(&self, queue: &str) -> Vec<String> {
        let url = self.stage.client.call("sqs", "GetQueueUrl", json!({ "QueueName": queue }))["QueueUrl"].clone();
        let asked = json!({ "QueueUrl": url, "AttributeNames": ["Policy"] });
        let answer = self.stage.client.call("sqs", "GetQueueAttributes", asked);
        let policy: Value = answer["Attributes"]["Policy"]
            .as_str()
            .and_then(|policy| serde_json::from_str(policy).ok())
            .unwrap_or_default();
        let statements = policy["Statement"].as_array().into_iter().flatten();
        statements.map(|statement| statement["Sid"].as_str().unwrap_or_default().to_owned()).collect()
    }

    fn receipts(&self, finding: &str) -> BTreeMap<String, Value> {
        let listed = json!({ "Bucket": "onus-ledger", "Prefix": format!("receipts/{finding}/") });
        let listed = self.stage.client.call("s3", "ListObjectsV2", listed);
        let keys = listed["Contents"].as_array().into_iter().flatten().filter_map(|entry| entry["Key"].as_str());
        keys.map(|key| {
            let object = self.stage.client.call("s3", "GetObject", json!({ "Bucket": "onus-ledger", "Key": key }));
            let receipt = serde_json::from_str(object["Body"].as_str().expect("a body")).expect("a receipt");
            (key.to_owned(), receipt)
        })
        .collect()
    }
}

impl Default for Bench {
    fn default() -> Self {
        Self::new()
    }
}
