//! Every remediation of Google Cloud, the whole way: a change is made, its record is pushed to `gcp-audit`, the bad part is taken back by
//! `gcp-respond`, and an undo brings it back, or is refused where somebody changed the resource meanwhile. Requests are real, through the
//! real binaries; state is prepared and read with Google's own client.

mod changes;
mod memory;
mod restorations;

use std::panic::{AssertUnwindSafe, catch_unwind};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use changes::Case;
use onus_rules::Catalog;
use onus_tests::client::Client;
use onus_tests::cloud_run::Service;
use onus_tests::links;
use onus_tests::local_gcp::{LocalGcp, PROJECT};
use onus_tests::stage::binary;
use serde_json::{Value, json};

const LEDGER: &str = "onus-ledger";
const AUDIENCE: &str = "https://onus.example/";
const PUSHER: &str = "push@example-project.iam.gserviceaccount.com";

struct Platform {
    gcp: LocalGcp,
    token: String,
    audit: Service,
    respond: Service,
    approve: Service,
}

impl Platform {
    /// All three services. Every rule may respond as far as its remediation lets it.
    fn new() -> Self {
        let gcp = LocalGcp::start();
        let topic = |name: &str| {
            let topic = format!("projects/{PROJECT}/topics/{name}");
            gcp.client.call("pubsub", "projects.topics.create", json!({ "name": topic, "body": {} }));
            topic
        };
        let mut env = gcp.env();
        env.extend([
            ("ONUS_CONFIG", "modes: { default: enforce }".to_owned()),
            ("ONUS_LEDGER", format!("gs://{LEDGER}/")),
            ("ONUS_TOPIC", topic("findings")),
            ("ONUS_RESPONSES", topic("responses")),
            ("ONUS_DEAD_LETTERS", topic("dead")),
            ("ONUS_PUSH_AUDIENCE", AUDIENCE.to_owned()),
            ("ONUS_PUSH_ACCOUNT", PUSHER.to_owned()),
        ]);
        env.extend([("ONUS_APPROVAL_URL", links::URL.to_owned()), ("ONUS_APPROVAL_KEY", links::KEY.to_owned())]);
        let start = |name: &str| Service::start(&binary(name), env.clone());
        let (audit, respond, approve) = (start("gcp-audit"), start("gcp-respond"), start("gcp-approve"));
        Self { token: gcp.push_token(AUDIENCE, PUSHER), audit, respond, approve, gcp }
    }

    fn client(&self) -> &Client {
        &self.gcp.client
    }

    /// The finding whose rule names the remediation.
    fn find(&self, case: &Case) -> String {
        let answer = self.audit.push(&self.token, &pushed(&case.record.to_string(), &json!({})));
        assert_eq!(answer.status, 200, "{}", answer.body);
        let report: Value = serde_json::from_str(&answer.body).expect("a report");
        let findings = report["findings"].as_array().expect("a list");
        let remedy = |rule: &str| Catalog::embedded().rule(rule).and_then(|rule| rule.remedy.clone());
        let found = findings
            .iter()
            .find(|finding| remedy(finding[1].as_str().expect("a rule")).is_some_and(|remedy| remedy == case.remedy));
        found.unwrap_or_else(|| panic!("no rule that names it fired: {report}"))[0].as_str().expect("an id").to_owned()
    }

    /// Pushes a message to `gcp-respond`.
    fn job(&self, data: &str, attributes: &Value) {
        let answer = self.respond.push(&self.token, &pushed(data, attributes));
        assert_eq!(answer.status, 204, "{data}: {}", answer.body);
        let dead = self.gcp.messages(&format!("projects/{PROJECT}/topics/dead"));
        assert!(dead.is_empty(), "put aside: {dead:?}");
    }

    /// A person's request, as the command line puts it down and the bucket tells of it.
    fn request(&self, verb: &str, finding: &str) {
        let name = format!("requests/{finding}/{verb}-1.json");
        let body = json!({ "job": { verb: finding, "by": "carol" }, "at": "2026-01-31T12:30:00Z" }).to_string();
        self.gcp.put_object(LEDGER, &name, &body);
        self.notify(&name);
    }

    /// A person follows the link in the notice.
    fn approve(&self, finding: &str) {
        let told = self.gcp.messages(&format!("projects/{PROJECT}/topics/findings"));
        let link = told.iter().find_map(|message| {
            let data = STANDARD.decode(message["data"].as_str()?).ok()?;
            let notice: Value = serde_json::from_slice(&data).ok()?;
            let about = notice["data"]["finding_info"]["uid"] == finding;
            notice["data"]["unmapped"]["answer"]["approve"].as_str().filter(|_| about).map(str::to_owned)
        });
        links::follow(self.approve.url(), &link.unwrap_or_else(|| panic!("no link was told: {told:?}")));
        let names = self.gcp.objects(LEDGER, &format!("requests/{finding}/"));
        assert!(names.len() == 1 && names[0].contains("/link-"), "{names:?}");
        self.notify(&names[0]);
    }

    /// Tells `gcp-respond` of a new object, as the bucket does.
    fn notify(&self, name: &str) {
        let attributes = json!({ "eventType": "OBJECT_FINALIZE", "bucketId": LEDGER, "objectId": name });
        self.job(&json!({ "name": name }).to_string(), &attributes);
    }

    /// The receipts about a finding, by the last part of their names.
    fn receipts(&self, finding: &str) -> Vec<(String, Value)> {
        let names = self.gcp.objects(LEDGER, &format!("receipts/{finding}/"));
        names
            .iter()
            .map(|name| {
                let receipt = serde_json::from_str(&self.gcp.object(LEDGER, name)).expect("a receipt");
                (name.rsplit('/').next().expect("a name").to_owned(), receipt)
            })
            .collect()
    }

    fn receipt(&self, finding: &str, name: &str) -> Option<Value> {
        self.receipts(finding).into_iter().find(|(key, _)| key == name).map(|(_, receipt)| receipt)
    }

    /// Finds, responds, approves where that is needed, and checks that the bad part alone is gone.
    fn take_back(&self, case: &Case) -> String {
        assert_ne!((case.read)(self.client()), case.good, "the change did not take");
        let finding = self.find(case);
        self.job(&json!({ "respond": finding }).to_string(), &json!({}));
        if self.receipt(&finding, "respond.json").is_none() {
            self.approve(&finding);
        }
        let receipt = self.receipt(&finding, "respond.json");
        let receipt = receipt.unwrap_or_else(|| panic!("no receipt: {:?}", self.receipts(&finding)));
        assert_eq!(receipt["outcome"], "verified", "{receipt}");
        assert_eq!((case.read)(self.client()), case.good, "the bad part alone is gone");
        finding
    }

    fn undone(&self, case: &Case) -> String {
        let bad = (case.read)(self.client());
        let finding = self.take_back(case);
        self.request("undo", &finding);
        let receipt = self.receipt(&finding, "undo-1.json");
        let receipt = receipt.unwrap_or_else(|| panic!("no undo: {:?}", self.receipts(&finding)));
        assert_eq!(receipt["outcome"], "verified", "{receipt}");
        assert_eq!((case.read)(self.client()), bad, "the undo restores what was there");
        "taken back, undone".to_owned()
    }

    fn refused(&self, case: &Case) -> String {
        let finding = self.take_back(case);
        (case.moves)(self.client());
        let moved = (case.read)(self.client());
        assert_ne!(moved, case.good, "the other change did not take");
        self.request("undo", &finding);
        let receipts = self.receipts(&finding);
        assert!(receipts.iter().all(|(name, _)| name != "undo-1.json"), "{receipts:?}");
        assert!(receipts.iter().any(|(_, receipt)| receipt["kind"] == "undo" && receipt["outcome"] == "refused"));
        assert_eq!((case.read)(self.client()), moved, "a refused undo changes nothing");
        "undo refused after another change".to_owned()
    }
}

/// A change that is played: on its own, or on something that a baseline has read before.
#[derive(Clone, Copy)]
enum Played {
    Change(changes::Make),
    Known(restorations::Make),
}

impl Played {
    fn make(self, platform: &Platform, number: u32) -> Case {
        match self {
            Self::Change(make) => make(platform.client(), number),
            Self::Known(make) => make(platform.client(), &|| memory::record(&platform.gcp, LEDGER), number),
        }
    }
}

/// What Pub/Sub pushes.
fn pushed(data: &str, attributes: &Value) -> String {
    let message = json!({
        "data": base64(data), "attributes": attributes, "messageId": "1", "publishTime": "2026-01-31T12:00:01Z",
    });
    json!({ "message": message, "subscription": format!("projects/{PROJECT}/subscriptions/onus") }).to_string()
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn every_remediation_takes_back_undoes_and_refuses() {
    let platform = Platform::new();
    let mut wrong = Vec::new();
    let only = std::env::var("ONUS_ONLY").unwrap_or_default();
    let changes = changes::ALL.iter().map(|(name, make)| (*name, Played::Change(*make)));
    let known = restorations::ALL.iter().map(|(name, make)| (*name, Played::Known(*make)));
    for (name, play) in changes.chain(known).filter(|(name, _)| name.contains(&only)) {
        let mut try_out = |what: &str, number: u32, run: fn(&Platform, &Case) -> String| {
            let tried = catch_unwind(AssertUnwindSafe(|| run(&platform, &play.make(&platform, number))));
            match tried {
                Ok(ended) => println!("| {name} | {ended} |"),
                Err(panic) => {
                    let text = panic.downcast_ref::<String>().cloned();
                    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
                    wrong.push(format!("{name}: {what}: {}", text.unwrap_or_default()));
                }
            }
        };
        try_out("undo", 1, Platform::undone);
        if !changes::CANNOT_MOVE.contains(&name) {
            try_out("refuse", 2, Platform::refused);
        }
    }
    assert!(wrong.is_empty(), "{} round trips failed:\n{}", wrong.len(), wrong.join("\n\n"));
    let unconditional: Vec<Value> = platform.gcp.requests().into_iter().filter(|sent| !is_conditional(sent)).collect();
    assert!(unconditional.is_empty(), "writes that could lose somebody else's change: {unconditional:?}");
}

/// Whether a request of Onus that writes a whole document carries the version token of what it read. Requests of others, those that read,
/// and those of APIs without a token count as such.
fn is_conditional(sent: &Value) -> bool {
    if !sent["agent"].as_str().is_some_and(|agent| agent.starts_with("onus/")) {
        return true;
    }
    let (query, headers) = (sent["query"].to_string(), sent["headers"].to_string());
    match (sent["api"].as_str(), sent["method"].as_str()) {
        (_, Some("buckets.setIamPolicy")) => sent["body"]["etag"].is_string(),
        (_, Some("projects.setIamPolicy")) => sent["body"]["policy"]["etag"].is_string(),
        (_, Some("datasets.patch")) => headers.contains("If-Match"),
        (_, Some("buckets.patch")) => query.contains("ifMetagenerationMatch"),
        (Some("sqladmin"), Some("instances.patch")) => sent["body"]["settings"]["settingsVersion"].is_string(),
        _ => true,
    }
}

#[test]
fn a_sink_that_was_never_read_is_said_not_to_be_restorable() {
    let platform = Platform::new();
    let case = restorations::deleted_sink(platform.client(), &|| {}, 1);
    let finding = platform.find(&case);
    platform.job(&json!({ "respond": finding }).to_string(), &json!({}));
    let receipts = platform.receipts(&finding);
    let is_refusal =
        |receipt: &Value| receipt["outcome"] == "refused" && receipt.to_string().contains("cannot be restored");
    assert!(!receipts.is_empty() && receipts.iter().all(|(_, receipt)| is_refusal(receipt)), "{receipts:?}");
    assert_eq!((case.read)(platform.client()), Value::Null, "nothing was made up");
}

#[test]
fn who_is_not_google_pushes_nothing() {
    let platform = Platform::new();
    let case = changes::public_bucket(platform.client(), 1);
    let before = (platform.gcp.requests().len(), platform.gcp.objects(LEDGER, ""));
    let record = pushed(&case.record.to_string(), &json!({}));
    let tokens = [
        (String::new(), 401),
        ("e30.e30.".to_owned(), 403),
        (platform.gcp.push_token("https://other.example/", PUSHER), 403),
        (platform.gcp.push_token(AUDIENCE, "thief@example-project.iam.gserviceaccount.com"), 403),
        (LocalGcp::start().push_token(AUDIENCE, PUSHER), 403),
    ];
    for (token, status) in &tokens {
        for service in [&platform.audit, &platform.respond] {
            assert_eq!(service.push(token, &record).status, *status, "{token}");
        }
    }
    assert_eq!((platform.gcp.requests().len(), platform.gcp.objects(LEDGER, "")), before, "nothing was touched");
}

#[test]
fn every_remediation_that_a_rule_names_is_played() {
    let named = Catalog::embedded().rules().filter_map(|rule| rule.remedy.as_deref());
    let missing: std::collections::BTreeSet<&str> = named
        .filter(|remedy| remedy.starts_with("gcp.") && changes::ALL.iter().all(|(name, _)| name != remedy))
        .collect();
    assert!(missing.is_empty(), "not played: {missing:?}");
}
