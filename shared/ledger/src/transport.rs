//! HTTP for the object stores: hyper with rustls on ring, the same crates that the functions' AWS clients use.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::Stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as TcpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::ClientOptions;
use object_store::client::{
    ClientConfigKey, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
    HttpResponseBody, HttpService,
};

/// How long a TCP and TLS connection may take: the AWS SDKs' default of 3.1 s.
const CONNECT: Duration = Duration::from_millis(3_100);
/// How long one attempt may take until the answer's head is there.
const ANSWER: Duration = Duration::from_secs(10);
/// How long an answer's body may stand still.
const STALL: Duration = Duration::from_secs(10);
/// Gives an object store its HTTP client. Honours `allow_http`; the other client options are fixed here.
#[derive(Debug, Clone, Copy, Default)]
pub struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let allow_http = options.get_config_value(&ClientConfigKey::AllowHttp).is_some_and(|value| value == "true");
        let mut tcp = TcpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let tls = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(|source| object_store::Error::Generic { store: "HTTP", source: source.into() })?;
        let tls = if allow_http { tls.https_or_http() } else { tls.https_only() };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(tls.enable_http1().wrap_connector(tcp));
        Ok(HttpClient::new(Service(client)))
    }
}

#[derive(Debug)]
struct Service(Client<HttpsConnector<TcpConnector>, HttpRequestBody>);

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = tokio::time::timeout(ANSWER, self.0.request(request))
            .await
            .map_err(|elapsed| HttpError::new(HttpErrorKind::Timeout, elapsed))?;
        let (head, body) = answer.map_err(failed)?.into_parts();
        Ok(HttpResponse::from_parts(head, HttpResponseBody::new(StreamBody::new(frames(body)))))
    }
}

/// A body as a stream of frames that ends with an error when it stands still.
fn frames(body: Incoming) -> impl Stream<Item = Result<Frame<Bytes>, HttpError>> {
    futures::stream::unfold(Some(body), |body| async {
        let mut body = body?;
        match tokio::time::timeout(STALL, body.frame()).await {
            Ok(None) => None,
            Ok(Some(Ok(frame))) => Some((Ok(frame), Some(body))),
            Ok(Some(Err(error))) => Some((Err(HttpError::new(kind_of(&error), error)), None)),
            Err(elapsed) => Some((Err(HttpError::new(HttpErrorKind::Timeout, elapsed)), None)),
        }
    })
}

/// What the store's retries need to know of a failure. Only what was surely not processed counts as `Connect`.
fn failed(error: hyper_util::client::legacy::Error) -> HttpError {
    let kind = if error.is_connect() {
        HttpErrorKind::Connect
    } else {
        std::error::Error::source(&error)
            .and_then(|source| source.downcast_ref::<hyper::Error>())
            .map_or(HttpErrorKind::Unknown, kind_of)
    };
    HttpError::new(kind, error)
}

fn kind_of(error: &hyper::Error) -> HttpErrorKind {
    if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_closed() || error.is_incomplete_message() || error.is_body_write_aborted() {
        HttpErrorKind::Request
    } else {
        HttpErrorKind::Interrupted
    }
}
