//! The Functions host and the two custom handlers.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use onus_core::Cloud;
use onus_host::azure::{AuditFunction, RespondFunction};
use onus_pipeline::Job;
use serde_json::{Value, json};

use crate::world::{NOW, World, ask, fixture};

fn post(function: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(function).header("Content-Type", "application/json").body(body.into()).expect("a request")
}

fn wrapped(data: &Value) -> String {
    json!({ "Data": { "event": data }, "Metadata": { "sys": { "MethodName": "activity" } } }).to_string()
}

fn audit(world: &World) -> axum::Router {
    AuditFunction::new(world.auditor()).router()
}

fn respond(world: &World) -> axum::Router {
    RespondFunction::new(world.responder(), world.dead_letters()).router()
}

/// A security rule that lets the world in, its body with it.
fn record() -> Value {
    serde_json::from_str(&fixture("azure/network/security_rule_write.json")).expect("JSON")
}

#[tokio::test]
async fn a_record_becomes_a_finding_in_whatever_encoding_the_host_hands_it_over() {
    let record = record();
    let batch = json!({ "records": [record] });
    let shapes = [
        ("object", batch.clone()),
        ("text", json!(batch.to_string())),
        ("bytes", json!(STANDARD.encode(batch.to_string()))),
        ("list", json!([batch])),
        ("list of texts", json!([batch.to_string()])),
        ("list as text", json!(json!([batch.to_string()]).to_string())),
        ("list of bytes", json!([STANDARD.encode(batch.to_string())])),
        ("the record alone", record),
    ];
    let mut wrong = Vec::new();
    for (name, data) in shapes {
        let world = World::new();
        let (status, body) = ask(&audit(&world), post("/activity", wrapped(&data))).await;
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        let asked = world.jobs.messages().len();
        if status != StatusCode::OK
            || answer["ReturnValue"]["changes"] != 1
            || world.findings().await == 0
            || asked == 0
        {
            wrong.push(format!("{name}: {status}, {asked} jobs, {answer}"));
        }
        assert!(answer["Outputs"].is_object() && answer["Logs"].is_array(), "what the host expects: {answer}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn one_bad_message_of_a_batch_is_put_aside_and_the_others_are_audited() {
    let world = World::new();
    let good = json!({ "records": [record()] }).to_string();
    let data = json!([good, "{\"records\":[{", good]);
    let (status, body) = ask(&audit(&world), post("/entra", wrapped(&data))).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert!(world.findings().await > 0);
    let letters = world.letters.messages();
    assert_eq!(letters.len(), 1, "{letters:?}");
    let letter: Value = serde_json::from_str(&letters[0].0).expect("JSON");
    assert_eq!(letter["what"], "{\"records\":[{");
    assert!(!letter["reason"].as_str().expect("a reason").is_empty());
}

#[tokio::test]
async fn a_ledger_that_does_not_answer_makes_the_host_try_again_and_that_does_the_rest() {
    let world = World::new();
    let router = audit(&world);
    let body = wrapped(&json!({ "records": [record()] }));
    world.switch_off(true);
    let (status, answer) = ask(&router, post("/activity", body.clone())).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{answer}");
    assert!(world.letters.messages().is_empty(), "what may succeed later is no dead letter");
    world.switch_off(false);
    let (status, _) = ask(&router, post("/activity", body)).await;
    assert_eq!((status, world.findings().await > 0), (StatusCode::OK, true));
}

#[tokio::test]
async fn what_cannot_even_be_put_aside_is_no_success() {
    let world = World::new();
    world.letters.refuse(true);
    for router in [audit(&world), respond(&world)] {
        let (status, _) = ask(&router, post("/function", wrapped(&json!("no record at all")))).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    }
}

#[tokio::test]
async fn both_handshakes_of_event_grid_are_answered() {
    let world = World::new();
    let event: Value = serde_json::from_str(&fixture("azure/envelopes/event_grid_validation.json")).expect("JSON");
    let first = if event.is_array() { event[0].clone() } else { event.clone() };
    let code = first["data"]["validationCode"].clone();
    let (status, body) = ask(&audit(&world), post("/api/activity", json!([first]).to_string())).await;
    let answer: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status, &answer["validationResponse"]), (StatusCode::OK, &code));
    let (_, body) = ask(&audit(&world), post("/activity", wrapped(&json!([first])))).await;
    let answer: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(answer["ReturnValue"]["validationResponse"], code);

    let options = Request::options("/api/activity").header("WebHook-Request-Origin", "eventgrid.azure.net");
    let request = options.body(Body::empty()).expect("a request");
    let answer = tower_service::Service::call(&mut audit(&world), request).await.expect("answers");
    assert_eq!(answer.headers().get("WebHook-Allowed-Origin").expect("the header"), "eventgrid.azure.net");
    let (status, _) =
        ask(&audit(&world), Request::options("/api/activity").body(Body::empty()).expect("a request")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(world.letters.messages().is_empty());
}

/// Audits a change, and answers the job that was asked for.
async fn asked(world: &World) -> Job {
    ask(&audit(world), post("/activity", wrapped(&json!({ "records": [record()] })))).await;
    serde_json::from_str(&world.jobs.messages()[0].0).expect("a job")
}

#[tokio::test]
async fn a_message_may_ask_to_respond_and_for_nothing_that_only_a_person_may() {
    let world = World::new();
    let job = asked(&world).await;
    let finding = job.finding().clone();
    let (status, body) = ask(&respond(&world), post("/respond", wrapped(&json!({ "respond": finding })))).await;
    assert_eq!((status, world.letters.messages().len()), (StatusCode::OK, 0), "{body}");
    for verb in ["approve", "deny", "undo"] {
        let message = json!({ verb: finding, "by": "thief" });
        let (status, _) = ask(&respond(&world), post("/respond", wrapped(&message))).await;
        assert_eq!(status, StatusCode::OK, "it will never be good, so it does not come again");
    }
    let letters = world.letters.messages();
    let told =
        |verb: &str| letters.iter().any(|(letter, _)| letter.contains(&format!("a message may not ask to {verb}")));
    assert!(["approve", "deny", "undo"].into_iter().all(told), "{letters:?}");
}

#[tokio::test]
async fn a_persons_request_counts_as_the_ledger_holds_it() {
    let world = World::new();
    let finding = asked(&world).await.finding().clone();
    let deny = Job::Deny { finding: finding.clone(), by: "alice".to_owned() };
    let key = world.records().request(&deny, NOW.parse::<Timestamp>().expect("a moment")).await.expect("kept");
    let news = |key: &str| {
        json!({
            "eventType": "Microsoft.Storage.BlobCreated", "subject": format!("/blobServices/default/containers/ledger/blobs/{key}"),
            "id": "1", "eventTime": NOW, "data": {}, "dataVersion": "1",
        })
    };
    let (status, body) = ask(&respond(&world), post("/respond", wrapped(&news(&format!("onus/{key}"))))).await;
    assert_eq!((status, world.letters.messages().len()), (StatusCode::OK, 0), "{body}");
    for key in ["onus/requests/2026-11-02/forged.json", "elsewhere/requests/x", "onus/claims/x"] {
        ask(&respond(&world), post("/respond", wrapped(&news(key)))).await;
    }
    assert_eq!(world.letters.messages().len(), 3, "{:?}", world.letters.messages());
}

#[tokio::test]
async fn a_job_that_may_succeed_later_goes_back_to_the_queue() {
    let world = World::new();
    let job = asked(&world).await;
    world.switch_off(true);
    let (status, _) =
        ask(&respond(&world), post("/respond", wrapped(&json!(serde_json::to_string(&job).expect("JSON"))))).await;
    assert_eq!((status, world.letters.messages().len()), (StatusCode::INTERNAL_SERVER_ERROR, 0));
}

#[tokio::test]
async fn a_tick_finds_what_no_delivery_brought_and_is_not_done_before_it_is_kept() {
    let world = World::new();
    let function = AuditFunction::new(world.auditor()).sweeping(world.sweep(Cloud::Azure, &record())).router();
    let tick = || post("/tick", json!({ "Data": { "timer": { "IsPastDue": false } } }).to_string());
    world.switch_off(true);
    assert_eq!(ask(&function, tick()).await.0, StatusCode::INTERNAL_SERVER_ERROR);
    world.switch_off(false);
    let (status, body) = ask(&function, tick()).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!((world.findings().await, world.jobs.messages().len()), (1, 1), "{body}");
    ask(&function, tick()).await;
    assert_eq!(world.findings().await, 1, "what is known already is not found anew");

    let alone = AuditFunction::new(world.auditor()).router();
    assert_eq!(
        ask(&alone, tick()).await.0,
        StatusCode::INTERNAL_SERVER_ERROR,
        "a subscription or project has to be named"
    );
}
