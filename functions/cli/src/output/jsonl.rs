//! One JSON object a line, for `jq` and for scripts. Fields are only ever added.

use std::io::{self, Write};

use onus_core::{ChangeSummary, Doubt, Duty, Effects, Severity, Verdict};
use serde::Serialize;

use super::{Report, Row, Source, json_line};

pub(super) struct Jsonl<'a> {
    out: Box<dyn Write + 'a>,
}

impl<'a> Jsonl<'a> {
    pub(super) fn new(out: Box<dyn Write + 'a>) -> Self {
        Self { out }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    rule: &'a str,
    title: &'a str,
    severity: Severity,
    verdict: &'static str,
    #[serde(skip_serializing_if = "<[Doubt]>::is_empty")]
    doubts: &'a [Doubt],
    finding: &'a str,
    duty: &'a Duty,
    change: &'a ChangeSummary,
    effects: &'a Effects,
    remedy: Option<&'a str>,
    controls: &'a [String],
    source: &'a Source,
}

impl Report for Jsonl<'_> {
    fn row(&mut self, row: &Row) -> io::Result<()> {
        let line = Line {
            rule: &row.finding.rule,
            title: &row.finding.title,
            severity: row.finding.severity,
            verdict: row.verdict(),
            doubts: match &row.verdict {
                Verdict::NeedsState(doubts) => doubts,
                Verdict::Fires | Verdict::Silent => &[],
            },
            finding: row.finding.id.as_str(),
            duty: &row.finding.duty,
            change: &row.finding.change,
            effects: &row.finding.effects,
            remedy: row.finding.remedy.as_deref(),
            controls: &row.finding.controls,
            source: &row.source,
        };
        writeln!(self.out, "{}", json_line(&line)?)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
