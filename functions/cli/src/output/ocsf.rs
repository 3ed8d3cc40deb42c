//! One OCSF Detection Finding a line: what sinks tell, without the CloudEvent around it.

use std::io::{self, Write};

use onus_core::{Mode, Notice, Verdict};
use onus_sinks::DetectionFinding;

use super::{Report, Row, json_line};

pub(super) struct Ocsf<'a> {
    out: Box<dyn Write + 'a>,
}

impl<'a> Ocsf<'a> {
    pub(super) fn new(out: Box<dyn Write + 'a>) -> Self {
        Self { out }
    }
}

impl Report for Ocsf<'_> {
    /// A record that could not be decided is an alarm: somebody has to look.
    fn row(&mut self, row: &Row) -> io::Result<()> {
        let finding = Box::new(row.finding.clone());
        let notice = match &row.verdict {
            Verdict::Fires | Verdict::Silent => Notice::Found { finding, mode: Mode::Alert },
            Verdict::NeedsState(doubts) => {
                let doubts: Vec<String> = doubts.iter().map(ToString::to_string).collect();
                let reason = format!("the record alone cannot decide: {}", doubts.join(", "));
                Notice::Alarm { at: finding.found_at, finding, reason }
            }
        };
        writeln!(self.out, "{}", json_line(&DetectionFinding::from(&notice))?)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
