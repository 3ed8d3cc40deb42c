//! What the sinks of Azure and Google Cloud send, and what they make of the answers.
#![cfg(all(feature = "event_grid", feature = "storage_queue", feature = "pubsub"))]
#![allow(clippy::expect_used, reason = "a test file is a test from top to bottom")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::time::OffsetDateTime;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use onus_core::{Call, CallError, CallErrorKind, Caller, Finding, Notice, Sink};
use onus_sinks::azure::Access;
use onus_sinks::pubsub::Topic;
use onus_sinks::{EventGrid, PubSub, StorageQueue, StorageQueueSink};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn notice(request: &Value) -> Notice {
    let finding = json!({
        "id": "f-0123456789abcdef0123456789", "rule": "azure.storage.container_made_public", "title": "Container opened to everyone",
        "severity": "critical",
        "duty": { "area": "network_controls", "service": "Storage", "model": "paas", "owner": "customer" },
        "why": "", "respond": [], "controls": [], "references": [], "remedy": null,
        "change": {
            "uid": "c-1/write/r", "time": "2026-11-02T10:00:00Z", "cloud": "azure", "account": "00000000-0000-0000-0000-000000000001",
            "region": "", "service": "microsoft.storage", "action": "storageaccounts/blobservices/containers/write",
            "actor": { "kind": "", "id": "", "principal": "", "account": "", "issuer": null, "invoked_by": null, "mfa": null },
            "origin": { "address": "198.51.100.7", "user_agent": "" }, "outcome": { "status": "succeeded" },
            "resources": [{ "kind": "Microsoft.Storage/storageAccounts/blobServices/containers", "id": "/subscriptions/x/c", "name": "c" }],
        },
        "effects": {}, "from_state": false, "request": request, "response": null, "found_at": "2026-11-02T10:00:05Z",
    });
    let finding: Finding = serde_json::from_value(finding).expect("a finding");
    Notice::Alarm { finding: Box::new(finding), reason: "denied".to_owned(), at: Timestamp::UNIX_EPOCH }
}

fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default(); // another test was first
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

/// A server for one request: its address, and what it will have been sent, head and body.
async fn server(status: u16) -> (String, tokio::task::JoinHandle<(String, String)>) {
    answering(status, "<Error>\u{1b}[").await
}

/// The same with an answer of its own.
async fn answering(status: u16, content: &'static str) -> (String, tokio::task::JoinHandle<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut sent = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let read = stream.read(&mut buffer).await.expect("readable");
            sent.extend_from_slice(buffer.get(..read).expect("in range"));
            let text = String::from_utf8_lossy(&sent).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head
                .to_ascii_lowercase()
                .split("content-length: ")
                .nth(1)
                .map(|rest| rest.lines().next().unwrap_or_default().parse::<usize>().expect("a length"));
            if body.len() >= length.unwrap_or_default() {
                let length = content.len();
                let answer =
                    format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{content}");
                stream.write_all(answer.as_bytes()).await.expect("writable");
                return (head.to_owned(), body.to_owned());
            }
        }
    });
    (url, served)
}

/// The lines of a head that say something, sorted.
fn told(head: &str) -> String {
    let noise = ["host:", "accept:", "content-length:", "user-agent:"];
    let mut lines: Vec<&str> = head.lines().filter(|line| !noise.iter().any(|name| line.starts_with(name))).collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[derive(Debug)]
struct Identity;

#[async_trait]
impl TokenCredential for Identity {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        Ok(AccessToken::new(format!("token-for-{}", scopes.join(",")), OffsetDateTime::now_utc()))
    }
}

#[tokio::test]
async fn an_event_grid_topic_is_posted_a_cloud_event() {
    let (url, served) = server(200).await;
    let sink =
        EventGrid::new("grid", http(), &format!("{url}/api/events"), Access::Key("key-1".to_owned())).expect("opens");
    sink.tell(&notice(&Value::Null)).await.expect("told");
    let (head, body) = served.await.expect("served");
    insta::assert_snapshot!(told(&head), @r"
    POST /api/events?api-version=2018-01-01 HTTP/1.1
    aeg-sas-key: key-1
    content-type: application/cloudevents+json; charset=utf-8
    ");
    let event: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((&event["specversion"], &event["type"]), (&json!("1.0"), &json!("io.onus.finding.alarm")));
}

#[tokio::test]
async fn an_identity_is_proven_with_a_token_for_the_service() {
    let (url, served) = server(201).await;
    let access = Access::Identity(Arc::new(Identity));
    let queue = StorageQueue::new(http(), &format!("{url}/findings"), access).expect("opens");
    StorageQueueSink::new("queue", queue).tell(&notice(&Value::Null)).await.expect("told");
    let (head, body) = served.await.expect("served");
    insta::assert_snapshot!(told(&head), @r"
    POST /findings/messages?messagettl=-1 HTTP/1.1
    authorization: Bearer token-for-https://storage.azure.com/.default
    content-type: application/xml
    x-ms-version: 2021-12-02
    ");
    let text = body
        .strip_prefix("<QueueMessage><MessageText>")
        .and_then(|rest| rest.strip_suffix("</MessageText></QueueMessage>"));
    let event = STANDARD.decode(text.expect("a message")).expect("base64");
    let event: Value = serde_json::from_slice(&event).expect("JSON");
    assert_eq!(event["id"].as_str().expect("an id").split('.').next(), Some("f-0123456789abcdef0123456789"));
}

#[tokio::test]
async fn a_signature_in_a_queues_address_stands_for_the_identity() {
    let (url, served) = server(201).await;
    let queue =
        StorageQueue::new(http(), &format!("{url}/account/q?sv=1&sig=a%2Bb"), Access::Identity(Arc::new(Identity)))
            .expect("opens");
    queue.send("x").await.expect("sent");
    let (head, _) = served.await.expect("served");
    assert!(head.starts_with("POST /account/q/messages?sv=1&sig=a%2Bb&messagettl=-1 "), "{head}");
    assert!(!head.contains("authorization"), "{head}");
}

#[tokio::test]
async fn messages_are_taken_out_of_a_queue_and_removed_with_their_receipt() {
    let list = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><QueueMessagesList>\
        <QueueMessage><MessageId>m-1</MessageId><InsertionTime>x</InsertionTime><ExpirationTime>x</ExpirationTime>\
        <PopReceipt>AgA+/=</PopReceipt><TimeNextVisible>x</TimeNextVisible><DequeueCount>9</DequeueCount>\
        <MessageText>eyJhIjoxfQ==</MessageText></QueueMessage>\
        <QueueMessage><MessageId>m-2</MessageId><PopReceipt>r</PopReceipt><MessageText>{&quot;b&quot;:2}</MessageText></QueueMessage>\
        <QueueMessage><MessageId>m-3</MessageId><PopReceipt>r</PopReceipt><MessageText/></QueueMessage></QueueMessagesList>";
    let (url, served) = answering(200, list).await;
    let queue = StorageQueue::new(http(), &format!("{url}/q?sig=s"), Access::InUrl).expect("opens");
    let taken = queue.take(std::time::Duration::from_mins(5)).await.expect("taken");
    let (head, _) = served.await.expect("served");
    assert!(head.starts_with("GET /q/messages?sig=s&numofmessages=32&visibilitytimeout=300 "), "{head}");
    let texts: Vec<String> = taken.iter().map(onus_sinks::storage_queue::Taken::text).collect();
    assert_eq!(texts, [r#"{"a":1}"#, r#"{"b":2}"#, ""], "base64 or not");

    let (url, served) = server(204).await;
    let queue = StorageQueue::new(http(), &format!("{url}/q"), Access::InUrl).expect("opens");
    let [first, ..] = taken.as_slice() else { panic!("three were taken") };
    queue.remove(&first.id, &first.receipt).await.expect("removed");
    let (head, _) = served.await.expect("served");
    assert!(head.starts_with("DELETE /q/messages/m-1?popreceipt=AgA%2B%2F%3D "), "{head}");
    for id in ["", ".", "..", "m/1"] {
        let error = queue.remove(id, "r").await.expect_err("that would be all messages, or another queue's");
        assert!(!error.is_retryable() && error.to_string().contains("GUID"), "{id}: {error}");
    }

    for (answer, expected) in [("<QueueMessagesList/>", 0), ("no list", usize::MAX)] {
        let (url, _served) = answering(200, answer).await;
        let queue = StorageQueue::new(http(), &format!("{url}/q"), Access::InUrl).expect("opens");
        let taken = queue.take(std::time::Duration::from_mins(5)).await;
        assert_eq!(taken.as_ref().map_or(usize::MAX, Vec::len), expected, "{taken:?}");
        assert!(taken.err().is_none_or(|error| !error.is_retryable()));
    }
}

#[tokio::test]
async fn a_notice_larger_than_a_queue_takes_loses_its_evidence() {
    let (url, served) = server(201).await;
    let queue = StorageQueue::new(http(), &format!("{url}/q"), Access::InUrl).expect("opens");
    StorageQueueSink::new("queue", queue).tell(&notice(&json!("x".repeat(60_000)))).await.expect("told");
    let (_, body) = served.await.expect("served");
    assert!(body.len() < 64 * 1024 + 64, "{}", body.len());
    let queue = StorageQueue::new(http(), &format!("{url}/q"), Access::InUrl).expect("opens");
    let error = queue.send(&"x".repeat(49 * 1024)).await.expect_err("too long");
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn an_answer_tells_whether_telling_again_may_help() {
    let mut wrong = Vec::new();
    for (status, retryable) in [
        (400, false),
        (401, false),
        (403, true),
        (404, false),
        (408, true),
        (413, false),
        (429, true),
        (500, true),
        (503, true),
    ] {
        let (url, served) = server(status).await;
        let sink = EventGrid::new("grid", http(), &url, Access::InUrl).expect("opens");
        let error = sink.tell(&notice(&Value::Null)).await.expect_err("refused");
        served.await.expect("served");
        let text = error.source.to_string();
        if error.retryable != retryable || text.contains('\u{1b}') {
            wrong.push(format!("{status}: retryable {}, {text:?}", error.retryable));
        }
    }
    let nobody = EventGrid::new("grid", http(), "http://127.0.0.1:9/", Access::InUrl).expect("opens");
    let error = nobody.tell(&notice(&Value::Null)).await.expect_err("nobody listens");
    assert!(error.retryable);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Remembers calls; answers what it was told to.
#[derive(Default)]
struct Notes {
    calls: Mutex<Vec<Call>>,
    fails: Option<CallErrorKind>,
}

#[async_trait]
impl Caller for Notes {
    async fn call(&self, call: &Call) -> Result<Value, CallError> {
        self.calls.lock().expect("unpoisoned").push(call.clone());
        match self.fails {
            None => Ok(json!({ "messageIds": ["1"] })),
            Some(kind) => Err(CallError { call: call.name(), kind, code: String::new(), message: String::new() }),
        }
    }
}

#[tokio::test]
async fn a_pubsub_message_is_ordered_by_its_resource() {
    let notes = Arc::new(Notes::default());
    let topic = Topic::new(Arc::clone(&notes) as Arc<dyn Caller>, "projects/example/topics/findings");
    PubSub::new("pubsub", topic).tell(&notice(&Value::Null)).await.expect("told");
    let mut call = notes.calls.lock().expect("unpoisoned").pop().expect("a call");
    let data = std::mem::take(&mut call.parameters["body"]["messages"][0]["data"]);
    let event = STANDARD.decode(data.as_str().expect("a text")).expect("base64");
    assert_eq!(serde_json::from_slice::<Value>(&event).expect("JSON")["specversion"], "1.0");
    insta::assert_json_snapshot!(call, @r#"
    {
      "cloud": "gcp",
      "service": "pubsub",
      "operation": "projects.topics.publish",
      "parameters": {
        "body": {
          "messages": [
            {
              "attributes": {
                "content-type": "application/cloudevents+json",
                "kind": "alarm",
                "rule": "azure.storage.container_made_public",
                "severity": "critical"
              },
              "data": null,
              "orderingKey": "/subscriptions/x/c"
            }
          ]
        },
        "topic": "projects/example/topics/findings"
      }
    }
    "#);
}

#[tokio::test]
async fn an_order_too_long_for_a_key_becomes_a_digest() {
    let notes = Arc::new(Notes::default());
    let topic = Topic::new(Arc::clone(&notes) as Arc<dyn Caller>, "projects/example/topics/findings");
    for order in ["x".repeat(1024), "x".repeat(1025), "y".repeat(1025)] {
        topic.publish("{}", &order, &std::collections::BTreeMap::new()).await.expect("published");
    }
    let calls = notes.calls.lock().expect("unpoisoned");
    let keys: Vec<&str> =
        calls.iter().filter_map(|call| call.parameters["body"]["messages"][0]["orderingKey"].as_str()).collect();
    assert_eq!(keys.iter().map(|key| key.len()).collect::<Vec<_>>(), [1024, 71, 71]);
    assert_ne!(keys.get(1), keys.get(2));
}

#[tokio::test]
async fn what_the_caller_says_of_a_retry_is_passed_on() {
    for (kind, retryable) in [(CallErrorKind::Throttled, true), (CallErrorKind::NotFound, false)] {
        let notes = Arc::new(Notes { fails: Some(kind), ..Notes::default() });
        let sink = PubSub::new("pubsub", Topic::new(notes as Arc<dyn Caller>, "projects/example/topics/findings"));
        let error = sink.tell(&notice(&Value::Null)).await.expect_err("refused");
        assert_eq!(error.retryable, retryable, "{kind:?}");
    }
}
