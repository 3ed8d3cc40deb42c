//! The approval page as an HTTP server, where the platform hands requests on as they come.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use onus_pipeline::Records;

use super::{Answered, ApprovalPage, HEADERS, LONGEST_FORM, page};
use crate::clock::SystemClock;
use crate::environment::{Environment, StartError};
use crate::failure::chain;
use crate::http;
use crate::wiring::{Wiring, warm};

/// Serves approval links under every path: the platform chooses which one leads here. It opens the ledger and nothing else.
pub struct ApproveServer(ApprovalPage);

impl ApproveServer {
    /// Takes the key of `ONUS_APPROVAL_KEY` and opens the ledger.
    ///
    /// # Errors
    /// The deployment is wrong, or has no key.
    pub async fn start(environment: &Environment) -> Result<Self, StartError> {
        let key = environment.approval_key()?.ok_or(StartError::Missing { name: "ONUS_APPROVAL_KEY" })?;
        let (_, _, ledger) = Wiring::ledger_of(environment)?;
        warm(ledger.as_ref()).await;
        Ok(Self::new(ApprovalPage::new(key, Records::new(ledger), Arc::new(SystemClock))))
    }

    /// A server of a page.
    pub fn new(page: ApprovalPage) -> Self {
        Self(page)
    }

    /// Serves until the platform asks to end.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn serve(self, address: SocketAddr) -> Result<(), StartError> {
        http::serve(self.router(), address).await
    }

    /// Whatever is asked, under whatever path.
    pub fn router(self) -> Router {
        Router::new().fallback(respond).layer(DefaultBodyLimit::max(LONGEST_FORM + 1)).with_state(Arc::new(self.0))
    }
}

async fn respond(
    State(approvals): State<Arc<ApprovalPage>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    form: Bytes,
) -> Response {
    // What is no text is no form: the page answers that there is no link in it.
    let form = std::str::from_utf8(&form).unwrap_or_default();
    let answered = approvals.respond(method.as_str(), uri.query().unwrap_or_default(), form, asker(&headers)).await;
    let answered = answered.unwrap_or_else(|error| {
        tracing::error!(error = chain(&error), "a link was not answered");
        page(503, "Not now", "<p>The ledger does not answer. Nothing was done; the link may be used again.</p>")
    });
    let status = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let Answered { html, .. } = answered;
    (status, HEADERS, html).into_response()
}

/// The address of whoever asks: the last of `X-Forwarded-For`, which the platform's front end adds; those before it anybody may have
/// written. Azure's front end adds the port too. Empty where there is none.
///
/// Source: <https://cloud.google.com/run/docs/container-contract> and <https://learn.microsoft.com/azure/app-service/overview>, on the
/// headers that their front ends add.
fn asker(headers: &HeaderMap) -> &str {
    let last = headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
    last.unwrap_or_default().rsplit(',').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use onus_pipeline::ApprovalKey;
    use tower_service::Service as _;

    use super::*;

    async fn ask(request: Request<Body>) -> (u16, String, HeaderMap) {
        let ledger = onus_ledger::open("memory://", &onus_ledger::Options::default()).unwrap();
        let key = ApprovalKey::new("a key of thirty-two bytes or more").unwrap();
        let page = ApprovalPage::new(key, Records::new(ledger), Arc::new(SystemClock));
        let answer = ApproveServer::new(page).router().call(request).await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = to_bytes(answer.into_body(), 64 * 1024).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap(), headers)
    }

    #[tokio::test]
    async fn every_path_leads_to_the_page_and_nothing_unsigned_gets_further() {
        let mut wrong = Vec::new();
        for (method, path, body, expected) in [
            ("GET", "/", String::new(), 403),
            ("GET", "/approve?t=v1.approve.forged", String::new(), 403),
            ("HEAD", "/approve?t=", String::new(), 403),
            ("POST", "/approve", "t=v1.approve.forged&by=mallory".to_owned(), 403),
            ("POST", "/approve", "x".repeat(LONGEST_FORM + 1), 413),
            ("POST", "/approve", "x".repeat(1024 * 1024), 413),
            ("DELETE", "/approve", String::new(), 405),
        ] {
            let request = Request::builder().method(method).uri(path).body(Body::from(body)).unwrap();
            let (status, _, _) = ask(request).await;
            if status != expected {
                wrong.push(format!("{method} {path}: {status}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[tokio::test]
    async fn pages_may_run_nothing_and_are_kept_nowhere() {
        let (_, body, headers) = ask(Request::builder().uri("/?t=%3Cscript%3E").body(Body::empty()).unwrap()).await;
        assert!(!body.contains("<script>"), "{body}");
        for (name, value) in HEADERS {
            assert_eq!(headers.get(name).and_then(|found| found.to_str().ok()), Some(value), "{name}");
        }
    }

    #[test]
    fn only_the_address_that_the_front_end_added_counts() {
        let mut headers = HeaderMap::new();
        assert_eq!(asker(&headers), "");
        headers.append("x-forwarded-for", "198.51.100.1, 203.0.113.7:51234".parse().unwrap());
        assert_eq!(asker(&headers), "203.0.113.7:51234");
        headers.append("x-forwarded-for", "203.0.113.9".parse().unwrap());
        assert_eq!(asker(&headers), "203.0.113.9");
    }
}
