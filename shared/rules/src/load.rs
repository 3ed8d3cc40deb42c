//! Rules from text, with every mistake told at its place.

use std::fmt;

use onus_core::duty::Area;

use crate::cases::Case;
use crate::model::locate::{self, Span};
use crate::model::{self, Problem, RuleFile};
use crate::responsibility;
use crate::rule::{Programs, Rule, Text, Watch};

/// One mistake in one rule file. Its fields are what a renderer needs to show the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}:{column}: {message}")]
pub struct LoadError {
    /// The file, as it was named to the loader.
    pub path: String,
    /// The file's text; empty when it could not be read.
    pub text: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The byte offset of the place in `text`.
    pub offset: usize,
    /// The length of the place in bytes.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it, where that can be told.
    pub hint: Option<String>,
}

impl LoadError {
    /// Never: the same text is wrong in the same way.
    pub fn is_retryable(&self) -> bool {
        false
    }

    pub(crate) fn at(path: &str, text: &str, problem: Problem) -> Self {
        let Problem { span: Span { offset, length }, message, hint } = problem;
        let (line, column) = locate::line_column(text, offset);
        Self { path: path.to_owned(), text: text.to_owned(), line, column, offset, length, message, hint }
    }

    /// A file that could not be read at all.
    pub(crate) fn unreadable(path: &str, error: &std::io::Error) -> Self {
        let problem = Problem { span: Span::default(), message: format!("cannot read: {error}"), hint: None };
        Self::at(path, "", problem)
    }
}

/// Every mistake of every file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadErrors(pub Vec<LoadError>);

impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{error}")?;
            if let Some(hint) = &error.hint {
                write!(f, " ({hint})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for LoadErrors {}

/// Reads one rule with its cases, compiling its expressions.
///
/// # Errors
/// All mistakes of the file, or the first one that stops it being a rule.
pub(crate) fn rule(path: &str, text: &str) -> Result<(Rule, Vec<Case>), Vec<LoadError>> {
    let tell = |problems: Vec<Problem>| problems.into_iter().map(|p| LoadError::at(path, text, p)).collect::<Vec<_>>();
    let file = model::parse(path, text).map_err(tell)?;
    let id = model::check::id_of(path).unwrap_or_default();
    let (rule, cases) = build(id, file);
    let mut problems = Vec::new();
    if responsibility::matrix().service(rule.cloud(), &rule.service).is_none() {
        let span = locate::word(text, "duty", &rule.service);
        let message = format!("`{}` is no service of the responsibility matrix", rule.service);
        let hint = Some("`onus responsibility` lists the services".to_owned());
        problems.push(Problem { span, message, hint });
    }
    for (key, with_state) in [("when", false), ("state_when", true)] {
        if with_state && rule.state_when.is_none() {
            continue;
        }
        let (source, program) = rule.expression(with_state);
        for error in program.err().unwrap_or_default() {
            let offset = locate::within_scalar(text, key, source, error.offset);
            let span = Span { offset, length: error.length.max(1) };
            problems.push(Problem { span, message: error.message.clone(), hint: error.hint.clone() });
        }
    }
    if problems.is_empty() { Ok((rule, cases)) } else { Err(tell(problems)) }
}

fn build(id: String, file: RuleFile) -> (Rule, Vec<Case>) {
    let text = |text: String| Text::Owned(text.trim().to_owned());
    let texts = |texts: Vec<String>| texts.into_iter().map(text).collect::<Vec<_>>().into();
    let cases = file.tests.into_iter().map(Case::from).collect();
    let rule = Rule {
        id: Text::Owned(id),
        title: text(file.title),
        status: file.status,
        // Both words were checked against the lists that core's own tables are tested against.
        severity: file.severity.parse().unwrap_or(onus_core::Severity::Medium),
        area: area(&file.duty.area).unwrap_or(Area::ConfigurationAndSettings),
        service: text(file.duty.service),
        why: text(file.why),
        benign: text(file.benign),
        respond: texts(file.respond),
        controls: texts(file.controls),
        references: texts(file.references),
        watch: Watch {
            source: text(file.watch.source),
            actions: texts(file.watch.actions),
            outcome: file.watch.outcome,
        },
        when: Text::Owned(file.when),
        state: file.state.map(text),
        state_when: file.state_when.map(Text::Owned),
        remedy: file.remedy.map(text),
        programs: Programs::new(),
    };
    (rule, cases)
}

fn area(name: &str) -> Option<Area> {
    Area::ALL.iter().copied().find(|area| area.as_str() == name)
}

#[cfg(test)]
mod tests {
    use onus_core::Severity;

    use super::*;
    use crate::model::check;

    #[test]
    fn the_file_format_and_core_use_the_same_words() {
        assert_eq!(check::SEVERITIES, Severity::ALL.map(Severity::as_str));
        assert_eq!(check::AREAS.as_slice(), Area::ALL.iter().map(|area| area.as_str()).collect::<Vec<_>>());
    }
}
