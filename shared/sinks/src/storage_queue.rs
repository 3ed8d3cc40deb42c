//! A queue of an Azure storage account. A message's text is base64, as the Functions host expects it.
//!
//! Sources: "Put Message", "Get Messages", "Delete Message" (<https://learn.microsoft.com/rest/api/storageservices/put-message> and beside it).

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use onus_core::{Notice, Sink, SinkError};
use reqwest::{Client, Url};
use serde::Deserialize;

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
        let mut messages = self.messages.clone();
        // A message waits until it is taken.
        messages.query_pairs_mut().append_pair("messagettl", "-1");
        let request = self.http.post(messages);
        let request = request.header("x-ms-version", VERSION).header("Content-Type", "application/xml");
        send(request.body(body(text)), &self.access, SCOPE).await.map(drop)
    }

    /// Takes as many messages as one answer holds. What is not removed within `out` comes back.
    ///
    /// # Errors
    /// The queue did not answer, or not as documented.
    pub async fn take(&self, out: Duration) -> Result<Vec<Taken>, SendError> {
        let mut messages = self.messages.clone();
        let out = out.as_secs().to_string();
        messages.query_pairs_mut().append_pair("numofmessages", MOST).append_pair("visibilitytimeout", &out);
        let answer = send(self.http.get(messages).header("x-ms-version", VERSION), &self.access, SCOPE).await?;
        // The service begins with a byte order mark.
        let list: List = quick_xml::de::from_str(answer.trim_start_matches('\u{feff}'))
            .map_err(|error| SendError::Unreadable { reason: error.to_string() })?;
        Ok(list.messages)
    }

    /// Removes a message that was taken.
    ///
    /// # Errors
    /// The id is none, the queue did not answer, or it gave the message to somebody else meanwhile.
    pub async fn remove(&self, id: &str, receipt: &str) -> Result<(), SendError> {
        // A request without an id would empty the queue ("Clear Messages").
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(SendError::Unreadable { reason: "a message's id is no GUID".to_owned() });
        }
        let mut message = self.messages.clone();
        message.set_path(&format!("{}/{id}", self.messages.path()));
        message.query_pairs_mut().append_pair("popreceipt", receipt);
        send(self.http.delete(message).header("x-ms-version", VERSION), &self.access, SCOPE).await.map(drop)
    }
}

/// The most that one answer holds.
const MOST: &str = "32";

#[derive(Deserialize)]
struct List {
    #[serde(rename = "QueueMessage", default)]
    messages: Vec<Taken>,
}

/// A message that is out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Taken {
    /// What the queue knows it by.
    #[serde(rename = "MessageId")]
    pub id: String,
    /// Who holds this may remove it, until it comes back.
    #[serde(rename = "PopReceipt")]
    pub receipt: String,
    #[serde(default, rename = "MessageText")]
    text: String,
}

impl Taken {
    /// What was sent: the text, out of its base64; as it stands where somebody put it there in another encoding.
    pub fn text(&self) -> String {
        let decoded = STANDARD.decode(self.text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        decoded.unwrap_or_else(|| self.text.clone())
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
