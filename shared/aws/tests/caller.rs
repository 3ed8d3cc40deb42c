//! The caller against a server of our own: what it sends again, what it does not, and what it makes of the answers.
#![cfg(feature = "caller")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_types::retry::RetryConfig;
use onus_aws::caller::{AwsCaller, http_client};
use onus_core::{Call, CallErrorKind, Caller};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Time that passes at once.
#[derive(Debug)]
struct NoTime;

impl AsyncSleep for NoTime {
    fn sleep(&self, _: Duration) -> Sleep {
        Sleep::new(std::future::ready(()))
    }
}

/// Answers each request with the next of `answers`, status and body, the last one for ever. Keeps what was asked.
async fn server(answers: Vec<(u16, &'static str)>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, asked) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(Mutex::new(Vec::new())));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        let mut answers = answers.into_iter().peekable();
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = String::new();
            while !is_whole(&request) {
                let mut part = [0; 4096];
                let length = socket.read(&mut part).await.unwrap();
                request.push_str(&String::from_utf8_lossy(part.get(..length).unwrap()));
            }
            log.lock().unwrap().push(request);
            let (status, body) = *answers.peek().unwrap();
            answers.next_if(|_| true).filter(|_| answers.peek().is_some());
            let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            if answers.peek().is_none() {
                answers = vec![(status, body)].into_iter().peekable();
            }
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

fn config(url: &str) -> SdkConfig {
    let keys = Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(http_client())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .endpoint_url(url)
        .retry_config(RetryConfig::adaptive().with_max_attempts(3))
        .sleep_impl(NoTime)
        .build()
}

const KEY: &str = r#"{"KeyMetadata":{"KeyId":"1","Enabled":true}}"#;
const THROTTLED: &str = r#"{"__type":"com.amazonaws.kms#ThrottlingException","message":"Rate exceeded"}"#;

fn describe_key() -> Call {
    Call::aws("kms", "DescribeKey", "", json!({ "KeyId": "1" }))
}

#[tokio::test]
async fn a_failing_service_is_asked_again_and_the_answer_is_read() {
    let (url, asked) = server(vec![(503, ""), (200, KEY)]).await;
    let answer = AwsCaller::new(&config(&url)).call(&describe_key()).await;
    assert_eq!(answer, Ok(json!({ "KeyMetadata": { "KeyId": "1", "Enabled": true } })));
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 2);
    let second = asked.last().unwrap().to_ascii_lowercase();
    for part in
        ["x-amz-target: trentservice.describekey", "/eu-west-1/kms/aws4_request", "attempt=2", "{\"keyid\":\"1\"}"]
    {
        assert!(second.contains(part), "`{part}` is not in the second request:\n{second}");
    }
}

#[tokio::test]
async fn throttling_is_borne_until_the_attempts_run_out_and_then_told() {
    let (url, asked) = server(vec![(400, THROTTLED), (400, THROTTLED), (200, KEY)]).await;
    assert!(AwsCaller::new(&config(&url)).call(&describe_key()).await.is_ok());
    assert_eq!(asked.lock().unwrap().len(), 3);

    let (url, asked) = server(vec![(400, THROTTLED)]).await;
    let error = AwsCaller::new(&config(&url)).call(&describe_key()).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (CallErrorKind::Throttled, "ThrottlingException"));
    assert!(error.is_retryable());
    assert_eq!(asked.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_write_whose_end_is_unknown_is_not_sent_again() {
    let schedule = Call::aws("kms", "EnableKey", "", json!({ "KeyId": "1" }));
    let (url, asked) = server(vec![(500, ""), (200, "{}")]).await;
    let error = AwsCaller::new(&config(&url)).write(&schedule).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(asked.lock().unwrap().len(), 1);

    let (url, asked) = server(vec![(400, THROTTLED), (200, "{}")]).await;
    assert_eq!(AwsCaller::new(&config(&url)).write(&schedule).await, Ok(json!({})), "throttling did nothing");
    assert_eq!(asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_refusal_is_not_asked_again() {
    let (url, asked) = server(vec![(400, r#"{"__type":"AccessDeniedException","Message":"no"}"#)]).await;
    let error = AwsCaller::new(&config(&url)).call(&describe_key()).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Denied);
    assert_eq!(error.to_string(), "cannot call `kms:DescribeKey`: AccessDeniedException: no");
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn pages_are_followed() {
    let first = r#"{"Grants":[{"GrantId":"1"}],"NextMarker":"a","Truncated":true}"#;
    let (url, asked) = server(vec![(200, first), (200, r#"{"Grants":[{"GrantId":"2"}],"Truncated":false}"#)]).await;
    let call = Call::aws("kms", "ListGrants", "", json!({ "KeyId": "1" }));
    let answer = AwsCaller::new(&config(&url)).call(&call).await;
    assert_eq!(answer, Ok(json!({ "Grants": [{ "GrantId": "1" }, { "GrantId": "2" }] })));
    assert!(asked.lock().unwrap().last().unwrap().ends_with(r#"{"KeyId":"1","Marker":"a"}"#));
}

#[tokio::test]
async fn what_cannot_be_sent_says_why() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let caller = AwsCaller::new(&config(&format!("http://{nobody}")));
    let without_keys = config("http://127.0.0.1:1").into_builder();
    let mut without_keys = without_keys;
    without_keys.set_credentials_provider(None);
    let unsigned = AwsCaller::new(&without_keys.build());
    let cases = [
        (&caller, describe_key(), CallErrorKind::Unavailable, "Unreachable"),
        (&unsigned, describe_key(), CallErrorKind::Denied, "NoCredentials"),
        (&caller, Call::aws("kms", "Decrypt", "", json!({})), CallErrorKind::Invalid, "UnknownOperation"),
        (&caller, Call::aws("nosuch", "Get", "", json!({})), CallErrorKind::Invalid, "UnknownOperation"),
        (
            &caller,
            Call::aws("kms", "DescribeKey", "", json!({ "Key": "1" })),
            CallErrorKind::Invalid,
            "InvalidParameters",
        ),
        (
            &caller,
            Call::aws("kms", "DescribeKey", "evil.example/", json!({ "KeyId": "1" })),
            CallErrorKind::Unavailable,
            "Unreachable",
        ),
    ];
    let mut wrong = Vec::new();
    for (caller, call, kind, code) in cases {
        let error = caller.call(&call).await.unwrap_err();
        if (error.kind, error.code.as_str()) != (kind, code) {
            wrong.push(format!("{call}: {error:?}, not {kind:?} {code}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
