//! One SARIF 2.1.0 document, for code scanning tools that read folders of logs.

use std::io::{self, Write};

use onus_sinks::render::sarif;

use super::{Report, Row, json_document};

pub(super) struct Sarif<'a> {
    out: Box<dyn Write + 'a>,
    rows: Vec<Row>,
}

impl<'a> Sarif<'a> {
    pub(super) fn new(out: Box<dyn Write + 'a>) -> Self {
        Self { out, rows: Vec::new() }
    }
}

impl Report for Sarif<'_> {
    fn row(&mut self, row: &Row) -> io::Result<()> {
        self.rows.push(row.clone());
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        writeln!(self.out, "{}", json_document(&sarif::log(self.rows.iter().map(Row::located)))?)?;
        self.out.flush()
    }
}
