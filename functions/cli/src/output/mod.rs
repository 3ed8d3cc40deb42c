//! How findings are printed: one file per format.

mod csv;
mod jsonl;
mod ocsf;
mod sarif;
pub(crate) mod table;

use std::io::{self, Write};

use onus_core::{Finding, Verdict};
use onus_sinks::render::Located;
use onus_sinks::render::printable::printable_json;
use serde::Serialize;

use crate::args::Format;

/// Like `println!`, but a reader that went away (`onus … | head`) is an error to return, not a panic.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        writeln!(std::io::stdout().lock(), $($text)*)?
    }};
}
pub(crate) use say;

/// A value as one line of JSON that a terminal may be shown.
///
/// # Errors
/// The value cannot be written as JSON.
pub(crate) fn json_line(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string(value).map(|text| printable_json(&text))
}

/// The same over many lines, for people.
///
/// # Errors
/// The value cannot be written as JSON.
pub(crate) fn json_document(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string_pretty(value).map(|text| printable_json(&text))
}

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Source {
    /// The file or URL, as given or found; `-` for standard input.
    pub file: String,
    /// The entry's ordinal in it, counted from 0.
    pub record: u64,
}

/// One line of the report: a rule that fired on a record, or that the record alone could not decide.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// What would be told if the verdict is `fires`.
    pub finding: Finding,
    /// `fires` or `needs_state`; a silent rule has no row.
    pub verdict: Verdict,
    /// Where the record stands.
    pub source: Source,
}

impl Row {
    /// The form that the renderings of `onus-sinks` take.
    pub(crate) fn located(&self) -> Located<'_> {
        Located { finding: &self.finding, verdict: self.verdict(), file: &self.source.file, record: self.source.record }
    }

    /// `fires` or `needs_state`.
    pub(crate) fn verdict(&self) -> &'static str {
        match self.verdict {
            Verdict::Fires => "fires",
            Verdict::Silent => "silent",
            Verdict::NeedsState(_) => "needs_state",
        }
    }
}

/// Prints rows in one format.
pub(crate) trait Report {
    /// Takes a row. Streaming formats print it at once.
    ///
    /// # Errors
    /// The output cannot be written.
    fn row(&mut self, row: &Row) -> io::Result<()>;

    /// Prints what comes after the last row.
    ///
    /// # Errors
    /// The output cannot be written.
    fn finish(&mut self) -> io::Result<()>;
}

/// The report of a format, written to `out`.
pub(crate) fn report<'a>(format: Format, out: Box<dyn Write + 'a>) -> Box<dyn Report + 'a> {
    match format {
        Format::Table => Box::new(table::Table::new(out)),
        Format::Jsonl => Box::new(jsonl::Jsonl::new(out)),
        Format::Ocsf => Box::new(ocsf::Ocsf::new(out)),
        Format::Sarif => Box::new(sarif::Sarif::new(out)),
        Format::Csv => Box::new(csv::Csv::new(out)),
    }
}
