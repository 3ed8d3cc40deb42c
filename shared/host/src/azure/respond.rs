//! `azure-respond`: messages of a Storage Queue become responses.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::invocation::{Answer, Invocation};
use super::{Clients, LEASE};
use crate::dead_letters::DeadLetters;
use crate::environment::{Environment, StartError};
use crate::failure::chain;
use crate::http;
use crate::metrics;
use crate::respond::{Asked, MessageResponder, Trouble};

/// Does the jobs of a queue: those of `azure-audit`, and those that people put into the ledger under `requests/`, of which Event Grid
/// tells the queue.
pub struct RespondFunction {
    responder: MessageResponder,
    dead_letters: DeadLetters,
}

/// Event Grid's news of a blob, in either schema, as far as it matters here.
///
/// Source: "Azure Blob Storage as Event Grid source" (<https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage>).
#[derive(Deserialize)]
struct News {
    #[serde(alias = "eventType", rename = "type")]
    kind: String,
    subject: String,
}

impl RespondFunction {
    /// Opens clients and ledger.
    ///
    /// # Errors
    /// The deployment is wrong.
    pub async fn start(environment: &Environment) -> Result<Self, StartError> {
        let clients = Clients::open(environment)?;
        clients.wiring.warm().await;
        let mut responder = clients.wiring.responder(environment.lease(LEASE)?, metrics::otlp(environment)?);
        let lives = clients.wiring.config.settings.approval_lives();
        responder.links = environment.approval_links(environment.approval_key()?, lives)?;
        let responder = MessageResponder::new(responder, clients.wiring.prefix());
        Ok(Self::new(responder, clients.dead_letters(environment)?))
    }

    /// A respond function out of its parts.
    pub fn new(responder: MessageResponder, dead_letters: DeadLetters) -> Self {
        Self { responder, dead_letters }
    }

    /// Serves the Functions host until it asks to end.
    ///
    /// # Errors
    /// `FUNCTIONS_CUSTOMHANDLER_PORT` is not set, or taken.
    pub async fn serve(self, environment: &Environment) -> Result<(), StartError> {
        http::serve(self.router(), super::address(environment)?).await
    }

    /// `POST` of `/<function>`, whatever the function is called in its deployment.
    pub fn router(self) -> Router {
        Router::new().route("/{function}", post(invoke)).with_state(Arc::new(self))
    }

    async fn handle(&self, invocation: &Invocation) -> Answer {
        let mut failed = Vec::new();
        for message in &invocation.parts {
            match self.responder.handle(asked(message)).await {
                Ok(()) => {}
                Err(Trouble::Never(reason)) => {
                    if let Err(failure) = self.dead_letters.put(reason, message).await {
                        failed.push(chain(&failure));
                    }
                }
                Err(Trouble::Later(error)) => {
                    tracing::warn!(error = chain(&error), "a job has to be done again");
                    failed.push(chain(&error));
                }
            }
        }
        if failed.is_empty() {
            Answer::Done(json!({ "messages": invocation.parts.len() }))
        } else {
            Answer::Failed(failed.join("; "))
        }
    }
}

async fn invoke(State(function): State<Arc<RespondFunction>>, body: String) -> Answer {
    function.handle(&Invocation::read(&body)).await
}

/// What a message asks for: a job of its own, the request that Event Grid tells of, or nothing in other news.
fn asked(message: &str) -> Asked<'_> {
    let Ok(news) = serde_json::from_str::<News>(message) else { return Asked::Job(message) };
    if news.kind != "Microsoft.Storage.BlobCreated" {
        tracing::info!(kind = news.kind, "news that concern nobody");
        return Asked::Nothing;
    }
    // `/blobServices/default/containers/CONTAINER/blobs/NAME`. A name may itself hold `/blobs/`.
    match news.subject.split_once("/blobs/") {
        Some((_, name)) => Asked::Stored(vec![name.to_owned()]),
        None => Asked::Job(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_job_or_news_of_a_blob() {
        let subject = "/blobServices/default/containers/ledger/blobs/onus/requests/2026-11-02/blobs/a.json";
        let stored = || Asked::Stored(vec!["onus/requests/2026-11-02/blobs/a.json".to_owned()]);
        let event = |member: &str, kind: &str| json!({ member: kind, "subject": subject, "data": {} }).to_string();
        let deleted = event("eventType", "Microsoft.Storage.BlobDeleted");
        let cases = [
            (event("eventType", "Microsoft.Storage.BlobCreated"), stored()),
            (event("type", "Microsoft.Storage.BlobCreated"), stored()),
            (deleted, Asked::Nothing),
        ];
        for (message, expected) in &cases {
            assert_eq!(asked(message), *expected, "{message}");
        }
        for job in [r#"{"respond":"f-1"}"#, "", "x"] {
            assert_eq!(asked(job), Asked::Job(job));
        }
    }
}
