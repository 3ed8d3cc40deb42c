//! Comma-separated values with a header, safe to open in a spreadsheet.

use std::io::{self, Write};

use onus_sinks::render::csv;

use super::{Report, Row};

pub(super) struct Csv<'a> {
    out: Box<dyn Write + 'a>,
    begun: bool,
}

impl<'a> Csv<'a> {
    pub(super) fn new(out: Box<dyn Write + 'a>) -> Self {
        Self { out, begun: false }
    }

    /// The header goes first, also when no row follows.
    fn begin(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.begun, true) {
            self.out.write_all(csv::line(None).as_bytes())?;
        }
        Ok(())
    }
}

impl Report for Csv<'_> {
    fn row(&mut self, row: &Row) -> io::Result<()> {
        self.begin()?;
        self.out.write_all(csv::line(Some(&row.located())).as_bytes())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.begin()?;
        self.out.flush()
    }
}
