//! `onus exempt` writes an exemption, `onus exemptions list` shows what each one suppresses and how long it still holds.

mod edit;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use jiff::Timestamp;
use onus_core::Finding;
use onus_pipeline::config::Exemption;
use onus_pipeline::glob::Glob;
use onus_pipeline::records::Records;
use serde::Serialize;

use crate::Ended;
use crate::args::{ExemptArgs, ExemptionsArgs, ListFormat};
use crate::ledger::runtime;
use crate::output::{json_document, say, table};
use crate::selection::read_config;
use onus_sinks::render::printable::{printable, shortened};

/// Prints an exemption, or adds it to the file that `--config` names.
///
/// # Errors
/// Neither a finding nor a rule is named, the ledger holds no such finding, or the file would not be valid with the exemption.
pub(crate) fn exempt(args: &ExemptArgs) -> anyhow::Result<Ended> {
    let exemption = wanted(args)?;
    let Some(path) = &args.config else {
        edit::added("onus.yaml", "", &exemption)?;
        say!("{}", edit::block(&exemption, 2)?.trim_end());
        return Ok(Ended::Clean);
    };
    let name = path.display().to_string();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read `{name}`"))?;
    replace(path, &edit::added(&name, &text, &exemption)?)?;
    say!("added exemption {} to {name}: it holds once Onus is deployed with this file", exemption.id());
    Ok(Ended::Clean)
}

/// Writes beside and renames, so that a crash leaves the old file whole.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let beside = path.with_extension("yaml.new");
    fs::write(&beside, text).with_context(|| format!("cannot write `{}`", beside.display()))?;
    fs::rename(&beside, path).with_context(|| format!("cannot replace `{}`", path.display()))
}

fn wanted(args: &ExemptArgs) -> anyhow::Result<Exemption> {
    let glob = |given: &Option<String>| given.as_deref().map(Glob::new);
    let mut exemption = Exemption {
        id: args.id.clone(),
        rule: Glob::new(args.rule.clone().unwrap_or_default()),
        account: glob(&args.account),
        resource: glob(&args.resource),
        tags: args.tags.iter().map(|(key, value)| (key.clone(), Glob::new(value))).collect::<BTreeMap<_, _>>(),
        actor: glob(&args.actor),
        reason: args.reason.clone(),
        owner: args.owner.clone(),
        expires: args.expires.clone(),
    };
    match (&args.finding, &args.rule) {
        (Some(id), _) => {
            let ledger =
                args.ledger.as_deref().context("a finding is looked up in a ledger: name it with `--ledger`")?;
            let records = Records::new(onus_ledger::open(ledger, &onus_ledger::Options::of(std::env::vars()))?);
            let finding = runtime()?.block_on(records.finding(id))?;
            narrow(&mut exemption, &finding.with_context(|| format!("the ledger holds no finding `{id}`"))?, args);
        }
        (None, Some(_)) => {}
        (None, None) => bail!("name a finding, or what to exempt with `--rule`"),
    }
    Ok(exemption)
}

/// The same rule on the same resource, and nothing wider, unless selectors are given.
fn narrow(exemption: &mut Exemption, finding: &Finding, args: &ExemptArgs) {
    if args.rule.is_none() {
        exemption.rule = Glob::new(finding.rule.clone());
    }
    if exemption.account.is_none() && !finding.change.account.is_empty() {
        exemption.account = Some(Glob::new(finding.change.account.clone()));
    }
    if exemption.resource.is_none() && args.tags.is_empty() {
        exemption.resource = finding.resource().map(|resource| Glob::new(resource.id.to_string()));
    }
}

/// One exemption as it is listed.
#[derive(Debug, Serialize)]
struct Listed {
    id: String,
    /// What it selects; empty for one that is only in the ledger.
    selects: String,
    owner: String,
    reason: String,
    /// As written.
    expires: String,
    /// Days left, begun ones counted; `None` for `never`, 0 once it has ended.
    days: Option<i64>,
    /// Whether `onus.yaml` has it, and it has not ended.
    holds: bool,
    /// The findings it suppressed; `None` without a ledger.
    suppressed: Option<Vec<String>>,
    /// How many of them were judged anew after its end.
    reviewed: usize,
}

/// Lists the exemptions of `onus.yaml`, and those that only the ledger knows.
///
/// # Errors
/// The file or the ledger cannot be read.
pub(crate) fn list(args: &ExemptionsArgs) -> anyhow::Result<Ended> {
    let config = read_config(&args.config)?;
    let now = Timestamp::now();
    let mut listed: Vec<Listed> = config.exemptions.iter().map(|exemption| of(exemption, now)).collect();
    if let Some(url) = &args.ledger {
        let records = Records::new(onus_ledger::open(url, &onus_ledger::Options::of(std::env::vars()))?);
        runtime()?.block_on(look_up(&records, &mut listed))?;
    }
    match args.format {
        ListFormat::Json => say!("{}", json_document(&listed)?),
        ListFormat::Table => {
            let header = ["exemption", "selects", "owner", "expires", "days left", "suppresses"];
            say!("{}", table::grid(&header, listed.iter().map(row).collect()));
        }
    }
    Ok(Ended::Clean)
}

fn of(exemption: &Exemption, now: Timestamp) -> Listed {
    let day = 24 * 60 * 60;
    let left = exemption.expires.end().map(|end| ((end.as_second() - now.as_second()).max(0) + day - 1) / day);
    Listed {
        id: exemption.id().into_owned(),
        selects: selects(exemption),
        owner: exemption.owner.clone(),
        reason: exemption.reason.clone(),
        expires: exemption.expires.to_string(),
        days: left,
        holds: exemption.expires.holds(now),
        suppressed: None,
        reviewed: 0,
    }
}

fn selects(exemption: &Exemption) -> String {
    let mut parts = vec![exemption.rule.to_string()];
    let named = [("account", &exemption.account), ("resource", &exemption.resource), ("actor", &exemption.actor)];
    parts.extend(named.into_iter().filter_map(|(name, glob)| Some(format!("{name} {}", glob.as_ref()?))));
    parts.extend(exemption.tags.iter().map(|(key, value)| format!("tag {key}={value}")));
    parts.join(", ")
}

async fn look_up(records: &Records, listed: &mut Vec<Listed>) -> anyhow::Result<()> {
    for id in records.exempting().await? {
        if listed.iter().any(|known| known.id == id) {
            continue;
        }
        let first = match records.suppressed(&id).await?.first() {
            Some(finding) => records.suppression(&id, finding).await?,
            None => None,
        };
        let (owner, reason, expires) =
            first.map(|entry| (entry.owner, entry.reason, entry.expires)).unwrap_or_default();
        let selects = String::new();
        listed.push(Listed {
            id,
            selects,
            owner,
            reason,
            expires,
            days: Some(0),
            holds: false,
            suppressed: None,
            reviewed: 0,
        });
    }
    for known in listed {
        let suppressed = records.suppressed(&known.id).await?;
        known.suppressed = Some(suppressed.iter().map(ToString::to_string).collect());
        known.reviewed = records.reviewed(&known.id).await?.len();
    }
    Ok(())
}

fn row(listed: &Listed) -> Vec<String> {
    let days = match (listed.holds, listed.days, listed.selects.is_empty()) {
        (false, _, true) => "not in the file".to_owned(),
        (false, _, false) => "ended".to_owned(),
        (true, None, _) => "no end".to_owned(),
        (true, Some(days), _) => days.to_string(),
    };
    let suppresses = match &listed.suppressed {
        None => "?".to_owned(),
        Some(findings) if listed.holds => findings.len().to_string(),
        Some(findings) => format!("{}, {} judged anew", findings.len(), listed.reviewed),
    };
    vec![
        listed.id.clone(),
        shortened(&listed.selects, 60),
        printable(&listed.owner),
        listed.expires.clone(),
        days,
        suppresses,
    ]
}
