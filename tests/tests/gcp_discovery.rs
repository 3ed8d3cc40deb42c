//! Every request that Google Cloud's caller is given to send, against the discovery documents that Google publishes: those of
//! every remediation and its undo, of every state reader, and one of each other method of the operations table.

#![allow(dead_code)] // of the crate's own tests, a part is used here

#[path = "../../shared/gcp/tests/remediations/cases.rs"]
mod cases;
#[path = "../../shared/gcp/tests/remediations/fake/mod.rs"]
mod fake;
#[path = "../../shared/gcp/tests/remediations/findings.rs"]
mod findings;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use onus_core::proof::{Case, Fake as _};
use onus_core::{Call, Caller, Image, PlanError, Resource};
use onus_gcp::operations::Location;
use onus_gcp::{operations, remediation, request, state_readers};
use onus_tests::workspace;
use serde_json::{Map, Value, json};

/// Every call of a remediation's life: reading, writing, reading back, undoing.
async fn calls_of(case: &Case) -> Vec<Call> {
    let gcp = fake::FakeGcp::new(case.world.clone());
    let remediation = remediation(case.remediation).expect("a remediation");
    let read = async || -> Image {
        let image = onus_core::state::read_image::<PlanError>(&gcp, |so_far| remediation.reads(&case.finding, so_far));
        image.await.expect("the fake answers")
    };
    let steps = remediation.plan(&case.finding, &read().await).expect("a plan");
    for step in &steps {
        gcp.call(&step.call).await.expect("the fake answers");
    }
    let after = read().await;
    for step in steps.iter().rev() {
        let inverse = after.fill(step.inverse.as_ref().expect("an inverse")).expect("what it depends on was read");
        gcp.call(&inverse).await.expect("the fake answers");
    }
    gcp.calls()
}

/// What every state reader asks first.
fn reads() -> Vec<Call> {
    let mut calls = Vec::new();
    for reader in state_readers() {
        let (kind, id) =
            findings::THINGS.iter().find(|(kind, _)| *kind == reader.kind()).expect("a thing of each kind");
        let change = findings::finding("x:y", kind, id, json!(null)).change;
        let resource: Resource<'_> = change.resources[0].clone();
        calls.extend(reader.reads(&change, &resource, &Image::default()).into_iter().map(|read| read.call));
    }
    calls
}

/// A call of a method with what it cannot do without.
fn least(name: &str) -> Call {
    let (api, method) = name.split_once(':').expect("api:method");
    let found = operations::api(api).and_then(|api| api.method(method)).expect("a method of the table");
    let required = found.parameters.iter().filter(|(_, one)| one.required);
    let mut parameters: Map<String, Value> = required
        .map(|(name, one)| (name.clone(), json!(one.segments.as_deref().unwrap_or("*").replace('*', "a1"))))
        .collect();
    if method == "firewallPolicies.get" {
        parameters.insert("firewallPolicy".to_owned(), json!("123456"));
    }
    if method == "projects.topics.publish" {
        let message = json!({ "data": "e30=", "attributes": { "kind": "finding" }, "orderingKey": "a" });
        parameters.insert("body".to_owned(), json!({ "messages": [message] }));
    }
    if method == "projects.subscriptions.pull" {
        parameters.insert("body".to_owned(), json!({ "maxMessages": 10, "returnImmediately": true }));
    }
    if method == "projects.subscriptions.acknowledge" {
        parameters.insert("body".to_owned(), json!({ "ackIds": ["a1"] }));
    }
    Call::gcp(api, method, Value::Object(parameters))
}

/// A call as the validator reads it.
fn line(call: &Call) -> Value {
    let (api, method) = request::method(call).expect("a method of the table");
    let sent = request::write(call).unwrap_or_else(|error| panic!("{error}: {call}"));
    let headers: Vec<&String> = sent.headers.iter().map(|(name, _)| name).collect();
    assert!(method.parameters.values().filter(|one| one.location == Location::Header).count() >= headers.len());
    json!({
        "api": api.name, "version": api.version, "method": method.name,
        "http": sent.method, "path": sent.path, "query": sent.query, "headers": headers, "body": sent.body,
    })
}

/// Runs the validator. Answers whether it found nothing wrong, and what it printed.
fn validate(requests: &[Value]) -> (bool, String) {
    let mut validator = Command::new(workspace::python())
        .arg(workspace::root().join("tests/gcp/discovery.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python can be started");
    let mut input = validator.stdin.take().expect("standard input is piped");
    for request in requests {
        writeln!(input, "{request}").expect("the validator reads");
    }
    drop(input);
    let output = validator.wait_with_output().expect("the validator ends");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test]
async fn every_request_is_one_that_the_discovery_documents_describe() {
    let mut calls = reads();
    for case in &cases::all() {
        calls.extend(calls_of(case).await);
    }
    let called: BTreeSet<String> = calls.iter().map(Call::name).collect();
    calls.extend(operations::operations().filter(|name| !called.contains(*name)).map(least));
    let requests: Vec<Value> = calls.iter().map(line).collect();
    let (right, told) = validate(&requests);
    assert!(right, "{told}");
    for name in operations::operations() {
        assert!(told.contains(name), "`{name}` was not validated: {told}");
    }
    println!("{told}");
}

#[test]
fn the_operations_table_is_what_the_documents_say() {
    let script = workspace::root().join("shared/gcp/generate_operations.py");
    let output = Command::new(workspace::python()).arg(script).arg("--check").output().expect("Python can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_the_documents_do_not_describe_is_found() {
    let right = line(&Call::gcp(
        "compute",
        "firewalls.patch",
        json!({ "project": "shop", "firewall": "ops", "body": { "sourceRanges": ["192.0.2.0/24"] } }),
    ));
    assert!(validate(std::slice::from_ref(&right)).0);
    let wrong = [
        ("method", json!("firewalls.close")),
        ("http", json!("PUT")),
        ("path", json!("/compute/v1/projects/shop/global/firewalls/Ops")),
        ("path", json!("/compute/v1/projects/shop/firewalls/ops")),
        ("query", json!([["force", "true"]])),
        ("headers", json!(["If-Match"])),
        ("body", json!({ "sourceRange": ["192.0.2.0/24"] })),
        ("body", json!({ "sourceRanges": "192.0.2.0/24" })),
        ("body", json!({ "allowed": [{ "ipProtocol": "tcp" }] })),
        ("body", json!({ "direction": "INWARD" })),
        ("body", json!({ "disabled": "true" })),
        ("body", json!(null)),
    ];
    let mut missed = Vec::new();
    for (member, value) in wrong {
        let mut request = right.clone();
        request[member] = value.clone();
        if validate(&[request]).0 {
            missed.push(format!("{member}: {value}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
