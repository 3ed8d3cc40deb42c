//! Cloud Run, what Pub/Sub and Eventarc push, and the door.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use onus_core::Cloud;
use onus_host::gcp::{AuditFunction, Doorkeeper, Expected, Keys, RespondFunction};
use onus_pipeline::Job;
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

use crate::world::{NOW, Still, World, ask, fixture};

const ACCOUNT: &str = "push@example.iam.gserviceaccount.com";

fn key() -> &'static RsaPrivateKey {
    static KEY: OnceLock<RsaPrivateKey> = OnceLock::new();
    KEY.get_or_init(|| RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).expect("a key"))
}

/// Where keys are published; nowhere when it is empty.
struct Published(bool);

#[async_trait]
impl Keys for Published {
    async fn fetch(&self) -> Result<JwkSet, String> {
        if !self.0 {
            return Err("no route to host".to_owned());
        }
        let part = |number: &rsa::BigUint| URL_SAFE_NO_PAD.encode(number.to_bytes_be());
        let key = json!({ "kid": "k", "kty": "RSA", "alg": "RS256", "use": "sig", "n": part(key().n()), "e": part(key().e()) });
        serde_json::from_value(json!({ "keys": [key] })).map_err(|error| error.to_string())
    }
}

fn door(published: bool) -> Doorkeeper {
    let expected = Expected { audience: "onus-audit".to_owned(), account: ACCOUNT.to_owned() };
    Doorkeeper::new(expected, Arc::new(Published(published)), Arc::new(Still))
}

fn token(account: &str) -> String {
    let now = NOW.parse::<Timestamp>().expect("a moment").as_second();
    let claims = json!({
        "iss": "https://accounts.google.com", "aud": "onus-audit", "email": account, "email_verified": true, "iat": now, "exp": now + 3600,
    });
    let header = Header { kid: Some("k".to_owned()), ..Header::new(Algorithm::RS256) };
    let der = key().to_pkcs1_der().expect("a key");
    format!("Bearer {}", encode(&header, &claims, &EncodingKey::from_rsa_der(der.as_bytes())).expect("a token"))
}

fn post(body: impl Into<Body>) -> Request<Body> {
    Request::post("/").header("Authorization", token(ACCOUNT)).body(body.into()).expect("a request")
}

fn audit(world: &World) -> axum::Router {
    AuditFunction::new(world.auditor(), door(true)).router()
}

fn respond(world: &World) -> axum::Router {
    RespondFunction::new(world.responder(), world.dead_letters(), door(true)).router()
}

/// A bucket opened to everyone.
fn entry() -> Value {
    serde_json::from_str(&fixture("gcp/storage/set_iam_permissions.json")).expect("JSON")
}

fn pushed(data: &str, attributes: &Value) -> String {
    let message =
        json!({ "data": STANDARD.encode(data), "messageId": "1", "publishTime": NOW, "attributes": attributes });
    json!({ "message": message, "subscription": "projects/example/subscriptions/onus" }).to_string()
}

#[tokio::test]
async fn an_entry_becomes_a_finding_however_it_is_pushed() {
    let entry = entry();
    let structured = json!({
        "specversion": "1.0", "id": "1", "source": "//cloudaudit.googleapis.com/projects/example/logs/activity",
        "type": "google.cloud.audit.log.v1.written", "datacontenttype": "application/json", "data": entry,
    });
    let shapes = [
        ("Pub/Sub", post(pushed(&entry.to_string(), &json!({})))),
        ("CloudEvent, structured", post(structured.to_string())),
        ("CloudEvent, binary", {
            let request = Request::post("/").header("Authorization", token(ACCOUNT)).header("ce-specversion", "1.0");
            request
                .header("ce-type", "google.cloud.audit.log.v1.written")
                .body(Body::from(entry.to_string()))
                .expect("a request")
        }),
    ];
    let mut wrong = Vec::new();
    for (name, request) in shapes {
        let world = World::new();
        let (status, body) = ask(&audit(&world), request).await;
        let jobs = world.jobs.messages();
        if status != StatusCode::OK || world.findings().await == 0 || jobs.is_empty() {
            wrong.push(format!("{name}: {status}, {} jobs, {body}", jobs.len()));
        } else if !jobs.iter().all(|(_, order)| order.starts_with("//storage.googleapis.com/")) {
            wrong.push(format!("{name}: jobs are not ordered by their resource: {jobs:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn who_is_not_let_in_touches_nothing() {
    let world = World::new();
    let body = pushed(&entry().to_string(), &json!({}));
    let without = Request::post("/").body(Body::from(body.clone())).expect("a request");
    let forged = |header: String| {
        Request::post("/").header("Authorization", header).body(Body::from(body.clone())).expect("a request")
    };
    let good = token(ACCOUNT);
    let changed = format!("{}AAAA", good.get(..good.len() - 4).expect("long enough"));
    let cases = [
        (StatusCode::UNAUTHORIZED, without),
        (StatusCode::FORBIDDEN, forged(token("thief@example.com"))),
        (StatusCode::FORBIDDEN, forged(changed)),
        (StatusCode::FORBIDDEN, forged("Bearer garbage".to_owned())),
    ];
    for (expected, request) in cases {
        let (status, told) = ask(&audit(&world), request).await;
        assert_eq!((status, told.as_str()), (expected, ""), "and why is not told");
    }
    let nobody_known = AuditFunction::new(world.auditor(), door(false)).router();
    let (status, _) = ask(&nobody_known, post(body)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((world.findings().await, world.letters.messages().len()), (0, 0));
}

#[tokio::test]
async fn success_is_answered_only_once_the_work_is_in_the_ledger() {
    let world = World::new();
    let router = audit(&world);
    let body = pushed(&entry().to_string(), &json!({}));
    world.switch_off(true);
    assert_eq!(ask(&router, post(body.clone())).await.0, StatusCode::SERVICE_UNAVAILABLE);
    world.switch_off(false);
    assert_eq!(ask(&router, post(body)).await.0, StatusCode::OK);
    assert!(world.findings().await > 0);
}

#[tokio::test]
async fn what_can_never_be_read_is_put_aside_once_and_pushed_again_when_that_fails() {
    let world = World::new();
    for router in [audit(&world), respond(&world)] {
        world.letters.refuse(true);
        assert_eq!(ask(&router, post(pushed("{", &json!({})))).await.0, StatusCode::SERVICE_UNAVAILABLE);
        world.letters.refuse(false);
        assert!(ask(&router, post(pushed("{", &json!({})))).await.0.is_success());
    }
    assert_eq!(world.letters.messages().len(), 2);
}

#[tokio::test]
async fn a_message_may_ask_to_respond_and_a_person_asks_in_the_ledger() {
    let world = World::new();
    ask(&audit(&world), post(pushed(&entry().to_string(), &json!({})))).await;
    let message = world.jobs.messages()[0].0.clone();
    let finding = serde_json::from_str::<Job>(&message).expect("a job").finding().clone();
    let undo = Job::Undo { finding: finding.clone(), by: "alice".to_owned() };
    let key = world.records().request(&undo, NOW.parse::<Timestamp>().expect("a moment")).await.expect("kept");
    let news = |key: &str| json!({ "eventType": "OBJECT_FINALIZE", "bucketId": "ledger", "objectId": key });
    let good = [
        pushed("{}", &news(&format!("onus/{key}"))),
        pushed("{}", &json!({ "eventType": "OBJECT_DELETE", "objectId": "x" })),
    ];
    for body in good {
        assert_eq!(ask(&respond(&world), post(body)).await.0, StatusCode::NO_CONTENT);
    }
    assert_eq!(world.letters.messages(), []);
    let bad = [
        pushed(&serde_json::to_string(&undo).expect("JSON"), &json!({})),
        pushed("{}", &news("onus/requests/2026-11-02/forged.json")),
        pushed("{}", &news("elsewhere/requests/x")),
    ];
    for (count, body) in (1..).zip(bad) {
        assert_eq!(ask(&respond(&world), post(body)).await.0, StatusCode::NO_CONTENT);
        assert_eq!(world.letters.messages().len(), count);
    }
}

#[tokio::test]
async fn a_job_that_may_succeed_later_is_pushed_again() {
    let world = World::new();
    world.switch_off(true);
    let body = pushed(r#"{"respond":"f-0123456789abcdef0123456789"}"#, &json!({}));
    assert_eq!(ask(&respond(&world), post(body)).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert!(world.letters.messages().is_empty());
}

fn ticked() -> Request<Body> {
    Request::post("/tick").header("Authorization", token(ACCOUNT)).body(Body::empty()).expect("a request")
}

#[tokio::test]
async fn a_tick_finds_what_no_delivery_brought_and_is_not_done_before_it_is_kept() {
    let world = World::new();
    let function = AuditFunction::new(world.auditor(), door(true)).sweeping(world.sweep(Cloud::Gcp, &entry())).router();
    let tick = || ticked();
    world.switch_off(true);
    assert_eq!(ask(&function, tick()).await.0, StatusCode::SERVICE_UNAVAILABLE);
    world.switch_off(false);
    let (status, body) = ask(&function, tick()).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!((world.findings().await, world.jobs.messages().len()), (1, 1), "{body}");
    ask(&function, tick()).await;
    assert_eq!(world.findings().await, 1, "what is known already is not found anew");

    let alone = AuditFunction::new(world.auditor(), door(true)).router();
    assert_eq!(
        ask(&alone, tick()).await.0,
        StatusCode::SERVICE_UNAVAILABLE,
        "a subscription or project has to be named"
    );
}

#[tokio::test]
async fn a_tick_without_a_token_sweeps_nothing() {
    let world = World::new();
    let function = AuditFunction::new(world.auditor(), door(true)).sweeping(world.sweep(Cloud::Gcp, &entry())).router();
    let forged = Request::post("/tick").header("Authorization", token("mallory@example.com")).body(Body::empty());
    let open = Request::post("/tick").body(Body::empty());
    assert_eq!(ask(&function, forged.expect("a request")).await.0, StatusCode::FORBIDDEN);
    assert_eq!(ask(&function, open.expect("a request")).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(world.findings().await, 0);
}
