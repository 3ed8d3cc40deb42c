//! What auditor and responder are put together from, on every platform.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use onus_core::{Caller, Cloud, Ledger, Lister, Sink, TagSources};
use onus_pipeline::{
    Auditor, Baseline, Meter, Pause, Policy, Readers, Records, Remediations, Responder, ResponseQueue,
};

use crate::Config;
use crate::audit::PayloadAuditor;
use crate::clock::SystemClock;
use crate::environment::{Environment, StartError};
use crate::queue::{JobQueue, Queue};
use crate::rules::Rules;
use crate::sweep::{Lookup, Sweep};

/// How long the connection may take to be warmed. Lambda gives ten seconds to the whole start.
const WARM_WITHIN: Duration = Duration::from_secs(2);

/// What every cloud's clients hand over.
#[derive(Clone)]
pub struct Wiring {
    /// `onus.yaml` with what the platform adds.
    pub config: Config,
    /// What ledger and rule stores need beside their URLs.
    pub options: onus_ledger::Options,
    /// The ledger.
    pub ledger: Arc<dyn Ledger>,
    /// Where findings are told.
    pub sinks: Vec<Arc<dyn Sink>>,
    /// Sends any call to the cloud.
    pub caller: Arc<dyn Caller>,
    /// The account that the caller acts in, where it is known.
    pub account: Option<String>,
    /// State readers by resource kind.
    pub readers: Readers,
    /// What lists the resources that a baseline records.
    pub listers: &'static [&'static dyn Lister],
    /// Remediations by id.
    pub remediations: Remediations,
    /// How the tags of a resource are read.
    pub tags: TagSources,
}

impl Wiring {
    /// `onus.yaml` and the ledger that it, or the environment, names.
    ///
    /// # Errors
    /// A variable is missing, or `onus.yaml` or the ledger's URL is wrong.
    pub fn ledger_of(environment: &Environment) -> Result<(Config, onus_ledger::Options, Arc<dyn Ledger>), StartError> {
        let config = environment.config()?;
        let url = config.ledger.clone().ok_or(StartError::Missing { name: "ONUS_LEDGER" })?;
        let options = onus_ledger::Options::of(environment.variables());
        let ledger = onus_ledger::open(&url, &options)?;
        Ok((config, options, ledger))
    }

    /// What evaluates changes.
    ///
    /// # Errors
    /// The rules that `onus.yaml` names are wrong.
    pub async fn auditor(&self, queue: Option<Arc<dyn Queue>>) -> Result<Auditor, StartError> {
        Ok(Auditor {
            rules: Arc::new(Rules::load(&self.config, &self.options).await?),
            policy: Arc::new(Policy::from(&self.config)),
            records: Records::new(Arc::clone(&self.ledger)),
            sinks: self.sinks.clone(),
            caller: Some(Arc::clone(&self.caller)),
            account: self.account.clone(),
            readers: self.readers,
            remediations: self.remediations,
            tags: self.tags,
            queue: queue.map(|queue| Arc::new(JobQueue(queue)) as Arc<dyn ResponseQueue>),
            clock: Arc::new(SystemClock),
        })
    }

    /// What records the guarded resources.
    pub fn baseline(&self) -> Baseline {
        Baseline {
            records: Records::new(Arc::clone(&self.ledger)),
            caller: Arc::clone(&self.caller),
            listers: self.listers.to_vec(),
            readers: self.readers,
            clock: Arc::new(SystemClock),
        }
    }

    /// What reads a log again, and does what is due without an event.
    pub fn sweep(&self, audit: Arc<PayloadAuditor>, lookup: Arc<dyn Lookup>, cloud: Cloud, region: &str) -> Sweep {
        Sweep {
            audit,
            lookup,
            ledger: Arc::clone(&self.ledger),
            clock: Arc::new(SystemClock),
            cloud,
            region: region.to_owned(),
            baseline: self.account.clone().map(|account| (self.baseline(), account)),
        }
    }

    /// What does jobs. `lease` is how long one handler may hold a resource: longer than it can live.
    pub fn responder(&self, lease: SignedDuration, meter: Arc<dyn Meter>) -> Responder {
        Responder {
            policy: Arc::new(Policy::from(&self.config)),
            records: Records::new(Arc::clone(&self.ledger)),
            sinks: self.sinks.clone(),
            caller: Arc::clone(&self.caller),
            account: self.account.clone(),
            remediations: self.remediations,
            tags: self.tags,
            clock: Arc::new(SystemClock),
            pause: Arc::new(Backoff),
            links: None,
            meter,
            lease,
        }
    }

    /// What stands before a ledger key in its bucket or container, with a final `/`; empty when nothing does.
    pub fn prefix(&self) -> String {
        prefix(self.config.ledger.as_deref().unwrap_or_default())
    }

    /// Opens the connection to the ledger, and with it reads certificates and credentials, while the platform still counts the
    /// start and not yet an invocation. Reads a key that nobody writes. A failure is no failure of the start: the first
    /// invocation meets it again and reports it.
    pub async fn warm(&self) {
        warm(self.ledger.as_ref()).await;
    }
}

/// [`Wiring::warm`], for who needs the ledger alone.
pub(crate) async fn warm(ledger: &dyn Ledger) {
    match tokio::time::timeout(WARM_WITHIN, ledger.read("warm")).await {
        Ok(Ok(_)) => tracing::debug!("warm"),
        Ok(Err(error)) => tracing::warn!(%error, "the ledger does not answer yet"),
        Err(_) => tracing::warn!("the ledger does not answer yet: two seconds passed"),
    }
}

/// Waits one, two, four seconds, and at most eight.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Backoff;

#[async_trait]
impl Pause for Backoff {
    async fn pause(&self, attempt: u32) {
        tokio::time::sleep(Duration::from_secs(1 << attempt.saturating_sub(1).min(3))).await;
    }
}

/// The path of a store's URL, as keys in the bucket start. A folder and memory have none: keys are below them.
fn prefix(url: &str) -> String {
    let path = match url.split_once("://") {
        None | Some(("file" | "memory", _)) => "",
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
    };
    let path = path.trim_matches('/');
    if path.is_empty() { String::new() } else { format!("{path}/") }
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
            ("azblob://ledger/onus", "onus/"),
            ("gs://ledger/onus/", "onus/"),
            ("memory://", ""),
            ("file:///var/lib/onus", ""),
        ];
        for (url, expected) in cases {
            assert_eq!(prefix(url), expected, "{url}");
        }
    }
}
