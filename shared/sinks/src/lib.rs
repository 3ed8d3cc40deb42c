//! Where notices are told, and the forms they are told in.
//!
//! The wire form is an OCSF 1.5.0 Detection Finding ([`ocsf`]) in a CloudEvents 1.0 envelope ([`cloudevent`]), the same for every
//! sink; a sink only carries it. A sink that calls a cloud is behind a feature of its name, so that who does not use it links no
//! SDK.

#[cfg(any(feature = "event_grid", feature = "storage_queue"))]
pub mod azure;
pub mod cloudevent;
pub mod config;
#[cfg(feature = "event_grid")]
pub mod event_grid;
#[cfg(feature = "eventbridge")]
pub mod eventbridge;
pub mod lines;
pub mod ocsf;
#[cfg(feature = "pubsub")]
pub mod pubsub;
pub mod render;
#[cfg(any(feature = "sns", feature = "eventbridge"))]
mod sdk;
mod size;
#[cfg(feature = "sns")]
pub mod sns;
#[cfg(feature = "storage_queue")]
pub mod storage_queue;

pub use cloudevent::CloudEvent;
pub use config::SinkConfig;
#[cfg(feature = "event_grid")]
pub use event_grid::EventGrid;
#[cfg(feature = "eventbridge")]
pub use eventbridge::EventBridge;
pub use lines::Lines;
pub use ocsf::DetectionFinding;
#[cfg(feature = "pubsub")]
pub use pubsub::PubSub;
pub use size::{TooLarge, fitted};
#[cfg(feature = "sns")]
pub use sns::Sns;
#[cfg(feature = "storage_queue")]
pub use storage_queue::{StorageQueue, StorageQueueSink};
