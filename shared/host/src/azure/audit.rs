//! `azure-audit`: Event Grid and Event Hub triggers bring records.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use onus_core::Cloud;
use serde_json::json;

use super::invocation::{Answer, Invocation};
use super::lookup::ActivityLog;
use super::{Clients, INVOCATION};
use crate::audit::PayloadAuditor;
use crate::environment::{Environment, StartError};
use crate::failure::chain;
use crate::http;
use crate::operator::EVERYWHERE;
use crate::sweep::Sweep;

/// Audits what triggers bring: Event Grid events in either schema, batches of Event Hub messages, and the requests of an Event Grid webhook
/// with its handshake.
///
/// A timer's tick sweeps the Activity Log for what Event Grid missed, records the guarded resources once a day, and does what is due without
/// an event.
pub struct AuditFunction {
    auditor: Arc<PayloadAuditor>,
    /// None where the subscription is not known.
    sweep: Option<Sweep>,
}

impl AuditFunction {
    /// Opens clients, rules and ledger, and the connection that the first finding needs.
    ///
    /// # Errors
    /// The deployment is wrong.
    pub async fn start(environment: &Environment) -> Result<Self, StartError> {
        let clients = Clients::open(environment)?;
        clients.wiring.warm().await;
        let auditor = PayloadAuditor::new(clients.auditor(environment).await?, clients.dead_letters(environment)?);
        let function = Self::new(auditor);
        let Some(subscription) = clients.wiring.account.clone() else { return Ok(function) };
        let lookup = Arc::new(ActivityLog { caller: Arc::clone(&clients.wiring.caller), subscription });
        let auditor = Arc::clone(&function.auditor);
        Ok(function.sweeping(clients.wiring.sweep(auditor, lookup, Cloud::Azure, EVERYWHERE)))
    }

    /// An audit function out of its parts.
    pub fn new(auditor: PayloadAuditor) -> Self {
        Self { auditor: Arc::new(auditor), sweep: None }
    }

    /// The same, and ticks do something.
    #[must_use]
    pub fn sweeping(self, sweep: Sweep) -> Self {
        Self { sweep: Some(sweep), ..self }
    }

    /// Serves the Functions host until it asks to end.
    ///
    /// # Errors
    /// `FUNCTIONS_CUSTOMHANDLER_PORT` is not set, or taken.
    pub async fn serve(self, environment: &Environment) -> Result<(), StartError> {
        http::serve(self.router(), super::address(environment)?).await
    }

    /// `POST` of `/tick`, a timer's; `POST` and `OPTIONS` of `/<function>`, whatever else is called in its deployment.
    pub fn router(self) -> Router {
        let function = post(invoke).options(handshake);
        Router::new()
            .route("/tick", post(tick))
            .route("/{function}", function.clone())
            .route("/api/{function}", function)
            .with_state(Arc::new(self))
    }
}

/// CloudEvents' handshake: whoever is asked lets the sender send
/// (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#4-abuse-protection>).
async fn handshake(headers: HeaderMap) -> Response {
    let Some(origin) = headers.get("WebHook-Request-Origin") else { return StatusCode::BAD_REQUEST.into_response() };
    let rate = headers.get("WebHook-Request-Rate").cloned().unwrap_or(HeaderValue::from_static("*"));
    let allowed = [("WebHook-Allowed-Origin", origin.clone()), ("WebHook-Allowed-Rate", rate)];
    (StatusCode::OK, allowed).into_response()
}

async fn invoke(State(function): State<Arc<AuditFunction>>, body: String) -> Response {
    let invocation = Invocation::read(&body);
    if let Some(code) = invocation.validation_code() {
        let answer = json!({ "validationResponse": code });
        return if invocation.wrapped {
            Answer::Done(answer).into_response()
        } else {
            axum::Json(answer).into_response()
        };
    }
    match function.auditor.audit_all(&invocation.parts).await {
        Ok(audited) => Answer::done(&audited).into_response(),
        Err(failure) => Answer::Failed(chain(&failure)).into_response(),
    }
}

/// What the timer says of itself does not matter: the next sweep begins where the last one ended.
async fn tick(State(function): State<Arc<AuditFunction>>) -> Answer {
    let Some(sweep) = &function.sweep else { return Answer::Failed("`ONUS_ACCOUNT` is not set".to_owned()) };
    match sweep.tick(INVOCATION).await {
        Ok(swept) => Answer::done(&swept),
        Err(failure) => Answer::Failed(chain(&failure)),
    }
}
