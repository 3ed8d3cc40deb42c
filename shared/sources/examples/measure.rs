//! Decodes files and prints what each held, what was skipped and why, what was broken and how, and how fast it went.
//!
//! `cargo run --release -p onus-sources --example measure -- [--effects] [--unnamed] FILE…`
//!
//! `--effects` works the effects out, too; `--unnamed` lists the operations that changed something and name no resource.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::time::Instant;

use onus_sources::{Decoded, scan_reader};

/// The broken entries that are printed of each file.
const SHOWN: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    let (options, paths): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    let effects = options.iter().any(|option| option == "--effects");
    let list_unnamed = options.iter().any(|option| option == "--unnamed");
    for path in paths {
        let (mut broken, mut named, mut opened) = (Vec::new(), 0_u64, 0_u64);
        let mut unnamed: BTreeMap<String, u64> = BTreeMap::new();
        let started = Instant::now();
        let result = scan_reader(&path, File::open(&path)?, &mut |entry| match entry.result {
            Ok(Decoded::Change(change)) => {
                named += u64::from(!change.resources.is_empty());
                if list_unnamed && !change.read_only && change.outcome.succeeded() && change.resources.is_empty() {
                    *unnamed.entry(change.operation()).or_default() += 1;
                }
                if effects {
                    opened += (change.effects().openings.len() + change.effects().grants.len()) as u64;
                }
            }
            Err(error) if broken.len() < SHOWN => broken.push(format!("  record {}: {error}", entry.record)),
            Ok(Decoded::Skipped(_)) | Err(_) => {}
        });
        let took = started.elapsed();
        match result {
            Ok(scanned) => writeln!(
                out,
                "{path}: {} records, {} changes ({named} name a resource, {opened} openings and grants), skipped {:?}, {} broken, {took:?}",
                scanned.records, scanned.changes, scanned.skipped, scanned.broken
            )?,
            Err(error) => writeln!(out, "{path}: {error}: {}", error.source)?,
        }
        for line in &broken {
            writeln!(out, "{line}")?;
        }
        for (operation, count) in unnamed {
            writeln!(out, "  {operation} names no resource ({count})")?;
        }
    }
    Ok(())
}
