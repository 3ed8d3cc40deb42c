//! A server that keeps what it is sent, and each cloud's real caller in front of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials as AwsCredentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::time::OffsetDateTime;
use google_cloud_auth::credentials::{CacheableResource, Credentials, CredentialsProvider, EntityTag};
use google_cloud_auth::errors::CredentialsError;
use http::{Extensions, HeaderMap};
use onus_aws::caller::{AwsCaller, http_client as aws_http};
use onus_azure::caller::{ArmCaller, Endpoint as ArmEndpoint};
use onus_core::{Call, CallError, CallErrorKind, Caller, Cloud};
use onus_gcp::caller::{Endpoint as GcpEndpoint, GcpCaller, http_client as gcp_http};
use serde_json::Value;

/// Headers that clock and credentials make: the signature and its date, and the SDK's number and time of an attempt.
pub(crate) const UNSTABLE: [&str; 4] = ["authorization", "x-amz-date", "amz-sdk-invocation-id", "amz-sdk-request"];

/// What every service is made to answer: nothing, and that it is done.
const ANSWER: &str = r#"{"name":"operation","status":"DONE","done":true}"#;

/// One request as it came over the connection, without the [`UNSTABLE`] headers.
pub(crate) type Request = Vec<u8>;

/// See the [module docs](self).
pub(crate) struct Wire {
    kept: Arc<Mutex<Vec<Request>>>,
    aws: AwsCaller,
    azure: ArmCaller,
    gcp: GcpCaller,
}

impl Wire {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let kept = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&kept);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &kept));
            }
        });
        let arm = ArmEndpoint::parse(&url).expect("a loopback address");
        let google = GcpEndpoint::new(Some(&url)).expect("a loopback address");
        Self {
            kept,
            aws: AwsCaller::new(&config(&url)),
            azure: ArmCaller::new(arm, Arc::new(Token)).expect("an HTTP client"),
            gcp: GcpCaller::new(gcp_http().expect("an HTTP client"), Credentials::from(Token), google),
        }
    }

    /// Writes a call as its cloud's caller does. What the server answers to it means nothing; that the caller would not send it does.
    pub(crate) async fn write(&self, call: &Call) -> Result<(), CallError> {
        let caller: &dyn Caller = match call.cloud {
            Cloud::Aws => &self.aws,
            Cloud::Azure => &self.azure,
            Cloud::Gcp => &self.gcp,
        };
        match caller.write(call).await {
            Err(error) if error.kind == CallErrorKind::Invalid => Err(error),
            _ => Ok(()),
        }
    }

    /// Takes the requests so far, in order.
    pub(crate) fn take(&self) -> Vec<Request> {
        std::mem::take(&mut *self.kept.lock().expect("unpoisoned"))
    }
}

fn config(url: &str) -> SdkConfig {
    let keys = AwsCredentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(aws_http())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .endpoint_url(url)
        .build()
}

#[derive(Debug)]
struct Token;

#[async_trait]
impl TokenCredential for Token {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        Ok(AccessToken::new("token", OffsetDateTime::UNIX_EPOCH))
    }
}

impl CredentialsProvider for Token {
    async fn headers(&self, _: Extensions) -> Result<CacheableResource<HeaderMap>, CredentialsError> {
        let bearer = (http::header::AUTHORIZATION, http::HeaderValue::from_static("Bearer token"));
        Ok(CacheableResource::New { entity_tag: EntityTag::new(), data: [bearer].into_iter().collect() })
    }

    async fn universe_domain(&self) -> Option<String> {
        None
    }
}

/// Keeps the requests of one connection and answers each.
fn serve(stream: TcpStream, kept: &Mutex<Vec<Request>>) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        kept.lock().expect("unpoisoned").push(request);
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", ANSWER.len());
        if reader.get_mut().write_all(format!("{head}{ANSWER}").as_bytes()).is_err() {
            return; // the caller has gone; what it sent is kept
        }
    }
}

/// One request; `None` when the connection closed.
fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let (mut request, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        assert_ne!(name, "transfer-encoding", "callers tell a body's length");
        if !UNSTABLE.contains(&name.as_str()) {
            request.extend_from_slice(line.as_bytes());
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.extend(body);
    Some(request)
}

/// A cloud in memory whose writes go over the wire first, through the real caller.
pub(crate) struct OnTheWire {
    pub(crate) wire: Arc<Wire>,
    pub(crate) world: Arc<dyn Caller>,
}

#[async_trait]
impl Caller for OnTheWire {
    async fn call(&self, call: &Call) -> Result<Value, CallError> {
        self.world.call(call).await
    }

    async fn write(&self, call: &Call) -> Result<Value, CallError> {
        self.wire.write(call).await?;
        self.world.write(call).await
    }
}
