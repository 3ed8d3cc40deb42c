//! Sends any call of the operations table to AWS, on the SDK's own signing, credential, retry and HTTP layers.
//!
//! A call is written by [`crate::protocol`], sent by [`send`], and its pages are joined here. Nothing is parsed or
//! connected before the first call.

mod config;
mod pages;
mod send;

use std::hash::{BuildHasher, RandomState};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use onus_core::{Call, CallError, CallErrorKind, Caller, Cloud};
use serde_json::Value;

use crate::operations::{self, Addressing, Endpoint, Operation, Service, endpoint};
use crate::protocol::{Request, serialize};
pub use config::{http_client, load_config};
use pages::Pages;
use send::{Again, Sender};

/// Sends calls to AWS.
///
/// Endpoints: `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL` and their profile keys, else the region's own host in its
/// partition. A bucket stands in the host name, or in the path where that cannot work ([`Addressing::Auto`]). Retries
/// are the SDK's, adaptive as [`load_config`] sets them: a throttled service slows this process down.
#[derive(Debug, Clone)]
pub struct AwsCaller {
    config: SdkConfig,
    sender: Sender,
    addressing: Addressing,
}

impl AwsCaller {
    /// A caller with the credentials, region, endpoints, attempts and HTTP client of a configuration, as
    /// [`load_config`] gives one. Does nothing yet.
    pub fn new(config: &SdkConfig) -> Self {
        Self { config: config.clone(), sender: Sender::new(config), addressing: Addressing::default() }
    }

    /// Chooses how buckets are named in requests to S3.
    #[must_use]
    pub fn addressing(mut self, addressing: Addressing) -> Self {
        self.addressing = addressing;
        self
    }

    /// The endpoint that the configuration sets for a service. One that was set in code wins over the environment's.
    fn custom_endpoint(&self, service: &Service) -> Option<String> {
        let of_all = || self.config.endpoint_url().map(str::to_owned);
        if self.config.get_origin("endpoint_url").is_client_config() {
            return of_all();
        }
        let id = service.metadata.service_id.as_str();
        let key =
            ServiceConfigKey::builder().service_id(id).profile("endpoint_url").env("AWS_ENDPOINT_URL").build().ok();
        key.and_then(|key| self.config.service_config()?.load_config(key)).or_else(of_all)
    }

    /// Writes a call: what is sent, and where to.
    fn write(
        &self,
        service: &Service,
        operation: &Operation,
        call: &Call,
        parameters: &Value,
    ) -> Result<(Request, Endpoint), CallError> {
        let mut request = serialize(service, operation, parameters, &token)?;
        let region = match self.config.region() {
            Some(region) if call.region.is_empty() => region.as_ref(),
            _ => call.region.as_str(),
        };
        let custom = self.custom_endpoint(service);
        let refused = |message: String| refusal(call, "NoEndpoint", message);
        if custom.is_none() && (self.config.use_fips() == Some(true) || self.config.use_dual_stack() == Some(true)) {
            return Err(refused("FIPS and dual-stack hosts are not known: set AWS_ENDPOINT_URL".to_owned()));
        }
        let found = endpoint(service, operation, &mut request, parameters, region, custom.as_deref(), self.addressing)
            .map_err(|error| refused(error.to_string()))?;
        Ok((request, found))
    }
}

#[async_trait]
impl Caller for AwsCaller {
    async fn call(&self, call: &Call) -> Result<Value, CallError> {
        self.run(call, Again::UnlessRefused).await
    }

    async fn write(&self, call: &Call) -> Result<Value, CallError> {
        self.run(call, Again::IfNothingWasDone).await
    }
}

impl AwsCaller {
    async fn run(&self, call: &Call, again: Again) -> Result<Value, CallError> {
        if call.cloud != Cloud::Aws {
            return Err(refusal(call, "WrongCloud", format!("`{}` calls are not for AWS", call.cloud)));
        }
        let found = operations::service(&call.service).and_then(|s| Some((s, s.operation(&call.operation)?)));
        let Some((service, operation)) = found else {
            return Err(refusal(call, "UnknownOperation", "the operations table does not hold it".to_owned()));
        };
        let Some(paginator) = &operation.paginator else {
            let (request, endpoint) = self.write(service, operation, call, &call.parameters)?;
            return self.sender.send(service, operation, request, endpoint, again).await;
        };
        let mut pages = Pages::new(paginator, call);
        loop {
            let (request, endpoint) = self.write(service, operation, call, pages.parameters())?;
            let answer = self.sender.send(service, operation, request, endpoint, again).await?;
            if let Some(joined) = pages.add(answer)? {
                return Ok(joined);
            }
        }
    }
}

/// A refusal of our own: nothing was sent.
fn refusal(call: &Call, code: &str, message: String) -> CallError {
    CallError { call: call.name(), kind: CallErrorKind::Invalid, code: code.to_owned(), message }
}

/// An idempotency token: 128 bits from the operating system by way of the standard library's hash keys, as a UUID.
fn token() -> String {
    let random = || RandomState::new().hash_one(std::process::id());
    let (high, low) = (random(), random());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff
    )
}
