//! Sends any call of the operations table to Google's APIs: credentials, attempts, operations that go on after the answer, and
//! pages.
//!
//! A call is written by [`crate::request`] and sent by [`send`]; what comes back is read here. Nothing is connected before
//! the first call.

mod answer;
mod config;
mod operation;
mod pages;
mod send;

use std::sync::Arc;

use async_trait::async_trait;
use google_cloud_auth::credentials::Credentials;
use onus_core::{Call, CallError, CallErrorKind, Caller, Cloud};
use serde_json::Value;

use crate::request::{self, Request, refusal};
pub use config::{ConfigError, Endpoint, credentials, http_client};
use operation::{Progress, progress};
use pages::Pages;
use send::Sender;
pub use send::{Limits, Pause, RealTime};

/// Sends calls to Google Cloud.
///
/// Throttling and failures are borne with growing, random waits within [`Limits`]. A call that is sent again may have taken
/// effect the first time: one with a version token then ends as a conflict, and the others set what they set before.
#[derive(Debug, Clone)]
pub struct GcpCaller {
    sender: Sender,
    endpoint: Endpoint,
}

impl GcpCaller {
    /// A caller with its HTTP client ([`http_client`]), credentials ([`credentials`]) and place of the APIs. Does nothing yet.
    pub fn new(http: reqwest::Client, credentials: Credentials, endpoint: Endpoint) -> Self {
        Self { sender: Sender::new(http, credentials), endpoint }
    }

    /// How long calls may be repeated and operations followed.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.sender.limits = limits;
        self
    }

    /// What waits between attempts.
    #[must_use]
    pub fn pause(mut self, pause: Arc<dyn Pause>) -> Self {
        self.sender.pause = pause;
        self
    }

    async fn send(&self, call: &Call, root: &str, request: &Request) -> Result<Value, CallError> {
        let url = format!("{}{}", self.endpoint.of(root), request.uri());
        self.sender.send(&call.name(), &url, request).await
    }

    /// Follows an operation to its end.
    async fn follow(&self, call: &Call, root: &str, mut answer: Value) -> Result<Value, CallError> {
        let mut waits = self.sender.waits(self.sender.limits.operation);
        loop {
            match progress(call, answer)? {
                Progress::Done(answer) => return Ok(answer),
                Progress::Running(poll) => {
                    if !waits.wait(None).await {
                        let message = "the operation goes on, and the time to follow it is over".to_owned();
                        let (call, code) = (call.name(), "OperationPending".to_owned());
                        return Err(CallError { call, kind: CallErrorKind::Unavailable, code, message });
                    }
                    answer = self.send(call, root, &poll).await?;
                }
            }
        }
    }
}

#[async_trait]
impl Caller for GcpCaller {
    async fn call(&self, call: &Call) -> Result<Value, CallError> {
        if call.cloud != Cloud::Gcp {
            return Err(refusal(call, "WrongCloud", &format!("`{}` calls are not for Google Cloud", call.cloud)));
        }
        let (api, method) = request::method(call)?;
        if let Some(list) = &method.pages {
            let mut pages = Pages::new(list, call);
            loop {
                let answer = self.send(call, &api.root, &request::write(pages.call())?).await?;
                if let Some(joined) = pages.add(answer)? {
                    return Ok(joined);
                }
            }
        }
        let answer = self.send(call, &api.root, &request::write(call)?).await?;
        if method.operation && !method.name.ends_with("perations.get") {
            return self.follow(call, &api.root, answer).await;
        }
        Ok(answer)
    }
}
