//! Every remediation, the whole way: a change is made, its record is audited, the bad part is taken back, and an undo brings
//! it back, or is refused where somebody changed the resource meanwhile. Requests are real, through the real binaries.
//!
//! What the local AWS cannot play is in tests/README.md.

mod changes;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use changes::{Case, restorations};
use onus_rules::Catalog;
use onus_tests::client::Client;
use onus_tests::cloudtrail::event;
use onus_tests::lambda::Function;
use onus_tests::links;
use onus_tests::local_aws::{ACCOUNT, LocalAws};
use onus_tests::stage::{Stage, batch, binary, returned};
use serde_json::{Value, json};

/// A change that is played: on its own, or on something that a baseline has read before.
#[derive(Clone, Copy)]
enum Played {
    Change(changes::Make),
    Known(restorations::Make),
}

struct Platform {
    stage: Stage,
    audit: Function,
    respond: Function,
    approve: Function,
}

impl Platform {
    fn new(aws: LocalAws) -> Self {
        let stage = Stage::new(aws);
        let env = stage.env_with(&[("ONUS_APPROVAL_URL", links::URL), ("ONUS_APPROVAL_KEY", links::KEY)]);
        let start = |name: &str| Function::start(&binary(name), env.clone());
        let (audit, respond, approve) = (start("aws-audit"), start("aws-respond"), start("aws-approve"));
        Self { stage, audit, respond, approve }
    }

    fn client(&self) -> &Client {
        &self.stage.client
    }

    fn make(&self, played: Played, number: u32) -> Case {
        match played {
            Played::Change(make) => make(self.client(), number),
            Played::Known(make) => make(self.client(), &|| self.baseline(), number),
        }
    }

    /// The finding whose rule names the remediation.
    fn find(&self, case: &Case) -> String {
        let report = returned(self.audit.invoke(&event(&case.record)));
        let findings = report["findings"].as_array().expect("a list");
        let remedy = |rule: &str| Catalog::embedded().rule(rule).and_then(|rule| rule.remedy.clone());
        let found = findings
            .iter()
            .find(|finding| remedy(finding[1].as_str().expect("a rule")).is_some_and(|remedy| remedy == case.remedy));
        found.unwrap_or_else(|| panic!("no rule that names it fired: {report}"))[0].as_str().expect("an id").to_owned()
    }

    /// Records what is there now, as an operator does by hand.
    fn baseline(&self) {
        let output = Command::new(binary("onus"))
            .args(["baseline", "--ledger", "s3://onus-ledger/", "--account", ACCOUNT])
            .env_clear()
            .envs(self.stage.env_with(&[]))
            .output()
            .expect("it can be run");
        assert!(output.status.success(), "{output:?}");
    }

    fn job(&self, job: Value) {
        assert_eq!(returned(self.respond.invoke(&batch(&[job.to_string()])))["batchItemFailures"], json!([]));
    }

    /// A person's request, as the command line puts it down and the bucket tells of it.
    fn request(&self, verb: &str, finding: &str) {
        let key = format!("requests/{finding}/{verb}-1.json");
        let body = json!({ "job": { verb: finding, "by": "carol" }, "at": "2026-01-31T12:30:00Z" }).to_string();
        self.client().call("s3", "PutObject", json!({ "Bucket": "onus-ledger", "Key": key, "Body": body }));
        self.notify(&key);
    }

    /// The bucket tells `aws-respond` of a new object.
    fn notify(&self, key: &str) {
        self.job(json!({ "Records": [{ "s3": { "object": { "key": key } } }] }));
    }

    /// A person follows the link in the notice, sends the form of its page, and sends it again.
    fn approve(&self, finding: &str) {
        let told = self.stage.messages(&self.stage.told);
        let link = told.iter().find_map(|notice| {
            let data = serde_json::from_str::<Value>(notice).ok()?["data"].take();
            let about = data["finding_info"]["uid"] == finding;
            data["unmapped"]["answer"]["approve"].as_str().filter(|_| about).map(str::to_owned)
        });
        let link = link.unwrap_or_else(|| panic!("no link was told: {told:?}"));
        let query = link.strip_prefix(links::URL).expect("it leads there").trim_start_matches('?');
        let ask = |method: &str, body: &str| {
            let http = json!({ "method": method, "path": "/", "sourceIp": "203.0.113.7" });
            let request = json!({ "version": "2.0", "rawQueryString": query, "requestContext": { "http": http },
                "body": body, "isBase64Encoded": false });
            returned(self.approve.invoke(&request))["statusCode"].clone()
        };
        let form = format!("{query}&by=carol");
        assert_eq!([ask("GET", ""), ask("POST", &form), ask("POST", &form)], [200, 200, 409]);
        let listed = json!({ "Bucket": "onus-ledger", "Prefix": format!("requests/{finding}/link-") });
        let listed = self.client().call("s3", "ListObjectsV2", listed);
        self.notify(listed["Contents"][0]["Key"].as_str().expect("the request"));
    }

    /// The receipts about a finding, by the last part of their keys.
    fn receipts(&self, finding: &str) -> Vec<(String, Value)> {
        let listed = json!({ "Bucket": "onus-ledger", "Prefix": format!("receipts/{finding}/") });
        let listed = self.client().call("s3", "ListObjectsV2", listed);
        let keys =
            listed["Contents"].as_array().into_iter().flatten().map(|entry| entry["Key"].as_str().expect("a key"));
        keys.map(|key| {
            let object = self.client().call("s3", "GetObject", json!({ "Bucket": "onus-ledger", "Key": key }));
            let receipt = serde_json::from_str(object["Body"].as_str().expect("a body")).expect("a receipt");
            (key.rsplit('/').next().expect("a name").to_owned(), receipt)
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
        self.job(json!({ "respond": finding }));
        if self.receipt(&finding, "respond.json").is_none() {
            self.approve(&finding);
        }
        let receipt = self.receipt(&finding, "respond.json");
        let receipt = receipt.unwrap_or_else(|| panic!("no receipt: {:?}", self.receipts(&finding)));
        assert_eq!(receipt["outcome"], "verified", "{receipt}");
        assert_eq!((case.read)(self.client()), case.good, "the bad part alone is gone");
        finding
    }

    fn undone(&self, case: &Case) {
        let bad = (case.read)(self.client());
        let finding = self.take_back(case);
        self.request("undo", &finding);
        let receipt = self.receipt(&finding, "undo-1.json");
        let receipt = receipt.unwrap_or_else(|| panic!("no undo: {:?}", self.receipts(&finding)));
        assert_eq!(receipt["outcome"], "verified", "{receipt}");
        assert_eq!((case.read)(self.client()), bad, "the undo restores what was there");
    }

    fn refused(&self, case: &Case) {
        let finding = self.take_back(case);
        (case.moves)(self.client());
        let moved = (case.read)(self.client());
        assert_ne!(moved, case.good, "the other change did not take");
        self.request("undo", &finding);
        let receipts = self.receipts(&finding);
        assert!(receipts.iter().all(|(name, _)| name != "undo-1.json"), "{receipts:?}");
        assert!(receipts.iter().any(|(_, receipt)| receipt["kind"] == "undo" && receipt["outcome"] == "refused"));
        assert_eq!((case.read)(self.client()), moved, "a refused undo changes nothing");
    }
}

#[test]
fn every_remediation_takes_back_undoes_and_refuses() {
    let platform = Platform::new(LocalAws::moto());
    let mut wrong = Vec::new();
    let only = std::env::var("ONUS_ONLY").unwrap_or_default();
    let known = restorations::ALL.iter().map(|(name, make)| (*name, Played::Known(*make)));
    let played = changes::ALL.iter().map(|(name, make)| (*name, Played::Change(*make))).chain(known);
    for (name, make) in played.filter(|(name, _)| name.contains(&only)) {
        let mut try_out = |what: &str, number: u32, run: fn(&Platform, &Case)| {
            let tried = catch_unwind(AssertUnwindSafe(|| run(&platform, &platform.make(make, number))));
            match tried {
                Ok(()) => println!("{name:<52} {what}"),
                Err(panic) => {
                    let text = panic.downcast_ref::<String>().cloned();
                    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
                    wrong.push(format!("{name}: {what}: {}", text.unwrap_or_default()));
                }
            }
        };
        try_out("taken back, undone", 1, Platform::undone);
        if !changes::CANNOT_MOVE.contains(&name) {
            try_out("undo refused after another change", 2, Platform::refused);
        }
    }
    assert!(wrong.is_empty(), "{} round trips failed:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn every_remediation_that_a_rule_names_is_played() {
    let ours = Catalog::embedded().rules().filter(|rule| rule.id.starts_with("aws."));
    let named = ours.filter_map(|rule| rule.remedy.as_deref());
    let changes = changes::ALL.iter().map(|(name, _)| *name);
    let played: BTreeSet<&str> = changes.chain(restorations::ALL.iter().map(|(name, _)| *name)).collect();
    let missing: BTreeSet<&str> = named.filter(|remedy| !played.contains(remedy)).collect();
    assert!(missing.is_empty(), "not played: {missing:?}");
}
