//! The tests that a rule file carries, and how they are run.
//!
//! Decoding is the caller's: this crate knows no log format. [`check`] takes two functions, one that reads a fixture and one
//! that decodes a record and hands the change on, because a change borrows from the record's text.

use std::borrow::Cow;

use onus_core::{Change, Effects, Image, State, Verdict};
use serde_json::{Map, Value};

use crate::evaluate::{EvaluateError, Settings, Subject};
use crate::model::{CaseFile, Expect};
use crate::rule::{Rule, Text};

/// One test of a rule. JSON is kept as text, so that cases cost nothing until they are run.
#[derive(Debug, Clone)]
pub struct Case {
    /// What the case shows.
    pub name: Text,
    /// The verdict it expects.
    pub expect: Expect,
    pub(crate) event: Option<Text>,
    pub(crate) record: Option<Text>,
    pub(crate) with: Text,
    pub(crate) state: Option<Text>,
    pub(crate) settings: Option<Text>,
}

/// Why a case did not go as expected.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The fixture could not be read.
    #[error("cannot read event `{event}`: {reason}")]
    Fixture {
        /// Its path below the events folder.
        event: String,
        /// Why not.
        reason: String,
    },
    /// The record, the state or the settings of the case are not what they should be.
    #[error("cannot prepare the record: {0}")]
    Record(String),
    /// The record does not decode.
    #[error("cannot decode the record: {0}")]
    Decode(String),
    /// The rule does not even watch this change, so its expression says nothing.
    #[error("`{operation}` of `{log}` is not watched by the rule")]
    Unwatched {
        /// The change's `service:Action`.
        operation: String,
        /// The change's log.
        log: String,
    },
    /// The expression failed.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// The verdict is another one.
    #[error("expected `{}`, was `{}`", expected.as_str(), verdict_name(was))]
    Verdict {
        /// What the case says.
        expected: Expect,
        /// What the rule says.
        was: Verdict,
    },
}

impl CaseError {
    /// Never: a case depends on nothing that changes by itself.
    pub fn is_retryable(&self) -> bool {
        false
    }
}

/// Reads a fixture by its path below the events folder.
pub type ReadFixture<'f> = dyn Fn(&str) -> Result<String, String> + 'f;

/// Decodes one record and hands the change to the function, or says why it cannot.
pub type Decode<'f> = dyn Fn(&str, &mut dyn FnMut(&Change<'_>)) -> Result<(), String> + 'f;

/// Runs one case of a rule.
///
/// # Errors
/// The case did not go as expected, or could not be run.
pub fn check(rule: &Rule, case: &Case, read: &ReadFixture<'_>, decode: &Decode<'_>) -> Result<(), CaseError> {
    let record = case.record_text(read)?;
    let state = case.state()?;
    let settings = case.settings()?;
    let mut outcome = Err(CaseError::Decode("the record holds no change".to_owned()));
    decode(&record, &mut |change| outcome = judge(rule, change, state.as_ref(), &settings))
        .map_err(CaseError::Decode)?;
    let was = outcome?;
    let met = match case.expect {
        Expect::Fires => was == Verdict::Fires,
        Expect::Silent => was == Verdict::Silent,
        Expect::NeedsState => matches!(was, Verdict::NeedsState(_)),
    };
    if met { Ok(()) } else { Err(CaseError::Verdict { expected: case.expect, was }) }
}

fn judge(rule: &Rule, change: &Change<'_>, state: Option<&State>, settings: &Settings) -> Result<Verdict, CaseError> {
    let watches = |action: &Text| {
        let (service, name) = action.split_once(':').unwrap_or_default();
        (service == "*" || service == change.service) && (name == "*" || name == change.action)
    };
    if rule.watch.source != change.source || !rule.watch.actions.iter().any(watches) {
        return Err(CaseError::Unwatched { operation: change.operation(), log: change.source.to_owned() });
    }
    Ok(Subject::new(change, state, settings).evaluate(rule)?)
}

impl Case {
    /// The fixture the case starts from, as a path below the events folder; `None` when it writes the record itself.
    pub fn event(&self) -> Option<&str> {
        self.event.as_deref()
    }

    /// The text of the case's record: the fixture or the record, with the changes of `with`.
    ///
    /// # Errors
    /// The fixture cannot be read or is no JSON object, or a path of `with` leads nowhere.
    pub fn record_text(&self, read: &ReadFixture<'_>) -> Result<String, CaseError> {
        let text: Cow<'_, str> = match (&self.event, &self.record) {
            (Some(event), _) => {
                let fixture = |reason| CaseError::Fixture { event: event.to_string(), reason };
                Cow::Owned(read(event).map_err(fixture)?)
            }
            (None, record) => Cow::Borrowed(record.as_deref().unwrap_or("{}")),
        };
        let mut record: Value = json(&text)?;
        let with: Map<String, Value> = json(&self.with)?;
        for (path, value) in with {
            set(&mut record, &path, value).map_err(|reason| CaseError::Record(format!("`{path}`: {reason}")))?;
        }
        Ok(record.to_string())
    }

    /// What the case pretends was read, when it does.
    ///
    /// # Errors
    /// The effects are not written as those of a finding.
    pub fn state(&self) -> Result<Option<State>, CaseError> {
        #[derive(serde::Deserialize)]
        struct Written {
            #[serde(default)]
            image: Image,
            #[serde(default)]
            effects: Effects,
        }
        let Some(text) = &self.state else { return Ok(None) };
        let Written { image, effects } = json(text)?;
        Ok(Some(State { image, effects }))
    }

    /// The settings the case is run with.
    ///
    /// # Errors
    /// A setting is not known or of another type.
    pub fn settings(&self) -> Result<Settings, CaseError> {
        self.settings.as_ref().map_or_else(|| Ok(Settings::default()), |text| json(text))
    }
}

impl From<CaseFile> for Case {
    fn from(file: CaseFile) -> Self {
        let (with, state, settings) = (file.with_json(), file.state_json(), file.settings_json());
        Self {
            record: file.record_json().map(Text::Owned),
            name: Text::Owned(file.name),
            expect: file.expect,
            event: file.event.map(Text::Owned),
            with: Text::Owned(with),
            state: state.map(Text::Owned),
            settings: settings.map(Text::Owned),
        }
    }
}

/// Sets the value at a path, creating objects on the way; `null` deletes. A path is dotted, with numbers for elements, or,
/// where a name holds a dot, a JSON pointer (`/a.b/0`).
fn set(record: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let parts: Vec<String> = match path.strip_prefix('/') {
        Some(pointer) => pointer.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect(),
        None => path.split('.').map(str::to_owned).collect(),
    };
    let Some((last, parents)) = parts.split_last() else { return Err("empty path".to_owned()) };
    let mut at = record;
    for part in parents {
        if at.is_null() {
            *at = Value::Object(Map::new());
        }
        at = match at {
            Value::Object(members) => members.entry(part.clone()).or_insert(Value::Null),
            Value::Array(elements) => element(elements, part)?,
            other => return Err(format!("cannot go into `{other}`")),
        };
    }
    if at.is_null() {
        *at = Value::Object(Map::new());
    }
    match at {
        Value::Object(members) if value.is_null() => drop(members.remove(last)),
        Value::Object(members) => drop(members.insert(last.clone(), value)),
        Value::Array(elements) if value.is_null() => {
            element(elements, last)?;
            elements.remove(last.parse().unwrap_or_default());
        }
        Value::Array(elements) => {
            if last.parse() == Ok(elements.len()) {
                elements.push(Value::Null);
            }
            *element(elements, last)? = value;
        }
        other => return Err(format!("cannot go into `{other}`")),
    }
    Ok(())
}

fn element<'a>(elements: &'a mut [Value], index: &str) -> Result<&'a mut Value, String> {
    let count = elements.len();
    let position: usize = index.parse().map_err(|_| format!("`{index}` is no position in a list"))?;
    elements.get_mut(position).ok_or_else(|| format!("the list has {count} elements, none at {position}"))
}

fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, CaseError> {
    serde_json::from_str(text).map_err(|error| CaseError::Record(error.to_string()))
}

fn verdict_name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Fires => "fires",
        Verdict::Silent => "silent",
        Verdict::NeedsState(_) => "needs_state",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_sets_creates_and_deletes() {
        let cases = [
            ("a.b", json!(1), json!({"a": {"b": 1}, "list": [1, 2]})),
            ("list.0", json!(9), json!({"list": [9, 2]})),
            ("list.2", json!(3), json!({"list": [1, 2, 3]})),
            ("list.0", json!(null), json!({"list": [2]})),
            ("list", json!(null), json!({})),
            ("/x.y/z", json!(true), json!({"x.y": {"z": true}, "list": [1, 2]})),
        ];
        for (path, value, expected) in cases {
            let mut record = json!({"list": [1, 2]});
            set(&mut record, path, value).expect(path);
            assert_eq!(record, expected, "{path}");
        }
    }

    #[test]
    fn a_path_that_leads_nowhere_is_an_error() {
        for path in ["list.7", "list.x", "list.0.deep"] {
            assert!(set(&mut json!({"list": [1, 2]}), path, json!(1)).is_err(), "{path}");
        }
    }
}
