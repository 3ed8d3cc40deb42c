//! One API request as data, and the port that sends it.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::change::Cloud;

/// One API request. What a dry run prints is what is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Whose API.
    pub cloud: Cloud,
    /// The service as that cloud's operations table names it: `ec2` (botocore), `Microsoft.Storage` (ARM resource provider),
    /// `compute` (discovery API).
    pub service: String,
    /// The operation as the provider spells it: `PutBucketPolicy`, `StorageAccounts_Update`, `firewalls.patch`.
    pub operation: String,
    /// The region to send to; empty where the endpoint is global.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// The operation's input, members spelled as in the provider's API model.
    pub parameters: Value,
}

impl Call {
    /// A call to AWS.
    pub fn aws(service: &str, operation: &str, region: &str, parameters: Value) -> Self {
        Self::new(Cloud::Aws, service, operation, region, parameters)
    }

    /// A call to Azure Resource Manager, which is global.
    pub fn azure(provider: &str, operation: &str, parameters: Value) -> Self {
        Self::new(Cloud::Azure, provider, operation, "", parameters)
    }

    /// A call to a Google API, which is global.
    pub fn gcp(api: &str, operation: &str, parameters: Value) -> Self {
        Self::new(Cloud::Gcp, api, operation, "", parameters)
    }

    fn new(cloud: Cloud, service: &str, operation: &str, region: &str, parameters: Value) -> Self {
        let (service, operation, region) = (service.to_owned(), operation.to_owned(), region.to_owned());
        Self { cloud, service, operation, region, parameters }
    }

    /// `service:Operation`, as operations tables and permissions name it.
    pub fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} {}", self.service, self.operation, self.parameters)
    }
}

/// What kind of refusal an API gave. Decides between retry, absence and alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallErrorKind {
    /// The identity may not do this.
    Denied,
    /// The thing named does not exist.
    NotFound,
    /// Too many requests, after the caller's own retries.
    Throttled,
    /// The resource changed meanwhile, or is in a state that does not allow the call.
    Conflict,
    /// The request itself is wrong, or the operation is not known.
    Invalid,
    /// The service failed or could not be reached, after the caller's own retries.
    Unavailable,
}

/// Why a call did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("cannot call `{call}`: {code}: {message}")]
pub struct CallError {
    /// `service:Operation`.
    pub call: String,
    /// What kind of refusal.
    pub kind: CallErrorKind,
    /// The provider's error code (`NoSuchBucketPolicy`), or a word of ours where there was no answer.
    pub code: String,
    /// The provider's message. May hold attacker-controlled text.
    pub message: String,
}

impl CallError {
    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            CallErrorKind::Throttled | CallErrorKind::Unavailable | CallErrorKind::Conflict => true,
            CallErrorKind::Denied | CallErrorKind::NotFound | CallErrorKind::Invalid => false,
        }
    }
}

/// Sends calls. Each cloud has one; tests have fakes.
#[async_trait]
pub trait Caller: Send + Sync {
    /// Sends one call and returns the parsed output (`{}` when there is none). Pages are followed and joined.
    ///
    /// # Errors
    /// The provider refused, or did not answer within the caller's own retries.
    async fn call(&self, call: &Call) -> Result<Value, CallError>;

    /// Sends one call of a plan. It is sent again only after an answer that says that nothing was done (throttling): where the end of an
    /// attempt is unknown, the caller's caller reads the resource and plans anew, because somebody may have changed it meanwhile.
    /// A provider whose writes are conditional on what was read may leave this to [`Caller::call`].
    ///
    /// # Errors
    /// As [`Caller::call`]; a lost answer is an error that may pass.
    async fn write(&self, call: &Call) -> Result<Value, CallError> {
        self.call(call).await
    }
}
