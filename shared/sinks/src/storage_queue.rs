//! A queue of an Azure storage account. A message's text is base64, as the Functions host expects it.
//!
//! Source: "Put Message" (<https://learn.microsoft.com/rest/api/storageservices/put-message>).

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use onus_core::{Notice, Sink, SinkError};
use reqwest::{Client, Url};

use crate::azure::{Access, BadAddress, SendError, address, send};
use crate::size::fitted;

/// The longest message before it is encoded, in bytes: 64 KiB hold 48 KiB in base64
/// (<https://learn.microsoft.com/azure/storage/queues/storage-queues-introduction>).
pub const LONGEST: usize = 48 * 1024;

/// What a token is asked for.
const SCOPE: &str = "https://storage.azure.com/.default";

/// The version of the protocol. Tokens are taken since 2017-11-09.
const VERSION: &str = "2021-12-02";

/// One queue, by its URL.
#[derive(Debug, Clone)]
pub struct StorageQueue {
    http: Client,
    messages: Url,
    access: Access,
}

impl StorageQueue {
    /// A queue by its URL, `https://ACCOUNT.queue.core.windows.net/QUEUE`. Where the URL holds a shared access signature, that is used and
    /// not the access given.
    ///
    /// # Errors
    /// It is no `https` URL (plain `http` is taken for this machine only).
    pub fn new(http: Client, url: &str, access: Access) -> Result<Self, BadAddress> {
        let mut messages = address(url)?;
        let signed = messages.query_pairs().any(|(name, _)| name == "sig");
        let path = format!("{}/messages", messages.path().trim_end_matches('/'));
        messages.set_path(&path);
        // A message waits until it is taken.
        messages.query_pairs_mut().append_pair("messagettl", "-1");
        Ok(Self { http, messages, access: if signed { Access::InUrl } else { access } })
    }

    /// Sends one message.
    ///
    /// # Errors
    /// It is longer than [`LONGEST`], or the queue did not take it.
    pub async fn send(&self, text: &str) -> Result<(), SendError> {
        if text.len() > LONGEST {
            return Err(SendError::TooLarge { bytes: text.len(), limit: LONGEST });
        }
        let request = self.http.post(self.messages.clone());
        let request = request.header("x-ms-version", VERSION).header("Content-Type", "application/xml");
        send(request.body(body(text)), &self.access, SCOPE).await
    }
}

/// Base64 needs no escaping in XML.
fn body(text: &str) -> String {
    format!("<QueueMessage><MessageText>{}</MessageText></QueueMessage>", STANDARD.encode(text))
}

/// Puts each notice into one queue.
#[derive(Debug)]
pub struct StorageQueueSink {
    name: String,
    queue: StorageQueue,
}

impl StorageQueueSink {
    /// A queue under its name in `onus.yaml`.
    pub fn new(name: impl Into<String>, queue: StorageQueue) -> Self {
        Self { name: name.into(), queue }
    }
}

#[async_trait]
impl Sink for StorageQueueSink {
    fn name(&self) -> &str {
        &self.name
    }

    async fn tell(&self, notice: &Notice) -> Result<(), SinkError> {
        let failed = |retryable, source| SinkError { sink: self.name.clone(), retryable, source };
        let event = fitted(notice, LONGEST).map_err(|error| failed(false, error.into()))?;
        self.queue.send(&event).await.map_err(|error| failed(error.is_retryable(), error.into()))
    }
}
