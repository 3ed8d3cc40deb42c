//! The door of a service: requests go to a handler only with a good token, and its answer becomes what Pub/Sub and Eventarc understand: 2xx is
//! done, anything else comes again.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use super::oidc::{Denied, Doorkeeper};

/// Puts a doorkeeper in front of every route.
pub(super) fn guarded(router: Router, door: Doorkeeper) -> Router {
    router.layer(from_fn_with_state(Arc::new(door), check))
}

async fn check(State(door): State<Arc<Doorkeeper>>, request: Request, next: Next) -> Response {
    let authorization = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match door.check(authorization).await {
        Ok(()) => next.run(request).await,
        Err(denied) => {
            let status = match &denied {
                Denied::Missing => StatusCode::UNAUTHORIZED,
                Denied::NotGood(_) => StatusCode::FORBIDDEN,
                Denied::NoKeys(_) => StatusCode::SERVICE_UNAVAILABLE,
            };
            tracing::warn!(%denied, "not let in");
            // Why is for our log, not for whoever tries.
            status.into_response()
        }
    }
}
