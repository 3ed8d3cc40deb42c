//! What an operator writes below `sinks` in `onus.yaml`. Every kind can be read whatever this build can open.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One sink: a map of one key that names its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SinkConfig {
    /// An SNS topic.
    Sns(SnsConfig),
    /// An EventBridge bus.
    #[serde(rename = "eventbridge")]
    EventBridge(EventBridgeConfig),
    /// An Event Grid custom topic that takes CloudEvents.
    EventGrid(EventGridConfig),
    /// A queue of an Azure storage account.
    StorageQueue(StorageQueueConfig),
    /// A Pub/Sub topic.
    #[serde(rename = "pubsub")]
    PubSub(PubSubConfig),
    /// Standard output, one line of JSON for each notice.
    Stdout(StdoutConfig),
    /// A file that lines of JSON are appended to.
    File(FileConfig),
}

/// An SNS topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SnsConfig {
    /// The topic's ARN.
    pub topic: String,
    /// A name of its own, where there are several of one kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An EventBridge bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventBridgeConfig {
    /// The bus's name or ARN.
    pub bus: String,
    /// A name of its own, where there are several of one kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An Event Grid custom topic that takes CloudEvents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventGridConfig {
    /// The topic's endpoint: `https://TOPIC.REGION-1.eventgrid.azure.net/api/events`.
    pub endpoint: String,
    /// The environment variable that holds one of the topic's access keys. When left out, the function's own identity is used,
    /// which needs the role `EventGrid Data Sender` on the topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_variable: Option<String>,
    /// A name of its own, where there are several of one kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A queue of an Azure storage account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StorageQueueConfig {
    /// The queue's URL: `https://ACCOUNT.queue.core.windows.net/QUEUE`.
    pub queue: String,
    /// A name of its own, where there are several of one kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A Pub/Sub topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PubSubConfig {
    /// The topic's full name: `projects/PROJECT/topics/TOPIC`.
    pub topic: String,
    /// A name of its own, where there are several of one kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Standard output.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StdoutConfig {
    /// A name of its own, where there are several of one kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileConfig {
    /// Its path.
    pub path: String,
    /// A name of its own, where there are several of one kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl onus_core::SinkConfig for SinkConfig {
    fn name(&self) -> &str {
        let (name, kind) = match self {
            Self::Sns(sink) => (&sink.name, "sns"),
            Self::EventBridge(sink) => (&sink.name, "eventbridge"),
            Self::EventGrid(sink) => (&sink.name, "event_grid"),
            Self::StorageQueue(sink) => (&sink.name, "storage_queue"),
            Self::PubSub(sink) => (&sink.name, "pubsub"),
            Self::Stdout(sink) => (&sink.name, "stdout"),
            Self::File(sink) => (&sink.name, "file"),
        };
        name.as_deref().unwrap_or(kind)
    }
}
