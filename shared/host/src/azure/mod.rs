//! Azure: clients, opened once per process, and the two functions as the Functions host calls them.

mod audit;
mod invocation;
mod lookup;
mod queue;
mod respond;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::TokenCredential;
use jiff::SignedDuration;
use onus_azure::caller::{ArmCaller, Endpoint, developer_identity, http_client, managed_identity};
use onus_core::{Sink, SinkConfig as _};
use onus_pipeline::Auditor;
use onus_sinks::azure::Access;
use onus_sinks::{EventGrid, SinkConfig, StorageQueue, StorageQueueSink};

pub use audit::AuditFunction;
pub use invocation::{Answer, Invocation};
pub use queue::AzureQueue;
pub use respond::RespondFunction;

use crate::dead_letters::DeadLetters;
use crate::environment::{Environment, StartError};
use crate::http;
use crate::operator::Operator;
use crate::queue::Queue;
use crate::replay::LetterBox;
use crate::wiring::Wiring;

/// How long one invocation may take: `functionTimeout` in infra/azure/functions/host.json.
pub const INVOCATION: SignedDuration = SignedDuration::from_secs(300);

/// How long one `azure-respond` may hold a resource: an invocation and a minute.
pub const LEASE: SignedDuration = SignedDuration::from_secs(300 + 60);

/// Resource Manager of the public cloud.
const RESOURCE_MANAGER: &str = "https://management.azure.com";

/// Where the Functions host expects a custom handler: on this machine alone, at the port of `FUNCTIONS_CUSTOMHANDLER_PORT`.
///
/// # Errors
/// The variable is not set, or no port.
pub fn address(environment: &Environment) -> Result<SocketAddr, StartError> {
    Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, http::port(environment, "FUNCTIONS_CUSTOMHANDLER_PORT")?)))
}

/// Everything that reaches Azure.
pub struct Clients {
    /// What auditor and responder are put together from.
    pub wiring: Wiring,
    http: reqwest::Client,
    identity: Arc<dyn TokenCredential>,
}

impl Clients {
    /// Opens the clients that the environment and `onus.yaml` name, with the function's managed identity. Sends nothing.
    ///
    /// # Errors
    /// A variable is missing, or `onus.yaml`, the ledger's URL, an endpoint or a sink is wrong.
    pub fn open(environment: &Environment) -> Result<Self, StartError> {
        let identity = managed_identity(environment.get("AZURE_CLIENT_ID"));
        Self::open_as(environment, identity.map_err(|error| StartError::Client { source: error.into() })?)
    }

    /// The same with an operator's identity: who is logged in to the Azure CLI or the Azure Developer CLI.
    ///
    /// # Errors
    /// As [`Clients::open`].
    pub fn open_as_operator(environment: &Environment) -> Result<Self, StartError> {
        let identity = developer_identity();
        Self::open_as(environment, identity.map_err(|error| StartError::Client { source: error.into() })?)
    }

    fn open_as(environment: &Environment, identity: Arc<dyn TokenCredential>) -> Result<Self, StartError> {
        let client = |error: Box<dyn std::error::Error + Send + Sync>| StartError::Client { source: error };
        let (config, options, ledger) = Wiring::ledger_of(environment)?;
        let endpoint = environment.get("ONUS_ARM_ENDPOINT").unwrap_or(RESOURCE_MANAGER);
        let endpoint = Endpoint::parse(endpoint).map_err(|error| client(error.into()))?;
        let http = http_client(&endpoint).map_err(|error| client(error.into()))?;
        let caller = ArmCaller::new(endpoint, Arc::clone(&identity)).map_err(|error| client(error.into()))?;
        let open = |sink| open_sink(sink, &http, &identity, environment);
        let sinks = config.sinks.iter().map(open).collect::<Result<_, _>>()?;
        let wiring = Wiring {
            config,
            options,
            ledger,
            sinks,
            caller: Arc::new(caller),
            account: environment.get("ONUS_ACCOUNT").map(str::to_owned),
            readers: onus_azure::state_reader,
            listers: onus_azure::listers(),
            remediations: onus_azure::remediation,
            tags: onus_azure::tag_source,
        };
        Ok(Self { wiring, http, identity })
    }

    /// What evaluates changes, and asks the queue of `ONUS_RESPONSES` for responses.
    ///
    /// # Errors
    /// The rules that `onus.yaml` names, or the queue's URL, are wrong.
    pub async fn auditor(&self, environment: &Environment) -> Result<Auditor, StartError> {
        self.wiring.auditor(self.named(environment, "ONUS_RESPONSES")?).await
    }

    /// The queue of `ONUS_DEAD_LETTERS`.
    ///
    /// # Errors
    /// Its URL is wrong.
    pub fn dead_letters(&self, environment: &Environment) -> Result<DeadLetters, StartError> {
        Ok(DeadLetters::new(self.named(environment, "ONUS_DEAD_LETTERS")?))
    }

    fn named(&self, environment: &Environment, name: &str) -> Result<Option<Arc<dyn Queue>>, StartError> {
        let queue = environment.get(name).map(|url| self.storage_queue(url)).transpose()?;
        Ok(queue.map(|queue| Arc::new(queue) as Arc<dyn Queue>))
    }

    fn storage_queue(&self, url: &str) -> Result<AzureQueue, StartError> {
        let access = Access::Identity(Arc::clone(&self.identity));
        let queue = StorageQueue::new(self.http.clone(), url, access);
        Ok(AzureQueue(queue.map_err(|error| StartError::Client { source: error.into() })?))
    }
}

#[async_trait]
impl Operator for Clients {
    fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    fn letters(&self, url: &str) -> Result<Arc<dyn LetterBox>, StartError> {
        Ok(Arc::new(self.storage_queue(url)?))
    }

    fn queue(&self, url: &str) -> Result<Arc<dyn Queue>, StartError> {
        Ok(Arc::new(self.storage_queue(url)?))
    }
}

fn open_sink(
    sink: &SinkConfig,
    http: &reqwest::Client,
    identity: &Arc<dyn TokenCredential>,
    environment: &Environment,
) -> Result<Arc<dyn Sink>, StartError> {
    let name = sink.name();
    let refused = |problem| StartError::Sink { name: name.to_owned(), problem };
    let wrong = |error: onus_sinks::azure::BadAddress| StartError::Client { source: error.into() };
    let access = || Access::Identity(Arc::clone(identity));
    Ok(match sink {
        SinkConfig::EventGrid(config) => {
            let access = match &config.key_variable {
                None => access(),
                Some(variable) => match environment.get(variable) {
                    Some(key) => Access::Key(key.to_owned()),
                    None => return Err(refused("the variable of its `key_variable` is not set")),
                },
            };
            Arc::new(EventGrid::new(name, http.clone(), &config.endpoint, access).map_err(wrong)?)
        }
        SinkConfig::StorageQueue(config) => {
            let queue = StorageQueue::new(http.clone(), &config.queue, access()).map_err(wrong)?;
            Arc::new(StorageQueueSink::new(name, queue))
        }
        SinkConfig::Stdout(_) => Arc::new(onus_sinks::Lines::stdout(name)),
        SinkConfig::File(_) | SinkConfig::Sns(_) | SinkConfig::EventBridge(_) | SinkConfig::PubSub(_) => {
            return Err(refused("a function on Azure tells `event_grid`, `storage_queue` or `stdout`"));
        }
    })
}
