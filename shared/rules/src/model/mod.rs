//! A rule file as it is written. The build script includes this module too, so that a rule is read in one way only; it
//! therefore knows no other crate of ours.

pub mod check;
pub mod locate;
#[cfg(test)]
mod schema;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use self::locate::Span;

/// One rule file. `README.md` of this crate explains each key; an unknown key is an error.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// What happened, in one line, as a person would say it.
    pub title: String,
    /// How settled the rule is.
    pub status: Status,
    /// `informational`, `low`, `medium`, `high` or `critical`.
    #[cfg_attr(test, schemars(extend("enum" = check::SEVERITIES)))]
    pub severity: String,
    /// Which cell of the responsibility matrix it is about.
    pub duty: DutyKey,
    /// Why it matters.
    pub why: String,
    /// When it is harmless, and how to tell.
    #[serde(default)]
    pub benign: String,
    /// What a person does next, in order.
    pub respond: Vec<String>,
    /// Controls it bears on, `framework:id`.
    #[serde(default)]
    pub controls: Vec<String>,
    /// Pages to read.
    #[serde(default)]
    pub references: Vec<String>,
    /// Which changes it looks at.
    pub watch: WatchFile,
    /// The CEL expression that decides.
    pub when: String,
    /// The resource kind to read when the record cannot decide.
    #[serde(default)]
    pub state: Option<String>,
    /// The CEL expression that decides once state was read; without it, `when`.
    #[serde(default)]
    pub state_when: Option<String>,
    /// The id of the remediation that takes it back.
    #[serde(default)]
    pub remedy: Option<String>,
    /// What the rule says about given records.
    #[serde(default)]
    pub tests: Vec<CaseFile>,
}

/// How settled a rule is. A rule is never deleted and its id never reused: it becomes `deprecated`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// May still change its meaning.
    Draft,
    /// Keeps its meaning.
    Stable,
    /// Is not evaluated any more.
    Deprecated,
}

impl Status {
    /// The lower-case name used in rule files and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Draft => "draft",
            Status::Stable => "stable",
            Status::Deprecated => "deprecated",
        }
    }
}

/// The key of a cell of the responsibility matrix.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DutyKey {
    /// The area: `data_classification_accountability`, `network_controls`, …
    #[cfg_attr(test, schemars(extend("enum" = check::AREAS)))]
    pub area: String,
    /// The service's row in the matrix: `S3`.
    pub service: String,
}

/// Which changes a rule looks at. May match too much: `when` decides.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WatchFile {
    /// The log: `aws.cloudtrail`.
    pub source: String,
    /// `service:Action`, `service:*` or `*:*`.
    pub actions: Vec<String>,
    /// How the call has to have ended.
    #[serde(default)]
    pub outcome: WatchOutcome,
}

/// How a watched call has to have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum WatchOutcome {
    /// The change was made.
    #[default]
    Succeeded,
    /// The change was refused.
    Failed,
    /// Either.
    Any,
}

impl WatchOutcome {
    /// The lower-case name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Any => "any",
        }
    }
}

/// What the rule says about one record.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// What the case shows.
    pub name: String,
    /// The verdict.
    pub expect: Expect,
    /// A fixture, as a path below the events folder.
    #[serde(default)]
    pub event: Option<String>,
    /// The record itself, instead of a fixture.
    #[serde(default)]
    pub record: Option<Map<String, Value>>,
    /// Changes to the record: dotted path or JSON pointer → value; `null` deletes.
    #[serde(default)]
    pub with: BTreeMap<String, Value>,
    /// What reading the resource gave; the rule is then evaluated as after a reading.
    #[serde(default)]
    pub state: Option<CaseState>,
    /// The operator's settings, where the rule looks at them.
    #[serde(default)]
    pub settings: Option<Map<String, Value>>,
}

/// What a case pretends was read of the resource.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CaseState {
    /// Read key → answer, seen as `state`.
    #[serde(default)]
    pub image: Map<String, Value>,
    /// What it means: `grants`, `openings`, `doubts`, as in a finding's `effects`.
    #[serde(default)]
    pub effects: Map<String, Value>,
}

/// The verdict a case expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// The rule fires.
    Fires,
    /// The rule does not fire.
    Silent,
    /// The record does not tell.
    NeedsState,
}

impl Expect {
    /// The name used in rule files and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Expect::Fires => "fires",
            Expect::Silent => "silent",
            Expect::NeedsState => "needs_state",
        }
    }
}

/// Something wrong with a rule file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The place in the file's text.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to do about it, where that can be told.
    pub hint: Option<String>,
}

/// Reads one rule file and checks everything that can be told without its expressions.
///
/// # Errors
/// The text is no YAML or no rule (the first place where it stops being one), or all places where a value is wrong.
pub fn parse(path: &str, text: &str) -> Result<RuleFile, Vec<Problem>> {
    let file: RuleFile = yaml_serde::from_str(text).map_err(|error| {
        let span =
            error.location().map_or(Span::default(), |at| Span { offset: at.index().min(text.len()), length: 1 });
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        vec![Problem { span, message, hint: None }]
    })?;
    let problems = check::file(path, &file, text);
    if problems.is_empty() { Ok(file) } else { Err(problems) }
}

impl CaseFile {
    /// The record as JSON text.
    pub fn record_json(&self) -> Option<String> {
        self.record.clone().map(|record| Value::Object(record).to_string())
    }

    /// The changes to the record as a JSON object.
    pub fn with_json(&self) -> String {
        Value::Object(self.with.clone().into_iter().collect()).to_string()
    }

    /// The state as a JSON object with `image` and `effects`.
    pub fn state_json(&self) -> Option<String> {
        let state = self.state.clone()?;
        Some(serde_json::json!({ "image": state.image, "effects": state.effects }).to_string())
    }

    /// The settings as a JSON object.
    pub fn settings_json(&self) -> Option<String> {
        self.settings.clone().map(|settings| Value::Object(settings).to_string())
    }
}
