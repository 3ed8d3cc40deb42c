//! One request, signed and retried by the SDK's orchestrator.

use std::error::Error;
use std::fmt;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::recursion_detection::RecursionDetectionInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::operation::Operation as Orchestrated;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::{Order, StaticRuntimePlugin};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::{Region, SigningRegion};
use onus_core::{CallError, CallErrorKind};
use serde_json::Value;

use crate::operations::{Endpoint, Operation, Service};
use crate::protocol::{Request, Response, parse};

/// What every request shares: connections, credentials and their cache, attempts.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    config: SdkConfig,
    http: SharedHttpClient,
    identities: SharedIdentityCache,
    sleep: SharedAsyncSleep,
    time: SharedTimeSource,
}

/// When a request is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// After every failure that may pass: broken connections, 5xx, throttling.
    UnlessRefused,
    /// Only after an answer whose code says that the service did nothing: throttling, a clock that is off.
    IfNothingWasDone,
}

impl Sender {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self {
            http: config.http_client().unwrap_or_else(super::http_client),
            identities: config.identity_cache().unwrap_or_else(|| IdentityCache::lazy().build()),
            sleep: config.sleep_impl().unwrap_or_else(|| SharedAsyncSleep::new(TokioSleep::new())),
            time: config.time_source().unwrap_or_else(|| SharedTimeSource::new(SystemTimeSource::new())),
            config: config.clone(),
        }
    }

    /// Sends one request and reads its answer.
    pub(super) async fn send(
        &self,
        service: &'static Service,
        operation: &'static Operation,
        request: Request,
        endpoint: Endpoint,
        again: Again,
    ) -> Result<Value, CallError> {
        let call = format!("{}:{}", service.name, operation.name);
        let signing = self.signing(service, &endpoint).ok_or_else(|| no_credentials(&call, "none configured"))?;
        let retry = self.config.retry_config().cloned().unwrap_or_else(RetryConfig::adaptive);
        let timeouts = self.config.timeout_config().cloned().unwrap_or_else(TimeoutConfig::disabled);
        let builder = Orchestrated::builder()
            .service_name(service.metadata.service_id.as_str())
            .operation_name(operation.name.as_str())
            .behavior_version(BehaviorVersion::v2026_01_12())
            .http_client(self.http.clone())
            .endpoint_url(&endpoint.url)
            .standard_retry(&retry)
            .timeout_config(timeouts)
            .sleep_impl(self.sleep.clone())
            .time_source(self.time.clone())
            .retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
            .retry_classifier(ServiceClockSkewClassifier::<Refusal>::new())
            .interceptor(ServiceClockSkewInterceptor::new())
            .interceptor(RequestInfoInterceptor::new())
            .interceptor(UserAgentInterceptor::new())
            .interceptor(InvocationIdInterceptor::new())
            .interceptor(RecursionDetectionInterceptor::new())
            .with_connection_poisoning()
            .runtime_plugin(signing)
            .serializer(http_request)
            .deserializer(move |response: &HttpResponse| {
                parse(service, operation, &answer_of(response))
                    .map_err(|e| OrchestratorError::operation(Refusal::from(e)))
            });
        let builder = match again {
            Again::IfNothingWasDone => builder,
            Again::UnlessRefused => builder
                .retry_classifier(TransientErrorClassifier::<Refusal>::new())
                .retry_classifier(HttpStatusCodeClassifier::default()),
        };
        builder.build().invoke(request).await.map_err(|error| call_error(&call, error))
    }

    /// How requests to an endpoint are signed; `None` without credentials.
    fn signing(&self, service: &Service, endpoint: &Endpoint) -> Option<StaticRuntimePlugin> {
        let name = service.metadata.signing_name();
        let mut options = SigningOptions::default();
        if name == "s3" {
            // S3 signs the path as it is sent, and the body's hash in a header ("Signature Version 4", S3).
            (options.double_uri_encode, options.normalize_uri_path, options.content_sha256_header) =
                (false, false, true);
        }
        let region = Region::new(endpoint.region.clone());
        let partition = RetryPartition::new(format!("{}-{}", service.name, endpoint.region));
        let mut layer = Layer::new("onus");
        layer.store_put(partition);
        layer.store_put(ApiMetadata::new("onus", env!("CARGO_PKG_VERSION")));
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(region)),
            name: Some(SigningName::from(name.to_owned())),
            signing_options: options,
            ..SigV4OperationSigningConfig::default()
        });
        if let Some(app) = self.config.app_name() {
            layer.store_put(app.clone());
        }
        let resolver = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
        let components = RuntimeComponentsBuilder::new("onus")
            .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
            .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(resolver)))
            .with_identity_cache(Some(self.identities.clone()))
            .with_identity_resolver(SCHEME_ID, self.config.credentials_provider()?);
        let plugin = StaticRuntimePlugin::new().with_order(Order::Overrides);
        Some(plugin.with_config(layer.freeze()).with_runtime_components(components))
    }
}

/// The request as the SDK's HTTP layer takes it; the endpoint is put before its path later.
fn http_request(request: Request) -> Result<HttpRequest, BoxError> {
    let mut builder = http::Request::builder().method(request.method.as_str()).uri(request.uri());
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    // The protocols without a body still say so: some services refuse a POST or PUT that does not.
    if !request.body.is_empty() || matches!(request.method.as_str(), "POST" | "PUT" | "PATCH") {
        builder = builder.header(http::header::CONTENT_LENGTH, request.body.len());
    }
    Ok(HttpRequest::try_from(builder.body(SdkBody::from(request.body))?)?)
}

/// The response as the protocols read it. Its body was read whole before.
fn answer_of(response: &HttpResponse) -> Response {
    Response {
        status: response.status().as_u16(),
        headers: response.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: response.body().bytes().unwrap_or_default().to_vec(),
    }
}

/// A refusal with its code where the SDK's retry classifiers look for it.
#[derive(Debug)]
struct Refusal(Box<(CallError, ErrorMetadata)>);

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Self {
        let metadata = ErrorMetadata::builder().code(&error.code).message(&error.message).build();
        Self(Box::new((error, metadata)))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.0.fmt(f)
    }
}

impl Error for Refusal {}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0.1
    }
}

fn no_credentials(call: &str, message: impl Into<String>) -> CallError {
    CallError {
        call: call.to_owned(),
        kind: CallErrorKind::Denied,
        code: "NoCredentials".to_owned(),
        message: message.into(),
    }
}

/// What the orchestrator's failure means. After its own retries.
fn call_error(call: &str, error: SdkError<Refusal, HttpResponse>) -> CallError {
    let message = DisplayErrorContext(&error).to_string();
    let failed =
        |kind, code: &str| CallError { call: call.to_owned(), kind, code: code.to_owned(), message: message.clone() };
    match error {
        SdkError::ServiceError(refused) => refused.into_err().0.0,
        SdkError::TimeoutError(_) => failed(CallErrorKind::Unavailable, "Timeout"),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => failed(CallErrorKind::Unavailable, "Timeout"),
        SdkError::ResponseError(_) => failed(CallErrorKind::Unavailable, "UnreadableAnswer"),
        SdkError::ConstructionFailure(_) => failed(CallErrorKind::Invalid, "NotSent"),
        error if lacks_credentials(&error) => no_credentials(call, message),
        _ => failed(CallErrorKind::Unavailable, "Unreachable"),
    }
}

/// Whether it failed because nobody provides credentials. A provider that is only slow or down may do so later.
fn lacks_credentials(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| (*error).source()).any(|cause| {
        let cause = cause.downcast_ref::<CredentialsError>();
        matches!(cause, Some(CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_)))
    })
}
