//! Runs the published AWS protocol cases against our serialisers and parsers, and prints what agrees.
//!
//! ```text
//! cargo run -p onus-aws --example protocol_cases -- DIRECTORY
//! ```
//!
//! The directory is botocore's `tests/unit/protocols`: `input/*.json` (parameters to request) and `output/*.json`
//! (response to answer). Exits 1 when a case disagrees.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use onus_aws::operations::{Kind, Node, Operation, Protocol, Service};
use onus_aws::protocol::{Request, Response, parse, serialize};
use serde_json::{Map, Value, json};

/// Cases that are left out, each with its reason.
const LEFT_OUT: &[(&str, &str)] = &[
    (
        "RestJsonHttpChecksumRequired",
        "wants Content-MD5; CRC-32 is sent, which every service takes that wants a checksum",
    ),
    ("SDKAppendedGzipAfterProvidedEncoding_*", GZIP),
    ("SDKAppendsGzipAndIgnoresHttpProvidedEncoding_*", GZIP),
    ("SDKAppliedContentEncoding_*", GZIP),
];

const GZIP: &str = "wants large bodies compressed; no operation of the table has that trait";

fn is_named(pattern: &str, id: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == id, |head| id.starts_with(head))
}

/// The idempotency token that the cases expect.
const TOKEN: &str = "00000000-0000-4000-8000-000000000000";

fn main() {
    let directory = std::env::args().nth(1).expect("usage: protocol_cases DIRECTORY");
    let mut failed = 0;
    for direction in ["input", "output"] {
        let mut files: Vec<_> = std::fs::read_dir(Path::new(&directory).join(direction))
            .expect("the directory has `input` and `output`")
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        for file in files {
            let suites: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
            let (mut passed, mut left_out, mut wrong) = (0, Vec::new(), Vec::new());
            for suite in &suites {
                for case in suite["cases"].as_array().unwrap() {
                    let id = case["id"].as_str().or(case["description"].as_str()).unwrap_or_default();
                    if let Some((_, reason)) = LEFT_OUT.iter().find(|(pattern, _)| is_named(pattern, id)) {
                        left_out.push(format!("{id}: {reason}"));
                        continue;
                    }
                    let result = if direction == "input" { input(suite, case) } else { output(suite, case) };
                    match result {
                        Ok(()) => passed += 1,
                        Err(reason) => wrong.push(format!("{id}: {reason}")),
                    }
                }
            }
            let name = file.file_stem().unwrap().to_string_lossy();
            println!("{direction:6} {name:9} {passed:3} of {}", passed + wrong.len());
            for line in &left_out {
                println!("       left out {line}");
            }
            for line in &wrong {
                println!("       FAILED {line}");
            }
            failed += wrong.len();
        }
    }
    std::process::exit(i32::from(failed > 0));
}

/// The case's model as a service with one operation.
fn model(suite: &Value, case: &Value) -> Result<(Service, String), String> {
    let name = case["given"]["name"].as_str().unwrap_or("OperationName").to_owned();
    let mut given = case["given"].clone();
    if given["httpChecksumRequired"] == true || given["httpChecksum"]["requestChecksumRequired"] == true {
        given["checksumRequired"] = json!(true);
    }
    let table = json!({
        "metadata": suite["metadata"],
        "operations": { &name: given },
        "shapes": suite["shapes"],
    });
    Ok((
        Service::from_json("case", &table.to_string())
            .map_err(|e| format!("{e}: {:?}", std::error::Error::source(&e)))?,
        name,
    ))
}

fn input(suite: &Value, case: &Value) -> Result<(), String> {
    let (service, name) = model(suite, case)?;
    let operation = service.operation(&name).unwrap();
    let mut parameters = case["params"].clone();
    if let Some(reference) = &operation.input {
        encode_blobs(service.node(reference), &mut parameters);
    }
    let request = serialize(&service, operation, &parameters, &|| TOKEN.to_owned()).map_err(|e| e.to_string())?;
    let expected = &case["serialized"];
    let mut wrong = Vec::new();
    let mut compare = |what: &str, ours: Value, theirs: Value| {
        if ours != theirs {
            wrong.push(format!("{what} is {ours}, not {theirs}"));
        }
    };
    compare("method", json!(request.method), expected.get("method").cloned().unwrap_or(json!(request.method)));
    // An endpoint may have a path of its own, to which the request's is added.
    let endpoint = suite["clientEndpoint"].as_str().unwrap_or_default();
    let host_and_base = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let (host, base) =
        host_and_base.split_once('/').map_or((host_and_base, String::new()), |(h, b)| (h, format!("/{b}")));
    let ours = format!("{}{}", base.trim_end_matches('/'), request.uri());
    compare("uri", sorted_query(&ours), sorted_query(expected["uri"].as_str().unwrap_or_default()));
    for (header, value) in expected["headers"].as_object().into_iter().flatten() {
        compare(header, plain_header(request.header(header)), plain_header(value.as_str()));
    }
    for header in expected["forbidHeaders"].as_array().into_iter().flatten() {
        compare(header.as_str().unwrap(), json!(request.header(header.as_str().unwrap())), Value::Null);
    }
    if let Some(theirs) = expected["host"].as_str().filter(|_| !host.is_empty()) {
        compare(
            "host",
            json!(format!("{}{host_and_base}", request.host_prefix.clone().unwrap_or_default()).trim_end_matches('/')),
            json!(theirs),
        );
    }
    if let Some(body) = expected["body"].as_str() {
        compare("body", body_of(&service, operation, &request), canonical(&service, operation, body.as_bytes()));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

/// Headers are compared without the spaces between the items of a list, and a form's media type without its charset.
fn plain_header(value: Option<&str>) -> Value {
    json!(value.map(|text| text.replace(", ", ",").replace("; charset=utf-8", "")))
}

fn sorted_query(uri: &str) -> Value {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let mut pairs: Vec<&str> = query.split('&').map(|pair| pair.strip_suffix('=').unwrap_or(pair)).collect();
    pairs.sort_unstable();
    json!([path, pairs])
}

fn body_of(service: &Service, operation: &Operation, request: &Request) -> Value {
    canonical(service, operation, &request.body)
}

/// A body so that two of the same meaning are equal.
fn canonical(service: &Service, operation: &Operation, body: &[u8]) -> Value {
    let text = String::from_utf8_lossy(body).into_owned();
    let payload = operation.input.as_ref().and_then(|reference| {
        let node = service.node(reference);
        node.member(node.shape().payload.as_deref()?)
    });
    if payload.is_some_and(|node| matches!(node.kind(), Kind::Blob | Kind::String) && !node.shape().document) {
        return json!(text);
    }
    match service.metadata.protocol {
        Protocol::Json | Protocol::RestJson => serde_json::from_str(&text).unwrap_or(json!(text)),
        Protocol::Query | Protocol::Ec2 => {
            let mut pairs: Vec<&str> = text.split('&').collect();
            pairs.sort_unstable();
            json!(pairs)
        }
        Protocol::RestXml => json!(sorted_xml(&text)),
    }
}

/// The elements of a document with those of the same parent sorted, as text: members have no order.
fn sorted_xml(text: &str) -> String {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(text);
    let mut open: Vec<(String, Vec<String>)> = vec![(String::new(), Vec::new())];
    let start = |e: &quick_xml::events::BytesStart<'_>| {
        let mut attributes: Vec<String> = e
            .attributes()
            .map(|a| a.unwrap())
            .map(|a| {
                format!(" {}={:?}", a.key.as_ref(), a.normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap())
            })
            .collect();
        attributes.sort();
        format!("{}{}", e.name().as_ref(), attributes.concat())
    };
    let close = |open: &mut Vec<(String, Vec<String>)>| {
        let (name, mut children) = open.pop().unwrap();
        // Space between elements means nothing.
        if children.iter().any(|child| child.starts_with('<')) {
            children.retain(|child| !child.trim().is_empty());
        }
        children.sort();
        open.last_mut().unwrap().1.push(format!("<{name}>{}</>", children.concat()));
    };
    loop {
        match reader.read_event() {
            Ok(Event::Start(e)) => open.push((start(&e), Vec::new())),
            Ok(Event::Empty(e)) => {
                open.push((start(&e), Vec::new()));
                close(&mut open);
            }
            Ok(Event::End(_)) => close(&mut open),
            Ok(Event::Text(e)) => open.last_mut().unwrap().1.push(e.to_string()),
            Ok(Event::GeneralRef(e)) => open.last_mut().unwrap().1.push(format!("&{};", &*e)),
            Ok(Event::Eof) => return open.remove(0).1.concat().trim().to_owned(),
            Ok(_) => {}
            Err(error) => return format!("{error}: {text}"),
        }
    }
}

/// The cases hold blobs as plain text.
fn encode_blobs(node: Node<'_>, value: &mut Value) {
    walk(node, value, &|node, value| {
        if node.kind() == Kind::Blob
            && let Value::String(text) = value
        {
            *text = STANDARD.encode(&text);
        }
    });
}

fn walk(node: Node<'_>, value: &mut Value, change: &impl Fn(Node<'_>, &mut Value)) {
    change(node, value);
    match value {
        Value::Object(members) if node.kind() == Kind::Structure => {
            for (name, value) in members {
                if let Some(member) = node.member(name) {
                    walk(member, value, change);
                }
            }
        }
        Value::Object(entries) if node.kind() == Kind::Map => {
            entries.values_mut().for_each(|value| walk(node.entry().unwrap().1, value, change));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| {
            if let Some(item) = node.item() {
                walk(item, value, change);
            }
        }),
        _ => {}
    }
}

fn output(suite: &Value, case: &Value) -> Result<(), String> {
    let (service, name) = model(suite, case)?;
    let operation = service.operation(&name).unwrap();
    let headers = case["response"]["headers"].as_object().into_iter().flatten();
    let response = Response {
        status: u16::try_from(case["response"]["status_code"].as_u64().unwrap()).unwrap(),
        headers: headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect(),
        body: case["response"]["body"].as_str().unwrap_or_default().as_bytes().to_vec(),
    };
    let answer = parse(&service, operation, &response);
    if case.get("error").is_some() {
        // Of a refusal, code and message are kept; members of modelled errors are nobody's business.
        let error = answer.err().ok_or("is an error")?;
        let message = case["errorMessage"].as_str().unwrap_or(&error.message).to_owned();
        let ours = BTreeMap::from([("code", error.code), ("message", error.message)]);
        let theirs = BTreeMap::from([("code", case["errorCode"].as_str().unwrap().into()), ("message", message)]);
        return if ours == theirs { Ok(()) } else { Err(format!("{ours:?}, not {theirs:?}")) };
    }
    let mut ours = answer.map_err(|error| error.to_string())?;
    if let Some(reference) = &operation.output {
        walk(service.node(reference), &mut ours, &|node, value| match (node.kind(), &value) {
            (Kind::Blob, Value::String(text)) => {
                *value = json!(String::from_utf8_lossy(&STANDARD.decode(text).unwrap()));
            }
            (Kind::Timestamp, Value::String(text)) => {
                *value = json!(text.parse::<jiff::Timestamp>().unwrap().as_duration().as_secs_f64());
            }
            _ => {}
        });
    }
    let theirs = numbers(case["result"].clone());
    let ours = numbers(ours);
    if ours == theirs { Ok(()) } else { Err(format!("{ours}, not {theirs}")) }
}

/// Numbers as floats: `1` and `1.0` are the same.
fn numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.into_iter().map(numbers).collect(),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(k, v)| (k, numbers(v))).collect::<Map<_, _>>())
        }
        other => other,
    }
}
