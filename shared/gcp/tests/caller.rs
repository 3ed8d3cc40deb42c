//! The caller against a server of our own: what it sends, what it sends again, what it follows, and what it makes of the
//! answers.
#![cfg(feature = "caller")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use google_cloud_auth::credentials::{CacheableResource, Credentials, CredentialsProvider, EntityTag};
use google_cloud_auth::errors::CredentialsError;
use http::{Extensions, HeaderMap};
use onus_core::{Call, CallErrorKind, Caller};
use onus_gcp::caller::{Endpoint, GcpCaller, Pause, http_client};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Waits for no time and keeps how long it should have been.
#[derive(Debug, Default)]
struct NoTime(Mutex<Vec<Duration>>);

#[async_trait]
impl Pause for NoTime {
    async fn pause(&self, length: Duration) {
        self.0.lock().unwrap().push(length);
    }
}

/// Credentials that give a token, or fail for a while or for good.
#[derive(Debug)]
struct Token(Result<&'static str, bool>);

impl CredentialsProvider for Token {
    async fn headers(&self, _: Extensions) -> Result<CacheableResource<HeaderMap>, CredentialsError> {
        let token = self.0.map_err(|transient| CredentialsError::from_msg(transient, "no token"))?;
        let data =
            [("authorization".parse().unwrap(), format!("Bearer {token}").parse().unwrap())].into_iter().collect();
        Ok(CacheableResource::New { entity_tag: EntityTag::new(), data })
    }

    async fn universe_domain(&self) -> Option<String> {
        None
    }
}

/// One answer: status, more header lines, body.
type Answer = (u16, &'static str, &'static str);

/// Answers each request with the next of `answers`, the last one for ever. Keeps what was asked.
async fn server(answers: Vec<Answer>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, asked) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(Mutex::new(Vec::new())));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        let mut left = answers.into_iter().peekable();
        let mut answer = *left.peek().unwrap();
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = String::new();
            while !is_whole(&request) {
                let mut part = [0; 4096];
                let length = socket.read(&mut part).await.unwrap();
                request.push_str(&String::from_utf8_lossy(part.get(..length).unwrap()));
            }
            log.lock().unwrap().push(request);
            answer = left.next().unwrap_or(answer);
            let (status, headers, body) = answer;
            let head =
                format!("HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
            socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        }
    });
    (url, asked)
}

/// Whether a request has arrived with its body.
fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn caller(url: &str) -> (GcpCaller, Arc<NoTime>) {
    with(url, Token(Ok("ya29.token")))
}

fn with(url: &str, token: Token) -> (GcpCaller, Arc<NoTime>) {
    let time = Arc::new(NoTime::default());
    let endpoint = Endpoint::new(Some(url)).unwrap();
    let caller = GcpCaller::new(http_client().unwrap(), Credentials::from(token), endpoint);
    (caller.pause(Arc::<NoTime>::clone(&time)), time)
}

fn get_bucket() -> Call {
    Call::gcp("storage", "buckets.get", json!({ "bucket": "reports", "projection": "noAcl" }))
}

fn patch_rule() -> Call {
    let parameters = json!({ "project": "shop", "firewall": "ops", "body": { "disabled": true } });
    Call::gcp("compute", "firewalls.patch", parameters)
}

#[tokio::test]
async fn a_failing_service_is_asked_again_and_the_answer_is_read() {
    let (url, asked) = server(vec![(503, "", ""), (200, "", r#"{"name":"reports"}"#)]).await;
    let (caller, time) = caller(&url);
    assert_eq!(caller.call(&get_bucket()).await, Ok(json!({ "name": "reports" })));
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 2);
    assert_eq!(time.0.lock().unwrap().len(), 1);
    let second = asked.last().unwrap().to_ascii_lowercase();
    for part in [
        "get /storage/v1/b/reports?projection=noacl http/1.1\r\n",
        "authorization: bearer ya29.token\r\n",
        concat!("user-agent: onus/", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(second.contains(part), "`{part}` is not in the second request:\n{second}");
    }
}

#[tokio::test]
async fn version_tokens_are_sent_where_each_api_wants_them() {
    let (url, asked) = server(vec![(200, "", "{}")]).await;
    let (caller, _) = caller(&url);
    let bindings = json!([{ "role": "roles/storage.objectViewer", "members": ["user:ann@example.com"] }]);
    let calls = [
        Call::gcp(
            "storage",
            "buckets.setIamPolicy",
            json!({ "bucket": "reports", "body": { "version": 3, "etag": "CAI=", "bindings": bindings } }),
        ),
        Call::gcp(
            "bigquery",
            "datasets.patch",
            json!({ "projectId": "shop", "datasetId": "sales", "If-Match": "abc==", "body": { "access": [] } }),
        ),
    ];
    for call in &calls {
        caller.call(call).await.unwrap();
    }
    let asked = asked.lock().unwrap();
    let policy = asked.first().unwrap();
    assert!(policy.starts_with("PUT /storage/v1/b/reports/iam HTTP/1.1\r\n"), "{policy}");
    let body: Value = serde_json::from_str(policy.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(body, json!({ "version": 3, "etag": "CAI=", "bindings": bindings }));
    let dataset = asked.last().unwrap();
    assert!(dataset.starts_with("PATCH /bigquery/v2/projects/shop/datasets/sales HTTP/1.1\r\n"), "{dataset}");
    assert!(dataset.to_ascii_lowercase().contains("\r\nif-match: abc==\r\n"), "{dataset}");
}

#[tokio::test]
async fn throttling_is_borne_as_long_as_asked_until_the_time_runs_out() {
    let throttled = (429, "retry-after: 7\r\n", r#"{"error":{"status":"RESOURCE_EXHAUSTED","message":"slow down"}}"#);
    let (url, asked) = server(vec![throttled]).await;
    let (caller, time) = caller(&url);
    let error = caller.call(&get_bucket()).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (CallErrorKind::Throttled, "RESOURCE_EXHAUSTED"));
    assert!(error.is_retryable());
    let waits = time.0.lock().unwrap().clone();
    assert!(waits.iter().all(|wait| wait.as_secs() >= 7), "{waits:?}");
    let waited: Duration = waits.iter().sum();
    assert!(waited <= Duration::from_secs(30) && waits.len() >= 2, "{waits:?}");
    assert_eq!(asked.lock().unwrap().len(), waits.len() + 1);
}

#[tokio::test]
async fn waits_grow_and_end() {
    let (url, asked) = server(vec![(500, "", "")]).await;
    let (caller, time) = caller(&url);
    let error = caller.call(&get_bucket()).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (CallErrorKind::Unavailable, "HTTP 500"));
    let waits = time.0.lock().unwrap().clone();
    let most = [500, 1_000, 2_000, 4_000, 8_000, 10_000];
    let too_long = waits.iter().zip(most).filter(|(wait, most)| wait.as_millis() > *most).count();
    assert_eq!(too_long, 0, "{waits:?}");
    assert!(asked.lock().unwrap().len() > 4, "{waits:?}");
}

#[tokio::test]
async fn a_refusal_is_not_asked_again() {
    let denied = r#"{"error":{"code":403,"status":"PERMISSION_DENIED","message":"no\nway"}}"#;
    let moved = r#"{"error":{"code":412,"message":"old","errors":[{"reason":"conditionNotMet"}]}}"#;
    let cases = [
        ((403, "", denied), CallErrorKind::Denied, "PERMISSION_DENIED"),
        ((412, "", moved), CallErrorKind::Conflict, "conditionNotMet"),
        ((404, "", ""), CallErrorKind::NotFound, "HTTP 404"),
        ((302, "location: http://127.0.0.1:1/\r\n", ""), CallErrorKind::Invalid, "HTTP 302"),
    ];
    for (answer, kind, code) in cases {
        let (url, asked) = server(vec![answer]).await;
        let error = caller(&url).0.call(&get_bucket()).await.unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (kind, code));
        assert_eq!(asked.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn an_operation_is_followed_to_its_end() {
    let pending = (200, "", r#"{"name":"op-1","status":"PENDING"}"#);
    let running = (200, "", r#"{"name":"op-1","status":"RUNNING"}"#);
    let (url, asked) = server(vec![pending, running, (503, "", ""), (200, "", r#"{"status":"DONE"}"#)]).await;
    let (caller, time) = caller(&url);
    assert_eq!(caller.call(&patch_rule()).await, Ok(json!({ "status": "DONE" })));
    let asked: Vec<String> =
        asked.lock().unwrap().iter().map(|request| request.lines().next().unwrap().to_owned()).collect();
    let poll = "GET /compute/v1/projects/shop/global/operations/op-1 HTTP/1.1";
    assert_eq!(asked, ["PATCH /compute/v1/projects/shop/global/firewalls/ops HTTP/1.1", poll, poll, poll]);
    assert_eq!(time.0.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn an_operation_that_fails_or_does_not_end_is_an_error() {
    let failed = r#"{"name":"op-1","status":"DONE","httpErrorStatusCode":409,"error":{"errors":[{"code":"RESOURCE_NOT_READY","message":"busy"}]}}"#;
    let (url, _) = server(vec![(200, "", r#"{"name":"op-1","status":"PENDING"}"#), (200, "", failed)]).await;
    let error = caller(&url).0.call(&patch_rule()).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (CallErrorKind::Conflict, "RESOURCE_NOT_READY"));

    let (url, _) = server(vec![(200, "", r#"{"name":"op-1","status":"RUNNING"}"#)]).await;
    let error = caller(&url).0.call(&patch_rule()).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (CallErrorKind::Unavailable, "OperationPending"));
    assert!(error.is_retryable());
}

#[tokio::test]
async fn pages_are_followed() {
    let first = r#"{"kind":"compute#firewallList","items":[{"name":"a"}],"nextPageToken":"x/y"}"#;
    let (url, asked) = server(vec![(200, "", first), (200, "", r#"{"items":[{"name":"b"}]}"#)]).await;
    let call = Call::gcp("compute", "firewalls.list", json!({ "project": "shop" }));
    let joined = json!({ "kind": "compute#firewallList", "items": [{ "name": "a" }, { "name": "b" }] });
    assert_eq!(caller(&url).0.call(&call).await, Ok(joined));
    let asked = asked.lock().unwrap();
    assert!(asked.last().unwrap().starts_with("GET /compute/v1/projects/shop/global/firewalls?pageToken=x%2Fy "));
}

#[tokio::test]
async fn what_cannot_be_sent_says_why() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("http://{nobody}");
    let bucket = |parameters: Value| Call::gcp("storage", "buckets.get", parameters);
    let cases = [
        (Token(Ok("t")), get_bucket(), CallErrorKind::Unavailable, "Unreachable"),
        (Token(Err(false)), get_bucket(), CallErrorKind::Denied, "NoCredentials"),
        (Token(Err(true)), get_bucket(), CallErrorKind::Unavailable, "CredentialsUnavailable"),
        (Token(Ok("t")), Call::gcp("storage", "buckets.delete", json!({})), CallErrorKind::Invalid, "UnknownOperation"),
        (Token(Ok("t")), Call::gcp("nosuch", "a.get", json!({})), CallErrorKind::Invalid, "UnknownOperation"),
        (Token(Ok("t")), bucket(json!({ "bucket": ".." })), CallErrorKind::Invalid, "InvalidParameters"),
        (Token(Ok("t")), Call::aws("s3", "GetBucketPolicy", "", json!({})), CallErrorKind::Invalid, "WrongCloud"),
    ];
    let mut wrong = Vec::new();
    for (token, call, kind, code) in cases {
        let error = with(&url, token).0.call(&call).await.unwrap_err();
        if (error.kind, error.code.as_str()) != (kind, code) {
            wrong.push(format!("{call}: {error:?}, not {kind:?} {code}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
