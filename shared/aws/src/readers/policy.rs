//! Resource policies: where each service keeps one, and how it is read. One [`PolicyHolder`] serves the state reader and
//! the remediation of a kind, so both see the same document under the same key.

use onus_core::{ChangeSummary, Effects, Image, Json, Read, Resource, StateReader};
use onus_sources::aws::policy::{self, Context, Judged, PolicyError, PolicyKind};
use serde_json::Value;

use super::subject::{Subject, Target};

/// Under this key every image holds the policy as a JSON object; `null` when the resource has none.
pub(crate) const POLICY: &str = "policy";

/// How one service keeps the policy of one kind of resource.
pub(crate) struct PolicyHolder {
    /// `AWS::S3::Bucket`.
    pub(crate) kind: &'static str,
    /// Whether it says who may use the resource or who may assume the role.
    pub(crate) policy_kind: PolicyKind,
    /// The operations of `first` and `read`.
    pub(crate) operations: &'static [&'static str],
    /// A read that must come before the thing can be named.
    pub(crate) first: fn(&Subject<'_>) -> Option<Read>,
    /// The parameters that name the thing; `None` when nobody names it.
    pub(crate) target: fn(&Subject<'_>, &Image) -> Option<Target>,
    /// The read of the policy, under [`POLICY`].
    pub(crate) read: fn(&Target) -> Read,
    /// What the change's request says about the policy.
    pub(crate) asked: fn(&Subject<'_>) -> Asked,
}

/// What a request says about a policy.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Asked {
    /// It put a whole document, an object or its text.
    Document(Value),
    /// It added the statement of this Sid.
    Statement(String),
    /// The record does not tell.
    Unknown,
}

impl Asked {
    /// A document, from the first of these values that is there.
    pub(crate) fn document<'a, 'j: 'a>(values: impl IntoIterator<Item = &'a Json<'j>>) -> Self {
        let found = values
            .into_iter()
            .find(|value| !value.is_null() && value.as_str().is_none_or(|text| !text.trim().is_empty()));
        found.map_or(Asked::Unknown, |value| Asked::Document(value.to_value()))
    }

    /// The statement that `AddPermission` names by a label.
    pub(crate) fn labelled(subject: &Subject<'_>, member: &str) -> Self {
        subject.told(member).map_or(Asked::Unknown, |label| Asked::Statement(label.to_owned()))
    }
}

/// Nothing has to be read before the thing can be named.
pub(crate) fn nothing_first(_: &Subject<'_>) -> Option<Read> {
    None
}

/// Reads a policy out of an answer in any spelling; `null` when it is not there or empty. Text that is no JSON is kept as
/// text: whoever judges it says what is wrong.
pub(crate) fn parsed(policy: &Value) -> Value {
    match policy.as_str().map(str::trim) {
        Some("") => Value::Null,
        _ if policy.is_null() => Value::Null,
        _ => policy::document(&Json::from_value(policy)).map_or(policy.clone(), |document| document.to_value()),
    }
}

impl PolicyHolder {
    /// The reads that are still missing from an image; `None` when nobody names the thing.
    pub(crate) fn wanted(&self, subject: &Subject<'_>, so_far: &Image) -> Option<Vec<Read>> {
        if let Some(target) = (self.target)(subject, so_far) {
            let read = (self.read)(&target);
            return Some(if so_far.has(&read.key) { Vec::new() } else { vec![read] });
        }
        let first = (self.first)(subject)?;
        // Read before and still unnamed: the thing is gone, and with it its policy.
        Some(if so_far.has(&first.key) { Vec::new() } else { vec![first] })
    }

    /// Judges a document that hangs on this kind of resource.
    pub(crate) fn judge(&self, document: &Value, account: &str) -> Result<Vec<Judged>, PolicyError> {
        // The resource is only named in the grants, which nobody looks at here.
        let context = Context { account, resource: "", kind: self.policy_kind };
        policy::judge(&Json::from_value(document), &context)
    }
}

impl StateReader for PolicyHolder {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn operations(&self) -> &'static [&'static str] {
        self.operations
    }

    fn reads(&self, change: &ChangeSummary, resource: &Resource<'_>, so_far: &Image) -> Vec<Read> {
        self.wanted(&Subject::of_resource(change, resource), so_far).unwrap_or_default()
    }

    fn effects(&self, change: &ChangeSummary, resource: &Resource<'_>, image: &Image) -> Effects {
        judged_effects(image, POLICY, &context(change, resource, self.policy_kind))
    }
}

/// The context of a resource in the change's account.
pub(crate) fn context<'a>(change: &'a ChangeSummary, resource: &'a Resource<'_>, kind: PolicyKind) -> Context<'a> {
    let full = if resource.id.is_empty() { &resource.name } else { &resource.id };
    Context { account: &change.account, resource: full, kind }
}

/// What the document under an image key grants. Never read, or unreadable: a doubt, not silence.
pub(crate) fn judged_effects(image: &Image, key: &str, context: &Context<'_>) -> Effects {
    if !image.has(key) {
        return Effects::unknown(key, "was not read");
    }
    let document = image.get(key);
    if document.is_null() {
        return Effects::none();
    }
    match policy::judge(&Json::from_value(document), context) {
        Ok(judged) => {
            let mut effects = Effects::none();
            for statement in judged {
                effects.grants.extend(statement.grants);
                effects.doubts.extend(statement.doubts);
            }
            effects
        }
        Err(error) => Effects::unknown(key, error.to_string()),
    }
}
