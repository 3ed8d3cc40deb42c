//! `gcp-respond`: pushed messages become responses.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::door::guarded;
use super::oidc::Doorkeeper;
use super::{Clients, LEASE};
use crate::dead_letters::DeadLetters;
use crate::environment::{Environment, StartError};
use crate::failure::chain;
use crate::http;
use crate::metrics;
use crate::respond::{Asked, MessageResponder, Trouble};

/// Does the jobs of a topic: those of `gcp-audit`, and those that people put into the ledger under `requests/`, of which Cloud Storage
/// tells the topic.
pub struct RespondFunction {
    responder: MessageResponder,
    dead_letters: DeadLetters,
    door: Doorkeeper,
}

/// What Pub/Sub pushes (<https://cloud.google.com/pubsub/docs/push#receive_push>).
#[derive(Deserialize)]
struct Push {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    data: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
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
        Ok(Self::new(responder, clients.dead_letters(environment), clients.doorkeeper(environment)?))
    }

    /// A respond function out of its parts.
    pub fn new(responder: MessageResponder, dead_letters: DeadLetters, door: Doorkeeper) -> Self {
        Self { responder, dead_letters, door }
    }

    /// Serves Cloud Run until it asks to end.
    ///
    /// # Errors
    /// `PORT` is not set, or taken.
    pub async fn serve(self, environment: &Environment) -> Result<(), StartError> {
        http::serve(self.router(), super::address(environment)?).await
    }

    /// `POST` of `/`, behind the door.
    pub fn router(self) -> Router {
        let state = Arc::new((self.responder, self.dead_letters));
        guarded(Router::new().route("/", post(push)).with_state(state), self.door)
    }
}

/// Answers 2xx once the job is done, or put aside because it can never be done; 503 when it has to come again.
async fn push(State(function): State<Arc<(MessageResponder, DeadLetters)>>, body: String) -> StatusCode {
    let (responder, dead_letters) = &*function;
    let (done, what) = match message(&body) {
        Err(reason) => (Err(Trouble::Never(reason)), body),
        Ok((data, attributes)) => {
            let done = responder.handle(asked(&data, &attributes)).await;
            // A job is put aside as it is. News is in the attributes.
            (done, if attributes.contains_key("eventType") { body } else { data })
        }
    };
    match done {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(Trouble::Later(error)) => {
            tracing::warn!(error = chain(&error), "a job has to be done again");
            StatusCode::SERVICE_UNAVAILABLE
        }
        Err(Trouble::Never(reason)) => match dead_letters.put(reason, &what).await {
            Ok(()) => StatusCode::NO_CONTENT,
            Err(failure) => {
                tracing::error!(error = chain(&failure), "has to be pushed again");
                StatusCode::SERVICE_UNAVAILABLE
            }
        },
    }
}

/// A message's data and attributes; what is wrong with it otherwise.
pub(super) fn message(body: &str) -> Result<(String, BTreeMap<String, String>), String> {
    let push: Push =
        serde_json::from_str(body).map_err(|error| format!("cannot read the request as a push of Pub/Sub: {error}"))?;
    let data =
        STANDARD.decode(&push.message.data).map_err(|error| format!("cannot read the message's data: {error}"))?;
    let data = String::from_utf8(data).map_err(|error| format!("cannot read the message's data: {error}"))?;
    Ok((data, push.message.attributes))
}

/// What a message asks for: a job of its own, the request that Cloud Storage tells of, or nothing in other news.
///
/// Source: "Pub/Sub notifications for Cloud Storage", attributes (<https://cloud.google.com/storage/docs/pubsub-notifications>).
fn asked<'a>(data: &'a str, attributes: &BTreeMap<String, String>) -> Asked<'a> {
    match (attributes.get("eventType").map(String::as_str), attributes.get("objectId")) {
        (None, _) => Asked::Job(data),
        (Some("OBJECT_FINALIZE"), Some(name)) => Asked::Stored(vec![name.clone()]),
        (Some(kind), _) => {
            tracing::info!(kind, "news that concern nobody");
            Asked::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_job_or_news_of_an_object() {
        let attributes = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let stored = [("eventType", "OBJECT_FINALIZE"), ("objectId", "onus/requests/2026-11-02/a.json")];
        let cases = [
            (attributes(&[]), Asked::Job("{}")),
            (attributes(&[("other", "x")]), Asked::Job("{}")),
            (attributes(&stored), Asked::Stored(vec!["onus/requests/2026-11-02/a.json".to_owned()])),
            (attributes(&[("eventType", "OBJECT_DELETE"), ("objectId", "x")]), Asked::Nothing),
        ];
        for (attributes, expected) in cases {
            assert_eq!(asked("{}", &attributes), expected, "{attributes:?}");
        }
    }

    #[test]
    fn what_pubsub_did_not_push_is_refused_with_the_reason() {
        for (body, reason) in [
            ("", "as a push of Pub/Sub"),
            ("{}", "as a push of Pub/Sub"),
            (r#"{"message":{"data":"%"}}"#, "the message's data"),
            (r#"{"message":{"data":"//8="}}"#, "the message's data"),
        ] {
            let error = message(body).unwrap_err();
            assert!(error.contains(reason), "{body}: {error}");
        }
        assert_eq!(message(r#"{"message":{"data":"e30="},"subscription":"s"}"#).unwrap().0, "{}");
    }
}
