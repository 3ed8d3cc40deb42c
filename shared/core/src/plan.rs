//! What a response would send, and what it did send.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::{Call, CallError};
use crate::change::Resource;
use crate::finding::FindingId;

/// One read that a plan, a verification or a state needs.
#[derive(Debug, Clone)]
pub struct Read {
    /// The name under which the answer is kept in the [`Image`].
    pub key: String,
    /// The call. Only ever one that reads.
    pub call: Call,
    /// Error codes that mean "there is none", kept as `null`. Any other error ends the response: fail closed.
    pub absent: &'static [&'static str],
    /// Keeps of an answer what a plan or an undo looks at: no request ids, no dates of access, sets in a fixed order,
    /// and under names that start with `~` what is not to be compared ([`Image`]).
    pub keep: fn(Value) -> Value,
}

impl Read {
    /// A read whose whole answer is kept and whose every error is an error.
    pub fn new(key: &str, call: Call) -> Self {
        Self { key: key.to_owned(), call, absent: &[], keep: |answer| answer }
    }

    /// Names the error codes that mean "there is none".
    #[must_use]
    pub fn absent(mut self, codes: &'static [&'static str]) -> Self {
        self.absent = codes;
        self
    }

    /// Keeps only a part of the answer.
    #[must_use]
    pub fn keep(mut self, keep: fn(Value) -> Value) -> Self {
        self.keep = keep;
        self
    }
}

/// A resource as it was read at one moment: read key → what was kept of the answer (`null`: there is none).
///
/// Members whose name starts with `~`, at any depth, are kept for planning only: ids that the provider hands out anew
/// when a thing is made again, so that a firewall rule revoked and restored is the same rule. Whoever compares two
/// images uses [`Image::same_as`], never `==`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Image(pub BTreeMap<String, Value>);

impl Image {
    /// What was kept under a key; `null` when it was absent or never read.
    pub fn get(&self, key: &str) -> &Value {
        self.0.get(key).unwrap_or(&Value::Null)
    }

    /// Whether this key was read at all.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Whether the resource is the same in both, members that start with `~` aside. An undo asks this twice: is the
    /// resource still as the response left it, and is it, afterwards, as it was before?
    pub fn same_as(&self, other: &Image) -> bool {
        fn compared(members: impl IntoIterator<Item = (String, Value)>) -> serde_json::Map<String, Value> {
            members.into_iter().filter(|(name, _)| !name.starts_with('~')).map(|(k, v)| (k, strip(v))).collect()
        }
        fn strip(value: Value) -> Value {
            match value {
                Value::Object(members) => Value::Object(compared(members)),
                Value::Array(elements) => Value::Array(elements.into_iter().map(strip).collect()),
                other => other,
            }
        }
        compared(self.0.clone()) == compared(other.0.clone())
    }
}

/// What stands in a call for a member of an image that is read just before the call is sent: `{"~live": ["policy", "~etag"]}`.
const LIVE: &str = "~live";

/// A member of the image that an undo reads just before it sends a call: the version token that makes the write conditional
/// on what was read. A plan cannot know it, because the response itself changes it. Outermost first, the image's key at
/// the start.
pub fn live(path: &[&str]) -> Value {
    serde_json::json!({ LIVE: path })
}

impl Image {
    /// A call with every [`live`] member of its parameters put in from this image.
    ///
    /// # Errors
    /// The image holds no such member, so that the call could not be conditional: do not send it. Holds the path, its parts
    /// joined by dots.
    pub fn fill(&self, call: &Call) -> Result<Call, String> {
        Ok(Call { parameters: self.filled(&call.parameters)?, ..call.clone() })
    }

    fn filled(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::Object(members) => {
                if let Some(path) = members.get(LIVE).and_then(Value::as_array) {
                    return self.live_member(path);
                }
                let members = members.iter().map(|(name, member)| Ok((name.clone(), self.filled(member)?)));
                Value::Object(members.collect::<Result<_, String>>()?)
            }
            Value::Array(elements) => {
                Value::Array(elements.iter().map(|element| self.filled(element)).collect::<Result<_, _>>()?)
            }
            other => other.clone(),
        })
    }

    fn live_member(&self, path: &[Value]) -> Result<Value, String> {
        let names: Vec<&str> = path.iter().filter_map(Value::as_str).collect();
        let (key, rest) = names.split_first().ok_or_else(String::new)?;
        let found = rest.iter().try_fold(self.get(key), |value, name| value.get(*name));
        found.filter(|value| !value.is_null()).cloned().ok_or_else(|| names.join("."))
    }
}

/// One call of a plan and the call that takes it back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What it does, for people: `remove statement #1 (public read) of 3`.
    pub title: String,
    /// What is sent.
    pub call: Call,
    /// What undoes it; `None` when nothing can, which the title says. Its [`live`] members are put in when it is sent.
    pub inverse: Option<Call>,
}

impl Step {
    /// Whether both do the same, whatever version of the resource each was planned on: a call that holds a version token differs
    /// after every change, and its inverse, which leaves the token [`live`], does not.
    pub fn is_same_as(&self, other: &Step) -> bool {
        self.call == other.call || (self.inverse.is_some() && self.inverse == other.inverse)
    }
}

/// The exact calls that a response would send. Serialisable: this is the dry run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// For which finding.
    pub finding: FindingId,
    /// By which remediation.
    pub remediation: String,
    /// On what.
    pub resource: Resource<'static>,
    /// The calls in order. Empty: the bad part is already gone.
    pub steps: Vec<Step>,
    /// The resource as read just before planning.
    pub before: Image,
}

impl Plan {
    /// Names the plan by its calls: `planned-9f86d081884c7d65`. The same calls, planned again, have the same key.
    pub fn key(&self) -> String {
        crate::sink::key("planned", &serde_json::json!(self.steps))
    }

    /// Whether there is nothing to take back.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// Why no plan could be made. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The finding lacks what the remediation needs.
    #[error("cannot plan `{remediation}`: finding does not name {missing}")]
    Incomplete {
        /// The remediation.
        remediation: &'static str,
        /// What is missing, in words.
        missing: &'static str,
    },
    /// The live resource has a shape the remediation does not understand.
    #[error("cannot plan `{remediation}`: `{what}` {problem}")]
    Unreadable {
        /// The remediation.
        remediation: &'static str,
        /// Which part of the state.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The remediation knows that it must not act here: acting would break more than it mends.
    #[error("`{remediation}` must not act: {reason}")]
    Refused {
        /// The remediation.
        remediation: &'static str,
        /// Why.
        reason: String,
    },
    /// The resource could not be read.
    #[error(transparent)]
    Read(#[from] CallError),
}

impl PlanError {
    /// Whether planning again later may succeed.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Incomplete { .. } | Self::Unreadable { .. } | Self::Refused { .. } => false,
            Self::Read(error) => error.is_retryable(),
        }
    }
}

/// One call that was sent, and how it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// The call.
    pub call: Call,
    /// The answer, or the error.
    pub result: Result<Value, CallError>,
}

/// How a response or an undo ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum ReceiptOutcome {
    /// The bad part was already gone; nothing was sent.
    NothingToDo,
    /// A dry run: the plan was made and told, nothing was sent.
    Planned,
    /// Sent and read back: the bad part is gone and the rest stands.
    Verified,
    /// Sent, but reading back did not show what was planned.
    Unverified {
        /// What differs.
        reason: String,
    },
    /// Nothing was sent, or sending stopped, for this reason.
    Refused {
        /// Why.
        reason: String,
    },
}

/// What was really done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// For which finding.
    pub finding: FindingId,
    /// `respond` or `undo`.
    pub kind: ReceiptKind,
    /// By which remediation.
    pub remediation: String,
    /// On what.
    pub resource: Resource<'static>,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: ReceiptOutcome,
    /// When it ended.
    pub at: Timestamp,
    /// Who asked for it: `policy`, or the person of an approval or undo.
    pub by: String,
    /// The plan that was followed; for an undo, the inverse calls.
    pub steps: Vec<Step>,
    /// The calls sent, in order.
    pub sent: Vec<Sent>,
    /// The resource before.
    pub before: Image,
    /// The resource after; `None` when it was not read again.
    pub after: Option<Image>,
}

/// Which way a receipt went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceiptKind {
    /// A response to a finding.
    Respond,
    /// The undo of a response.
    Undo,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn image(value: Value) -> Image {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn ids_that_a_restore_hands_out_anew_are_not_compared() {
        let before = image(json!({ "rules": [{ "ports": [22, 22], "~id": "sgr-1" }], "~seen": 1 }));
        let restored = image(json!({ "rules": [{ "ports": [22, 22], "~id": "sgr-2" }] }));
        let moved = image(json!({ "rules": [{ "ports": [22, 23], "~id": "sgr-1" }] }));
        assert!(before.same_as(&restored));
        assert!(!before.same_as(&moved));
        assert!(!before.same_as(&Image::default()), "a key that was read is not a key that was never read");
    }

    #[test]
    fn an_undo_is_conditional_on_what_it_read() {
        let call = |etag: Value| {
            Call::gcp(
                "storage",
                "buckets.setIamPolicy",
                json!({ "body": { "bindings": [{ "role": "r" }], "etag": etag } }),
            )
        };
        let read = image(json!({ "iamPolicy": { "~etag": "CAI=" } }));
        let inverse = call(live(&["iamPolicy", "~etag"]));
        assert_eq!(read.fill(&inverse), Ok(call(json!("CAI="))));
        assert_eq!(read.fill(&call(json!("fixed"))), Ok(call(json!("fixed"))));
        assert_eq!(Image::default().fill(&inverse), Err("iamPolicy.~etag".to_owned()));
        assert_eq!(read.fill(&call(json!({ "~live": [] }))), Err(String::new()));
    }
}
