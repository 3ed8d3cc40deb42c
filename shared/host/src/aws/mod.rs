//! Clients for AWS, opened once per process.

mod queue;

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use jiff::SignedDuration;
use onus_core::{Call, CallError, Sink, SinkConfig as _};
use onus_pipeline::{ApprovalKey, Auditor};
use onus_sinks::SinkConfig;
use serde_json::{Value, json};

pub use queue::SqsQueue;

use crate::dead_letters::DeadLetters;
use crate::environment::{Environment, StartError};
use crate::operator::Operator;
use crate::queue::Queue;
use crate::replay::LetterBox;
use crate::wiring::Wiring;

/// How long one `aws-respond` may hold a resource: its timeout in infra/aws/template.yaml and a minute.
pub const LEASE: SignedDuration = SignedDuration::from_secs(120 + 60);

/// Everything that reaches AWS.
pub struct Clients {
    /// Region, credentials, endpoints and retries, shared by all clients.
    pub sdk: SdkConfig,
    /// What auditor and responder are put together from.
    pub wiring: Wiring,
    /// The region that the function runs in.
    pub region: String,
}

impl Clients {
    /// Opens the clients that the environment and `onus.yaml` name. Sends nothing.
    ///
    /// # Errors
    /// A variable is missing, or `onus.yaml`, the ledger's URL or a sink is wrong.
    pub async fn open(environment: &Environment) -> Result<Self, StartError> {
        let (config, options, ledger) = Wiring::ledger_of(environment)?;
        let sdk = onus_aws::caller::load_config().await;
        let sinks = config.sinks.iter().map(|sink| open_sink(sink, &sdk)).collect::<Result<_, _>>()?;
        let region = sdk.region().map_or_else(String::new, ToString::to_string);
        let wiring = Wiring {
            config,
            options,
            ledger,
            sinks,
            caller: Arc::new(onus_aws::caller::AwsCaller::new(&sdk)),
            account: environment.get("ONUS_ACCOUNT").map(str::to_owned),
            readers: onus_aws::state_reader,
            listers: onus_aws::listers(),
            remediations: onus_aws::remediation,
            tags: onus_aws::tag_source,
        };
        Ok(Self { sdk, wiring, region })
    }

    /// What evaluates changes, and asks the queue of `ONUS_RESPONSES` for responses.
    ///
    /// # Errors
    /// The rules that `onus.yaml` names are wrong.
    pub async fn auditor(&self, environment: &Environment) -> Result<Auditor, StartError> {
        self.wiring.auditor(self.named(environment, "ONUS_RESPONSES")).await
    }

    /// The queue of `ONUS_DEAD_LETTERS`.
    pub fn dead_letters(&self, environment: &Environment) -> DeadLetters {
        DeadLetters::new(self.named(environment, "ONUS_DEAD_LETTERS"))
    }

    /// The key that approval links are signed with, from a variable or from Secrets Manager; `None` where neither is named.
    ///
    /// # Errors
    /// The key is short, or the secret cannot be read.
    pub async fn approval_key(&self, environment: &Environment) -> Result<Option<ApprovalKey>, StartError> {
        if let Some(key) = environment.approval_key()? {
            return Ok(Some(key));
        }
        let Some(secret) = environment.get("ONUS_APPROVAL_KEY_SECRET") else { return Ok(None) };
        let failed = |source| StartError::ApprovalSecret { secret: secret.to_owned(), source };
        // arn:partition:secretsmanager:region:account:secret:name
        let region = secret.split(':').nth(3).filter(|region| !region.is_empty()).unwrap_or(&self.region);
        let call = Call::aws("secretsmanager", "GetSecretValue", region, json!({ "SecretId": secret }));
        let answer = self.wiring.caller.call(&call).await.map_err(|error| failed(Some(error)))?;
        let key = answer.get("SecretString").and_then(Value::as_str).ok_or_else(|| failed(None))?;
        Ok(Some(ApprovalKey::new(key)?))
    }

    fn named(&self, environment: &Environment, name: &str) -> Option<Arc<dyn Queue>> {
        Some(Arc::new(self.sqs(environment.get(name)?)))
    }

    fn sqs(&self, url: &str) -> SqsQueue {
        SqsQueue::new(Arc::clone(&self.wiring.caller), url, &self.region)
    }
}

#[async_trait]
impl Operator for Clients {
    fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    fn region(&self) -> &str {
        &self.region
    }

    async fn account(&self, region: &str) -> Result<Option<String>, CallError> {
        let whoami = Call::aws("sts", "GetCallerIdentity", region, json!({}));
        let answer = self.wiring.caller.call(&whoami).await?;
        Ok(answer.get("Account").and_then(Value::as_str).map(str::to_owned))
    }

    fn letters(&self, url: &str) -> Result<Arc<dyn LetterBox>, StartError> {
        Ok(Arc::new(self.sqs(url)))
    }

    fn queue(&self, url: &str) -> Result<Arc<dyn Queue>, StartError> {
        Ok(Arc::new(self.sqs(url)))
    }
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
