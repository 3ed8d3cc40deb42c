//! `gcp-audit`: what Pub/Sub and Eventarc push becomes findings.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use onus_core::Cloud;

use super::door::guarded;
use super::lookup::AuditLogs;
use super::oidc::Doorkeeper;
use super::{Clients, REQUEST};
use crate::audit::PayloadAuditor;
use crate::environment::{Environment, StartError};
use crate::failure::chain;
use crate::http;
use crate::operator::EVERYWHERE;
use crate::sweep::Sweep;

/// Audits what is pushed: Pub/Sub messages of a log sink, and `CloudEvents` from Eventarc, in binary mode (the log entry is the body) and
/// structured (it is in `data`).
///
/// A tick of Cloud Scheduler sweeps the audit logs for what the sink missed, records the guarded resources once a day, and does what is due
/// without an event.
pub struct AuditFunction {
    auditor: Arc<PayloadAuditor>,
    door: Doorkeeper,
    /// None where the project is not known.
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
        let auditor = PayloadAuditor::new(clients.auditor(environment).await?, clients.dead_letters(environment));
        let function = Self::new(auditor, clients.doorkeeper(environment)?);
        let Some(project) = clients.wiring.account.clone() else { return Ok(function) };
        let lookup = Arc::new(AuditLogs { caller: Arc::clone(&clients.wiring.caller), project });
        let auditor = Arc::clone(&function.auditor);
        Ok(function.sweeping(clients.wiring.sweep(auditor, lookup, Cloud::Gcp, EVERYWHERE)))
    }

    /// An audit function out of its parts.
    pub fn new(auditor: PayloadAuditor, door: Doorkeeper) -> Self {
        Self { auditor: Arc::new(auditor), door, sweep: None }
    }

    /// The same, and ticks do something.
    #[must_use]
    pub fn sweeping(self, sweep: Sweep) -> Self {
        Self { sweep: Some(sweep), ..self }
    }

    /// Serves Cloud Run until it asks to end.
    ///
    /// # Errors
    /// `PORT` is not set, or taken.
    pub async fn serve(self, environment: &Environment) -> Result<(), StartError> {
        http::serve(self.router(), super::address(environment)?).await
    }

    /// `POST` of `/` and of `/tick`, behind the door.
    pub fn router(self) -> Router {
        let pushed = Router::new().route("/", post(push)).with_state(self.auditor);
        let ticked = Router::new().route("/tick", post(tick)).with_state(Arc::new(self.sweep));
        guarded(pushed.merge(ticked), self.door)
    }
}

/// Answers 2xx once what was found is in the ledger; 503 when it has to come again.
async fn push(State(auditor): State<Arc<PayloadAuditor>>, body: String) -> Response {
    match auditor.audit(&body).await {
        Ok(audited) => Json(audited).into_response(),
        Err(failure) => {
            tracing::error!(error = chain(&failure), "has to be pushed again");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// Answers 2xx once everything that was due is done; 503 when the scheduler has to try again.
async fn tick(State(sweep): State<Arc<Option<Sweep>>>) -> Response {
    let Some(sweep) = sweep.as_ref() else {
        tracing::error!("`ONUS_ACCOUNT` is not set");
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    match sweep.tick(REQUEST).await {
        Ok(swept) => Json(swept).into_response(),
        Err(failure) => {
            tracing::error!(error = chain(&failure), "has to be swept again");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
