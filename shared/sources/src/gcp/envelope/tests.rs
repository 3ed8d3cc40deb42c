//! Every envelope, through the front door.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::{Decoded, scan};

fn entry(id: &str) -> Value {
    json!({
        "logName": "projects/example-project/logs/cloudaudit.googleapis.com%2Factivity", "insertId": id,
        "timestamp": "2026-01-02T03:04:05Z", "resource": {"type": "project", "labels": {"project_id": "example-project"}},
        "protoPayload": {"serviceName": "cloudresourcemanager.googleapis.com", "methodName": "SetIamPolicy", "resourceName": "projects/example-project"},
    })
}

/// What an input holds: the end of each uid, a skip in brackets, or an error after `!`.
fn held(input: &str) -> Vec<String> {
    let mut held = Vec::new();
    scan("input", input.as_bytes(), &mut |entry| {
        held.push(match entry.result {
            Ok(Decoded::Change(change)) => change.uid.rsplit('/').next().unwrap_or_default().to_owned(),
            Ok(Decoded::Skipped(skip)) => format!("({skip})"),
            Err(error) => format!("! {error}"),
        });
    })
    .expect("an input");
    held
}

fn message(data: &str) -> Value {
    json!({"data": STANDARD.encode(data), "messageId": "1", "publishTime": "2026-01-02T03:04:06Z", "attributes": {}})
}

#[test]
fn entries_are_found_in_every_envelope() {
    let (a, b) = (entry("a"), entry("b"));
    let event = |data: (&str, Value)| json!({"specversion": "1.0", "type": "google.cloud.audit.log.v1.written", "id": "1", "source": "//cloudaudit.googleapis.com/x", data.0: data.1});
    let push =
        |data: &str| json!({"message": message(data), "subscription": "projects/example-project/subscriptions/onus"});
    let cases: Vec<(&str, String, Vec<&str>)> = vec![
        ("alone", a.to_string(), vec!["a"]),
        ("lines", format!("{a}\n{b}\n"), vec!["a", "b"]),
        ("an array", json!([a, b]).to_string(), vec!["a", "b"]),
        ("an answer of entries.list", json!({"entries": [a, b], "nextPageToken": "x"}).to_string(), vec!["a", "b"]),
        ("an event with an object", event(("data", a.clone())).to_string(), vec!["a"]),
        ("an event with a text", event(("data", json!(a.to_string()))).to_string(), vec!["a"]),
        ("an event with base64", event(("data_base64", json!(STANDARD.encode(a.to_string())))).to_string(), vec!["a"]),
        ("a push", push(&a.to_string()).to_string(), vec!["a"]),
        ("a push with entries", push(&json!({"entries": [a, b]}).to_string()).to_string(), vec!["a", "b"]),
        ("a message alone", message(&a.to_string()).to_string(), vec!["a"]),
        (
            "a message as functions get it",
            json!({"@type": "type.googleapis.com/google.pubsub.v1.PubsubMessage", "data": STANDARD.encode(a.to_string())}).to_string(),
            vec!["a"],
        ),
        (
            "a pull",
            json!({"receivedMessages": [{"ackId": "1", "message": message(&a.to_string())}, {"ackId": "2", "message": message(&b.to_string())}]}).to_string(),
            vec!["a", "b"],
        ),
        ("what gcloud prints of a pull", json!([{"ackId": "1", "message": message(&a.to_string())}]).to_string(), vec!["a"]),
        ("a push in an event", json!({"specversion": "1.0", "type": "google.cloud.pubsub.topic.v1.messagePublished", "data": push(&a.to_string())}).to_string(), vec!["a"]),
        ("a finding", json!({"notificationConfigName": "n", "finding": {"name": "f"}}).to_string(), vec!["(other_event)"]),
        ("a pushed finding", push(&json!({"finding": {"name": "f"}}).to_string()).to_string(), vec!["(other_event)"]),
        ("a pushed text", push("hello").to_string(), vec!["(other_event)"]),
        ("a pushed object", push(r#"{"a":1}"#).to_string(), vec!["(other_event)"]),
        ("attributes only", json!({"message": {"attributes": {"a": "b"}, "messageId": "1"}, "subscription": "s"}).to_string(), vec!["(other_event)"]),
        ("another event", json!({"specversion": "1.0", "type": "google.cloud.storage.object.v1.finalized", "data": {}}).to_string(), vec!["(other_event)"]),
        ("another log", json!({"logName": "projects/p/logs/requests", "insertId": "x", "jsonPayload": {}, "resource": {}}).to_string(), vec!["(other_event)"]),
        (
            "no base64",
            json!({"message": {"data": "%", "messageId": "1"}, "subscription": "s"}).to_string(),
            vec!["! cannot unpack `message.data`: base64: Invalid symbol 37, offset 0."],
        ),
        ("an event with nothing in it", json!({"specversion": "1.0", "type": "google.cloud.audit.log.v1.written"}).to_string(), vec!["! field `data_base64` is missing"]),
    ];
    let wrong: Vec<_> = cases
        .iter()
        .map(|(name, input, expected)| (name, held(input), expected))
        .filter(|(_, found, expected)| found != *expected)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn envelopes_in_envelopes_end_somewhere() {
    let mut text = entry("a").to_string();
    for _ in 0..20 {
        text = json!({"message": message(&text), "subscription": "s"}).to_string();
    }
    let found = held(&text);
    assert!(matches!(found.as_slice(), [only] if only.contains("one more envelope")), "{found:?}");
}

#[test]
fn names_in_lower_case_are_accepted() {
    let text = entry("a").to_string();
    for (from, to) in [("logName", "logname"), ("insertId", "insertid"), ("protoPayload", "protopayload")] {
        assert_eq!(held(&text.replace(from, to)), ["a"], "{to}");
    }
}

#[test]
fn a_row_of_a_sink_s_table_is_an_entry() {
    let row = json!({
        "logName": "projects/example-project/logs/cloudaudit.googleapis.com%2Factivity", "insertId": "a",
        "timestamp": "2026-01-02T03:04:05Z", "resource": {"type": "gce_firewall_rule", "labels": {"project_id": "example-project"}},
        "operation": null,
        "protopayload_auditlog": {"serviceName": "compute.googleapis.com", "methodName": "v1.compute.firewalls.insert",
            "resourceName": "projects/example-project/global/firewalls/f", "status": null,
            "requestJson": "{\"alloweds\":[{\"IPProtocol\":\"tcp\",\"ports\":[\"22\"]}]}", "responseJson": "not json"},
    })
    .to_string();
    let mut exposed = 0;
    scan("row", row.as_bytes(), &mut |entry| {
        if let Ok(Decoded::Change(change)) = entry.result {
            exposed = change.effects().exposures().len();
            assert!(change.response.is_omitted());
        }
    })
    .unwrap();
    assert_eq!(exposed, 1);
}

#[test]
fn an_operation_is_one_change_in_whatever_order_its_records_come() {
    let record = |id: &str, operation: Value, request: Value, status: Value| {
        let mut record = entry(id);
        record["operation"] = operation;
        record["protoPayload"]["serviceName"] = json!("compute.googleapis.com");
        record["protoPayload"]["methodName"] = json!("v1.compute.firewalls.insert");
        record["protoPayload"]["resourceName"] = json!("projects/example-project/global/firewalls/f");
        record["protoPayload"]["request"] = request;
        record["protoPayload"]["status"] = status;
        record
    };
    let body = json!({"@type": "t", "alloweds": [{"IPProtocol": "tcp", "ports": ["22"]}]});
    let first = record("1", json!({"id": "op", "first": true}), body, Value::Null);
    let last = record("2", json!({"id": "op", "last": true}), json!({"@type": "t"}), json!({}));
    let failed = record("2", json!({"id": "op", "last": true}), json!({"@type": "t"}), json!({"code": 7}));
    let look = |input: String| {
        let mut seen = Vec::new();
        scan("input", input.as_bytes(), &mut |entry| match entry.result {
            Ok(Decoded::Change(change)) => {
                seen.push(format!(
                    "{} {} {}",
                    change.outcome.as_str(),
                    change.effects().openings.len(),
                    change.effects().doubts.len()
                ));
            }
            Ok(Decoded::Skipped(skip)) => seen.push(skip.to_string()),
            Err(error) => panic!("{error}"),
        })
        .unwrap();
        seen.sort();
        seen
    };
    assert_eq!(look(format!("{first}\n{last}")), ["operation_begun", "succeeded 1 0"]);
    assert_eq!(look(format!("{last}\n{first}")), ["operation_begun", "succeeded 1 0"]);
    assert_eq!(look(format!("{first}\n{failed}")), ["failed 1 0", "operation_begun"]);
    assert_eq!(look(first.to_string()), ["begun 1 0"]);
    assert_eq!(look(last.to_string()), ["succeeded 0 1"]);
}

/// The files of a folder and of those in it.
fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn every_fixture_decodes_to_changes_that_name_a_resource() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/gcp");
    let (mut changes, mut wrong) = (0, Vec::new());
    for path in files(&folder).into_iter().filter(|path| path.extension().is_some_and(|e| e != "md")) {
        let name = path.display().to_string();
        scan(&name, &std::fs::read(&path).expect("a fixture"), &mut |entry| match entry.result {
            Ok(Decoded::Change(change)) if !change.resources.is_empty() && !change.actor.id.is_empty() => changes += 1,
            Ok(Decoded::Skipped(crate::Skip::OperationBegun)) => {}
            other => wrong.push(format!("{name}: {other:?}")),
        })
        .expect("an input");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(changes > 45, "{changes} changes are too few");
}

#[test]
fn the_envelopes_of_one_entry_give_one_change() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/gcp");
    let uids = |name: &str| held(&std::fs::read_to_string(folder.join(name)).expect("a fixture"));
    let alone = uids("storage/set_iam_permissions.json");
    for name in ["pubsub_push.json", "cloudevent.json", "cloudevent_base64.json"] {
        assert_eq!(uids(&format!("envelopes/{name}")), alone, "{name}");
    }
    let both = [alone, uids("compute/firewalls_insert.json")].concat();
    for name in ["pubsub_pull.json", "entries_list.json"] {
        assert_eq!(uids(&format!("envelopes/{name}")), both, "{name}");
    }
    assert_eq!(uids("envelopes/bigquery_row.json"), both[1..]);
}
