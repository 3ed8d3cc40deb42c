//! CSV (RFC 4180) that is safe to open in a spreadsheet.

use super::Located;
use super::printable::printable;

/// The columns.
pub const HEADER: [&str; 15] = [
    "finding",
    "rule",
    "severity",
    "verdict",
    "title",
    "owner",
    "time",
    "cloud",
    "account",
    "region",
    "operation",
    "actor",
    "resource",
    "file",
    "record",
];

/// The fields of one finding, in the order of [`HEADER`], made safe by [`inert`].
pub fn fields(located: &Located<'_>) -> [String; 15] {
    let finding = located.finding;
    let change = &finding.change;
    [
        inert(finding.id.as_str()),
        inert(&finding.rule),
        inert(finding.severity.as_str()),
        inert(located.verdict),
        inert(&finding.title),
        inert(finding.duty.owner.as_str()),
        inert(&change.time.to_string()),
        inert(change.cloud.as_str()),
        inert(&change.account),
        inert(&change.region),
        inert(&format!("{}:{}", change.service, change.action)),
        inert(&change.actor.id),
        inert(finding.resource().map_or("", |resource| &resource.id)),
        inert(located.file),
        located.record.to_string(),
    ]
}

/// One line with its line end; the header when given none.
pub fn line(located: Option<&Located<'_>>) -> String {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let written = match located {
        Some(located) => writer.write_record(fields(located)),
        None => writer.write_record(HEADER),
    };
    // INVARIANT: writing to memory cannot fail, and the fields are UTF-8.
    written
        .ok()
        .and_then(|()| writer.into_inner().ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default()
}

/// A text that no spreadsheet takes for a formula and no terminal for a command: one that begins with `=`, `+`, `-`, `@`, or one of
/// their full-width twins gets a `'` in front (OWASP, CSV Injection), and control characters become `\u{…}`.
pub fn inert(text: &str) -> String {
    let safe = printable(text);
    if text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || text.starts_with(['\t', '\r', '\n'])
    {
        format!("'{safe}")
    } else {
        safe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_a_command() {
        let cases = [
            ("logs", "logs"),
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("  =1+1", "'  =1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("＝1", "'＝1"),
            ("\t=1", "'\\u{9}=1"),
            ("a\u{1b}[31mb", "a\\u{1b}[31mb"),
            ("a\nb", "a\\u{a}b"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("Größe", "Größe"),
        ];
        let wrong: Vec<_> = cases.into_iter().filter(|(text, safe)| inert(text) != *safe).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
