//! Checks parameters against the service model before anything is written: a dry run must not show what no service
//! would understand.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Problem, scalar};
use crate::operations::{Kind, Node};

/// Where in the parameters a value is.
#[derive(Clone, Copy)]
enum At<'a> {
    Top,
    Member(&'a At<'a>, &'a str),
    Item(&'a At<'a>, usize),
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top => Ok(()),
            Self::Member(Self::Top, name) => f.write_str(name),
            Self::Member(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// Checks the parameters of an operation; one without input takes none.
pub(super) fn parameters(input: Option<Node<'_>>, given: &Value) -> Result<(), Problem> {
    match (input, given.as_object()) {
        (Some(node), _) => check(node, given, At::Top),
        (None, Some(members)) => members.keys().next().map_or(Ok(()), |name| Err(Problem::Unknown(name.clone()))),
        (None, None) => Err(wrong(At::Top, "an object")),
    }
}

fn check(node: Node<'_>, value: &Value, at: At<'_>) -> Result<(), Problem> {
    if node.shape().document || node.json_value() {
        return Ok(());
    }
    match node.kind() {
        Kind::Structure => structure(node, value, at),
        Kind::List => {
            let items = value.as_array().ok_or_else(|| wrong(at, "a list"))?;
            let present = items.iter().enumerate().filter(|(_, item)| !item.is_null());
            present.zip(node.item().into_iter().cycle()).try_for_each(|((i, v), node)| check(node, v, At::Item(&at, i)))
        }
        Kind::Map => {
            let entries = value.as_object().ok_or_else(|| wrong(at, "an object"))?;
            let present = entries.iter().filter(|(_, value)| !value.is_null());
            present
                .zip(node.entry().into_iter().cycle())
                .try_for_each(|((key, value), (_, node))| check(node, value, At::Member(&at, key)))
        }
        Kind::String => value.is_string().then_some(()).ok_or_else(|| wrong(at, "text")),
        Kind::Boolean => value.is_boolean().then_some(()).ok_or_else(|| wrong(at, "true or false")),
        Kind::Integer => (value.is_i64() || value.is_u64()).then_some(()).ok_or_else(|| wrong(at, "a whole number")),
        Kind::Float => {
            let named = value.as_str().is_some_and(|text| matches!(text, "NaN" | "Infinity" | "-Infinity"));
            (value.is_number() || named).then_some(()).ok_or_else(|| wrong(at, "a number"))
        }
        Kind::Blob => {
            let sound = value.as_str().is_some_and(|text| STANDARD.decode(text).is_ok());
            sound.then_some(()).ok_or_else(|| wrong(at, "bytes in base64"))
        }
        Kind::Timestamp => scalar::moment(value).map(drop).ok_or_else(|| wrong(at, "a moment")),
    }
}

fn structure(node: Node<'_>, value: &Value, at: At<'_>) -> Result<(), Problem> {
    let members = value.as_object().ok_or_else(|| wrong(at, "an object"))?;
    for (name, value) in members {
        let here = At::Member(&at, name);
        let member = node.member(name).ok_or_else(|| Problem::Unknown(here.to_string()))?;
        if !value.is_null() {
            check(member, value, here)?;
        }
    }
    let given = |name: &str| members.get(name).is_some_and(|value| !value.is_null());
    let tokens = |name: &str| node.member(name).is_some_and(|member| member.idempotency_token());
    match node.shape().required.iter().find(|name| !given(name) && !tokens(name)) {
        Some(name) => Err(Problem::Missing(At::Member(&at, name).to_string())),
        None => Ok(()),
    }
}

fn wrong(at: At<'_>, expected: &'static str) -> Problem {
    let path = at.to_string();
    Problem::WrongType { path: if path.is_empty() { "parameters".to_owned() } else { path }, expected }
}
