//! What the names of an expression stand for, for one rule and one change.

use std::sync::{Mutex, OnceLock, PoisonError};

use cel::common::types::CelString;
use cel::common::value::CowVal;
use cel::context::VariableResolver;
use onus_core::effect::Exposure;
use onus_core::{Document, Doubt, Grant, Json, Opening, Outcome, Resource};

use super::functions::Doubts;
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

    fn path<'b>(&'b self, path: &Path) -> Option<CowVal<'b, 'b>> {
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
                "address" => Some(value::text(&subject.change.origin.address)),
                _ => Some(value::text(&subject.change.origin.user_agent)),
            },
            Root::Settings => Some(texts(subject.settings.trusted_accounts.iter().map(String::as_str))),
            Root::Resources => {
                Some(CowVal::Borrowed(self.resources.get_or_init(|| Items::of(&subject.change.resources))))
            }
            Root::Grants => {
                self.doubt_effects();
                Some(CowVal::Borrowed(self.grants.get_or_init(|| Items::of(&subject.effects().grants))))
            }
            Root::Openings => {
                self.doubt_effects();
                Some(CowVal::Borrowed(self.openings.get_or_init(|| Items::of(&subject.effects().openings))))
            }
            Root::Exposures => {
                self.doubt_effects();
                Some(CowVal::Borrowed(self.exposures.get_or_init(|| Items::of(subject.exposures()))))
            }
        }
    }

    /// What is unknown about the effects is unknown to whoever looks at them.
    fn doubt_effects(&self) {
        for doubt in &self.subject.effects().doubts {
            self.doubts.add(doubt.clone());
        }
    }

    fn document<'b>(&'b self, document: &'b Document<'r>, path: &Path) -> Option<CowVal<'b, 'b>> {
        if document.is_omitted() {
            self.doubts.add(Doubt::new(path.text.clone(), "was left out of the record by the log"));
        }
        self.walk(document.json(), path)
    }

    fn walk<'b>(&'b self, json: &'b Json<'b>, path: &Path) -> Option<CowVal<'b, 'b>> {
        let mut at = json;
        for (depth, member) in path.members.iter().enumerate() {
            at = match at {
                Json::Object(_) => at.get_ci(member),
                Json::Null => return Some(value::nothing()),
                // An element without content, where XML was converted.
                Json::String(text) if text.is_empty() => return Some(value::nothing()),
                other => {
                    let before = path.text.split('.').take(depth + 1).collect::<Vec<_>>().join(".");
                    let fault = format!("cannot select `{member}` of `{before}`, which is {}", kind(other));
                    *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
                    return None;
                }
            };
        }
        Some(value::json(at))
    }

    fn change(&self, member: &str) -> Option<CowVal<'_, '_>> {
        let change = self.subject.change;
        Some(match member {
            "uid" => value::text(&change.uid),
            "time" => CowVal::owned(CelString::from(change.time.to_string())),
            "cloud" => value::text(change.cloud.as_str()),
            "account" => value::text(&change.account),
            "region" => value::text(&change.region),
            "service" => value::text(&change.service),
            "action" => value::text(&change.action),
            "outcome" => value::text(if change.outcome.succeeded() { "succeeded" } else { "failed" }),
            "error_code" => match &change.outcome {
                Outcome::Succeeded => value::nothing(),
                Outcome::Failed { code, .. } => value::text(code),
            },
            "read_only" => value::truth(change.read_only),
            _ => return None,
        })
    }

    fn actor(&self, member: &str) -> Option<CowVal<'_, '_>> {
        let actor = &self.subject.change.actor;
        Some(match member {
            "kind" => value::text(&actor.kind),
            "id" => value::text(&actor.id),
            "principal" => value::text(&actor.principal),
            "account" => value::text(&actor.account),
            "issuer" => actor.issuer.as_deref().map_or_else(value::nothing, value::text),
            "invoked_by" => actor.invoked_by.as_deref().map_or_else(value::nothing, value::text),
            "mfa" => actor.mfa.map_or_else(value::nothing, value::truth),
            _ => return None,
        })
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
            'p' => self.path(self.program.paths.get(number)?),
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
