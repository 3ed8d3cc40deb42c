//! `onus verify`: whether the evidence about findings is what was put down.

use anyhow::Context;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use onus_core::FindingId;
use onus_pipeline::records::{Chain, Records};
use serde::Serialize;

use crate::Ended;
use crate::args::{ListFormat, VerifyArgs};
use crate::failure::count;
use crate::ledger::{open, runtime};
use crate::output::say;
use onus_sinks::render::printable::printable;

#[derive(Serialize)]
struct Verified {
    finding: FindingId,
    #[serde(flatten)]
    chain: Chain,
}

/// Checks the chain of one finding, or of every finding of so many days; 1 when one is broken or missing.
///
/// # Errors
/// The ledger cannot be read.
pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<Ended> {
    let records = open(&args.ledger)?;
    let verified = runtime()?.block_on(verify(&records, args))?;
    let broken = verified.iter().filter(|one| !matches!(one.chain, Chain::Whole { .. })).count();
    match args.format {
        ListFormat::Json => say!("{}", serde_json::to_string_pretty(&verified)?),
        ListFormat::Table => {
            for one in &verified {
                say!("{}  {}", one.finding, printable(&one.chain.to_string()));
            }
            say!("{}, {broken} broken or missing", count(verified.len(), "chain"));
        }
    }
    Ok(if broken == 0 { Ended::Clean } else { Ended::Found })
}

async fn verify(records: &Records, args: &VerifyArgs) -> anyhow::Result<Vec<Verified>> {
    let ids = if let Some(id) = &args.id {
        vec![id.clone()]
    } else {
        let today = Offset::UTC.to_datetime(Timestamp::now()).date();
        let from = today.checked_sub(i64::from(args.days).days()).context("cannot count that many days back")?;
        records.findings(from, today).await?
    };
    let mut verified = Vec::new();
    for finding in ids {
        let chain = records.verify(&finding).await?;
        verified.push(Verified { finding, chain });
    }
    Ok(verified)
}
