//! What the AWS SDKs' errors mean to a retry.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use onus_core::SinkError;

/// The service's size limit for one message, in bytes: 256 KiB, for SNS (`Publish`) as for EventBridge (`PutEvents`).
pub(crate) const LIMIT: usize = 256 * 1024;

/// Types an SDK's failure. The SDK's own retries are behind it: what may pass is throttling, a failing service, a failing network.
pub(crate) fn failed<E>(sink: &str, error: SdkError<E, HttpResponse>) -> SinkError
where
    E: std::error::Error + Send + Sync + 'static,
{
    let retryable = match &error {
        SdkError::ConstructionFailure(_) => false,
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            status == 429 || status >= 500 || is_throttling(context.err())
        }
        _ => true,
    };
    SinkError { sink: sink.to_owned(), retryable, source: Box::new(error) }
}

/// SNS answers throttling with status 400.
fn is_throttling(error: &impl std::error::Error) -> bool {
    let text = format!("{error} {error:?}");
    ["Throttl", "TooManyRequests", "RequestLimitExceeded", "SlowDown"].iter().any(|word| text.contains(word))
}

/// A failure that is ours, not the service's.
pub(crate) fn refused(sink: &str, error: impl std::error::Error + Send + Sync + 'static, retryable: bool) -> SinkError {
    SinkError { sink: sink.to_owned(), retryable, source: Box::new(error) }
}
