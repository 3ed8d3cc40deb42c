//! What can be asked of a ledger, and of the queues and resources beside it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
#[cfg(feature = "operator")]
use onus_core::Cloud;
use onus_core::FindingId;
use onus_pipeline::expiry::Expiry;

#[cfg(feature = "operator")]
use super::cloud;
use super::{ListFormat, tag};

/// Which ledger.
#[derive(Debug, Args)]
pub(crate) struct LedgerArgs {
    /// The ledger: `file:///…`, `s3://bucket/prefix`, `azblob://container/prefix` or `gs://bucket/prefix`.
    #[arg(long, value_name = "URL", env = "ONUS_LEDGER")]
    pub ledger: String,
}

/// `onus findings`.
#[derive(Debug, Args)]
pub(crate) struct FindingsArgs {
    /// Which ledger.
    #[command(flatten)]
    pub ledger: LedgerArgs,
    /// Only findings of the last so many days.
    #[arg(long, default_value_t = 7)]
    pub days: u16,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = ListFormat::Table)]
    pub format: ListFormat,
}

/// A command about one finding.
#[derive(Debug, Args)]
pub(crate) struct FindingArgs {
    /// The finding's id.
    pub id: FindingId,
    /// Which ledger.
    #[command(flatten)]
    pub ledger: LedgerArgs,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = ListFormat::Table)]
    pub format: ListFormat,
}

/// A request about one finding, carried out by the respond function.
#[derive(Debug, Args)]
pub(crate) struct RequestArgs {
    /// The finding's id.
    pub id: FindingId,
    /// Which ledger.
    #[command(flatten)]
    pub ledger: LedgerArgs,
    /// Who asks; kept in the ledger.
    #[arg(long, env = "USER", default_value = "unknown")]
    pub by: String,
    /// Seconds to wait for the respond function's receipt; 0 returns at once.
    #[arg(long, default_value_t = 60)]
    pub wait: u64,
}

/// `onus exempt`.
#[derive(Debug, Args)]
pub(crate) struct ExemptArgs {
    /// A finding: its rule on its resource in its account is exempted, as far as the selectors below do not say otherwise.
    pub finding: Option<FindingId>,
    /// The ledger that holds the finding.
    #[arg(long, value_name = "URL", env = "ONUS_LEDGER")]
    pub ledger: Option<String>,
    /// The rule's id, with `*` and `?`.
    #[arg(long)]
    pub rule: Option<String>,
    /// The account, with `*` and `?`.
    #[arg(long)]
    pub account: Option<String>,
    /// The resource, by full id or name, with `*` and `?`.
    #[arg(long)]
    pub resource: Option<String>,
    /// A tag of the resource, its value with `*` and `?`. May be repeated: all have to be there.
    #[arg(long = "tags", value_name = "KEY=VALUE", value_parser = tag)]
    pub tags: Vec<(String, String)>,
    /// Who made the change, by full id, with `*` and `?`.
    #[arg(long)]
    pub actor: Option<String>,
    /// A name of its own. Left out, one is derived from the selectors.
    #[arg(long)]
    pub id: Option<String>,
    /// Why it is accepted.
    #[arg(long)]
    pub reason: String,
    /// Who answers for it.
    #[arg(long)]
    pub owner: String,
    /// When it ends: `2027-01-31` (through that day, UTC), a date and time, or `never`.
    #[arg(long, value_parser = expiry)]
    pub expires: Expiry,
    /// The `onus.yaml` to add it to.
    #[arg(long, value_name = "FILE", env = "ONUS_CONFIG_FILE")]
    pub config: Option<PathBuf>,
}

/// `onus exemptions …`.
#[derive(Debug, Subcommand)]
pub(crate) enum ExemptionsCommand {
    /// Every exemption, a line each: what it selects, what it suppresses, how many days it has left.
    List(ExemptionsArgs),
}

/// `onus exemptions list`.
#[derive(Debug, Args)]
pub(crate) struct ExemptionsArgs {
    /// The `onus.yaml`.
    #[arg(long, value_name = "FILE", env = "ONUS_CONFIG_FILE")]
    pub config: PathBuf,
    /// The ledger; without it, what they suppress is not known.
    #[arg(long, value_name = "URL", env = "ONUS_LEDGER")]
    pub ledger: Option<String>,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = ListFormat::Table)]
    pub format: ListFormat,
}

/// `onus verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The finding's id.
    #[arg(required_unless_present = "all")]
    pub id: Option<FindingId>,
    /// Check every finding of the last so many days, and those that no day lists.
    #[arg(long, conflicts_with = "id")]
    pub all: bool,
    /// How many days `--all` reaches back, by the day of the change.
    #[arg(long, default_value_t = 90)]
    pub days: u16,
    /// Which ledger.
    #[command(flatten)]
    pub ledger: LedgerArgs,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = ListFormat::Table)]
    pub format: ListFormat,
}

/// `onus stats`.
#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    /// Which ledger.
    #[command(flatten)]
    pub ledger: LedgerArgs,
    /// Only findings of the last so many days.
    #[arg(long, default_value_t = 30)]
    pub days: u16,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = ListFormat::Table)]
    pub format: ListFormat,
}

/// `onus baseline`.
#[cfg(feature = "operator")]
#[derive(Debug, Args)]
pub(crate) struct BaselineArgs {
    /// Which ledger.
    #[command(flatten)]
    pub ledger: LedgerArgs,
    /// Whose resources: `aws`, `azure` or `gcp`.
    #[arg(long, value_name = "CLOUD", value_parser = cloud, default_value = "aws")]
    pub cloud: Cloud,
    /// The account, subscription or project. Left out, it is asked for with the credentials on AWS, and that of `ONUS_ACCOUNT` elsewhere.
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// A region to record, on AWS; the credentials' own when left out. May be repeated.
    #[arg(long, value_name = "REGION")]
    pub region: Vec<String>,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = ListFormat::Table)]
    pub format: ListFormat,
}

/// `onus replay-dlq`.
#[cfg(feature = "operator")]
#[derive(Debug, Args)]
pub(crate) struct ReplayDlqArgs {
    /// The dead letters: the URL of an SQS or Storage queue, or `projects/PROJECT/subscriptions/SUBSCRIPTION`.
    #[arg(value_name = "QUEUE")]
    pub queue: String,
    /// Whose queue: `aws`, `azure` or `gcp`.
    #[arg(long, value_name = "CLOUD", value_parser = cloud, default_value = "aws")]
    pub cloud: Cloud,
    /// The queue in front of the respond function: a URL, or `projects/PROJECT/topics/TOPIC`. Without it jobs are left.
    #[arg(long, value_name = "QUEUE", env = "ONUS_RESPONSES")]
    pub responses: Option<String>,
    /// Which ledger.
    #[command(flatten)]
    pub ledger: LedgerArgs,
    /// Handle at most so many letters.
    #[arg(long, default_value_t = 1000)]
    pub max: usize,
}

fn expiry(text: &str) -> Result<Expiry, String> {
    Expiry::try_from(text.to_owned()).map_err(|error| error.to_string())
}
