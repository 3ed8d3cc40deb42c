//! `onus baseline`: records what the guarded resources of an account are like, with the caller's own credentials. Reads only.

use anyhow::Context;
use onus_host::{Environment, open_operator};
use onus_pipeline::Recorded;

use crate::Ended;
use crate::args::{BaselineArgs, ListFormat};
use crate::failure::count;
use crate::ledger::runtime;
use crate::output::{json_document, say, table};
use onus_sinks::render::printable::printable;

/// Records every guarded kind in the regions asked for; 1 when something could not be read.
///
/// # Errors
/// The ledger cannot be used, or the account is not given and cannot be asked for.
pub(crate) fn run(args: &BaselineArgs) -> anyhow::Result<Ended> {
    let variables = std::env::vars().filter(|(name, _)| name != "ONUS_LEDGER");
    let environment: Environment = variables.chain([("ONUS_LEDGER".to_owned(), args.ledger.ledger.clone())]).collect();
    let recorded = runtime()?.block_on(record(args, &environment))?;
    let failed: usize = recorded.iter().map(|(_, kind)| kind.failed.len()).sum();
    match args.format {
        ListFormat::Json => say!("{}", json_document(&recorded)?),
        ListFormat::Table => {
            let row = |(region, kind): &(String, Recorded)| {
                let numbers = [kind.resources, kind.new, kind.failed.len()].map(|number| number.to_string());
                [region.clone(), kind.kind.to_owned()].into_iter().chain(numbers).collect()
            };
            let rows = recorded.iter().map(row).collect();
            say!("{}", table::grid(&["region", "kind", "resources", "new or changed", "unread"], rows));
            for reason in recorded.iter().flat_map(|(_, kind)| &kind.failed) {
                say!("not read: {}", printable(reason));
            }
            say!("{} could not be read", count(failed, "resource"));
        }
    }
    Ok(if failed == 0 { Ended::Clean } else { Ended::Found })
}

async fn record(args: &BaselineArgs, environment: &Environment) -> anyhow::Result<Vec<(String, Recorded)>> {
    let operator = open_operator(args.cloud, environment).await?;
    let regions = if args.region.is_empty() { vec![operator.region().to_owned()] } else { args.region.clone() };
    let account = if let Some(account) = &args.account {
        account.clone()
    } else {
        let region = regions.first().map(String::as_str).unwrap_or_default();
        operator.account(region).await?.context("cannot tell the account, give `--account`")?
    };
    let mut recorded = Vec::new();
    for region in regions {
        let kinds = operator.wiring().baseline().record(args.cloud, &account, &region).await?;
        recorded.extend(kinds.into_iter().map(|kind| (region.clone(), kind)));
    }
    Ok(recorded)
}
