//! An EventBridge bus. `source` is `onus`, `detail-type` is `Onus Finding Found`, `… Planned`, `… Responded` or `… Alarm`, `detail` is
//! the CloudEvent.

use async_trait::async_trait;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_types::SdkConfig;
use onus_core::{Notice, Sink, SinkError};

use crate::sdk::{LIMIT, failed, refused};
use crate::size::fitted;

/// Room for source, detail type, resources and time, which count towards the limit
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>).
const RESERVED: usize = 4 * 1024;

/// Puts each notice on one bus.
pub struct EventBridge {
    name: String,
    client: aws_sdk_eventbridge::Client,
    bus: String,
}

/// The bus answered, and did not take the event.
#[derive(Debug, thiserror::Error)]
#[error("bus `{bus}` did not take the event: {code}: {message}")]
struct Rejected {
    bus: String,
    code: String,
    message: String,
}

impl EventBridge {
    /// A bus by name or ARN. HTTP client, credentials and region are the configuration's.
    pub fn new(name: impl Into<String>, config: &SdkConfig, bus: impl Into<String>) -> Self {
        Self { name: name.into(), client: aws_sdk_eventbridge::Client::new(config), bus: bus.into() }
    }
}

#[async_trait]
impl Sink for EventBridge {
    fn name(&self) -> &str {
        &self.name
    }

    async fn tell(&self, notice: &Notice) -> Result<(), SinkError> {
        let detail = fitted(notice, LIMIT - RESERVED).map_err(|error| refused(&self.name, error, false))?;
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source("onus")
            .detail_type(detail_type(notice))
            .set_resources(resource(notice).map(|id| vec![id]))
            .detail(detail)
            .build();
        let answer = self.client.put_events().entries(entry).send().await.map_err(|error| failed(&self.name, error))?;
        match answer.entries().iter().find_map(|entry| Some((entry.error_code()?, entry.error_message()))) {
            None => Ok(()),
            Some((code, message)) => {
                let retryable = matches!(code, "InternalFailure" | "InternalException" | "ThrottlingException");
                let (bus, code) = (self.bus.clone(), code.to_owned());
                let error = Rejected { bus, code, message: message.unwrap_or_default().to_owned() };
                Err(refused(&self.name, error, retryable))
            }
        }
    }
}

fn detail_type(notice: &Notice) -> &'static str {
    match notice {
        Notice::Found { .. } => "Onus Finding Found",
        Notice::Planned { .. } => "Onus Finding Planned",
        Notice::Responded { .. } => "Onus Finding Responded",
        Notice::Alarm { .. } => "Onus Finding Alarm",
    }
}

/// The resource, where its id is an ARN that leaves room: rules can match on it.
fn resource(notice: &Notice) -> Option<String> {
    let id = &notice.finding().resource()?.id;
    (id.starts_with("arn:") && id.len() <= 2048).then(|| id.to_string())
}
