//! The command line: what can be asked, in one place. `--help` and the completions come from here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use onus_core::{Cloud, Severity};

mod records;

pub(crate) use records::*;

/// Audits changes to cloud accounts against the customer's side of the shared responsibility model.
#[derive(Debug, Parser)]
#[command(name = "onus", version, max_term_width = 110, arg_required_else_help = true)]
#[command(after_help = "Exit status: 0 clean, 1 findings at or above --fail-on, 2 bad usage or unreadable input.")]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Evaluate audit logs: files, folders, globs, `s3://` URLs, `-` for standard input.
    Audit(AuditArgs),
    /// Show how one event is judged: every candidate rule, why it fired or not, effects and response.
    Explain(ExplainArgs),
    /// Ask the response policy, `onus.yaml`.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// List, show, test and start rules.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// List what can be taken back, and how.
    #[command(subcommand)]
    Remediations(RemediationsCommand),
    /// Print the shared responsibility matrix and the duties that no rule covers.
    Responsibility(ListArgs),
    /// List the findings in a ledger.
    Findings(FindingsArgs),
    /// Show one finding with its plan, receipts and evidence.
    Show(FindingArgs),
    /// Let a waiting plan be carried out.
    Approve(RequestArgs),
    /// Refuse a waiting plan.
    Deny(RequestArgs),
    /// Ask for a response to be taken back. Refused when the resource has changed since.
    Undo(RequestArgs),
    /// Write an exemption: into the file that `--config` names, its comments kept, else to standard output.
    Exempt(ExemptArgs),
    /// Show exemptions.
    #[command(subcommand)]
    Exemptions(ExemptionsCommand),
    /// Check the chains of evidence: exit status 1 when one is broken.
    Verify(VerifyArgs),
    /// Count findings and how fast they were contained, by cloud and rule.
    Stats(StatsArgs),
    /// Record what the guarded resources of an account are like, so that a deletion can go back to it. Reads only.
    #[cfg(feature = "operator")]
    Baseline(BaselineArgs),
    /// Handle dead letters again: records are audited here, jobs go to the respond function.
    #[cfg(feature = "operator")]
    ReplayDlq(ReplayDlqArgs),
    /// Write what is derived from rules: roles, event pattern, schemas, rule pages.
    Generate(GenerateArgs),
    /// Print a shell completion script.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// `onus audit`.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// What to read. A folder is read whole; files are told apart by content, not by name.
    #[arg(required = true, value_name = "PATH|URL|-")]
    pub inputs: Vec<String>,
    /// How to print findings.
    #[arg(long, short, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Print only findings at or above this severity.
    #[arg(long, value_name = "SEVERITY")]
    pub severity: Option<Severity>,
    /// Exit with 1 when a finding is at or above this severity; `never` for always 0.
    #[arg(long, value_name = "SEVERITY|never", default_value = "informational")]
    pub fail_on: FailOn,
    /// Do not print records that only the live resource could decide.
    #[arg(long)]
    pub decided: bool,
    /// Do not show progress.
    #[arg(long, short)]
    pub quiet: bool,
    /// Which rules.
    #[command(flatten)]
    pub rules: RuleArgs,
}

/// Which rules take part.
#[derive(Debug, Args)]
pub(crate) struct RuleArgs {
    /// A folder or `s3://` prefix of rules to use beside the built-in ones. May be repeated.
    #[arg(long = "rules", value_name = "DIR|URL")]
    pub dirs: Vec<String>,
    /// Leave the built-in rules out.
    #[arg(long, requires = "dirs")]
    pub no_builtin: bool,
    /// Use only rules whose id matches, `aws.s3.*`. May be repeated.
    #[arg(long, value_name = "RULE")]
    pub only: Vec<String>,
    /// The response policy, for its settings and exemptions.
    #[arg(long, value_name = "FILE", env = "ONUS_CONFIG_FILE")]
    pub config: Option<PathBuf>,
}

/// `onus explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A file that holds the event, or `-`.
    #[arg(value_name = "EVENT")]
    pub input: String,
    /// Explain only this entry of the file, counted from 0.
    #[arg(long)]
    pub record: Option<u64>,
    /// Which rules.
    #[command(flatten)]
    pub rules: RuleArgs,
}

/// `onus policy …`.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Show which line decides how far a response to an event goes, what would decide without it, what caps it, which exemption
    /// holds, and what would have to be read.
    Explain(PolicyExplainArgs),
}

/// `onus policy explain`.
#[derive(Debug, Args)]
pub(crate) struct PolicyExplainArgs {
    /// A file that holds the event, or `-`.
    #[arg(value_name = "EVENT")]
    pub input: String,
    /// Explain only this entry of the file, counted from 0.
    #[arg(long)]
    pub record: Option<u64>,
    /// A tag that the resource is taken to have. May be repeated. Without any, tags count as not read yet.
    #[arg(long = "tags", value_name = "KEY=VALUE", value_parser = tag)]
    pub tags: Vec<(String, String)>,
    /// The resource is taken to have no tags.
    #[arg(long, conflicts_with = "tags")]
    pub untagged: bool,
    /// Which rules, and which policy.
    #[command(flatten)]
    pub rules: RuleArgs,
}

/// `onus rules …`.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Every rule, a line each.
    List {
        /// Filter and format.
        #[command(flatten)]
        list: ListArgs,
        /// Which rules.
        #[command(flatten)]
        rules: RuleArgs,
    },
    /// One rule, whole.
    Show {
        /// The rule's id.
        id: String,
        /// Which rules.
        #[command(flatten)]
        rules: RuleArgs,
    },
    /// Run the tests that rules carry.
    Test {
        /// Folder that `event:` paths are relative to.
        #[arg(long, value_name = "DIR", default_value = "events")]
        events: PathBuf,
        /// Which rules.
        #[command(flatten)]
        rules: RuleArgs,
    },
    /// Write a rule file to start from.
    New {
        /// The id, `aws.s3.bucket_renamed`; becomes the path below `--dir`.
        id: String,
        /// The folder to write into.
        #[arg(long, value_name = "DIR", default_value = "rules")]
        dir: PathBuf,
    },
}

/// `onus remediations …`.
#[derive(Debug, Subcommand)]
pub(crate) enum RemediationsCommand {
    /// Every remediation, a line each.
    List(ListArgs),
}

/// What `list` commands take.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only this cloud.
    #[arg(long, value_parser = cloud)]
    pub cloud: Option<Cloud>,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = ListFormat::Table)]
    pub format: ListFormat,
}

/// `onus generate`.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// What to write.
    #[arg(value_enum)]
    pub what: Generated,
    /// The project folder to write into.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub into: PathBuf,
    /// Write nothing; exit with 1 when something is out of date.
    #[arg(long)]
    pub check: bool,
    /// Which rules.
    #[command(flatten)]
    pub rules: RuleArgs,
}

/// What `onus generate` can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Generated {
    /// Everything below.
    All,
    /// One page a rule, and an index.
    Docs,
    /// Roles and event pattern of the AWS functions.
    Aws,
    /// Roles and event subscriptions of the Azure functions.
    Azure,
    /// Roles and log sink filter of the Google Cloud services.
    Gcp,
    /// The JSON Schema of `onus.yaml`.
    Schema,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for people.
    Table,
    /// One JSON object a line.
    Jsonl,
    /// One OCSF Detection Finding a line.
    Ocsf,
    /// One SARIF 2.1.0 document.
    Sarif,
    /// Comma-separated values with a header.
    Csv,
}

/// How lists are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// A table for people.
    Table,
    /// One JSON array.
    Json,
}

/// From which severity findings make the exit status 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailOn {
    /// Never.
    Never,
    /// At or above this one.
    At(Severity),
}

impl std::str::FromStr for FailOn {
    type Err = <Severity as std::str::FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "never" { Ok(Self::Never) } else { text.parse().map(Self::At) }
    }
}

fn tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is not a tag, expected `KEY=VALUE`")),
    }
}

fn cloud(text: &str) -> Result<Cloud, String> {
    [Cloud::Aws, Cloud::Azure, Cloud::Gcp]
        .into_iter()
        .find(|cloud| cloud.as_str() == text)
        .ok_or_else(|| format!("`{text}` is not a cloud, expected `aws`, `azure` or `gcp`"))
}
