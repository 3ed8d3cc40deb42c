//! A table for people, worst first.

use std::cmp::Reverse;
use std::io::{self, Write};

use comfy_table::{ContentArrangement, presets};

use super::{Report, Row};
use onus_sinks::render::printable::{printable, shortened};

pub(super) struct Table<'a> {
    out: Box<dyn Write + 'a>,
    rows: Vec<Line>,
}

/// A row's text, so that a large report does not keep whole findings.
struct Line {
    order: (Reverse<onus_core::Severity>, String),
    cells: [String; 7],
}

const HEADER: [&str; 7] = ["severity", "rule", "resource", "actor", "time", "duty", "source"];

impl<'a> Table<'a> {
    pub(super) fn new(out: Box<dyn Write + 'a>) -> Self {
        Self { out, rows: Vec::new() }
    }
}

impl Report for Table<'_> {
    fn row(&mut self, row: &Row) -> io::Result<()> {
        let finding = &row.finding;
        let undecided = if row.verdict() == "needs_state" { " ?" } else { "" };
        let resource = finding.resource().map(|resource| shortened(&resource.name, 60)).unwrap_or_default();
        self.rows.push(Line {
            order: (Reverse(finding.severity), finding.change.time.to_string()),
            cells: [
                format!("{}{undecided}", finding.severity),
                finding.rule.clone(),
                resource,
                shortened(&finding.change.actor.id, 60),
                finding.change.time.to_string(),
                finding.duty.owner.to_string(),
                format!("{}:{}", printable(&row.source.file), row.source.record),
            ],
        });
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.rows.sort_by(|left, right| left.order.cmp(&right.order));
        if !self.rows.is_empty() {
            let rows = self.rows.drain(..).map(|line| line.cells.to_vec()).collect();
            writeln!(self.out, "{}", grid(&HEADER, rows))?;
        }
        self.out.flush()
    }
}

/// A table without frames that fits the terminal's width. The cells must be printable already.
pub(crate) fn grid(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = comfy_table::Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header.iter().map(|name| name.to_uppercase()))
        .add_rows(rows);
    table.trim_fmt()
}
