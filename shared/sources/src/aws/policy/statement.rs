//! The elements of a policy statement, read from JSON.
//!
//! Source: IAM User Guide, "IAM JSON policy element reference" and "Grammar of the IAM JSON policy language".

use std::borrow::Cow;
use std::collections::BTreeMap;

use onus_core::Json;

use super::pattern::{covers, disjoint};
use super::{PolicyError, PolicyKind};

/// One statement.
#[derive(Debug)]
pub(super) struct Statement<'d> {
    pub(super) index: usize,
    pub(super) sid: Option<&'d str>,
    pub(super) allow: bool,
    pub(super) principals: Principals<'d>,
    pub(super) actions: Patterns<'d>,
    pub(super) resources: Patterns<'d>,
    pub(super) conditions: Vec<Condition<'d>>,
}

/// Whom a statement names.
#[derive(Debug)]
pub(super) enum Principals<'d> {
    /// Nobody: whoever the identity policy is attached to.
    Holder,
    /// `Principal`.
    Listed(Vec<Principal<'d>>),
    /// `NotPrincipal`: everyone but these.
    Except(Vec<Principal<'d>>),
}

/// One entry of `Principal`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Principal<'d> {
    /// `"*"` or `{"AWS": "*"}`: in a resource policy they mean the same, with or without credentials.
    Everyone,
    /// An ARN, an account id, or a unique id (`AROA…`).
    Aws(&'d str),
    /// `s3.amazonaws.com`.
    Service(&'d str),
    /// A SAML or OIDC provider.
    Federated(&'d str),
    /// The canonical user id of an account, or of a `CloudFront` origin access identity.
    Canonical(&'d str),
}

/// Actions or resources.
#[derive(Debug)]
pub(super) enum Patterns<'d> {
    /// `Action`, `Resource`. A resource policy may leave `Resource` out, which means the resource itself: `*`.
    Listed(Vec<&'d str>),
    /// `NotAction`, `NotResource`: everything but these.
    Except(Vec<&'d str>),
}

/// One operator, key and its values. Conditions are joined by "and", the values of one by "or".
#[derive(Debug)]
pub(super) struct Condition<'d> {
    pub(super) quantifier: Quantifier,
    pub(super) test: Test,
    pub(super) negated: bool,
    pub(super) if_exists: bool,
    /// Lower case: keys ignore case.
    pub(super) key: String,
    pub(super) values: Vec<Cow<'d, str>>,
}

/// `ForAllValues:`, `ForAnyValue:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    None,
    /// Also true when the key is missing.
    ForAll,
    ForAny,
}

/// What an operator compares. `Other` are numbers, dates, binary and whatever is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    Exact,
    Glob,
    Arn,
    Ip,
    Bool,
    Null,
    Other,
}

impl Statement<'_> {
    /// How long its patterns are together, which is what comparing it with another costs.
    pub(super) fn weight(&self) -> usize {
        self.actions.weight() + self.resources.weight()
    }
}

impl Patterns<'_> {
    fn weight(&self) -> usize {
        let (Patterns::Listed(patterns) | Patterns::Except(patterns)) = self;
        patterns.iter().map(|pattern| pattern.len() + 1).sum()
    }

    /// Whether everything that `other` names is named here.
    pub(super) fn cover(&self, other: &Patterns<'_>, ignore_case: bool) -> bool {
        match (self, other) {
            (Patterns::Listed(wide), Patterns::Listed(narrow)) => {
                narrow.iter().all(|n| wide.iter().any(|w| covers(w, n, ignore_case)))
            }
            (Patterns::Listed(wide), Patterns::Except(_)) => wide.iter().any(|w| covers(w, "*", ignore_case)),
            (Patterns::Except(spared), Patterns::Listed(narrow)) => {
                narrow.iter().all(|n| spared.iter().all(|s| disjoint(s, n, ignore_case)))
            }
            (Patterns::Except(spared), Patterns::Except(skipped)) => {
                spared.iter().all(|s| skipped.iter().any(|k| covers(k, s, ignore_case)))
            }
        }
    }

    /// Whether one plain name is named here.
    pub(super) fn matches(&self, name: &str, ignore_case: bool) -> bool {
        match self {
            Patterns::Listed(patterns) => patterns.iter().any(|p| covers(p, name, ignore_case)),
            Patterns::Except(patterns) => !patterns.iter().any(|p| covers(p, name, ignore_case)),
        }
    }
}

/// Reads all statements of a document.
pub(super) fn statements<'d>(document: &'d Json<'_>, kind: PolicyKind) -> Result<Vec<Statement<'d>>, PolicyError> {
    let list = document.get_ci("Statement");
    match list {
        Json::Object(_) | Json::Array(_) => {}
        Json::Null => return Err(malformed("Statement", "missing")),
        _ => return Err(malformed("Statement", "expected an object or a list")),
    }
    list.each().iter().enumerate().map(|(index, statement)| read(index, statement, kind)).collect()
}

fn read<'d>(index: usize, json: &'d Json<'_>, kind: PolicyKind) -> Result<Statement<'d>, PolicyError> {
    let at = |element: &str| format!("Statement[{index}].{element}");
    if !matches!(json, Json::Object(_)) {
        return Err(malformed(format!("Statement[{index}]"), "expected an object"));
    }
    let allow = match json.get_ci("Effect").as_str() {
        Some("Allow") => true,
        Some("Deny") => false,
        _ => return Err(malformed(at("Effect"), "expected `Allow` or `Deny`")),
    };
    let actions = patterns(json, "Action", "NotAction", &at)?.ok_or_else(|| malformed(at("Action"), "missing"))?;
    let resources = patterns(json, "Resource", "NotResource", &at)?.unwrap_or_else(|| Patterns::Listed(vec!["*"]));
    let principals = match kind {
        PolicyKind::Identity => Principals::Holder,
        PolicyKind::Resource | PolicyKind::Trust => principals(json, &at)?,
    };
    Ok(Statement {
        index,
        sid: json.get_ci("Sid").as_str().filter(|sid| !sid.is_empty()),
        allow,
        principals,
        actions,
        resources,
        conditions: conditions(json.get_ci("Condition"), &at)?,
    })
}

fn patterns<'d>(
    json: &'d Json<'_>,
    element: &str,
    inverse: &str,
    at: &dyn Fn(&str) -> String,
) -> Result<Option<Patterns<'d>>, PolicyError> {
    let texts = |name: &str, value: &'d Json<'_>| -> Result<Vec<&'d str>, PolicyError> {
        value
            .each()
            .iter()
            .map(|entry| entry.as_str().ok_or_else(|| malformed(at(name), "expected a string or a list of strings")))
            .collect()
    };
    match (json.get_ci(element), json.get_ci(inverse)) {
        (Json::Null, Json::Null) => Ok(None),
        (listed, Json::Null) => Ok(Some(Patterns::Listed(texts(element, listed)?))),
        (Json::Null, except) => Ok(Some(Patterns::Except(texts(inverse, except)?))),
        _ => Err(malformed(at(inverse), format!("stands beside `{element}`"))),
    }
}

fn principals<'d>(json: &'d Json<'_>, at: &dyn Fn(&str) -> String) -> Result<Principals<'d>, PolicyError> {
    match (json.get_ci("Principal"), json.get_ci("NotPrincipal")) {
        (Json::Null, Json::Null) => Err(malformed(at("Principal"), "missing")),
        (listed, Json::Null) => Ok(Principals::Listed(principal_list(listed, &at("Principal"))?)),
        (Json::Null, except) => Ok(Principals::Except(principal_list(except, &at("NotPrincipal"))?)),
        _ => Err(malformed(at("NotPrincipal"), "stands beside `Principal`")),
    }
}

fn principal_list<'d>(value: &'d Json<'_>, path: &str) -> Result<Vec<Principal<'d>>, PolicyError> {
    let mut list = Vec::new();
    match value {
        // A list of stars is not in the grammar, but some services take it.
        Json::String(_) | Json::Array(_) => {
            for entry in value.each() {
                match entry.as_str() {
                    Some("*") => list.push(Principal::Everyone),
                    _ => return Err(malformed(path, "expected `*` or an object")),
                }
            }
        }
        Json::Object(members) => {
            for (kind, entries) in members {
                for entry in entries.each() {
                    let text = entry
                        .as_str()
                        .ok_or_else(|| malformed(format!("{path}.{kind}"), "expected a string or a list of strings"))?;
                    list.push(principal(kind, text).ok_or_else(|| {
                        malformed(
                            format!("{path}.{kind}"),
                            "expected one of `AWS`, `Service`, `Federated`, `CanonicalUser`",
                        )
                    })?);
                }
            }
        }
        _ => return Err(malformed(path, "expected `*` or an object")),
    }
    Ok(list)
}

fn principal<'d>(kind: &str, text: &'d str) -> Option<Principal<'d>> {
    let known = match kind.to_ascii_lowercase().as_str() {
        "aws" | "*" if text == "*" => Principal::Everyone,
        "aws" => Principal::Aws(text),
        "service" => Principal::Service(text),
        "federated" => Principal::Federated(text),
        "canonicaluser" => Principal::Canonical(text),
        _ => return None,
    };
    Some(known)
}

fn conditions<'d>(block: &'d Json<'_>, at: &dyn Fn(&str) -> String) -> Result<Vec<Condition<'d>>, PolicyError> {
    if !matches!(block, Json::Null | Json::Object(_)) {
        return Err(malformed(at("Condition"), "expected an object"));
    }
    let mut found = Vec::new();
    for (operator, keys) in last_of_each(block) {
        let path = format!("Condition.{operator}");
        if !matches!(keys, Json::Object(_)) {
            return Err(malformed(at(&path), "expected an object"));
        }
        let (quantifier, test, negated, if_exists) = self::operator(operator);
        for (key, values) in last_of_each(keys) {
            let values = values
                .each()
                .iter()
                .map(|value| text(value).ok_or_else(|| malformed(at(&format!("{path}.{key}")), "expected a scalar")))
                .collect::<Result<_, _>>()?;
            found.push(Condition { quantifier, test, negated, if_exists, key: key.to_ascii_lowercase(), values });
        }
    }
    Ok(found)
}

/// The members of an object; of a repeated name only the last, because only that one is in force.
fn last_of_each<'d, 'a>(object: &'d Json<'a>) -> BTreeMap<&'d str, &'d Json<'a>> {
    object.members().iter().map(|(name, value)| (name.as_ref(), value)).collect()
}

fn operator(name: &str) -> (Quantifier, Test, bool, bool) {
    let lower = name.to_ascii_lowercase();
    let (quantifier, rest) = match lower.split_once(':') {
        Some(("forallvalues", rest)) => (Quantifier::ForAll, rest),
        Some(("foranyvalue", rest)) => (Quantifier::ForAny, rest),
        _ => (Quantifier::None, lower.as_str()),
    };
    let (base, if_exists) = match rest.strip_suffix("ifexists") {
        Some(base) => (base, true),
        None => (rest, false),
    };
    let (test, negated) = match base {
        "stringequals" | "stringequalsignorecase" => (Test::Exact, false),
        "stringnotequals" | "stringnotequalsignorecase" => (Test::Exact, true),
        "stringlike" => (Test::Glob, false),
        "stringnotlike" => (Test::Glob, true),
        "arnequals" | "arnlike" => (Test::Arn, false),
        "arnnotequals" | "arnnotlike" => (Test::Arn, true),
        "ipaddress" => (Test::Ip, false),
        "notipaddress" => (Test::Ip, true),
        "bool" => (Test::Bool, false),
        "null" => (Test::Null, false),
        _ => (Test::Other, false),
    };
    (quantifier, test, negated, if_exists)
}

fn text<'d>(value: &'d Json<'_>) -> Option<Cow<'d, str>> {
    match value {
        Json::String(text) => Some(Cow::Borrowed(text.as_ref())),
        Json::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        Json::Number(number) => Some(Cow::Owned(number.to_string())),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

fn malformed(path: impl Into<String>, reason: impl Into<String>) -> PolicyError {
    PolicyError::Malformed { path: path.into(), reason: reason.into() }
}
