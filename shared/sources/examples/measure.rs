//! Decodes files and prints what each held, what was skipped and why, what was broken and how, and how fast it went.
//!
//! `cargo run --release -p onus-sources --example measure -- [--effects] FILE…`

use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::time::Instant;

use onus_sources::{Decoded, scan_reader};

/// The broken entries that are printed of each file.
const SHOWN: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    let mut effects = false;
    for path in std::env::args().skip(1) {
        if path == "--effects" {
            effects = true;
            continue;
        }
        let (mut broken, mut named, mut opened) = (Vec::new(), 0_u64, 0_u64);
        let started = Instant::now();
        let result = scan_reader(&path, File::open(&path)?, &mut |entry| match entry.result {
            Ok(Decoded::Change(change)) => {
                named += u64::from(!change.resources.is_empty());
                if effects {
                    opened += (change.effects().openings.len() + change.effects().grants.len()) as u64;
                }
            }
            Ok(Decoded::Skipped(_)) => {}
            Err(error) => broken.push(format!("  record {}: {error}", entry.record)),
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
        for line in broken.iter().take(SHOWN) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}
