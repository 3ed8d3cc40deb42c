//! `onus verify`: whether the evidence about findings is what was put down.

use std::collections::BTreeSet;

use anyhow::Context;
use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use onus_core::FindingId;
use onus_pipeline::RecordError;
use onus_pipeline::records::{Chain, Records, Traces};
use serde::Serialize;

use crate::Ended;
use crate::args::{ListFormat, VerifyArgs};
use crate::failure::count;
use crate::ledger::{open, runtime};
use crate::output::{json_document, say};
use onus_sinks::render::printable::printable;

#[derive(Serialize)]
struct Verified {
    chains: Vec<VerifiedChain>,
    /// Entries that are gone from logs that several findings share.
    gaps: Vec<String>,
}

#[derive(Serialize)]
struct VerifiedChain {
    finding: FindingId,
    #[serde(flatten)]
    chain: Chain,
}

/// Checks the chain of one finding, or of every finding of so many days and of those that no day lists; 1 when one is not whole, or when an
/// entry is gone from a shared log.
///
/// # Errors
/// The ledger cannot be read.
pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<Ended> {
    let records = open(&args.ledger)?;
    let Verified { chains, gaps } = runtime()?.block_on(verify(&records, args))?;
    let of = |wanted: fn(&Chain) -> bool| chains.iter().filter(|one| wanted(&one.chain)).count();
    let whole = of(|chain| matches!(chain, Chain::Whole { .. }));
    let unfinished = of(|chain| matches!(chain, Chain::Unfinished { .. }));
    let broken = chains.len() - whole - unfinished;
    let clean = whole == chains.len() && gaps.is_empty();
    match args.format {
        ListFormat::Json => say!("{}", json_document(&Verified { chains, gaps })?),
        ListFormat::Table => {
            for one in &chains {
                say!("{}  {}", one.finding, printable(&one.chain.to_string()));
            }
            for gap in &gaps {
                say!("{}", printable(gap));
            }
            let gone = if gaps.is_empty() { String::new() } else { format!(", {} gone", count(gaps.len(), "booking")) };
            say!("{}, {broken} broken or missing, {unfinished} unfinished{gone}", count(chains.len(), "chain"));
        }
    }
    Ok(if clean { Ended::Clean } else { Ended::Found })
}

async fn verify(records: &Records, args: &VerifyArgs) -> anyhow::Result<Verified> {
    let today = Offset::UTC.to_datetime(Timestamp::now()).date();
    let earliest = today.checked_sub(i64::from(args.days).days()).context("cannot count that many days back")?;
    let from = match &args.id {
        Some(id) => day_of(records, id).await?.unwrap_or(earliest),
        None => earliest,
    };
    let traces = records.traces(from, today).await?;
    let ids: BTreeSet<FindingId> = match &args.id {
        Some(id) => [id.clone()].into(),
        None => &traces.findings() | &records.unlisted().await?,
    };
    let mut chains = Vec::new();
    for finding in ids {
        let chain = records.verify(&finding, &traces).await?;
        chains.push(VerifiedChain { finding, chain });
    }
    let Traces { gaps, .. } = traces;
    Ok(Verified { chains, gaps })
}

/// The day of a finding's change; `None` where the finding does not tell.
async fn day_of(records: &Records, id: &FindingId) -> anyhow::Result<Option<Date>> {
    match records.finding(id).await {
        Ok(found) => Ok(found.map(|finding| Offset::UTC.to_datetime(finding.change.time).date())),
        Err(RecordError::Corrupt { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
