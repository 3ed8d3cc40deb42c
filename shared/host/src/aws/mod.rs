//! Clients for AWS, opened once per process.

mod queue;
mod warm;

use std::sync::Arc;

use aws_config::SdkConfig;
use jiff::SignedDuration;
use onus_core::{Caller, Ledger, Sink, SinkConfig as _};
use onus_pipeline::{Auditor, Policy, Records, Responder, ResponseQueue};
use onus_sinks::SinkConfig;

pub use queue::SqsQueue;
pub use warm::Backoff;

use crate::Config;
use crate::clock::SystemClock;
use crate::environment::{Environment, StartError};
use crate::rules::Rules;

/// How long one `aws-respond` may hold a resource: its timeout in infra/aws/template.yaml and a minute.
pub const LEASE: SignedDuration = SignedDuration::from_secs(120 + 60);

/// Everything that reaches AWS.
pub struct Clients {
    /// Region, credentials, endpoints and retries, shared by all clients.
    pub sdk: SdkConfig,
    /// Sends any call.
    pub caller: Arc<dyn Caller>,
    /// The ledger.
    pub ledger: Arc<dyn Ledger>,
    /// What stands before a ledger key in the bucket, with a final `/`; empty when nothing does.
    pub prefix: String,
    /// Where findings are told.
    pub sinks: Vec<Arc<dyn Sink>>,
    /// The region that the function runs in.
    pub region: String,
    config: Config,
}

impl Clients {
    /// Opens the clients that the environment and `onus.yaml` name. Sends nothing.
    ///
    /// # Errors
    /// A variable is missing, or `onus.yaml`, the ledger's URL or a sink is wrong.
    pub async fn open(environment: &Environment) -> Result<Self, StartError> {
        let config = environment.config()?;
        let url = config.ledger.clone().ok_or(StartError::Missing { name: "ONUS_LEDGER" })?;
        let sdk = onus_aws::caller::load_config().await;
        let options = onus_ledger::Options::of(environment.variables());
        let ledger = onus_ledger::open(&url, &options)?;
        let sinks = config.sinks.iter().map(|sink| open_sink(sink, &sdk)).collect::<Result<_, _>>()?;
        let region = sdk.region().map_or_else(String::new, ToString::to_string);
        let caller = Arc::new(onus_aws::caller::AwsCaller::new(&sdk));
        Ok(Self { caller, ledger, prefix: prefix(&url), sinks, region, config, sdk })
    }

    /// What evaluates changes.
    ///
    /// # Errors
    /// The rules that `onus.yaml` names are wrong.
    pub async fn auditor(&self, environment: &Environment) -> Result<Auditor, StartError> {
        let options = onus_ledger::Options::of(environment.variables());
        let queue = environment.get("ONUS_RESPONSES");
        let queue = queue.map(|url| Arc::new(SqsQueue::new(Arc::clone(&self.caller), url, &self.region)));
        Ok(Auditor {
            rules: Arc::new(Rules::load(&self.config, &options).await?),
            policy: Arc::new(Policy::from(&self.config)),
            records: Records::new(Arc::clone(&self.ledger)),
            sinks: self.sinks.clone(),
            caller: Some(Arc::clone(&self.caller)),
            account: environment.get("ONUS_ACCOUNT").map(str::to_owned),
            readers: onus_aws::state_reader,
            remediations: onus_aws::remediation,
            queue: queue.map(|queue| queue as Arc<dyn ResponseQueue>),
            clock: Arc::new(SystemClock),
        })
    }

    /// What does jobs.
    pub fn responder(&self, environment: &Environment) -> Responder {
        Responder {
            policy: Arc::new(Policy::from(&self.config)),
            records: Records::new(Arc::clone(&self.ledger)),
            sinks: self.sinks.clone(),
            caller: Arc::clone(&self.caller),
            account: environment.get("ONUS_ACCOUNT").map(str::to_owned),
            remediations: onus_aws::remediation,
            clock: Arc::new(SystemClock),
            pause: Arc::new(Backoff),
            lease: LEASE,
        }
    }
}

/// The path of an `s3://` URL, as keys in the bucket start.
fn prefix(url: &str) -> String {
    let path = url.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).map_or("", |(_, path)| path);
    let path = path.trim_matches('/');
    if path.is_empty() { String::new() } else { format!("{path}/") }
}

fn open_sink(sink: &SinkConfig, sdk: &SdkConfig) -> Result<Arc<dyn Sink>, StartError> {
    let name = sink.name();
    Ok(match sink {
        SinkConfig::Sns(config) => Arc::new(onus_sinks::Sns::new(name, sdk, &config.topic)),
        SinkConfig::EventBridge(config) => Arc::new(onus_sinks::EventBridge::new(name, sdk, &config.bus)),
        SinkConfig::Stdout(_) => Arc::new(onus_sinks::Lines::stdout(name)),
        SinkConfig::File(_) | SinkConfig::EventGrid(_) | SinkConfig::StorageQueue(_) | SinkConfig::PubSub(_) => {
            let problem = "a function on AWS tells `sns`, `eventbridge` or `stdout`";
            return Err(StartError::Sink { name: name.to_owned(), problem });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_of_a_ledger_is_the_path_of_its_url() {
        let cases = [
            ("s3://ledger", ""),
            ("s3://ledger/", ""),
            ("s3://ledger/onus", "onus/"),
            ("s3://ledger/a/b/", "a/b/"),
            ("memory://", ""),
        ];
        for (url, expected) in cases {
            assert_eq!(prefix(url), expected, "{url}");
        }
    }
}
