//! One request: credentials, attempts, and the waits between them.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use google_cloud_auth::credentials::{CacheableResource, Credentials};
use http::{Extensions, HeaderMap};
use onus_core::{CallError, CallErrorKind};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::Value;

use super::answer::{Refusal, read};
use crate::request::Request;

/// How long a call may take in all.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long one request may be repeated, waits included.
    pub retry: Duration,
    /// How long an operation may be followed.
    pub operation: Duration,
}

/// Half a minute for a request; two minutes for an operation, which Cloud SQL takes for a change of its settings at times.
impl Default for Limits {
    fn default() -> Self {
        Self { retry: Duration::from_secs(30), operation: Duration::from_mins(2) }
    }
}

/// Waits. Tests have one for which no time passes.
#[async_trait]
pub trait Pause: fmt::Debug + Send + Sync {
    /// Waits this long.
    async fn pause(&self, length: Duration);
}

/// Waits in real time.
#[derive(Debug, Clone, Copy)]
pub struct RealTime;

#[async_trait]
impl Pause for RealTime {
    async fn pause(&self, length: Duration) {
        tokio::time::sleep(length).await;
    }
}

/// What every request shares.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    http: reqwest::Client,
    credentials: Credentials,
    pub(super) limits: Limits,
    pub(super) pause: Arc<dyn Pause>,
}

impl Sender {
    pub(super) fn new(http: reqwest::Client, credentials: Credentials) -> Self {
        Self { http, credentials, limits: Limits::default(), pause: Arc::new(RealTime) }
    }

    /// Waits that end after a budget.
    pub(super) fn waits(&self, budget: Duration) -> Waits {
        Waits { pause: Arc::clone(&self.pause), budget, began: Instant::now(), waited: Duration::ZERO, count: 0 }
    }

    /// Sends one request until it is answered for good, or the time for it is over.
    pub(super) async fn send(&self, call: &str, url: &str, request: &Request) -> Result<Value, CallError> {
        let mut waits = self.waits(self.limits.retry);
        loop {
            let refusal = match self.attempt(url, request).await {
                Ok(answer) => return Ok(answer),
                Err(refusal) => refusal,
            };
            if !refusal.again || !waits.wait(refusal.after).await {
                return Err(refusal.into_error(call));
            }
        }
    }

    async fn attempt(&self, url: &str, request: &Request) -> Result<Value, Refusal> {
        let method = request.method.parse::<reqwest::Method>().map_err(|error| Refusal::of_ours("NotSent", &error))?;
        let mut builder = self.http.request(method, url).headers(self.authorization().await?);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = &request.body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let response = builder.send().await.map_err(|error| unanswered(&error))?;
        let status = response.status().as_u16();
        let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let body = response.bytes().await.map_err(|error| unanswered(&error))?;
        read(status, &body).map_err(|refusal| Refusal { after: after.map(Duration::from_secs), ..refusal })
    }

    async fn authorization(&self) -> Result<HeaderMap, Refusal> {
        let failed = |kind, code: &str, message: String| Refusal {
            again: kind == CallErrorKind::Unavailable,
            after: None,
            kind,
            code: code.to_owned(),
            message,
        };
        match self.credentials.headers(Extensions::new()).await {
            Ok(CacheableResource::New { data, .. }) => Ok(data),
            Ok(CacheableResource::NotModified) => Ok(HeaderMap::new()),
            Err(error) if error.is_transient() => {
                Err(failed(CallErrorKind::Unavailable, "CredentialsUnavailable", causes(&error)))
            }
            Err(error) => Err(failed(CallErrorKind::Denied, "NoCredentials", causes(&error))),
        }
    }
}

/// No answer came, or not all of it.
fn unanswered(error: &reqwest::Error) -> Refusal {
    let (code, again) = match () {
        () if error.is_builder() => return Refusal::of_ours("NotSent", error),
        () if error.is_timeout() => ("Timeout", true),
        () if error.is_body() || error.is_decode() => ("UnreadableAnswer", true),
        () => ("Unreachable", true),
    };
    let kind = CallErrorKind::Unavailable;
    Refusal { again, after: None, kind, code: code.to_owned(), message: causes(error) }
}

/// An error and its causes, in one line.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Waits that grow, at random so that those who were refused together do not come back together ("full jitter",
/// <https://cloud.google.com/storage/docs/retry-strategy>).
pub(super) struct Waits {
    pause: Arc<dyn Pause>,
    budget: Duration,
    began: Instant,
    waited: Duration,
    count: u32,
}

/// The first wait is at most this long, each next one at most twice the one before.
const FIRST: Duration = Duration::from_millis(500);
/// No wait is longer, unless the service asks for it.
const LONGEST: Duration = Duration::from_secs(10);

impl Waits {
    /// Waits, at least as long as the service asks. Does not wait, and answers `false`, when that would exceed the budget.
    pub(super) async fn wait(&mut self, asked: Option<Duration>) -> bool {
        let most = LONGEST.min(FIRST.saturating_mul(2u32.saturating_pow(self.count)));
        let length = most.mul_f64(random()).max(FIRST / 10).max(asked.unwrap_or_default());
        let spent = self.waited.max(self.began.elapsed());
        if spent + length > self.budget {
            return false;
        }
        self.count += 1;
        self.waited = spent + length;
        self.pause.pause(length).await;
        true
    }
}

/// A number from 0 to below 1, from the operating system by way of the standard library's hash keys. Nothing depends on its
/// being unpredictable.
fn random() -> f64 {
    let bits = RandomState::new().hash_one(std::process::id());
    f64::from(u32::try_from(bits >> 32).unwrap_or_default()) / (f64::from(u32::MAX) + 1.0)
}
