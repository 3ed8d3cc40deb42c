//! Google Cloud: clients, opened once per process, and the two functions as Cloud Run services.

mod audit;
mod door;
mod lookup;
mod oidc;
mod respond;
mod topic;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use onus_core::{Caller, Sink, SinkConfig as _};
use onus_gcp::caller::{Endpoint, GcpCaller, credentials, http_client};
use onus_pipeline::Auditor;
use onus_sinks::pubsub::Topic;
use onus_sinks::{PubSub, SinkConfig};

pub use audit::AuditFunction;
pub use oidc::{Denied, Doorkeeper, Expected, Keys};
pub use respond::RespondFunction;
pub use topic::{BackTo, Subscription, TopicQueue};

use crate::clock::SystemClock;
use crate::dead_letters::DeadLetters;
use crate::environment::{Environment, StartError};
use crate::http;
use crate::operator::Operator;
use crate::queue::Queue;
use crate::replay::LetterBox;
use crate::wiring::Wiring;

/// How long one request may take: the timeout in infra/gcp/services.tf.
pub const REQUEST: SignedDuration = SignedDuration::from_secs(300);

/// How long one `gcp-respond` may hold a resource: a request and a minute.
pub const LEASE: SignedDuration = SignedDuration::from_secs(300 + 60);

/// Where Cloud Run expects a service: at the port of `PORT`.
///
/// # Errors
/// The variable is not set, or no port.
pub fn address(environment: &Environment) -> Result<SocketAddr, StartError> {
    Ok(SocketAddr::from((Ipv4Addr::UNSPECIFIED, http::port(environment, "PORT")?)))
}

/// Everything that reaches Google Cloud.
pub struct Clients {
    /// What auditor and responder are put together from.
    pub wiring: Wiring,
    http: reqwest::Client,
}

impl Clients {
    /// Opens the clients that the environment and `onus.yaml` name. Sends nothing.
    ///
    /// # Errors
    /// A variable is missing, or `onus.yaml`, the ledger's URL, an endpoint or a sink is wrong.
    pub fn open(environment: &Environment) -> Result<Self, StartError> {
        let client = |error: onus_gcp::caller::ConfigError| StartError::Client { source: error.into() };
        let (config, options, ledger) = Wiring::ledger_of(environment)?;
        let endpoint = Endpoint::new(environment.get("ONUS_GCP_ENDPOINT")).map_err(client)?;
        let http = http_client().map_err(client)?;
        let caller = GcpCaller::new(http.clone(), credentials().map_err(client)?, endpoint);
        let caller: Arc<dyn Caller> = Arc::new(caller);
        let sinks = config.sinks.iter().map(|sink| open_sink(sink, &caller)).collect::<Result<_, _>>()?;
        let wiring = Wiring {
            config,
            options,
            ledger,
            sinks,
            caller,
            account: environment.get("ONUS_ACCOUNT").map(str::to_owned),
            readers: onus_gcp::state_reader,
            listers: onus_gcp::listers(),
            remediations: onus_gcp::remediation,
            tags: onus_gcp::tag_source,
        };
        Ok(Self { wiring, http })
    }

    /// What evaluates changes, and asks the topic of `ONUS_RESPONSES` for responses.
    ///
    /// # Errors
    /// The rules that `onus.yaml` names are wrong.
    pub async fn auditor(&self, environment: &Environment) -> Result<Auditor, StartError> {
        self.wiring.auditor(self.topic(environment, "ONUS_RESPONSES")).await
    }

    /// The topic of `ONUS_DEAD_LETTERS`.
    pub fn dead_letters(&self, environment: &Environment) -> DeadLetters {
        DeadLetters::new(self.topic(environment, "ONUS_DEAD_LETTERS"))
    }

    /// Who lets requests in.
    ///
    /// # Errors
    /// It is not said whom to let in.
    pub fn doorkeeper(&self, environment: &Environment) -> Result<Doorkeeper, StartError> {
        let expected = Expected {
            audience: environment.require("ONUS_PUSH_AUDIENCE")?.to_owned(),
            account: environment.require("ONUS_PUSH_ACCOUNT")?.to_owned(),
        };
        let url = environment.get("ONUS_PUSH_KEYS").unwrap_or(oidc::GOOGLE_KEYS).to_owned();
        let keys = oidc::PublishedKeys { http: self.http.clone(), url };
        Ok(Doorkeeper::new(expected, Arc::new(keys), Arc::new(SystemClock)))
    }

    fn topic(&self, environment: &Environment, name: &str) -> Option<Arc<dyn Queue>> {
        Some(Arc::new(TopicQueue(self.named(environment.get(name)?))))
    }

    fn named(&self, topic: &str) -> Topic {
        Topic::new(Arc::clone(&self.wiring.caller), topic)
    }
}

#[async_trait]
impl Operator for Clients {
    fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    fn letters(&self, subscription: &str) -> Result<Arc<dyn LetterBox>, StartError> {
        Ok(Arc::new(Subscription::new(Arc::clone(&self.wiring.caller), subscription)))
    }

    fn queue(&self, topic: &str) -> Result<Arc<dyn Queue>, StartError> {
        Ok(Arc::new(BackTo(self.named(topic))))
    }
}

fn open_sink(sink: &SinkConfig, caller: &Arc<dyn Caller>) -> Result<Arc<dyn Sink>, StartError> {
    let name = sink.name();
    Ok(match sink {
        SinkConfig::PubSub(config) => Arc::new(PubSub::new(name, Topic::new(Arc::clone(caller), &config.topic))),
        SinkConfig::Stdout(_) => Arc::new(onus_sinks::Lines::stdout(name)),
        SinkConfig::File(_)
        | SinkConfig::Sns(_)
        | SinkConfig::EventBridge(_)
        | SinkConfig::EventGrid(_)
        | SinkConfig::StorageQueue(_) => {
            let problem = "a function on Google Cloud tells `pubsub` or `stdout`";
            return Err(StartError::Sink { name: name.to_owned(), problem });
        }
    })
}
