//! `onus audit`: every record of every input against the rules.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Read};

use indicatif::ProgressBar;
use jiff::Timestamp;
use onus_core::{Change, Severity, Verdict};
use onus_pipeline::policy;
use onus_rules::{Rule, Subject};
use onus_sources::{Decoded, Entry, Scanned};

use crate::Ended;
use crate::args::{AuditArgs, FailOn};
use crate::failure::{count, note};
use crate::input::{self, Input};
use crate::output::{self, Report, Row, Source};
use crate::selection::{self, Selection};

/// Broken records that are told one by one; of further ones only the number.
const TOLD: u64 = 20;

/// Reads every input and prints what rules say.
///
/// # Errors
/// The arguments name nothing that can be read, the rules or the policy are wrong, or the output cannot be written.
pub(crate) fn run(args: &AuditArgs) -> anyhow::Result<Ended> {
    let selection = selection::load(&args.rules)?;
    let inputs = input::expand(&args.inputs)?;
    let bar = input::progress(&inputs, args.quiet);
    let report = output::report(args.format, Box::new(BufWriter::new(io::stdout().lock())));
    let audit = RefCell::new(Audit {
        args,
        selection: &selection,
        bar: &bar,
        report,
        totals: Totals::default(),
        now: Timestamp::now(),
    });
    for input in &inputs {
        bar.set_message(input.name());
        read(&audit, input)?;
    }
    bar.finish_and_clear();
    let mut audit = audit.into_inner();
    audit.report.finish()?;
    audit.totals.tell(args.quiet);
    Ok(audit.totals.ended(args.fail_on))
}

/// What one run has seen.
#[derive(Debug, Default)]
struct Totals {
    scanned: Scanned,
    inputs: usize,
    unreadable: u64,
    unjudged: u64,
    exempt: u64,
    undecided: usize,
    findings: BTreeMap<Severity, usize>,
}

struct Audit<'a> {
    args: &'a AuditArgs,
    selection: &'a Selection,
    bar: &'a ProgressBar,
    report: Box<dyn Report + 'a>,
    totals: Totals,
    now: Timestamp,
}

/// Scans one input. An input that cannot be read is told and counted; the others go on.
fn read(audit: &RefCell<Audit<'_>>, input: &Input) -> anyhow::Result<()> {
    match input {
        #[cfg(feature = "buckets")]
        Input::Object(url) => {
            crate::objects::each(url, &mut |name, _, content| scan(audit, name, &mut std::io::Cursor::new(content)))
        }
        other => match input::open(other) {
            Ok(mut reader) => scan(audit, &other.name(), &mut reader),
            Err(error) => {
                audit.borrow_mut().unreadable(&anyhow::Error::from(error));
                Ok(())
            }
        },
    }
}

fn scan(audit: &RefCell<Audit<'_>>, name: &str, reader: &mut dyn Read) -> anyhow::Result<()> {
    let mut written = Ok(());
    let reader = audit.borrow().bar.wrap_read(reader);
    let scanned = onus_sources::scan_reader(name, reader, &mut |entry| {
        if written.is_ok() {
            written = audit.borrow_mut().entry(&entry);
        }
    });
    written?;
    let mut audit = audit.borrow_mut();
    audit.totals.inputs += 1;
    match scanned {
        Ok(scanned) => {
            audit.totals.add(&scanned);
            if scanned.records > 0 && scanned.records == scanned.broken {
                audit.unreadable(&anyhow::anyhow!("`{name}` holds nothing that can be read"));
            }
        }
        Err(error) => {
            audit.totals.add(&error.scanned);
            audit.unreadable(&anyhow::Error::from(error));
        }
    }
    Ok(())
}

impl Audit<'_> {
    fn unreadable(&mut self, error: &anyhow::Error) {
        self.totals.unreadable += 1;
        self.bar.suspend(|| crate::failure::tell(error));
    }

    fn entry(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        match &entry.result {
            Ok(Decoded::Change(change)) => self.judge(entry, change),
            Ok(Decoded::Skipped(_)) => Ok(()),
            Err(error) => {
                self.totals.scanned.broken += 1;
                if self.totals.scanned.broken <= TOLD && !self.args.quiet {
                    self.bar.suspend(|| note(&format!("{} record {}: {error}", entry.file, entry.record)));
                }
                Ok(())
            }
        }
    }

    fn judge(&mut self, entry: &Entry<'_>, change: &Change<'_>) -> io::Result<()> {
        let selection = self.selection;
        let mut subject = None;
        for rule in selection.catalog.candidates(change) {
            let subject = subject.get_or_insert_with(|| Subject::new(change, None, &selection.settings));
            match subject.evaluate(rule) {
                Ok(Verdict::Silent) => {}
                Ok(Verdict::NeedsState(_)) if self.args.decided => {}
                Ok(verdict) => self.row(entry, change, rule, verdict)?,
                Err(error) => {
                    self.totals.unjudged += 1;
                    self.bar.suspend(|| note(&format!("{} record {}: {error}", entry.file, entry.record)));
                }
            }
        }
        Ok(())
    }

    fn row(&mut self, entry: &Entry<'_>, change: &Change<'_>, rule: &Rule, verdict: Verdict) -> io::Result<()> {
        if self.args.severity.is_some_and(|least| rule.severity < least) {
            return Ok(());
        }
        let finding = onus_rules::finding(rule, change, None, self.now);
        if self.selection.policy.exemption(&policy::Subject::from(&finding), self.now).is_some() {
            self.totals.exempt += 1;
            return Ok(());
        }
        match verdict {
            Verdict::Fires => *self.totals.findings.entry(rule.severity).or_default() += 1,
            Verdict::Silent | Verdict::NeedsState(_) => self.totals.undecided += 1,
        }
        let source = Source { file: entry.file.to_owned(), record: entry.record };
        self.report.row(&Row { finding, verdict, source })
    }
}

impl Totals {
    /// Adds what an input held. Broken records were counted as they came.
    fn add(&mut self, scanned: &Scanned) {
        self.scanned.records += scanned.records;
        self.scanned.changes += scanned.changes;
        for (name, number) in &scanned.skipped {
            *self.scanned.skipped.entry(name).or_default() += number;
        }
    }

    fn tell(&self, quiet: bool) {
        if self.scanned.broken > TOLD && !quiet {
            note(&format!("{} more records are broken", self.scanned.broken - TOLD));
        }
        if quiet {
            return;
        }
        let findings: usize = self.findings.values().sum();
        let by_severity: Vec<String> =
            self.findings.iter().rev().map(|(severity, number)| format!("{number} {severity}")).collect();
        let skipped: Vec<String> =
            self.scanned.skipped.iter().map(|(name, number)| format!("{number} {name}")).collect();
        let mut parts = vec![
            format!("{} in {}", count_u64(self.scanned.records, "record"), count(self.inputs, "input")),
            format!("{} changes", self.scanned.changes),
        ];
        let with = |number: u64, what: &str, of: &[String]| match (number, of) {
            (0, _) => None,
            (_, []) => Some(format!("{number} {what}")),
            (_, of) => Some(format!("{number} {what} ({})", of.join(", "))),
        };
        parts.extend(with(self.scanned.skipped.values().sum(), "skipped", &skipped));
        parts.extend(with(self.scanned.broken, "broken", &[]));
        parts.extend(with(self.unjudged, "not judged", &[]));
        parts.extend(with(self.exempt, "exempt", &[]));
        parts.push(match by_severity.as_slice() {
            [] => "no findings".to_owned(),
            some => format!("{} ({})", count(findings, "finding"), some.join(", ")),
        });
        parts.extend(with(self.undecided as u64, "undetermined: the record leaves out what decides", &[]));
        eprintln!("{}", parts.join("; "));
    }

    fn ended(&self, fail_on: FailOn) -> Ended {
        if self.unreadable > 0 || self.unjudged > 0 {
            return Ended::Unreadable;
        }
        match fail_on {
            FailOn::At(least) if self.findings.range(least..).next().is_some() => Ended::Found,
            FailOn::At(_) | FailOn::Never => Ended::Clean,
        }
    }
}

fn count_u64(number: u64, thing: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), thing)
}
