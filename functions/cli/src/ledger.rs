//! `onus findings`, `show`, `approve`, `deny`, `undo`: what the ledger holds, and requests to the respond function.
//!
//! A request is one new entry in the ledger. The command line never calls the cloud's control plane itself: who may create below
//! `requests/` may ask, and only the respond function's role may act.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use onus_core::plan::ReceiptKind;
use onus_core::{FindingId, Receipt, ReceiptOutcome};
use onus_pipeline::job::Job;
use onus_pipeline::records::{Claim, Fate, History, Records};

use crate::Ended;
use crate::args::{FindingArgs, FindingsArgs, LedgerArgs, ListFormat, RequestArgs};
use crate::failure::count;
use crate::output::{json_document, say, table};
use onus_sinks::render::printable::{printable, shortened};

/// How often the ledger is looked at while waiting.
const POLL: Duration = Duration::from_millis(500);

/// What a person asks of the respond function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Carry the plan out.
    Approve,
    /// Never carry it out.
    Deny,
    /// Take the response back.
    Undo,
}

pub(crate) fn open(args: &LedgerArgs) -> anyhow::Result<Records> {
    let options = onus_ledger::Options::of(std::env::vars());
    Ok(Records::new(onus_ledger::open(&args.ledger, &options)?))
}

/// What waits for the network, on this thread.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")
}

/// Lists findings by the day of their change.
///
/// # Errors
/// The ledger cannot be read.
pub(crate) fn findings(args: &FindingsArgs) -> anyhow::Result<Ended> {
    let records = open(&args.ledger)?;
    let today = Offset::UTC.to_datetime(Timestamp::now()).date();
    let from = today.checked_sub(i64::from(args.days).days()).context("cannot count that many days back")?;
    let histories = runtime()?.block_on(async {
        let mut histories = Vec::new();
        for id in records.findings(from, today).await? {
            histories.extend(records.history(&id).await?);
        }
        anyhow::Ok(histories)
    })?;
    match args.format {
        ListFormat::Json => say!("{}", json_document(&histories)?),
        ListFormat::Table => {
            let rows = histories.iter().map(line).collect();
            say!("{}", table::grid(&["finding", "severity", "rule", "resource", "time", "status"], rows));
            say!("{}", count(histories.len(), "finding"));
        }
    }
    Ok(Ended::Clean)
}

fn line(history: &History) -> Vec<String> {
    let finding = &history.finding;
    vec![
        finding.id.to_string(),
        finding.severity.to_string(),
        finding.rule.clone(),
        finding.resource().map(|resource| shortened(&resource.name, 60)).unwrap_or_default(),
        finding.change.time.to_string(),
        status(history),
    ]
}

/// Where a finding stands, in a word or two.
fn status(history: &History) -> String {
    match (history.receipts.last(), history.alarms.last(), history.plans.last()) {
        (Some(receipt), _, _) => outcome(receipt),
        (None, Some(_), _) => "alarm".to_owned(),
        (None, None, Some(plan)) => format!("planned ({})", plan.mode),
        (None, None, None) => match &history.claim {
            Some(Claim { fate: Fate::Exempt { exemption, .. }, .. }) if history.told.is_empty() => {
                format!("exempt ({exemption})")
            }
            _ => "told".to_owned(),
        },
    }
}

fn outcome(receipt: &Receipt) -> String {
    let what = match &receipt.outcome {
        ReceiptOutcome::NothingToDo => "nothing to do".to_owned(),
        ReceiptOutcome::Planned => "planned".to_owned(),
        ReceiptOutcome::Verified => "verified".to_owned(),
        ReceiptOutcome::Unverified { reason } => format!("unverified: {}", printable(reason)),
        ReceiptOutcome::Refused { reason } => format!("refused: {}", printable(reason)),
    };
    match receipt.kind {
        ReceiptKind::Respond => what,
        ReceiptKind::Undo => format!("undo {what}"),
    }
}

/// Prints everything about one finding.
///
/// # Errors
/// The ledger cannot be read, or holds no such finding.
pub(crate) fn show(args: &FindingArgs) -> anyhow::Result<Ended> {
    let records = open(&args.ledger)?;
    let history = runtime()?.block_on(records.history(&args.id))?;
    let history = history.with_context(|| no_such(&args.id))?;
    match args.format {
        ListFormat::Json => say!("{}", json_document(&history)?),
        ListFormat::Table => print_history(&history)?,
    }
    Ok(Ended::Clean)
}

fn no_such(id: &FindingId) -> String {
    format!("the ledger holds no finding `{id}`")
}

fn print_history(history: &History) -> io::Result<()> {
    let finding = &history.finding;
    let change = &finding.change;
    say!("{}  {}  {}", finding.id, finding.severity, finding.rule);
    say!("  {}", finding.title);
    say!("  duty      {} ({}, {})", finding.duty.owner, finding.duty.area, finding.duty.service);
    say!("  change    {}:{} at {}", change.service, printable(&change.action), change.time);
    say!("  actor     {}", printable(&change.actor.id));
    say!("  where     {} {} {}", change.cloud, printable(&change.account), printable(&change.region));
    for resource in &change.resources {
        say!("  resource  {}", printable(&resource.id));
    }
    for step in &finding.respond {
        say!("  next      {step}");
    }
    for plan in &history.plans {
        say!("  planned   {} by {} ({})", plan.at, plan.plan.remediation, plan.mode);
        for step in &plan.plan.steps {
            say!("            {}: {}", printable(&step.title), printable(&step.call.to_string()));
        }
    }
    for receipt in &history.receipts {
        say!("  receipt   {} {} by {}", receipt.at, outcome(receipt), printable(&receipt.by));
        for sent in &receipt.sent {
            say!("            sent {}", printable(&sent.call.to_string()));
        }
    }
    for alarm in &history.alarms {
        say!("  alarm     {} {}", alarm.at, printable(&alarm.reason));
    }
    for told in &history.told {
        say!("  told      {}", printable(told));
    }
    Ok(())
}

/// Puts a request into the ledger and waits for what comes of it.
///
/// # Errors
/// The ledger cannot be used, or holds no such finding.
pub(crate) fn request(args: &RequestArgs, ask: Ask) -> anyhow::Result<Ended> {
    let records = open(&args.ledger)?;
    let (finding, by) = (args.id.clone(), args.by.clone());
    let job = match ask {
        Ask::Approve => Job::Approve { finding, by, plan: None },
        Ask::Deny => Job::Deny { finding, by },
        Ask::Undo => Job::Undo { finding, by },
    };
    let runtime = runtime()?;
    let before = runtime.block_on(records.history(&args.id))?.with_context(|| no_such(&args.id))?;
    let key = runtime.block_on(records.request(&job, Timestamp::now()))?;
    say!("asked to {} {} ({key})", job.verb(), args.id);
    if args.wait == 0 {
        return Ok(Ended::Clean);
    }
    let seen = before.receipts.len();
    let until = Instant::now() + Duration::from_secs(args.wait);
    loop {
        let history = runtime.block_on(records.history(&args.id))?.with_context(|| no_such(&args.id))?;
        if let Some(receipt) = history.receipts.get(seen..).and_then(<[Receipt]>::last) {
            say!("{}", outcome(receipt));
            return Ok(if is_done(ask, receipt) { Ended::Clean } else { Ended::Found });
        }
        if Instant::now() >= until {
            say!("no answer after {} s; `onus show {}` tells what became of it", args.wait, args.id);
            return Ok(Ended::Found);
        }
        thread::sleep(POLL);
    }
}

/// Whether the receipt is what was asked for. A refusal is what a denial asks for.
fn is_done(ask: Ask, receipt: &Receipt) -> bool {
    match receipt.outcome {
        ReceiptOutcome::Verified | ReceiptOutcome::NothingToDo => true,
        ReceiptOutcome::Refused { .. } => ask == Ask::Deny,
        ReceiptOutcome::Planned | ReceiptOutcome::Unverified { .. } => false,
    }
}
