//! Which statements of a live policy a change made public, and what is left without them. Plain functions over documents;
//! nothing here knows a service.

use onus_core::Json;
use onus_sources::aws::policy::{self, Judged, PolicyError};
use serde_json::{Map, Value, json};

use crate::readers::s3::is_open;
use crate::readers::subject::{elements, set};

/// What a change wrote.
pub(crate) enum Delta {
    /// These public statements, among others that are none of our business.
    Statements(Vec<Value>),
    /// The statement of this Sid.
    Sid(String),
    /// Nobody knows: the record leaves it out, and the live policy is all there is.
    Unknown,
}

impl Delta {
    /// The public statements of a document in any spelling.
    ///
    /// # Errors
    /// The document is none, or `judge` cannot read it.
    pub(crate) fn document(
        document: &Value,
        judge: impl Fn(&Value) -> Result<Vec<Judged>, PolicyError>,
    ) -> Result<Self, PolicyError> {
        let document = policy::document(&Json::from_value(document))?.to_value();
        let public = opened(&document, &judge(&document)?, &Self::Unknown);
        Ok(Self::Statements(public.into_iter().map(|(_, statement)| statement.clone()).collect()))
    }

    /// Whether a live statement is the change's: it means the same as one that was written, or bears its Sid, which is
    /// unique within a policy. Services store what was put with small differences (an account id becomes its root's ARN),
    /// so texts are not compared.
    fn wrote(&self, live: &Value) -> bool {
        match self {
            Self::Statements(written) => {
                let meaning = meaning(live);
                written
                    .iter()
                    .any(|one| self::meaning(one) == meaning || sid(one).is_some_and(|s| sid(live) == Some(s)))
            }
            Self::Sid(label) => sid(live) == Some(label),
            Self::Unknown => true,
        }
    }
}

/// The statements of a document: one alone, or a list.
pub(crate) fn statements(document: &Value) -> Vec<&Value> {
    match document.get("Statement") {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    }
}

/// A statement's Sid; empty counts as none.
pub(crate) fn sid(statement: &Value) -> Option<&str> {
    statement.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty())
}

/// How a statement is called to people: its place from 0 and its Sid, escaped.
pub(crate) fn label(index: usize, statement: &Value) -> String {
    sid(statement).map_or_else(|| format!("#{index}"), |sid| format!("#{index} {sid:?}"))
}

/// The public statements of a live policy that a change wrote, by place.
pub(crate) fn opened<'a>(live: &'a Value, judged: &[Judged], delta: &Delta) -> Vec<(usize, &'a Value)> {
    let open = |index: usize| judged.iter().any(|one| one.index == index && one.audience.is_some_and(is_open));
    statements(live).into_iter().enumerate().filter(|(index, one)| open(*index) && delta.wrote(one)).collect()
}

/// A policy without what a change made public.
pub(crate) struct Healed {
    /// What was done, for people: one phrase per statement.
    pub(crate) phrases: Vec<String>,
    /// The document; `None` when no statement is left.
    pub(crate) document: Option<Value>,
}

/// Takes the public statements that a change wrote out of a live policy, or only the `*` where a statement names others
/// beside it. All else stands as it is, in its order. `None` when there is nothing to take.
///
/// # Errors
/// `judge` cannot read the document.
pub(crate) fn heal(
    live: &Value,
    delta: &Delta,
    judge: impl Fn(&Value) -> Result<Vec<Judged>, PolicyError>,
) -> Result<Option<Healed>, PolicyError> {
    let judged = judge(live)?;
    let opened = opened(live, &judged, delta);
    if opened.is_empty() {
        return Ok(None);
    }
    let (mut phrases, mut left) = (Vec::new(), Vec::new());
    for (index, statement) in statements(live).into_iter().enumerate() {
        if !opened.iter().any(|(place, _)| *place == index) {
            left.push(statement.clone());
            continue;
        }
        match without_everyone(statement) {
            Some(narrowed) if !judge(&json!({ "Statement": [&narrowed] }))?.iter().any(is_still_open) => {
                phrases.push(format!("take `*` out of the principals of statement {}", label(index, statement)));
                left.push(narrowed);
            }
            _ => phrases.push(format!("remove statement {}", label(index, statement))),
        }
    }
    Ok(Some(Healed { phrases, document: rebuilt(live, left) }))
}

fn is_still_open(judged: &Judged) -> bool {
    judged.audience.is_some_and(is_open)
}

/// The document with other statements; a lone statement stays a lone one.
fn rebuilt(live: &Value, mut left: Vec<Value>) -> Option<Value> {
    let mut document = live.as_object()?.clone();
    let statement = match (document.get("Statement"), left.pop()) {
        (_, None) => return None,
        (Some(Value::Object(_)), Some(only)) => only,
        (_, Some(last)) => {
            left.push(last);
            Value::Array(left)
        }
    };
    document.insert("Statement".to_owned(), statement);
    Some(Value::Object(document))
}

/// The statement without `*` among its principals; `None` when it names nobody else, or nobody by `Principal`.
fn without_everyone(statement: &Value) -> Option<Value> {
    let principals = statement.get("Principal")?.as_object()?;
    let mut left = Map::new();
    for (kind, named) in principals {
        match named {
            Value::String(one) if one == "*" => {}
            Value::Array(several) => {
                let several: Vec<Value> = several.iter().filter(|one| one.as_str() != Some("*")).cloned().collect();
                if !several.is_empty() {
                    left.insert(kind.clone(), Value::Array(several));
                }
            }
            other => {
                left.insert(kind.clone(), other.clone());
            }
        }
    }
    if left.is_empty() || left == *principals {
        return None;
    }
    let mut narrowed = statement.as_object()?.clone();
    narrowed.insert("Principal".to_owned(), Value::Object(left));
    Some(Value::Object(narrowed))
}

/// A statement with every spelling of one meaning made the same: one-or-many, order in sets, letter case of actions and
/// condition keys, an account id for its root's ARN, `*` for `{"AWS": "*"}`, an empty Sid for none
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>).
fn meaning(statement: &Value) -> Value {
    let Some(members) = statement.as_object() else { return statement.clone() };
    let members = members.iter().filter(|(name, value)| *name != "Sid" || value.as_str() != Some(""));
    let same = members.map(|(name, value)| {
        let value = match name.as_str() {
            "Action" | "NotAction" => many(value, &str::to_ascii_lowercase),
            "Resource" | "NotResource" => many(value, &str::to_owned),
            "Principal" | "NotPrincipal" => principals(value),
            "Condition" => conditions(value),
            _ => value.clone(),
        };
        (name.clone(), value)
    });
    Value::Object(same.collect())
}

fn many(value: &Value, spell: &dyn Fn(&str) -> String) -> Value {
    let one = |value: &Value| match value {
        Value::String(text) => Value::String(spell(text)),
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        other => other.clone(),
    };
    match value {
        Value::Array(_) => set(elements(value).iter().map(one)),
        alone => Value::Array(vec![one(alone)]),
    }
}

fn principals(value: &Value) -> Value {
    match value {
        Value::Object(kinds) => {
            Value::Object(kinds.iter().map(|(kind, named)| (kind.clone(), many(named, &account))).collect())
        }
        everyone => json!({ "AWS": many(everyone, &account) }),
    }
}

/// `arn:aws:iam::111122223333:root` is `111122223333`.
fn account(principal: &str) -> String {
    let root = principal.strip_suffix(":root").and_then(|arn| arn.rsplit_once("::")).map(|(_, account)| account);
    root.unwrap_or(principal).to_owned()
}

fn conditions(value: &Value) -> Value {
    let Some(operators) = value.as_object() else { return value.clone() };
    let keys = |keys: &Value| match keys.as_object() {
        Some(keys) => Value::Object(
            keys.iter().map(|(key, values)| (key.to_ascii_lowercase(), many(values, &str::to_owned))).collect(),
        ),
        None => keys.clone(),
    };
    Value::Object(operators.iter().map(|(operator, k)| (operator.to_ascii_lowercase(), keys(k))).collect())
}
