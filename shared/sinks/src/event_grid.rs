//! An Event Grid custom topic with the CloudEvents 1.0 schema.
//!
//! Source: "Publish events to Azure Event Grid custom topics" and "CloudEvents schema in Azure Event Grid"
//! (<https://learn.microsoft.com/azure/event-grid/post-to-custom-topic>).

use async_trait::async_trait;
use onus_core::{Notice, Sink, SinkError};
use reqwest::{Client, RequestBuilder, Url};

use crate::azure::{Access, BadAddress, address, send};
use crate::size::fitted;

/// The largest event, in bytes: 1 MB (<https://learn.microsoft.com/azure/event-grid/quotas-limits>).
const LIMIT: usize = 1_000_000;

/// What a token is asked for.
const SCOPE: &str = "https://eventgrid.azure.net/.default";

/// Posts each notice to one topic.
#[derive(Debug)]
pub struct EventGrid {
    name: String,
    http: Client,
    endpoint: Url,
    access: Access,
}

impl EventGrid {
    /// A topic by its endpoint, `https://….eventgrid.azure.net/api/events`.
    ///
    /// # Errors
    /// The endpoint is no `https` URL (plain `http` is taken for this machine only).
    pub fn new(name: impl Into<String>, http: Client, endpoint: &str, access: Access) -> Result<Self, BadAddress> {
        let mut endpoint = address(endpoint)?;
        if !endpoint.query_pairs().any(|(name, _)| name == "api-version") {
            endpoint.query_pairs_mut().append_pair("api-version", "2018-01-01");
        }
        Ok(Self { name: name.into(), http, endpoint, access })
    }

    fn request(&self, event: String) -> RequestBuilder {
        let request = self.http.post(self.endpoint.clone());
        request.header("Content-Type", "application/cloudevents+json; charset=utf-8").body(event)
    }
}

#[async_trait]
impl Sink for EventGrid {
    fn name(&self) -> &str {
        &self.name
    }

    async fn tell(&self, notice: &Notice) -> Result<(), SinkError> {
        let failed = |retryable, source| SinkError { sink: self.name.clone(), retryable, source };
        let event = fitted(notice, LIMIT).map_err(|error| failed(false, error.into()))?;
        let sent = send(self.request(event), &self.access, SCOPE).await;
        sent.map(drop).map_err(|error| failed(error.is_retryable(), error.into()))
    }
}
