//! What the names of an expression stand for, for one rule and one change.

use std::sync::{Mutex, OnceLock, PoisonError};

use cel::common::types::CelString;
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use onus_core::effect::Exposure;
use onus_core::{Document, Doubt, Grant, Json, Opening, Outcome, Resource};

use super::functions::{self, Doubts};
use super::item::{Items, texts};
use super::names::{Path, Root};
use super::{Program, value};
use crate::evaluate::Subject;

/// Resolves the names of one program. Values are lent out of the subject; nothing is made before it is asked for.
pub(crate) struct Scope<'s, 'c, 'r> {
    subject: &'s Subject<'c, 'r>,
    program: &'s Program,
    doubts: Doubts,
    fault: Mutex<Option<String>>,
    resources: OnceLock<Items<'s, Resource<'r>>>,
    grants: OnceLock<Items<'s, Grant>>,
    openings: OnceLock<Items<'s, Opening>>,
    exposures: OnceLock<Items<'s, Exposure>>,
}

impl<'s, 'c, 'r> Scope<'s, 'c, 'r> {
    pub(crate) fn new(subject: &'s Subject<'c, 'r>, program: &'s Program) -> Self {
        Self {
            subject,
            program,
            doubts: Doubts::default(),
            fault: Mutex::new(None),
            resources: OnceLock::new(),
            grants: OnceLock::new(),
            openings: OnceLock::new(),
            exposures: OnceLock::new(),
        }
    }

    /// What the evaluation looked at and could not know.
    pub(crate) fn doubts(&self) -> Vec<Doubt> {
        self.doubts.take()
    }

    /// Why a path could not be followed; the interpreter itself only knows that a name gave nothing.
    pub(crate) fn fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What a path leads to; `None`, with a fault, when it cannot be followed.
    pub(super) fn found(&self, number: usize) -> Option<Found<'_>> {
        let path = self.program.paths.get(number)?;
        let subject = self.subject;
        let member = path.members.first().map(String::as_str).unwrap_or_default();
        match path.root {
            Root::Request => self.document(&subject.change.request, path),
            Root::Response => self.document(&subject.change.response, path),
            Root::Record => self.document(&subject.change.record, path),
            Root::State => self.walk(subject.image(), path),
            Root::Change => self.change(member),
            Root::Actor => self.actor(member),
            Root::Origin => match member {
                "address" => Some(Found::Text(&subject.change.origin.address)),
                _ => Some(Found::Text(&subject.change.origin.user_agent)),
            },
            Root::Settings => Some(Found::Value(texts(subject.settings.trusted_accounts.iter().map(String::as_str)))),
            Root::Resources => Some(lent(self.resources.get_or_init(|| Items::of(&subject.change.resources)))),
            Root::Grants => {
                self.doubt_effects();
                Some(lent(self.grants.get_or_init(|| Items::of(&subject.effects().grants))))
            }
            Root::Openings => {
                self.doubt_effects();
                Some(lent(self.openings.get_or_init(|| Items::of(&subject.effects().openings))))
            }
            Root::Exposures => {
                self.doubt_effects();
                Some(lent(self.exposures.get_or_init(|| Items::of(subject.exposures()))))
            }
        }
    }

    /// What is unknown about the effects is unknown to whoever looks at them.
    fn doubt_effects(&self) {
        for doubt in &self.subject.effects().doubts {
            self.doubts.add(doubt.clone());
        }
    }

    fn document<'b>(&'b self, document: &'b Document<'r>, path: &Path) -> Option<Found<'b>> {
        if document.is_omitted() {
            self.doubts.add(Doubt::new(path.text.clone(), "was left out of the record by the log"));
        }
        self.walk(document.json(), path)
    }

    fn walk<'b>(&'b self, json: &'b Json<'b>, path: &Path) -> Option<Found<'b>> {
        let mut at = json;
        for (depth, member) in path.members.iter().enumerate() {
            at = match at {
                Json::Object(_) => at.get_ci(member),
                Json::Null => return Some(Found::NOTHING),
                // An element without content, where XML was converted; an empty list holds nothing to select from.
                Json::String(text) if text.is_empty() => return Some(Found::NOTHING),
                Json::Array(elements) if elements.is_empty() => return Some(Found::NOTHING),
                other => {
                    let before = path.text.split('.').take(depth + 1).collect::<Vec<_>>().join(".");
                    let fault = format!("cannot select `{member}` of `{before}`, which is {}", kind(other));
                    *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
                    return None;
                }
            };
        }
        Some(Found::Json(at))
    }

    fn change(&self, member: &str) -> Option<Found<'_>> {
        let change = self.subject.change;
        Some(match member {
            "uid" => Found::Text(&change.uid),
            "time" => Found::Value(CowVal::owned(CelString::from(change.time.to_string()))),
            "cloud" => Found::Text(change.cloud.as_str()),
            "account" => Found::Text(&change.account),
            "region" => Found::Text(&change.region),
            "service" => Found::Text(&change.service),
            "action" => Found::Text(&change.action),
            "outcome" => Found::Text(change.outcome.as_str()),
            "error_code" => match &change.outcome {
                Outcome::Succeeded | Outcome::Begun => Found::NOTHING,
                Outcome::Failed { code, .. } => Found::Text(code),
            },
            "read_only" => Found::Truth(change.read_only),
            _ => return None,
        })
    }

    fn actor(&self, member: &str) -> Option<Found<'_>> {
        let actor = &self.subject.change.actor;
        Some(match member {
            "kind" => Found::Text(&actor.kind),
            "id" => Found::Text(&actor.id),
            "principal" => Found::Text(&actor.principal),
            "account" => Found::Text(&actor.account),
            "issuer" => actor.issuer.as_deref().map_or(Found::NOTHING, Found::Text),
            "invoked_by" => actor.invoked_by.as_deref().map_or(Found::NOTHING, Found::Text),
            "mfa" => actor.mfa.map_or(Found::NOTHING, Found::Truth),
            _ => return None,
        })
    }
}

/// What a path leads to, before it is made a value of the interpreter: a plain test needs none.
pub(super) enum Found<'b> {
    Json(&'b Json<'b>),
    Text(&'b str),
    Truth(bool),
    Value(CowVal<'b, 'b>),
}

fn lent<'b>(value: &'b (dyn Val + 'b)) -> Found<'b> {
    Found::Value(CowVal::Borrowed(value))
}

impl<'b> Found<'b> {
    const NOTHING: Self = Found::Json(&Json::Null);

    pub(super) fn value(self) -> CowVal<'b, 'b> {
        match self {
            Found::Json(json) => value::json(json),
            Found::Text(text) => value::text(text),
            Found::Truth(truth) => value::truth(truth),
            Found::Value(value) => value,
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Found::Json(Json::Null))
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Found::Json(json) => json.as_str(),
            Found::Text(text) => Some(text),
            Found::Truth(_) => None,
            Found::Value(value) => value::as_text(value.as_ref()),
        }
    }

    /// A truth value that is one.
    pub(super) fn exact_truth(&self) -> Option<bool> {
        match self {
            Found::Json(Json::Bool(truth)) | Found::Truth(truth) => Some(*truth),
            _ => None,
        }
    }

    /// A truth value, also one that is written as a text.
    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Found::Json(json) => json.as_bool(),
            Found::Truth(truth) => Some(*truth),
            Found::Text(_) | Found::Value(_) => None,
        }
    }

    /// A whole number, also one that is written as a text.
    pub(super) fn int_of(&self) -> Option<i64> {
        match self {
            Found::Json(json) => json.as_i64(),
            Found::Text(text) => text.trim().parse().ok(),
            Found::Truth(_) | Found::Value(_) => None,
        }
    }

    /// Whether its text is such; false for what is not there.
    pub(super) fn written(self, is: impl Fn(&str) -> bool) -> bool {
        match self.text() {
            Some(text) => is(text),
            None => !self.is_nothing() && is(&functions::written(self.value().as_ref())),
        }
    }

    /// Whether there is nothing to go over; `listed` as `list()` sees it.
    pub(super) fn is_empty(&self, listed: bool) -> bool {
        match self {
            Found::Json(Json::Null) => true,
            Found::Json(Json::Array(elements)) => elements.is_empty(),
            Found::Json(Json::Object(members)) => members.is_empty(),
            Found::Json(Json::String(text)) => listed && text.is_empty(),
            Found::Value(value) => value.as_sizer().is_some_and(|sizer| *sizer.size().inner() == 0),
            Found::Json(_) | Found::Text(_) | Found::Truth(_) => false,
        }
    }

    /// Whether it is a number of this size, whole or not.
    #[allow(clippy::cast_precision_loss, clippy::float_cmp, reason = "CEL compares an int and a double in this way")]
    pub(super) fn is_int(&self, wanted: i64) -> bool {
        match self {
            Found::Json(Json::Number(number)) => match number.as_i64() {
                Some(whole) => whole == wanted,
                None => number.is_f64() && number.as_f64() == Some(wanted as f64),
            },
            _ => false,
        }
    }
}

impl VariableResolver for Scope<'_, '_, '_> {
    /// Lowering gave every name a mark and a number: `@p3` is the fourth path. Other names are the interpreter's own.
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        let mut letters = name.strip_prefix('@')?.chars();
        let mark = letters.next()?;
        if mark == 'd' {
            return Some(CowVal::Borrowed(&self.doubts));
        }
        let number: usize = letters.as_str().parse().ok()?;
        match mark {
            'p' => self.found(number).map(Found::value),
            'r' => Some(CowVal::Borrowed(self.program.patterns.get(number)?)),
            'u' => {
                // Once state was read, what the record leaves open is settled by what was read.
                if self.subject.state.is_none() {
                    self.doubts.add(self.program.unknown(number)?);
                }
                Some(value::truth(false))
            }
            _ => None,
        }
    }
}

fn kind(json: &Json<'_>) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
