//! `onus replay-dlq`: dead letters, handled again with the caller's own credentials.

use onus_host::{DeadLetters, Environment, PayloadAuditor, Replay, open_operator};

use crate::Ended;
use crate::args::ReplayDlqArgs;
use crate::failure::count;
use crate::ledger::runtime;
use crate::output::say;
use onus_sinks::render::printable::printable;

/// Replays; 1 when a letter was left.
///
/// # Errors
/// The ledger, the rules or a queue cannot be used.
pub(crate) fn run(args: &ReplayDlqArgs) -> anyhow::Result<Ended> {
    let given = [("ONUS_LEDGER", Some(args.ledger.ledger.clone())), ("ONUS_RESPONSES", args.responses.clone())];
    let variables = std::env::vars().filter(|(name, _)| !given.iter().any(|(given, _)| given == name));
    let given = given.iter().filter_map(|(name, value)| Some(((*name).to_owned(), value.clone()?)));
    let environment: Environment = variables.chain(given).collect();
    let replayed = runtime()?.block_on(async {
        let operator = open_operator(args.cloud, &environment).await?;
        let responses = args.responses.as_deref().map(|name| operator.queue(name)).transpose()?;
        let auditor = operator.wiring().auditor(responses.clone()).await?;
        // What cannot be handled this time either stays where it is: it is put aside nowhere else.
        let auditor = PayloadAuditor::new(auditor, DeadLetters::default());
        let letters = operator.letters(&args.queue)?;
        let replay = Replay { letters: &*letters, auditor: Some(&auditor), responses: responses.as_deref() };
        anyhow::Ok(replay.run(args.max).await?)
    })?;
    for reason in &replayed.left {
        say!("left: {}", printable(reason));
    }
    say!(
        "{} audited, {} sent, {} left",
        count(replayed.audited, "payload"),
        count(replayed.sent, "job"),
        replayed.left.len()
    );
    Ok(if replayed.left.is_empty() { Ended::Clean } else { Ended::Found })
}
