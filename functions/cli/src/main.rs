//! `onus`: the pipeline of the functions, on your own machine.

mod args;
mod audit;
#[cfg(feature = "operator")]
mod baseline;
mod exempt;
mod explain;
mod failure;
mod generate;
mod input;
mod ledger;
#[cfg(feature = "buckets")]
mod objects;
mod output;
mod policy;
mod remediations;
#[cfg(feature = "operator")]
mod replay_dlq;
mod responsibility;
mod rules;
mod selection;
mod stats;
mod verify;

use std::process::ExitCode;

use args::{Cli, Command, ExemptionsCommand, PolicyCommand, RemediationsCommand};
use clap::{CommandFactory, Parser};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How a command ended, apart from failing: its exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// 0.
    Clean,
    /// 1: findings, failed rule tests, files out of date, a request that was refused.
    Found,
    /// 2: part of the input could not be read; the rest was reported.
    Unreadable,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(Ended::Clean) => ExitCode::SUCCESS,
        Ok(Ended::Found) => ExitCode::from(1),
        Ok(Ended::Unreadable) => ExitCode::from(2),
        // The reader went away (`onus … | head`): nothing to tell, nobody to tell it to.
        Err(error) if failure::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            failure::tell(&error);
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> anyhow::Result<Ended> {
    match command {
        Command::Audit(args) => audit::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Policy(PolicyCommand::Explain(args)) => policy::explain(&args),
        Command::Rules(command) => rules::run(&command),
        Command::Remediations(RemediationsCommand::List(args)) => remediations::list(&args),
        Command::Responsibility(args) => responsibility::run(&args),
        Command::Findings(args) => ledger::findings(&args),
        Command::Show(args) => ledger::show(&args),
        Command::Approve(args) => ledger::request(&args, ledger::Ask::Approve),
        Command::Deny(args) => ledger::request(&args, ledger::Ask::Deny),
        Command::Undo(args) => ledger::request(&args, ledger::Ask::Undo),
        Command::Exempt(args) => exempt::exempt(&args),
        Command::Exemptions(ExemptionsCommand::List(args)) => exempt::list(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Stats(args) => stats::run(&args),
        #[cfg(feature = "operator")]
        Command::Baseline(args) => baseline::run(&args),
        #[cfg(feature = "operator")]
        Command::ReplayDlq(args) => replay_dlq::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "onus", &mut std::io::stdout());
            Ok(Ended::Clean)
        }
    }
}
