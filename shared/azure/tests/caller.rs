//! The caller against a server of our own: what it sends, what it sends again, and what it makes of the answers.
#![cfg(feature = "caller")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::needless_pass_by_value)] // JSON written in place

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::time::OffsetDateTime;
use onus_azure::caller::{ArmCaller, Endpoint, Timer};
use onus_core::{Call, CallErrorKind, Caller};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Time that passes at once, and tells how much has been slept.
#[derive(Debug, Default)]
struct NoTime(Mutex<Vec<Duration>>);

impl NoTime {
    fn slept(&self) -> Vec<f64> {
        self.0.lock().unwrap().iter().map(Duration::as_secs_f64).collect()
    }
}

#[async_trait]
impl Timer for NoTime {
    fn now(&self) -> Duration {
        self.0.lock().unwrap().iter().sum()
    }

    async fn sleep(&self, time: Duration) {
        self.0.lock().unwrap().push(time);
    }

    fn chance(&self) -> f64 {
        0.0
    }
}

#[derive(Debug)]
struct Token(Result<&'static str, &'static str>);

#[async_trait]
impl TokenCredential for Token {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, ["https://management.azure.com/.default"]);
        let refused = |problem: &str| {
            azure_core::Error::with_message(azure_core::error::ErrorKind::Credential, problem.to_owned())
        };
        self.0.map(|token| AccessToken::new(token, OffsetDateTime::UNIX_EPOCH)).map_err(refused)
    }
}

/// An answer: status, headers and body. `{url}` stands for the server's own address.
type Reply = (u16, &'static str, &'static str);

/// A server that gives each request the next reply, the last one for ever, and keeps what was asked.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
    time: Arc<NoTime>,
}

impl Server {
    async fn new(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, own) = (Arc::clone(&asked), url.clone());
        tokio::spawn(async move {
            for turn in 0.. {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut request = String::new();
                while !is_whole(&request) {
                    let mut part = [0; 4096];
                    let length = socket.read(&mut part).await.unwrap();
                    request.push_str(&String::from_utf8_lossy(&part[..length]));
                }
                log.lock()
                    .unwrap()
                    .push(request.replace(&own, "{url}").replace(own.trim_start_matches("http://"), "{host}"));
                let (status, headers, body) = replies[turn.min(replies.len() - 1)];
                let (headers, body) = (headers.replace("{url}", &own), body.replace("{url}", &own));
                let head = format!(
                    "HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            }
        });
        Self { url, asked, time: Arc::default() }
    }

    fn caller(&self) -> ArmCaller {
        let endpoint = Endpoint::parse(&self.url).unwrap();
        ArmCaller::new(endpoint, Arc::new(Token(Ok("secret")))).unwrap().timer(self.time.clone())
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Method and path of each request.
    fn lines(&self) -> Vec<String> {
        self.asked().iter().map(|request| request.lines().next().unwrap().replace(" HTTP/1.1", "")).collect()
    }
}

/// Whether a request has arrived with its body.
fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

const GROUP: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/web/providers";

fn on(provider: &str, operation: &str, rest: &str, more: Value) -> Call {
    let mut parameters = json!({ "id": format!("{GROUP}/{rest}") });
    parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Call::azure(provider, operation, parameters)
}

fn get_vault() -> Call {
    on("Microsoft.KeyVault", "Vaults_Get", "Microsoft.KeyVault/vaults/kv", json!({}))
}

fn put_rule() -> Call {
    let rule = "Microsoft.Network/networkSecurityGroups/web/securityRules/Allow SSH";
    let more = json!({ "body": { "properties": { "access": "Allow" } }, "If-Match": "W/\"1\"" });
    on("Microsoft.Network", "SecurityRules_CreateOrUpdate", rule, more)
}

fn delete_rule() -> Call {
    let rule = "Microsoft.DBforPostgreSQL/flexibleServers/db/firewallRules/open";
    on("Microsoft.DBforPostgreSQL", "FirewallRules_Delete", rule, json!({}))
}

const THROTTLED: Reply = (429, "Retry-After: 7\r\n", r#"{"error":{"code":"TooManyRequests","message":"slow down"}}"#);
const VAULT: Reply = (200, "", r#"{"name":"kv","properties":{}}"#);

#[tokio::test]
async fn a_write_is_on_the_wire_as_resource_manager_wants_it() {
    let server = Server::new(vec![(200, "", r#"{"properties":{"provisioningState":"Succeeded"}}"#)]).await;
    server.caller().call(&put_rule()).await.unwrap();
    let request = server.asked().concat().replace("\r\n", "\n");
    insta::assert_snapshot!(request, @r#"
    PUT /subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/web/providers/Microsoft.Network/networkSecurityGroups/web/securityRules/Allow%20SSH?api-version=2024-05-01 HTTP/1.1
    authorization: Bearer secret
    if-match: W/"1"
    content-type: application/json
    accept: */*
    user-agent: onus/0.1.0
    host: {host}
    content-length: 33

    {"properties":{"access":"Allow"}}
    "#);
}

#[tokio::test]
async fn a_failing_service_is_asked_again_and_the_wait_it_asks_for_is_kept() {
    let server = Server::new(vec![(503, "", ""), THROTTLED, (502, "", "<html>"), VAULT]).await;
    let answer = server.caller().call(&get_vault()).await;
    assert_eq!(answer, Ok(json!({ "name": "kv", "properties": {} })));
    assert_eq!(server.time.slept(), [0.5, 7.0, 2.0], "half a second of one, what was asked for, two of four");
}

#[tokio::test]
async fn waiting_ends_with_the_attempts_or_with_the_time() {
    let server = Server::new(vec![THROTTLED]).await;
    let error = server.caller().call(&get_vault()).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (CallErrorKind::Throttled, "TooManyRequests"));
    assert!(error.is_retryable());
    assert_eq!((server.asked().len(), server.time.slept().len()), (6, 5));

    let server = Server::new(vec![(429, "Retry-After: 3600\r\n", ""), VAULT]).await;
    let error = server.caller().call(&get_vault()).await.unwrap_err();
    assert_eq!((error.kind, server.asked().len()), (CallErrorKind::Throttled, 1));
    assert!(server.time.slept().is_empty(), "what cannot help is not waited for");
}

#[tokio::test]
async fn a_refusal_is_not_asked_again() {
    let denied = r#"{"error":{"code":"AuthorizationFailed","message":"does not have authorization"}}"#;
    let cases = [
        ((403, "", denied), CallErrorKind::Denied, "AuthorizationFailed"),
        (
            (404, "", r#"{"error":{"code":"ResourceNotFound","message":"no"}}"#),
            CallErrorKind::NotFound,
            "ResourceNotFound",
        ),
        ((412, "", ""), CallErrorKind::Conflict, "PreconditionFailed"),
        (
            (409, "", r#"{"error":{"code":"AnotherOperationInProgress"}}"#),
            CallErrorKind::Conflict,
            "AnotherOperationInProgress",
        ),
        ((302, "Location: {url}/elsewhere\r\n", ""), CallErrorKind::Invalid, "302"),
        ((200, "", "<html>"), CallErrorKind::Unavailable, "AnswerUnreadable"),
    ];
    let mut wrong = Vec::new();
    for (reply, kind, code) in cases {
        let server = Server::new(vec![reply]).await;
        let error = server.caller().call(&get_vault()).await.unwrap_err();
        if (error.kind, error.code.as_str(), server.asked().len()) != (kind, code, 1) {
            wrong.push(format!("{reply:?}: {error:?} after {} requests", server.asked().len()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_write_whose_end_is_unknown_is_not_sent_again() {
    for reply in [(500, "", ""), (503, "Retry-After: 1\r\n", ""), (408, "", "")] {
        let server = Server::new(vec![reply, (200, "", "{}")]).await;
        let error = server.caller().call(&put_rule()).await.unwrap_err();
        assert_eq!((error.kind, server.asked().len()), (CallErrorKind::Unavailable, 1), "{reply:?}");
    }
    let server = Server::new(vec![THROTTLED, (200, "", "{}")]).await;
    assert!(server.caller().call(&put_rule()).await.is_ok(), "what was throttled was not done");
}

#[tokio::test]
async fn an_operation_is_followed_by_its_status_until_it_ends() {
    let accepted =
        (202, "Azure-AsyncOperation: {url}/operations/1?api-version=1\r\nLocation: {url}/no\r\nRetry-After: 3\r\n", "");
    let running = (200, "Retry-After: 9\r\n", r#"{"status":"InProgress"}"#);
    let server = Server::new(vec![
        accepted,
        running,
        (200, "", r#"{"status":"Running"}"#),
        (503, "", ""),
        (200, "", r#"{"status":"Succeeded"}"#),
    ])
    .await;
    assert_eq!(server.caller().call(&delete_rule()).await, Ok(json!({})));
    let operation = "GET /operations/1?api-version=1";
    assert_eq!(server.lines()[1..], [operation, operation, operation, operation]);
    assert_eq!(server.time.slept(), [3.0, 9.0, 4.0, 0.5]);
}

#[tokio::test]
async fn an_operation_that_fails_says_why() {
    let accepted = (202, "Azure-AsyncOperation: {url}/operations/1\r\nRetry-After: 1\r\n", "");
    let cases = [
        (
            r#"{"status":"Failed","error":{"code":"ServerBusyOperationInProgress","message":"busy"}}"#,
            CallErrorKind::Conflict,
            "ServerBusyOperationInProgress",
        ),
        (r#"{"status":"Canceled"}"#, CallErrorKind::Invalid, "OperationFailed"),
    ];
    for (body, kind, code) in cases {
        let server = Server::new(vec![accepted, (200, "", body)]).await;
        let error = server.caller().call(&delete_rule()).await.unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (kind, code), "{body}");
    }
}

#[tokio::test]
async fn an_operation_without_a_status_is_followed_by_location_or_by_the_resource() {
    let moved = (202, "Location: {url}/results/2\r\n", "");
    let server = Server::new(vec![(202, "Location: {url}/results/1\r\n", ""), moved, moved, (204, "", "")]).await;
    assert_eq!(server.caller().call(&delete_rule()).await, Ok(json!({})));
    assert_eq!(server.lines()[1..], ["GET /results/1", "GET /results/2", "GET /results/2"]);

    let state = |state: &'static str| (201, "", state);
    let server = Server::new(vec![
        state(r#"{"properties":{"provisioningState":"Updating"}}"#),
        state(r#"{"properties":{"provisioningState":"Succeeded"}}"#),
    ])
    .await;
    assert!(server.caller().call(&put_rule()).await.is_ok());
    let lines = server.lines();
    assert_eq!(lines[1].replace("GET", "PUT"), lines[0]);

    let server = Server::new(vec![state(r#"{"properties":{"provisioningState":"Updating"}}"#)]).await;
    let error = server.caller().call(&put_rule()).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (CallErrorKind::Unavailable, "StillRunning"));
    assert!(server.time.slept().iter().sum::<f64>() <= 120.0);
}

#[tokio::test]
async fn the_token_goes_nowhere_else() {
    let status = (202, "Azure-AsyncOperation: https://management.example/operations/1\r\n", "");
    let location = (202, "Location: http://169.254.169.254/metadata\r\n", "");
    for reply in [status, location] {
        let server = Server::new(vec![reply]).await;
        let error = server.caller().call(&delete_rule()).await.unwrap_err();
        assert_eq!(
            (error.kind, error.code.as_str(), server.asked().len()),
            (CallErrorKind::Invalid, "ForeignAddress", 1)
        );
    }
    let server = Server::new(vec![(200, "", r#"{"value":[],"nextLink":"http://127.0.0.1:1/next"}"#)]).await;
    let list = on("Microsoft.Sql", "FirewallRules_ListByServer", "Microsoft.Sql/servers/db", json!({}));
    assert_eq!(server.caller().call(&list).await.unwrap_err().code, "ForeignAddress");
}

#[tokio::test]
async fn pages_are_joined_and_half_a_list_does_not_pass_for_the_whole() {
    let list = on("Microsoft.Sql", "FirewallRules_ListByServer", "Microsoft.Sql/servers/db", json!({}));
    let first = (200, "", r#"{"value":[{"name":"a"}],"nextLink":"{url}/next?page=2"}"#);
    let server = Server::new(vec![first, (200, "", r#"{"value":[{"name":"b"}]}"#)]).await;
    assert_eq!(server.caller().call(&list).await, Ok(json!({ "value": [{ "name": "a" }, { "name": "b" }] })));
    assert_eq!(
        server.lines(),
        [
            format!("GET {GROUP}/Microsoft.Sql/servers/db/firewallRules?api-version=2021-11-01"),
            "GET /next?page=2".to_owned()
        ]
    );
    for (replies, code) in [
        (vec![first], "RepeatedPage"),
        (vec![first, (404, "", "")], "NotFound"),
        (vec![first, (200, "", "{}")], "AnswerUnreadable"),
    ] {
        let server = Server::new(replies).await;
        assert_eq!(server.caller().call(&list).await.unwrap_err().code, code);
    }
}

#[tokio::test]
async fn what_cannot_be_sent_says_why() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let endpoint = Endpoint::parse(&format!("http://{nobody}")).unwrap();
    let caller =
        |token| ArmCaller::new(endpoint.clone(), Arc::new(Token(token))).unwrap().timer(Arc::<NoTime>::default());
    let (caller, unknown) = (caller(Ok("secret")), caller(Err("no identity")));
    let vault = |id: &str, more: Value| {
        let mut call = on("Microsoft.KeyVault", "Vaults_Update", "x", more);
        call.parameters["id"] = json!(id);
        call
    };
    let body = || json!({ "body": {} });
    let kv = format!("{GROUP}/Microsoft.KeyVault/vaults/kv");
    let invalid = (CallErrorKind::Invalid, "InvalidParameters");
    let cases = [
        (&caller, get_vault(), (CallErrorKind::Unavailable, "Unreachable")),
        (&unknown, get_vault(), (CallErrorKind::Denied, "NoCredentials")),
        (
            &caller,
            Call::azure("Microsoft.Storage", "StorageAccounts_ListKeys", json!({})),
            (CallErrorKind::Invalid, "UnknownOperation"),
        ),
        (&caller, Call::aws("kms", "DescribeKey", "", json!({})), (CallErrorKind::Invalid, "WrongCloud")),
        (&caller, vault(&format!("{GROUP}/../Microsoft.KeyVault/vaults/kv"), body()), invalid),
        (&caller, vault("https://management.example/vaults/kv", body()), invalid),
        (&caller, vault(&format!("{GROUP}/Microsoft.Sql/servers/db"), body()), invalid),
        (&caller, vault(&format!("{GROUP}/Microsoft.KeyVault/vaults"), body()), invalid),
        (&caller, vault(&kv, json!({})), invalid),
        (&caller, vault(&kv, json!({ "body": "text" })), invalid),
        (&caller, vault(&kv, json!({ "body": {}, "api-version": "1" })), invalid),
        (&caller, vault(&kv, json!({ "body": {}, "If-Match": { "~live": [] } })), invalid),
        (&caller, on("Microsoft.KeyVault", "Vaults_Get", "Microsoft.KeyVault/vaults/kv", body()), invalid),
        (
            &caller,
            on("Microsoft.KeyVault", "Vaults_Get", "Microsoft.KeyVault/vaults/kv", json!({ "If-Match": "x" })),
            invalid,
        ),
    ];
    let mut wrong = Vec::new();
    for (caller, call, expected) in cases {
        let error = caller.call(&call).await.unwrap_err();
        if (error.kind, error.code.as_str()) != expected {
            wrong.push(format!("{call}: {error:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
