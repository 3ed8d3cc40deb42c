//! Azure with Onus deployed in it: Resource Manager, a ledger in Blob Storage, and the two functions as the Functions host runs them.

use std::collections::BTreeSet;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use onus_azure::operations::operation;
use onus_azure::{remediations, state_readers, tags};
use onus_pipeline::records::PlanRecord;
use onus_pipeline::{ApprovalKey, ApprovalLinks};
use onus_rules::Catalog;
use onus_tests::http::{Http, Reply};
use onus_tests::links;
use onus_tests::local_azure::{Azurite, LocalAzure, STORAGE_ACCOUNT, STORAGE_KEY};
use onus_tests::stage::binary;
use serde_json::{Value, json};

use crate::changes::Case;
use crate::memory;

/// How the Activity Log reaches the function.
#[derive(Clone, Copy, PartialEq)]
pub enum Shape {
    /// A diagnostic setting's export, by an Event Hub trigger.
    EventHub,
    /// The subscription's system topic, by an Event Grid trigger. Holds no bodies.
    EventGrid,
}

/// One function behind a custom handler's port; ends when dropped.
struct Handler {
    child: Child,
    url: String,
    http: Http,
}

impl Handler {
    /// Starts a binary with only the given environment and waits until it listens.
    fn start(name: &str, env: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|probe| probe.local_addr()).expect("a free port").port();
        let child = Command::new(binary(name))
            .env_clear()
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .envs(env)
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start `{name}`: {error}"));
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "`{name}` does not listen");
            std::thread::yield_now();
        }
        let url = format!("http://127.0.0.1:{port}");
        Self { child, http: Http::new(&url), url }
    }

    /// Invokes it as the host does.
    fn send(&self, name: &str, data: &Value) -> Reply {
        let body = json!({ "Data": { "input": data }, "Metadata": { "sys": { "MethodName": name } } });
        self.http.send("POST", &format!("/{name}"), &[], Some(&body))
    }

    /// The same, where it has to succeed; what it returned.
    fn invoke(&self, name: &str, data: &Value) -> Value {
        let reply = self.send(name, data);
        assert_eq!(reply.status, 200, "{name}: {}", reply.body);
        reply.body["ReturnValue"].clone()
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended by itself
        let _ = self.child.wait();
    }
}

/// See the [module docs](self).
pub struct Platform {
    pub azure: LocalAzure,
    arm: Http,
    storage: Azurite,
    audit: Handler,
    respond: Handler,
    approve: Handler,
}

const LEDGER: &str = "onus-ledger";

impl Platform {
    /// Everything fresh. Every rule may respond as far as its remediation lets it.
    pub fn new() -> Self {
        let (azure, storage) = (LocalAzure::start(), Azurite::start());
        storage.create_container(LEDGER);
        let reads = state_readers().iter().flat_map(|reader| reader.operations()).chain(tags::OPERATIONS);
        let audit = actions(reads.copied());
        let specs = || remediations().iter().map(|remediation| remediation.spec());
        let writes = specs().flat_map(|spec| [spec.reads, spec.writes, spec.undo].concat());
        let respond = actions(writes.chain(tags::OPERATIONS.iter().copied()));
        assert!(audit.iter().all(|action| action.ends_with("/read")), "the audit role only reads: {audit:?}");
        let start = |name: &str, actions: &BTreeSet<&str>| {
            let actions: Vec<&str> = actions.iter().copied().collect();
            let identity = azure.identity(name, Some(&actions));
            let env = [
                ("ONUS_ARM_ENDPOINT", azure.url.clone()),
                ("IDENTITY_ENDPOINT", format!("{}/msi/token", azure.url)),
                ("IDENTITY_HEADER", identity.header),
                ("ONUS_CONFIG", "modes: { default: enforce }".to_owned()),
                ("ONUS_LEDGER", format!("azblob://{LEDGER}/")),
                ("AZURE_STORAGE_ENDPOINT", format!("{}/{STORAGE_ACCOUNT}", storage.blob)),
                ("AZURE_STORAGE_ACCOUNT_NAME", STORAGE_ACCOUNT.to_owned()),
                ("AZURE_STORAGE_ACCOUNT_KEY", STORAGE_KEY.to_owned()),
                ("ONUS_APPROVAL_URL", links::URL.to_owned()),
                ("ONUS_APPROVAL_KEY", links::KEY.to_owned()),
            ];
            Handler::start(name, env)
        };
        let (audit, respond) = (start("azure-audit", &audit), start("azure-respond", &respond));
        let approve = start("azure-approve", &BTreeSet::new());
        Self { arm: Http::new(&azure.url), azure, storage, audit, respond, approve }
    }

    /// Records what is there now, as a baseline does before anything happens.
    pub fn remember(&self) {
        memory::record(&self.azure, &|key, text| {
            self.storage.client.call("blob", "put", json!({ "container": LEDGER, "name": key, "text": text }));
        });
    }

    /// A request of a person who may do everything, followed to its end.
    pub fn arm(&self, method: &str, id: &str, body: Option<Value>) -> Value {
        let headers = [("Authorization", "Bearer owner-token")];
        let send = |method: &str, target: &str, body: Option<&Value>| {
            let reply = self.arm.send(method, target, &headers, body);
            assert!((200..300).contains(&reply.status), "{method} {target}: {reply:?}");
            reply
        };
        let first = send(method, &format!("{}?api-version=2024-01-01", id.replace(' ', "%20")), body.as_ref());
        let header = |line: &str| {
            line.split_once(": ")
                .filter(|(name, _)| name.eq_ignore_ascii_case("azure-asyncoperation"))
                .map(|(_, link)| link.trim().to_owned())
        };
        let Some(link) = first.head.lines().find_map(header) else { return first.body };
        let target = link.strip_prefix(&self.azure.url).expect("it is followed where it was begun");
        while send("GET", target, None).body["status"] == "InProgress" {}
        self.arm.send("GET", &format!("{id}?api-version=2024-01-01"), &headers, None).body
    }

    /// What the change and the remediation act on, as it is now; null when it is not there.
    pub fn read(&self, case: &Case) -> Value {
        self.shown(&case.id, case.show)
    }

    /// What tells of a resource's properties; null when it is not there.
    pub fn shown(&self, id: &str, show: fn(&Value) -> Value) -> Value {
        let target = format!("{}?api-version=2024-01-01", id.replace(' ', "%20"));
        let reply = self.arm.send("GET", &target, &[("Authorization", "Bearer owner-token")], None);
        if reply.status == 404 { Value::Null } else { show(&reply.body["properties"]) }
    }

    /// The records of what was done since a moment, as a trigger brings them.
    fn records(&self, since: usize, shape: Shape) -> Value {
        let name = match shape {
            Shape::EventHub => "event_hub",
            Shape::EventGrid => "event_grid",
        };
        let records: Vec<Value> = self.azure.records(name).into_iter().skip(since).collect();
        match shape {
            // Event Hubs bring a batch of messages, each a text.
            Shape::EventHub => json!([json!({ "records": records }).to_string()]),
            Shape::EventGrid => json!(records),
        }
    }

    /// How many records there are in each shape.
    pub fn mark(&self) -> [usize; 2] {
        ["event_hub", "event_grid"].map(|shape| self.azure.records(shape).len())
    }

    /// The finding whose rule names the case's remediation.
    pub fn find(&self, case: &Case, shape: Shape) -> String {
        let since = case.since[usize::from(shape == Shape::EventGrid)];
        let report = self.audit.invoke("audit", &self.records(since, shape));
        let findings = report["findings"].as_array().unwrap_or_else(|| panic!("no list: {report}"));
        let remedy = |rule: &str| Catalog::embedded().rule(rule).and_then(|rule| rule.remedy.clone());
        let found = findings
            .iter()
            .find(|finding| remedy(finding[1].as_str().expect("a rule")).is_some_and(|remedy| remedy == case.remedy));
        found.unwrap_or_else(|| panic!("no rule that names it fired: {report}"))[0].as_str().expect("an id").to_owned()
    }

    /// Asks for a response, as azure-audit does.
    pub fn respond(&self, finding: &str) {
        self.respond.invoke("respond", &json!(json!({ "respond": finding }).to_string()));
    }

    /// The same; whether the function took the job as done.
    pub fn try_respond(&self, finding: &str) -> bool {
        self.respond.send("respond", &json!(json!({ "respond": finding }).to_string())).status == 200
    }

    /// A person's request, as the command line puts it down and Event Grid tells of it.
    pub fn request(&self, verb: &str, finding: &str) {
        let key = format!("requests/{finding}/{verb}-1.json");
        let text = json!({ "job": { verb: finding, "by": "carol" }, "at": "2026-01-31T12:30:00Z" }).to_string();
        self.storage.client.call("blob", "put", json!({ "container": LEDGER, "name": key, "text": text }));
        self.notify(&key);
    }

    /// A person follows the link that belongs to the plan in the ledger.
    pub fn approve(&self, finding: &str) {
        let plans = self.storage.list(LEDGER, &format!("plans/{finding}/"));
        let plan = plans.first().unwrap_or_else(|| panic!("no plan waits: {:?}", self.receipts(finding)));
        let shown: PlanRecord = serde_json::from_str(&self.storage.get(LEDGER, plan)).expect("a plan");
        let key = ApprovalKey::new(links::KEY).expect("long enough");
        let links = ApprovalLinks::new(links::URL, key, SignedDuration::from_hours(72)).expect("an address");
        links::follow(&self.approve.url, &links.of(&shown.plan, shown.at).approve);
        let keys = self.storage.list(LEDGER, &format!("requests/{finding}/"));
        assert!(keys.len() == 1 && keys[0].contains("/link-"), "{keys:?}");
        self.notify(&keys[0]);
    }

    /// Event Grid tells `azure-respond` of a new blob.
    fn notify(&self, key: &str) {
        let subject = format!("/blobServices/default/containers/{LEDGER}/blobs/{key}");
        let news = json!({ "eventType": "Microsoft.Storage.BlobCreated", "subject": subject, "data": {} });
        self.respond.invoke("respond", &json!(news.to_string()));
    }

    /// The receipts about a finding, by the last part of their keys.
    pub fn receipts(&self, finding: &str) -> Vec<(String, Value)> {
        let keys = self.storage.list(LEDGER, &format!("receipts/{finding}/"));
        let receipt = |key: String| {
            let receipt = serde_json::from_str(&self.storage.get(LEDGER, &key)).expect("a receipt");
            (key.rsplit('/').next().expect("a name").to_owned(), receipt)
        };
        keys.into_iter().map(receipt).collect()
    }

    /// One receipt.
    pub fn receipt(&self, finding: &str, name: &str) -> Option<Value> {
        self.receipts(finding).into_iter().find(|(key, _)| key == name).map(|(_, receipt)| receipt)
    }
}

/// The RBAC actions of operations, as a role would hold them.
pub fn actions<'a>(operations: impl Iterator<Item = &'a str>) -> BTreeSet<&'static str> {
    let known = operations.map(|name| {
        let (provider, name) = name.split_once(':').expect("Provider:Operation");
        operation(provider, name).unwrap_or_else(|| panic!("`{provider}:{name}` is not in the table"))
    });
    known.flat_map(|known| known.actions.iter().copied()).collect()
}
