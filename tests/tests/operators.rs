//! The command line with an operator's own credentials on Azure and Google Cloud: dead letters handled again, guarded resources recorded.
//! AWS is in `command_line.rs`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use onus_tests::command_line::{self, Said};
use onus_tests::local_azure::{Azurite, LocalAzure, STORAGE_ACCOUNT, STORAGE_KEY, SUBSCRIPTION, resource_id};
use onus_tests::local_gcp::{LocalGcp, PROJECT};
use onus_tests::workspace;
use serde_json::{Value, json};

const JOB: &str = r#"{"respond":"f-0123456789abcdef0123456789"}"#;
const ENFORCE: &str = "modes: { default: enforce }";

/// A record of the project's own, as if it had happened just now, so that it is among the findings of the last days.
fn just_now(path: &str, time: &str) -> String {
    let text = std::fs::read_to_string(workspace::root().join("events").join(path)).expect("a fixture");
    let mut record: Value = serde_json::from_str(&text).expect("JSON");
    record[time] = json!(jiff::Timestamp::now().to_string());
    record.to_string()
}

/// What a function puts aside.
fn letter(what: &str) -> String {
    json!({ "reason": "the ledger was closed", "what": what, "cut": false }).to_string()
}

/// Runs the command line in a folder of its own.
fn onus(env: &[(&'static str, String)], arguments: &[&str]) -> Said {
    let folder = tempfile::tempdir().expect("a folder");
    command_line::onus(folder.path(), env, arguments)
}

/// Takes a baseline twice: the one resource of a kind is recorded by the first, and is nothing new to the second.
fn baselines(env: &[(&'static str, String)], cloud: &str, account: &str, kind: &str) {
    let taken = || {
        let said = onus(env, &["baseline", "--cloud", cloud, "--account", account, "--format", "json"]);
        let rows = said.json();
        let row = rows.as_array().expect("rows").iter().map(|row| &row[1]).find(|row| row["kind"] == kind);
        let row = row.unwrap_or_else(|| panic!("no {kind}: {said:?}"));
        let number = |name: &str| row[name].as_u64().expect("a number");
        (said.code, number("resources"), number("new"))
    };
    let (code, resources, new) = taken();
    assert!(code == 0 && resources == 1 && new > 0, "{code}, {resources} resources, {new} new");
    assert_eq!(taken(), (0, 1, 0));
}

/// An Azure CLI in which somebody is logged in.
fn logged_in(folder: &Path, token: &str) {
    let answer = json!({ "accessToken": token, "expires_on": 4_102_444_800_u64, "tokenType": "Bearer" });
    let az = folder.join("az");
    std::fs::write(&az, format!("#!/bin/sh\necho '{answer}'\n")).expect("it can be written");
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).expect("it can be made executable");
}

#[test]
fn an_operator_of_azure_replays_a_poison_queue_and_records_what_is_guarded() {
    let (azure, storage) = (LocalAzure::start(), Azurite::start());
    let path = tempfile::tempdir().expect("a folder");
    logged_in(path.path(), &azure.identity("operator", None).token);
    storage.create_container("onus-ledger");
    for queue in ["dead", "responses"] {
        storage.create_queue(queue);
    }
    let env = [
        ("PATH", format!("{}:/usr/bin:/bin", path.path().display())),
        ("ONUS_ARM_ENDPOINT", azure.url.clone()),
        ("ONUS_CONFIG", ENFORCE.to_owned()),
        ("ONUS_LEDGER", "azblob://onus-ledger/".to_owned()),
        ("AZURE_STORAGE_ENDPOINT", format!("{}/{STORAGE_ACCOUNT}", storage.blob)),
        ("AZURE_STORAGE_ACCOUNT_NAME", STORAGE_ACCOUNT.to_owned()),
        ("AZURE_STORAGE_ACCOUNT_KEY", STORAGE_KEY.to_owned()),
    ];
    let subject =
        "/blobServices/default/containers/onus-ledger/blobs/requests/f-0123456789abcdef0123456789/undo-1.json";
    let news = json!({ "type": "Microsoft.Storage.BlobCreated", "subject": subject, "data": {} }).to_string();
    for body in [
        letter(&just_now("azure/authorization/lock_delete.json", "time")),
        letter("no record"),
        JOB.to_owned(),
        news.clone(),
    ] {
        storage.client.call("queue", "send", json!({ "queue": "dead", "text": STANDARD.encode(body) }));
    }
    let (dead, responses) = (storage.signed_queue("dead"), storage.signed_queue("responses"));
    let said = onus(&env, &["replay-dlq", &dead, "--cloud", "azure", "--responses", &responses]);
    assert!(said.code == 1 && said.out.contains("1 payload audited, 2 jobs sent, 1 left"), "{said:?}");
    let findings = onus(&env, &["findings", "--format", "json"]);
    assert!(findings.code == 0 && findings.out.contains("azure.authorization.lock_deleted"), "{findings:?}");
    let sent = decoded(storage.messages("responses"));
    assert!(sent.contains(&JOB.to_owned()) && sent.contains(&news), "{sent:?}");
    let left = storage.client.call("queue", "count", json!({ "queue": "dead" }));
    assert_eq!(left, 1, "what cannot be handled stays");

    let group = resource_id("Microsoft.Network/networkSecurityGroups/web");
    azure.seed(&group, &json!({ "location": "westeurope", "properties": { "securityRules": [] } }));
    baselines(&env, "azure", SUBSCRIPTION, "Microsoft.Network/networkSecurityGroups");
}

/// Texts as the Functions host hands them on.
fn decoded(messages: Vec<String>) -> Vec<String> {
    let text = |message: String| String::from_utf8(STANDARD.decode(message).expect("base64")).expect("text");
    messages.into_iter().map(text).collect()
}

#[test]
fn an_operator_of_google_cloud_replays_dead_letters_and_records_what_is_guarded() {
    let gcp = LocalGcp::start();
    let topic = |name: &str| format!("projects/{PROJECT}/topics/{name}");
    for name in ["dead", "responses"] {
        gcp.client.call("pubsub", "projects.topics.create", json!({ "name": topic(name), "body": {} }));
    }
    let subscription = format!("projects/{PROJECT}/subscriptions/dead");
    let body = json!({ "topic": topic("dead"), "ackDeadlineSeconds": 300 });
    gcp.client.call("pubsub", "projects.subscriptions.create", json!({ "name": subscription, "body": body }));
    let mut env = gcp.env();
    env.extend([("ONUS_CONFIG", ENFORCE.to_owned()), ("ONUS_LEDGER", "gs://onus-ledger/".to_owned())]);

    let object = "requests/f-0123456789abcdef0123456789/undo-1.json";
    let news = json!({ "eventType": "OBJECT_FINALIZE", "objectId": object });
    let mut moved = news.clone();
    moved["CloudPubSubDeadLetterSourceSubscription"] = json!("onus-responses");
    let publish = |data: &str, attributes: &Value| {
        let message = json!({ "data": STANDARD.encode(data), "attributes": attributes });
        let body = json!({ "messages": [message] });
        gcp.client.call("pubsub", "projects.topics.publish", json!({ "topic": topic("dead"), "body": body }));
    };
    for data in [&letter(&just_now("gcp/logging/delete_sink.json", "timestamp")), &letter("no record"), &letter(JOB)] {
        publish(data, &json!({}));
    }
    publish("{}", &moved);
    let replay = ["replay-dlq", &subscription, "--cloud", "gcp", "--responses", &topic("responses")];
    let said = onus(&env, &replay);
    assert!(said.code == 1 && said.out.contains("1 payload audited, 2 jobs sent, 1 left"), "{said:?}");
    let findings = onus(&env, &["findings", "--format", "json"]);
    assert!(findings.code == 0 && findings.out.contains("gcp.logging.sink_deleted"), "{findings:?}");
    let sent = gcp.messages(&topic("responses"));
    assert!(sent.iter().any(|message| message["data"] == STANDARD.encode(JOB)), "{sent:?}");
    assert!(sent.iter().any(|message| message["attributes"] == news), "as Cloud Storage told it: {sent:?}");
    let again = onus(&env, &replay);
    assert!(
        again.code == 0 && again.out.contains("0 payloads audited, 0 jobs sent, 0 left"),
        "what is left is out: {again:?}"
    );

    let network = format!("projects/{PROJECT}/global/networks/default");
    let rule = json!({ "name": "ssh", "network": network, "sourceRanges": ["10.0.0.0/8"], "allowed": [{ "IPProtocol": "tcp" }] });
    gcp.client.call("compute", "firewalls.insert", json!({ "project": PROJECT, "body": rule }));
    baselines(&env, "gcp", PROJECT, "compute.googleapis.com/Firewall");
}

#[test]
fn without_an_account_a_baseline_says_what_to_give() {
    let gcp = LocalGcp::start();
    let mut env = gcp.env();
    env.push(("ONUS_LEDGER", "gs://onus-ledger/".to_owned()));
    let said = onus(&env, &["baseline", "--cloud", "gcp"]);
    assert!(said.code == 2 && said.err.contains("--account"), "{said:?}");
    let said = onus(&env, &["baseline", "--cloud", "moon"]);
    assert!(said.code == 2 && said.err.contains("`moon` is not a cloud"), "{said:?}");
}
