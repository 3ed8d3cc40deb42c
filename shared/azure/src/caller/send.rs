//! One request: sent with a token, and again while that can help.

use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use azure_core::error::ErrorKind;
use onus_core::{CallError, CallErrorKind};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, IF_MATCH, RETRY_AFTER};
use reqwest::{Client, Url};
use serde_json::Value;

use super::errors;
use super::timer::Deadline;
use crate::operations::Method;

/// How often one request is sent at most.
const ATTEMPTS: u32 = 6;
/// The first wait between attempts, and the longest, where the service names none.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(16));
/// How long to wait for a token. Its library tries again by itself.
const TOKEN: Duration = Duration::from_secs(20);
/// Answers are read up to here: the largest hold a thousand rules.
const LONGEST_ANSWER: usize = 16 << 20;

/// What is sent.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// `service:Operation`, for errors.
    pub(super) call: String,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) if_match: Option<String>,
    pub(super) body: Option<Value>,
}

/// What came back, of a status below 300.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Answer {
    /// A header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How long the service asks to wait.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers)
    }
}

/// `Retry-After` in seconds, as Resource Manager sends it. A date is not understood: the wait is then ours to choose.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// Sends requests with tokens.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    pub(super) http: Client,
    pub(super) credential: Arc<dyn TokenCredential>,
    pub(super) scope: String,
}

/// When a failed request is worth another attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// Never: it was refused.
    No,
    /// Nothing was done: it was throttled, or never arrived.
    NothingDone,
    /// It may have been done. A read is sent again. A write is not: the pipeline reads and plans anew, because somebody else's
    /// change may have come between the attempts.
    Unknown,
}

/// How one attempt failed.
struct Failure {
    error: CallError,
    /// Whether another attempt may help.
    again: Again,
    wait: Option<Duration>,
}

impl Sender {
    /// Sends a request, and again while time and attempts last: after 429 and where nobody was reached, and, if it reads, after 408, 5xx
    /// and broken connections.
    pub(super) async fn send(&self, request: &Request, deadline: &Deadline<'_>) -> Result<Answer, CallError> {
        let token = self.token(&request.call).await?;
        let mut attempt = 0;
        loop {
            let failure = match self.attempt(request, &token).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            attempt += 1;
            let wait = failure.wait.unwrap_or_else(|| deadline.backoff(BACKOFF.0, BACKOFF.1, attempt - 1));
            let again = match failure.again {
                Again::No => false,
                Again::NothingDone => true,
                Again::Unknown => request.method.is_read(),
            };
            if !again || attempt == ATTEMPTS || !deadline.wait(wait).await {
                return Err(failure.error);
            }
        }
    }

    async fn token(&self, call: &str) -> Result<String, CallError> {
        let failed = |kind, message: String| CallError {
            call: call.to_owned(),
            kind,
            code: "NoCredentials".to_owned(),
            message,
        };
        let asked = tokio::time::timeout(TOKEN, self.credential.get_token(&[&self.scope], None)).await;
        match asked {
            Ok(Ok(token)) => Ok(token.token.secret().to_owned()),
            Ok(Err(error)) => {
                let kind = match error.kind() {
                    ErrorKind::Io => CallErrorKind::Unavailable,
                    ErrorKind::HttpResponse { status, .. } => errors::kind_of(u16::from(*status), ""),
                    _ => CallErrorKind::Denied,
                };
                Err(failed(kind, error.to_string()))
            }
            Err(_) => Err(failed(CallErrorKind::Unavailable, "no token came in time".to_owned())),
        }
    }

    async fn attempt(&self, request: &Request, token: &str) -> Result<Answer, Failure> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut sent = self.http.request(method, request.url.clone()).header(AUTHORIZATION, format!("Bearer {token}"));
        if let Some(etag) = &request.if_match {
            sent = sent.header(IF_MATCH, etag);
        }
        if let Some(body) = &request.body {
            sent = sent.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let response = sent.send().await.map_err(|error| unreachable(request, &error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = read(response).await.map_err(|problem| problem.of(request))?;
        if status >= 300 {
            let wait = retry_after(&headers);
            let again = match status {
                429 => Again::NothingDone,
                408 | 500 | 502 | 503 | 504 => Again::Unknown,
                _ => Again::No,
            };
            return Err(Failure { error: errors::read(request.call.clone(), status, &body), again, wait });
        }
        let body = if body.iter().all(u8::is_ascii_whitespace) {
            Value::Null
        } else {
            serde_json::from_slice(&body).map_err(|_| Problem::NoJson.of(request))?
        };
        Ok(Answer { status, headers, body })
    }
}

/// What can be wrong with an answer's body.
enum Problem {
    Broken(reqwest::Error),
    TooLong,
    NoJson,
}

impl Problem {
    fn of(self, request: &Request) -> Failure {
        let (code, message) = match self {
            Problem::Broken(error) => return unreachable(request, &error),
            Problem::TooLong => ("AnswerTooLong", format!("more than {LONGEST_ANSWER} bytes")),
            Problem::NoJson => ("AnswerUnreadable", "the answer is no JSON".to_owned()),
        };
        let error =
            CallError { call: request.call.clone(), kind: CallErrorKind::Unavailable, code: code.to_owned(), message };
        Failure { error, again: Again::No, wait: None }
    }
}

async fn read(mut response: reqwest::Response) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(Problem::Broken)? {
        if body.len() + part.len() > LONGEST_ANSWER {
            return Err(Problem::TooLong);
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// There was no answer. The error's own text names the address, which holds nothing secret.
fn unreachable(request: &Request, error: &reqwest::Error) -> Failure {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        message.push_str(": ");
        message.push_str(&error.to_string());
        cause = error.source();
    }
    let (kind, again) = if error.is_builder() {
        (CallErrorKind::Invalid, Again::No)
    } else if error.is_connect() {
        (CallErrorKind::Unavailable, Again::NothingDone)
    } else {
        (CallErrorKind::Unavailable, Again::Unknown)
    };
    let error = CallError { call: request.call.clone(), kind, code: "Unreachable".to_owned(), message };
    Failure { error, again, wait: None }
}
