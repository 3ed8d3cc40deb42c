//! `gcp-audit`: what Pub/Sub and Eventarc push becomes findings.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};

use super::Clients;
use super::door::guarded;
use super::oidc::Doorkeeper;
use crate::audit::PayloadAuditor;
use crate::environment::{Environment, StartError};
use crate::failure::chain;
use crate::http;

/// Audits what is pushed: Pub/Sub messages of a log sink, and `CloudEvents` from Eventarc, in binary mode (the log entry is the body) and
/// structured (it is in `data`).
pub struct AuditFunction {
    auditor: PayloadAuditor,
    door: Doorkeeper,
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
        Ok(Self::new(auditor, clients.doorkeeper(environment)?))
    }

    /// An audit function out of its parts.
    pub fn new(auditor: PayloadAuditor, door: Doorkeeper) -> Self {
        Self { auditor, door }
    }

    /// Serves Cloud Run until it asks to end.
    ///
    /// # Errors
    /// `PORT` is not set, or taken.
    pub async fn serve(self, environment: &Environment) -> Result<(), StartError> {
        let port = http::port(environment, "PORT")?;
        http::serve(self.router(), SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))).await
    }

    /// `POST` of `/`, behind the door.
    pub fn router(self) -> Router {
        guarded(Router::new().route("/", post(push)).with_state(Arc::new(self.auditor)), self.door)
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
