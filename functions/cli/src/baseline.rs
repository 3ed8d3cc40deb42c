//! `onus baseline`: records what the guarded resources of an account are like, with the caller's own credentials. Reads only.

use anyhow::Context;
use onus_core::{Call, Cloud};
use onus_host::Environment;
use onus_host::aws::Clients;
use onus_pipeline::Recorded;

use crate::Ended;
use crate::args::{BaselineArgs, ListFormat};
use crate::failure::count;
use crate::ledger::runtime;
use crate::output::{say, table};
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
        ListFormat::Json => say!("{}", serde_json::to_string_pretty(&recorded)?),
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
    let clients = Clients::open(environment).await?;
    let regions = if args.region.is_empty() { vec![clients.region.clone()] } else { args.region.clone() };
    let account = if let Some(account) = &args.account {
        account.clone()
    } else {
        let region = regions.first().map(String::as_str).unwrap_or_default();
        let whoami = Call::aws("sts", "GetCallerIdentity", region, serde_json::json!({}));
        let answer = clients.wiring.caller.call(&whoami).await.context("cannot tell the account, give --account")?;
        let account = answer.get("Account").and_then(serde_json::Value::as_str);
        account.context("the answer names no account")?.to_owned()
    };
    let mut recorded = Vec::new();
    for region in regions {
        let kinds = clients.wiring.baseline().record(Cloud::Aws, &account, &region).await?;
        recorded.extend(kinds.into_iter().map(|kind| (region.clone(), kind)));
    }
    Ok(recorded)
}
