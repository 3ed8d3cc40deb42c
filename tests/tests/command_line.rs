//! The command line as an operator drives it: on a ledger that the real functions wrote, with a dead letter queue of a local AWS.

use onus_tests::cloudtrail::{event, record};
use onus_tests::command_line::{Said, onus};
use onus_tests::local_aws::{ACCOUNT, LocalAws};
use onus_tests::stage::{Stage, batch, returned};
use onus_tests::workspace;
use serde_json::{Value, json};

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Sid":"Everybody","Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"arn:aws:sqs:us-east-1:123456789012:orders"}]}"#;
const RULE: &str = "aws.sqs.queue_made_public";

/// A public queue's record, of now, so that it is among the findings of the last days.
fn public_queue(stage: &Stage, name: &str) -> Value {
    let url = stage.client.call("sqs", "CreateQueue", json!({ "QueueName": name }))["QueueUrl"].clone();
    let attributes = json!({ "Policy": POLICY.replace("orders", name) });
    stage.client.call("sqs", "SetQueueAttributes", json!({ "QueueUrl": url, "Attributes": attributes }));
    let request = json!({ "queueUrl": url, "attributes": attributes });
    let mut record = record(&format!("e-{name}"), "sqs", "SetQueueAttributes", request, Value::Null);
    record["eventTime"] = json!(jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    record
}

struct Operator {
    stage: Stage,
    folder: tempfile::TempDir,
}

impl Operator {
    fn new() -> Self {
        Self { stage: Stage::new(LocalAws::moto()), folder: tempfile::tempdir().expect("a folder") }
    }

    /// Finds a public queue and takes it back; the finding's id.
    fn contained(&self, name: &str) -> String {
        let (audit, respond) = (self.stage.start("aws-audit"), self.stage.start("aws-respond"));
        let report = returned(audit.invoke(&event(&public_queue(&self.stage, name))));
        let found = report["findings"].as_array().expect("a list").iter().find(|finding| finding[1] == RULE);
        let finding = found.unwrap_or_else(|| panic!("not found: {report}"))[0].as_str().expect("an id").to_owned();
        let jobs = self.stage.messages(&self.stage.responses);
        assert_eq!(returned(respond.invoke(&batch(&jobs)))["batchItemFailures"], json!([]));
        finding
    }

    fn onus(&self, arguments: &[&str]) -> Said {
        let kept = self.stage.env_with(&[("ONUS_LEDGER", "s3://onus-ledger/"), ("USER", "carol")]);
        let kept: Vec<_> = kept.into_iter().filter(|(name, _)| *name != "ONUS_RESPONSES").collect();
        onus(self.folder.path(), &kept, arguments)
    }

    fn put(&self, key: &str, body: &str) {
        self.stage.client.call("s3", "PutObject", json!({ "Bucket": "onus-ledger", "Key": key, "Body": body }));
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("it can be written");
        path.display().to_string()
    }
}

#[test]
fn figures_and_evidence_of_what_the_functions_did_are_told_and_a_changed_entry_is_named() {
    let operator = Operator::new();
    let finding = operator.contained("orders");

    let rows = operator.onus(&["stats", "--format", "json"]).json();
    let row = rows.as_array().expect("rows").iter().find(|row| row["rule"] == RULE).expect("a row of the rule");
    assert_eq!((&row["findings"], &row["contained"], &row["cloud"]), (&json!(1), &json!(1), &json!("aws")));
    let stretches: Vec<&String> = row["milliseconds"].as_object().expect("stretches").keys().collect();
    let expected =
        ["decided_to_written", "event_to_received", "received_to_decided", "time_to_contain", "written_to_verified"];
    assert_eq!(stretches, expected);
    let table = operator.onus(&["stats"]);
    assert!(table.code == 0 && table.out.contains(RULE) && table.out.contains(" ms / "), "{table:?}");

    let whole = operator.onus(&["verify", &finding]);
    assert!(whole.code == 0 && whole.out.contains(&finding), "{whole:?}");
    let all = operator.onus(&["verify", "--all", "--format", "json"]);
    assert_eq!((all.code, &all.json()["gaps"]), (0, &json!([])), "{all:?}");

    operator.put(&format!("receipts/{finding}/respond.json"), r#"{"outcome":"verified"}"#);
    let broken = operator.onus(&["verify", &finding]);
    assert!(broken.code == 1 && broken.out.contains(&format!("receipts/{finding}/respond.json")), "{broken:?}");
    let unknown = operator.onus(&["verify", "f-0123456789abcdef0123456789"]);
    assert!(unknown.code == 1 && unknown.out.contains("f-0123456789abcdef0123456789  missing"), "{unknown:?}");
}

#[test]
fn people_ask_about_what_is_there_and_hear_of_what_is_not() {
    let operator = Operator::new();
    let mut wrong = Vec::new();
    for verb in ["approve", "deny", "undo", "show"] {
        let said = operator.onus(&[verb, "f-0123456789abcdef0123456789"]);
        if said.code < 2 || !said.err.contains("f-0123456789abcdef0123456789") || !said.out.is_empty() {
            wrong.push(format!("{verb}: {said:?}"));
        }
        let said = operator.onus(&[verb, "no id"]);
        if said.code < 2 || !said.err.contains("no id") {
            wrong.push(format!("{verb}: {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let none = operator.stage.client.call("s3", "ListObjectsV2", json!({ "Bucket": "onus-ledger" }));
    assert_eq!(none.get("Contents"), None, "nothing was put down");
}

#[test]
fn an_exemption_is_written_for_a_finding_with_an_end_and_listed() {
    let operator = Operator::new();
    let finding = operator.contained("orders");
    let config = operator.file("onus.yaml", "# ours\nmodes: { default: alert } # for now\n");
    let exempt = |more: &[&str]| {
        let given = ["exempt", &finding, "--reason", "a queue of the shop", "--owner", "shop", "--config", &config];
        operator.onus(&[&given, more].concat())
    };
    let endless = exempt(&[]);
    assert!(endless.code == 2 && endless.err.contains("--expires"), "{endless:?}");
    let wrong = exempt(&["--expires", "some day"]);
    assert!(wrong.code > 1 && wrong.err.contains("some day"), "{wrong:?}");
    assert!(!std::fs::read_to_string(&config).expect("readable").contains("exemptions"), "nothing was written");

    let written = exempt(&["--expires", "2099-01-31"]);
    assert_eq!(written.code, 0, "{written:?}");
    let text = std::fs::read_to_string(&config).expect("readable");
    assert!(text.contains("# ours") && text.contains("# for now") && text.contains("2099-01-31"), "{text}");
    let list = operator.onus(&["exemptions", "list", "--config", &config, "--format", "json"]).json();
    let exemption = &list.as_array().expect("a list")[0];
    assert!(exemption.to_string().contains(RULE) && exemption.to_string().contains("shop"), "{list}");
}

#[test]
fn the_line_that_decides_is_named_on_every_cloud() {
    let operator = Operator::new();
    let config = operator.file(
        "onus.yaml",
        "modes:\n  default: alert\n  overrides:\n    - { rule: \"aws.*\", mode: plan }\n    - { rule: \"azure.*\", mode: approve }\n    \
         - { rule: \"gcp.*\", mode: enforce }\n",
    );
    let mut wrong = Vec::new();
    for (event, rule, line) in [
        ("aws/cloudtrail/stop_logging.json", "aws.cloudtrail.trail_stopped", "onus.yaml:4"),
        ("azure/authorization/lock_delete.json", "azure.authorization.lock_deleted", "onus.yaml:5"),
        ("gcp/logging/update_sink.json", "gcp.logging.sink_disabled", "onus.yaml:6"),
    ] {
        let path = workspace::root().join("events").join(event).display().to_string();
        let said = operator.onus(&["policy", "explain", &path, "--config", &config]);
        if said.code != 0 || !said.out.contains(rule) || !said.out.contains(line) {
            wrong.push(format!("{event}: {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn dead_letters_are_handled_again_and_what_cannot_be_stays() {
    let operator = Operator::new();
    let stage = &operator.stage;
    let letter = |what: &str| json!({ "reason": "the ledger was closed", "what": what, "cut": false }).to_string();
    let record = event(&public_queue(stage, "orders")).to_string();
    for body in [letter(&record), letter("no record"), letter(r#"{"respond":"f-0123456789abcdef0123456789"}"#)] {
        stage.client.call("sqs", "SendMessage", json!({ "QueueUrl": stage.dead, "MessageBody": body }));
    }
    let said = operator.onus(&["replay-dlq", &stage.dead, "--responses", &stage.responses]);
    assert!(said.code == 1 && said.out.contains("1 payload audited"), "{said:?}");
    assert_eq!(said.out.matches("left: ").count(), 1, "{said:?}");
    let findings = operator.onus(&["findings", "--format", "json"]).json();
    assert!(findings.to_string().contains(RULE), "{findings}");
    let jobs = stage.messages(&stage.responses);
    assert!(jobs.iter().any(|job| job.contains("f-0123456789abcdef0123456789")), "{jobs:?}");
    assert_eq!(jobs.len(), 2, "the letter's job, and a response to what was found: {jobs:?}");
}

#[test]
fn a_baseline_tells_what_it_recorded_and_that_it_was_recorded_before() {
    let operator = Operator::new();
    let client = &operator.stage.client;
    client.call("s3", "CreateBucket", json!({ "Bucket": "trail-logs" }));
    client.call("cloudtrail", "CreateTrail", json!({ "Name": "audit", "S3BucketName": "trail-logs" }));
    let trails = |said: &Said| {
        let rows = said.json();
        let row = rows.as_array().expect("rows").iter().find(|row| row[1]["kind"] == "AWS::CloudTrail::Trail");
        let row = row.unwrap_or_else(|| panic!("no trails: {rows}"))[1].clone();
        (row["resources"].clone(), row["new"].as_u64().expect("a number"))
    };
    let first = operator.onus(&["baseline", "--account", ACCOUNT, "--format", "json"]);
    let (resources, new) = trails(&first);
    assert!(first.code == 0 && resources == 1 && new > 0, "{first:?}");
    let second = operator.onus(&["baseline", "--format", "json"]);
    assert_eq!((second.code, trails(&second)), (0, (json!(1), 0)), "the account is asked for, and nothing is new");
}

#[test]
fn what_an_attacker_named_cannot_steer_a_terminal() {
    let operator = Operator::new();
    let evil = "reports\u{1b}[2J\u{1b}]0;owned\u{7}\nok  everything is fine\u{202e}";
    let mut record = record("e-1", "s3", "DeleteBucketEncryption", json!({ "bucketName": evil }), Value::Null);
    record["userAgent"] = json!(evil);
    let path = operator.file("log.jsonl", &format!("{record}\n"));
    let mut wrong = Vec::new();
    for arguments in [
        vec!["audit", &path, "--fail-on", "never"],
        vec!["audit", &path, "--fail-on", "never", "--format", "jsonl"],
        vec!["audit", &path, "--fail-on", "never", "--format", "ocsf"],
        vec!["audit", &path, "--fail-on", "never", "--format", "sarif"],
        vec!["audit", &path, "--fail-on", "never", "--format", "csv"],
        vec!["explain", &path],
        vec!["policy", "explain", &path],
    ] {
        let said = operator.onus(&arguments);
        let printed = format!("{}{}", said.out, said.err).replace("\r\n", "\n"); // CSV ends its lines so
        let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        if said.code != 0 || printed.contains(steers) || printed.lines().any(|line| line.starts_with("ok ")) {
            wrong.push(format!("{arguments:?}: {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
