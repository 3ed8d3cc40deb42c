//! Metrics to an OpenTelemetry collector, by OTLP over HTTP in its JSON encoding.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use onus_pipeline::{Containment, Meter};
use percent_encoding::percent_decode_str;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};

use super::MetricLines;
use crate::environment::{Environment, StartError};

/// How long a collector may take. Whoever waits for the response has been told by then.
const WITHIN: Duration = Duration::from_secs(2);

/// The address of the collector's metrics, whole.
const WHOLE: &str = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";
/// The address of the collector; `/v1/metrics` is added.
const BASE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// `name=value,…`, values percent-encoded: how a collector knows who sends.
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";

/// Sends each figure to the collector that the environment names, and prints it where it names none.
///
/// # Errors
/// The address is none, or would send the headers over the network without TLS; a header is none.
///
/// Source: "OpenTelemetry Protocol Exporter", <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>.
pub(crate) fn otlp(environment: &Environment) -> Result<Arc<dyn Meter>, StartError> {
    let (name, address) = match (environment.get(WHOLE), environment.get(BASE)) {
        (Some(whole), _) => (WHOLE, whole.to_owned()),
        (None, Some(base)) => (BASE, format!("{}/v1/metrics", base.trim_end_matches('/'))),
        (None, None) => return Ok(Arc::new(MetricLines::Otlp)),
    };
    let url = Url::parse(&address).ok().filter(may_be_sent_to);
    let expected = "an https address, or an http address of this machine";
    let url = url.ok_or(StartError::Malformed { name, value: address, expected })?;
    // An error says that a provider was installed already, which is then the process's choice.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = Client::builder().timeout(WITHIN).redirect(Policy::none()).default_headers(headers(environment)?);
    let http = http.build().map_err(|error| StartError::Client { source: error.into() })?;
    Ok(Arc::new(Exporter { http, url }))
}

fn may_be_sent_to(url: &Url) -> bool {
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    url.scheme() == "https" || (url.scheme() == "http" && local)
}

fn headers(environment: &Environment) -> Result<HeaderMap, StartError> {
    let mut headers = HeaderMap::new();
    for pair in environment.get(HEADERS).unwrap_or_default().split(',').filter(|pair| !pair.trim().is_empty()) {
        // The value may be a secret: it is not part of the error.
        let wrong = || StartError::Malformed { name: HEADERS, value: "…".to_owned(), expected: "name=value, …" };
        let (name, value) = pair.split_once('=').ok_or_else(wrong)?;
        let name: HeaderName = name.trim().parse().map_err(|_| wrong())?;
        let value = percent_decode_str(value.trim()).decode_utf8().map_err(|_| wrong())?;
        headers.insert(name, HeaderValue::from_str(&value).map_err(|_| wrong())?);
    }
    Ok(headers)
}

#[derive(Debug)]
struct Exporter {
    http: Client,
    url: Url,
}

#[async_trait]
impl Meter for Exporter {
    async fn contained(&self, containment: &Containment) {
        let body = containment.otlp().to_string();
        let sent = self.http.post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(body).send().await;
        if let Err(error) = sent.and_then(reqwest::Response::error_for_status) {
            let error = error.without_url();
            tracing::warn!(%error, "the collector did not take a metric; `onus stats` has it");
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::State;
    use onus_core::Cloud;
    use tokio::sync::mpsc;

    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn containment() -> Containment {
        let at = |text: &str| text.parse().unwrap();
        Containment {
            finding: "f-0123456789abcdef0123456789".parse().unwrap(),
            cloud: Cloud::Gcp,
            rule: "gcp.storage.bucket_made_public".to_owned(),
            event: at("2026-11-02T10:00:00Z"),
            received: at("2026-11-02T10:00:02Z"),
            decided: at("2026-11-02T10:00:02Z"),
            written: at("2026-11-02T10:00:03Z"),
            verified: at("2026-11-02T10:00:04Z"),
        }
    }

    #[tokio::test]
    async fn a_collector_gets_each_figure_with_the_headers_that_the_environment_names() {
        let (told, mut hears) = mpsc::unbounded_channel();
        let record = async |State(told): State<mpsc::UnboundedSender<_>>, request: axum::extract::Request| {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 64 * 1024).await.unwrap();
            told.send((parts.uri.path().to_owned(), parts.headers["x-key"].clone(), body)).unwrap();
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/", listener.local_addr().unwrap());
        let server = axum::serve(listener, Router::new().fallback(record).with_state(told));
        tokio::spawn(async move { server.await });
        let environment = environment(&[(BASE, &base), (HEADERS, "x-key=a%20secret, x-other=1")]);
        otlp(&environment).unwrap().contained(&containment()).await;
        let (path, key, body) = hears.recv().await.unwrap();
        assert_eq!((path.as_str(), key.to_str().unwrap()), ("/v1/metrics", "a secret"));
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).unwrap(), containment().otlp());
    }

    #[test]
    fn an_address_without_tls_is_of_this_machine() {
        let mut wrong = Vec::new();
        for (address, good) in [
            ("https://collector.example.com", true),
            ("http://localhost:4318", true),
            ("http://127.0.0.1:4318/", true),
            ("http://[::1]:4318", true),
            ("http://collector.example.com", false),
            ("http://localhost.example.com", false),
            ("ftp://localhost", false),
            ("collector", false),
        ] {
            if otlp(&environment(&[(BASE, address)])).is_ok() != good {
                wrong.push(address);
            }
        }
        assert!(wrong.is_empty(), "{wrong:?}");
        assert!(otlp(&environment(&[(BASE, "https://localhost"), (HEADERS, "no header")])).is_err());
        assert!(otlp(&environment(&[])).is_ok(), "without a collector they are printed");
    }
}
