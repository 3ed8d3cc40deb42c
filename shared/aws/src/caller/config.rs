//! The AWS configuration that everything of ours shares: the caller, the sinks and the functions.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::{RetryConfig, RetryMode};

/// How long one attempt may take, connection included. Control planes answer in well under a second; ten tell a dead
/// one from a slow one.
const ATTEMPT: Duration = Duration::from_secs(10);

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(3);

/// An HTTP client whose TLS is ring (shared/README.md): the SDK's default costs 25 ms of entropy on the first
/// handshake of each process.
///
/// Trusts the platform's certificate bundle. Where `SSL_CERT_FILE` is set, only that file is read, which is the
/// quickest.
pub fn http_client() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// Credentials, region, endpoints and attempts as the environment and the shared files say, with [`http_client`],
/// adaptive retry and timeouts.
///
/// Reads files and the environment; sends nothing. `AWS_MAX_ATTEMPTS` and `AWS_ENDPOINT_URL` are honoured.
pub async fn load_config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build();
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http_client())
        .timeout_config(timeouts)
        .load()
        .await;
    let retry = config.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
    config.into_builder().retry_config(retry.with_retry_mode(RetryMode::Adaptive)).build()
}
