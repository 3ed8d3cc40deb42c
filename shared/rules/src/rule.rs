//! A rule as the engine holds it: compiled in, or read from a file.

use std::borrow::Cow;
use std::sync::OnceLock;

use onus_core::{Area, Duty, Severity};

use crate::expression::{ExpressionError, Program};
use crate::model::{Status, WatchOutcome};
use crate::responsibility;

/// A text that is either compiled into the binary or was read from a file.
pub type Text = Cow<'static, str>;

/// A list of such texts.
pub type Texts = Cow<'static, [Text]>;

/// One rule. Immutable; its expressions are compiled the first time they are evaluated.
#[derive(Debug)]
pub struct Rule {
    /// The path with dots: `aws.s3.bucket_made_public`. Never reused.
    pub id: Text,
    /// What happened, in one line.
    pub title: Text,
    /// How settled the rule is. Deprecated rules are no candidates for any change.
    pub status: Status,
    /// How bad it is when the rule fires.
    pub severity: Severity,
    /// The area of the responsibility matrix it is about.
    pub area: Area,
    /// The service's row in the matrix: `S3`.
    pub service: Text,
    /// Why it matters.
    pub why: Text,
    /// When it is harmless; empty when never.
    pub benign: Text,
    /// What a person does next, in order.
    pub respond: Texts,
    /// Controls it bears on, `framework:id`.
    pub controls: Texts,
    /// Pages to read.
    pub references: Texts,
    /// Which changes it looks at.
    pub watch: Watch,
    /// The CEL expression that decides.
    pub when: Text,
    /// The resource kind to read when the record cannot decide.
    pub state: Option<Text>,
    /// The CEL expression that decides once state was read; `None`: `when`.
    pub state_when: Option<Text>,
    /// The remediation that takes it back.
    pub remedy: Option<Text>,
    pub(crate) programs: Programs,
}

/// Which changes a rule looks at.
#[derive(Debug, Clone)]
pub struct Watch {
    /// The log: `aws.cloudtrail`.
    pub source: Text,
    /// `service:Action`, `service:*` or `*:*`.
    pub actions: Texts,
    /// How the call has to have ended.
    pub outcome: WatchOutcome,
}

/// The compiled expressions of a rule, filled in on first use.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    when: OnceLock<Result<Program, Vec<ExpressionError>>>,
    state_when: OnceLock<Result<Program, Vec<ExpressionError>>>,
}

impl Programs {
    pub(crate) const fn new() -> Self {
        Self { when: OnceLock::new(), state_when: OnceLock::new() }
    }
}

impl Rule {
    /// The cloud the rule is for: the first word of its id.
    pub fn cloud(&self) -> &str {
        self.id.split('.').next().unwrap_or_default()
    }

    /// Whose duty a finding of this rule is, out of the responsibility matrix. A service that the matrix does not know
    /// counts as infrastructure, where most is the customer's; loading refuses such a rule.
    pub fn duty(&self) -> Duty {
        let matrix = responsibility::matrix();
        let model = matrix.service(self.cloud(), &self.service).map_or(onus_core::ServiceModel::Iaas, |row| row.model);
        Duty { area: self.area, service: self.service.to_string(), model, owner: matrix.owner(self.area, model) }
    }

    /// The expression that decides, and its compiled form.
    pub(crate) fn expression(&self, with_state: bool) -> (&str, Result<&Program, &[ExpressionError]>) {
        let (text, program) = match (&self.state_when, with_state) {
            (Some(text), true) => (text, &self.programs.state_when),
            _ => (&self.when, &self.programs.when),
        };
        let program = program.get_or_init(|| Program::compile(text, self.state.is_some()));
        (text, program.as_ref().map_err(Vec::as_slice))
    }
}
