//! What the platform tells a function at its start.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::SignedDuration;
use onus_core::{CallError, Cloud};
use onus_pipeline::ConfigError;
use onus_pipeline::approval::{ApprovalKey, ApprovalLinks, BadBase, ShortKey};
use onus_sinks::SinkConfig;
use onus_sinks::config::{EventBridgeConfig, EventGridConfig, PubSubConfig, SnsConfig};

use crate::Config;

/// A snapshot of the environment, taken once per process.
///
/// | variable | meaning |
/// |---|---|
/// | `ONUS_CONFIG` | the text of `onus.yaml`; empty counts as unset |
/// | `ONUS_CONFIG_FILE` | the path of `onus.yaml`, where `ONUS_CONFIG` is not set |
/// | `ONUS_LEDGER` | the ledger's URL; wins over `ledger` in `onus.yaml` |
/// | `ONUS_ACCOUNT` | the account, subscription or project that the function may touch; others' resources are neither read nor changed |
/// | `ONUS_TOPIC` | a topic that findings are told to, beside the sinks of `onus.yaml`: an SNS topic's ARN, an Event Grid topic's endpoint, or a Pub/Sub topic's full name |
/// | `ONUS_BUS` | an `EventBridge` bus that findings are told to, beside the sinks of `onus.yaml` |
/// | `ONUS_RESPONSES` | the queue in front of the respond function: an SQS or Storage Queue URL, or a Pub/Sub topic's full name; empty when nobody responds |
/// | `ONUS_DEAD_LETTERS` | the queue, written likewise, for what can never be handled |
/// | `ONUS_OWN_PRINCIPALS` | unique ids of the identities Onus acts with, separated by commas |
/// | `ONUS_LEASE_SECONDS` | how long one respond function may hold a resource: more than the function's timeout; the platform's default when unset |
/// | `ONUS_APPROVAL_URL` | the address that approval links lead to; no links are made when unset |
/// | `ONUS_APPROVAL_KEY` | the key that approval links are signed with, at least 32 random bytes as text |
/// | `ONUS_APPROVAL_KEY_SECRET` | on AWS, the ARN of the Secrets Manager secret that holds that key, where `ONUS_APPROVAL_KEY` is not set |
/// | `ONUS_LOG` | the least severe level that is logged: `info` when unset |
/// | `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS` | on Azure and Google Cloud, the collector that metrics are sent to; without one they are printed as lines of OTLP's JSON encoding |
///
/// On Azure also, beside what its own libraries read (`AZURE_STORAGE_ACCOUNT_NAME`, `IDENTITY_ENDPOINT`, `IDENTITY_HEADER`):
///
/// | variable | meaning |
/// |---|---|
/// | `FUNCTIONS_CUSTOMHANDLER_PORT` | where the Functions host sends its requests, which it sets |
/// | `AZURE_CLIENT_ID` | the client id of a user-assigned identity; the system-assigned one when unset |
/// | `ONUS_ARM_ENDPOINT` | Resource Manager: `https://management.azure.com` when unset |
///
/// On Google Cloud also, beside what its own libraries read (`GOOGLE_APPLICATION_CREDENTIALS`, `GCE_METADATA_HOST`):
///
/// | variable | meaning |
/// |---|---|
/// | `PORT` | where Cloud Run sends its requests, which it sets |
/// | `ONUS_PUSH_AUDIENCE` | the audience that the tokens of push requests must be for |
/// | `ONUS_PUSH_ACCOUNT` | the e-mail address of the service account that pushes |
/// | `ONUS_PUSH_KEYS` | where the keys of those tokens are: `https://www.googleapis.com/oauth2/v3/certs` when unset |
/// | `ONUS_GCP_ENDPOINT` | one base URL that stands for every `https://<api>.googleapis.com` |
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

/// Why a function cannot start. The deployment has to change; starting again does not help.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A variable is not set.
    #[error("`{name}` is not set")]
    Missing {
        /// The variable.
        name: &'static str,
    },
    /// The file named by `ONUS_CONFIG_FILE` cannot be read.
    #[error("cannot read `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// `onus.yaml` is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The rules are wrong.
    #[error("cannot load the rules")]
    Rules(#[from] crate::RulesError),
    /// The ledger's URL is wrong.
    #[error(transparent)]
    Ledger(#[from] onus_ledger::OpenError),
    /// The key of approval links is too short.
    #[error(transparent)]
    ApprovalKey(#[from] ShortKey),
    /// The address of approval links is none.
    #[error(transparent)]
    ApprovalUrl(#[from] BadBase),
    /// The secret with the key of approval links cannot be read.
    #[error("cannot read the key of approval links from `{secret}`")]
    ApprovalSecret {
        /// The secret.
        secret: String,
        /// Why; `None` where it is there and holds no text.
        #[source]
        source: Option<CallError>,
    },
    /// A variable holds what it cannot mean.
    #[error("`{name}` is `{value}`, expected {expected}")]
    Malformed {
        /// The variable.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        expected: &'static str,
    },
    /// A client of the cloud cannot be made: an endpoint, an address or the identity is wrong.
    #[error("cannot make a client")]
    Client {
        /// What is wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// This build has no clients of a cloud.
    #[error("this build has no clients of `{cloud}`: `cargo install` it with `--features {cloud}`")]
    NotBuilt {
        /// The cloud.
        cloud: Cloud,
    },
    /// Requests cannot be waited for.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// A sink needs what this build or platform does not have.
    #[error("cannot open sink `{name}`: {problem}")]
    Sink {
        /// The sink's name.
        name: String,
        /// What is missing.
        problem: &'static str,
    },
}

impl Environment {
    /// Reads the process's environment. Variables that are not UTF-8 are left out: no setting of ours can be one.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        std::env::vars_os().filter_map(text).collect()
    }

    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A variable that must be set.
    ///
    /// # Errors
    /// It is not set, or empty.
    pub fn require(&self, name: &'static str) -> Result<&str, StartError> {
        self.get(name).ok_or(StartError::Missing { name })
    }

    /// How long one handler may hold a resource. A function whose timeout was changed needs another than the platform's default.
    ///
    /// # Errors
    /// The variable is no number of seconds from 1 to 86,400.
    pub fn lease(&self, default: SignedDuration) -> Result<SignedDuration, StartError> {
        let name = "ONUS_LEASE_SECONDS";
        let Some(value) = self.get(name) else { return Ok(default) };
        match value.parse() {
            Ok(seconds @ 1..=86_400) => Ok(SignedDuration::from_secs(seconds)),
            _ => Err(StartError::Malformed {
                name,
                value: value.to_owned(),
                expected: "a number of seconds from 1 to 86400",
            }),
        }
    }

    /// The key that approval links are signed with, where a variable holds it. Azure and Google Cloud fill variables from their secret
    /// stores themselves.
    ///
    /// # Errors
    /// It is short.
    pub fn approval_key(&self) -> Result<Option<ApprovalKey>, StartError> {
        Ok(self.get("ONUS_APPROVAL_KEY").map(ApprovalKey::new).transpose()?)
    }

    /// What makes approval links that are good for so long; `None` without a key or an address.
    ///
    /// # Errors
    /// The address is none.
    pub fn approval_links(
        &self,
        key: Option<ApprovalKey>,
        lives: SignedDuration,
    ) -> Result<Option<Arc<ApprovalLinks>>, StartError> {
        let (Some(base), Some(key)) = (self.get("ONUS_APPROVAL_URL"), key) else { return Ok(None) };
        Ok(Some(Arc::new(ApprovalLinks::new(base, key, lives)?)))
    }

    /// Every variable, for clients that know their own.
    pub fn variables(&self) -> Vec<(String, String)> {
        self.0.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// `onus.yaml` with what the platform adds: the ledger, the topic, the bus and Onus's own identities.
    ///
    /// # Errors
    /// The file cannot be read or is wrong, or the platform's topic and a sink of the file share a name.
    pub fn config(&self) -> Result<Config, StartError> {
        let mut config = match (self.get("ONUS_CONFIG"), self.get("ONUS_CONFIG_FILE")) {
            (Some(text), _) => Config::parse("ONUS_CONFIG", text)?,
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| StartError::Unreadable { path: path.into(), source })?;
                Config::parse(path, &text)?
            }
            (None, None) => Config::default(),
        };
        if let Some(ledger) = self.get("ONUS_LEDGER") {
            config.ledger = Some(ledger.to_owned());
        }
        let topic = self.get("ONUS_TOPIC").map(topic);
        let bus = self.get("ONUS_BUS").map(|bus| {
            SinkConfig::EventBridge(EventBridgeConfig { bus: bus.to_owned(), name: Some("findings-bus".to_owned()) })
        });
        config.sinks.extend(topic.into_iter().chain(bus));
        let own = self.get("ONUS_OWN_PRINCIPALS").unwrap_or_default().split(',').map(str::trim);
        config.settings.own_principals.extend(own.filter(|id| !id.is_empty()).map(str::to_owned));
        Ok(config)
    }
}

/// A topic by how its cloud writes it: an Event Grid endpoint, a Pub/Sub topic's full name, else an ARN.
fn topic(written: &str) -> SinkConfig {
    let (topic, name) = (written.to_owned(), Some("findings-topic".to_owned()));
    if written.starts_with("https://") || written.starts_with("http://") {
        SinkConfig::EventGrid(EventGridConfig { endpoint: topic, key_variable: None, name })
    } else if written.starts_with("projects/") {
        SinkConfig::PubSub(PubSubConfig { topic, name })
    } else {
        SinkConfig::Sns(SnsConfig { topic, name })
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use onus_core::{Mode, SinkConfig as _};

    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn an_empty_environment_alerts_and_tells_nobody() {
        let config = environment(&[("ONUS_CONFIG", ""), ("ONUS_TOPIC", "")]).config().unwrap();
        assert_eq!(config, Config::default());
        assert_eq!(config.modes.default, Mode::Alert);
    }

    #[test]
    fn the_platform_adds_to_what_the_operator_wrote() {
        let config = environment(&[
            ("ONUS_CONFIG", "modes: { default: enforce }\nledger: memory://\nsinks: [{ stdout: {} }]"),
            ("ONUS_LEDGER", "s3://ledger/"),
            ("ONUS_TOPIC", "arn:aws:sns:us-east-1:111122223333:findings"),
            ("ONUS_BUS", "onus"),
            ("ONUS_OWN_PRINCIPALS", "AROAEXAMPLE1, AROAEXAMPLE2,"),
        ])
        .config()
        .unwrap();
        assert_eq!(config.modes.default, Mode::Enforce);
        assert_eq!(config.ledger.as_deref(), Some("s3://ledger/"));
        let names: Vec<_> = config.sinks.iter().map(SinkConfig::name).collect();
        assert_eq!(names, ["stdout", "findings-topic", "findings-bus"]);
        assert_eq!(config.settings.own_principals, ["AROAEXAMPLE1", "AROAEXAMPLE2"]);
    }

    #[test]
    fn a_topic_is_written_as_its_cloud_writes_it() {
        let kinds = [
            ("arn:aws:sns:us-east-1:111122223333:findings", "sns"),
            ("https://onus.westeurope-1.eventgrid.azure.net/api/events", "event_grid"),
            ("projects/example/topics/onus-findings", "pubsub"),
        ];
        for (written, kind) in kinds {
            let sink = serde_json::to_value(topic(written)).unwrap();
            assert_eq!(sink.as_object().unwrap().keys().next().unwrap(), kind, "{written}");
        }
    }

    #[test]
    fn a_wrong_configuration_is_told_with_its_place() {
        let error = environment(&[("ONUS_CONFIG", "modes:\n  defualt: enforce")]).config().unwrap_err();
        assert!(error.to_string().starts_with("cannot read `ONUS_CONFIG:2:"), "{error}");
        let error = environment(&[("ONUS_CONFIG_FILE", "no/such/onus.yaml")]).config().unwrap_err();
        assert_eq!(error.to_string(), "cannot read `no/such/onus.yaml`");
    }

    #[test]
    fn a_lease_is_the_platforms_unless_the_operator_says_otherwise() {
        let default = SignedDuration::from_secs(180);
        let lease =
            |value| environment(&[("ONUS_LEASE_SECONDS", value)]).lease(default).map_err(|error| error.to_string());
        assert_eq!(lease(""), Ok(default));
        assert_eq!(lease("960"), Ok(SignedDuration::from_secs(960)));
        for wrong in ["0", "-1", "ten", "86401"] {
            assert!(lease(wrong).is_err_and(|error| error.starts_with(&format!("`ONUS_LEASE_SECONDS` is `{wrong}`"))));
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = environment(&[("ONUS_RESPONSES", "")]).require("ONUS_RESPONSES").unwrap_err();
        assert_eq!(error.to_string(), "`ONUS_RESPONSES` is not set");
    }
}
