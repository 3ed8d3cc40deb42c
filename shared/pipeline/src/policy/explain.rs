//! Why a policy decides as it does, for people who write one.

use jiff::Timestamp;
use onus_core::Safety;
use serde::Serialize;
use serde_json::{Value, json};

use super::subject::Selector;
use super::{Decision, ModeSource, Policy, Subject};

/// What decided, what would have decided without it, and what else could matter. Parts of `onus.yaml` are named by index from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The decision. [`Decision::source`] is the part that decided.
    pub decision: Decision,
    /// The decision if that part were not there; `None` where it is `modes.default`.
    pub without: Option<Decision>,
    /// The exemption that holds.
    pub exemption: Option<usize>,
    /// Exemptions that match and have ended.
    pub ended: Vec<usize>,
    /// Overrides that match if the resource has their tags, while tags are not known.
    pub overrides_by_tag: Vec<usize>,
    /// Exemptions that hold if the resource has their tags, while tags are not known.
    pub exemptions_by_tag: Vec<usize>,
    /// Whether tags would be read before anything else is done: they could lead to another result.
    pub waits_for_tags: bool,
}

impl Policy {
    /// A part of `onus.yaml` that set a mode, as it stands there.
    pub(crate) fn line(&self, source: ModeSource) -> Value {
        match source {
            ModeSource::Default => json!({ "default": self.modes.default }),
            ModeSource::Override(index) => json!(self.modes.overrides.get(index)),
            ModeSource::Off(index) => json!({ "off": self.off.get(index) }),
        }
    }

    /// Explains [`Policy::decide`] and [`Policy::exemption`].
    pub fn explain(&self, subject: &Subject<'_>, safety: Option<Safety>, now: Timestamp) -> Explanation {
        let decision = self.decide(subject, safety);
        let without = match decision.source {
            ModeSource::Default => None,
            source => Some(self.decide_but(subject, safety, Some(source))),
        };
        let exemptions = || self.exemptions.iter().enumerate();
        let ended = exemptions().filter(|(_, entry)| entry.matches(subject) && !entry.expires.holds(now));
        let by_tag = exemptions().filter(|(_, entry)| entry.waits_for_tags(subject) && entry.expires.holds(now));
        let overrides = self.modes.overrides.iter().enumerate().filter(|(_, entry)| entry.waits_for_tags(subject));
        Explanation {
            without,
            exemption: self.exemption(subject, now).map(|(index, _)| index),
            ended: ended.map(|(index, _)| index).collect(),
            overrides_by_tag: overrides.map(|(index, _)| index).collect(),
            exemptions_by_tag: by_tag.map(|(index, _)| index).collect(),
            waits_for_tags: self.waits_for_tags(subject, safety, now),
            decision,
        }
    }
}
