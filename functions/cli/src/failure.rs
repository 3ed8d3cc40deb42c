//! How failures are told: what was attempted, why it failed, what to do; for a rule file also the place in it.

use std::io;

use miette::{GraphicalReportHandler, LabeledSpan, MietteDiagnostic, NamedSource};
use onus_rules::{LoadError, LoadErrors};

use onus_sinks::render::printable::printable;

/// Prints an error and its causes to standard error.
pub(crate) fn tell(error: &anyhow::Error) {
    if let Some(LoadErrors(errors)) = error.downcast_ref::<LoadErrors>() {
        for error in errors {
            eprintln!("{}", place(error));
        }
        eprintln!("error: {} in the rules", count(errors.len(), "mistake"));
        return;
    }
    let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
    eprintln!("error: {}", printable(&chain.join(": ")));
}

/// A note that does not end the command.
pub(crate) fn note(text: &str) {
    eprintln!("note: {}", printable(text));
}

/// Whether writing failed because the reader of our output is gone.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// `1 finding`, `2 findings`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// One mistake of a rule file with the lines around it.
fn place(error: &LoadError) -> String {
    let label = LabeledSpan::at(error.offset..error.offset + error.length, "here");
    let mut diagnostic = MietteDiagnostic::new(error.to_string()).with_label(label);
    if let Some(hint) = &error.hint {
        diagnostic = diagnostic.with_help(hint.clone());
    }
    let report = miette::Report::new(diagnostic).with_source_code(NamedSource::new(&error.path, error.text.clone()));
    let mut text = String::new();
    match GraphicalReportHandler::new().render_report(&mut text, report.as_ref()) {
        Ok(()) => text,
        Err(_) => error.to_string(),
    }
}
