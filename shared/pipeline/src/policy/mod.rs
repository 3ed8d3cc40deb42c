//! How far a response to a finding may go. The one place where that is judged.

mod explain;
mod subject;

use std::cmp::Reverse;
use std::fmt;

use jiff::Timestamp;
use onus_core::{Actor, Mode, Safety};
use serde::{Deserialize, Serialize};

pub use explain::Explanation;
use subject::Selector;
pub use subject::Subject;

use crate::config::{Config, Exemption, Modes, Override, Settings};
use crate::glob::Glob;

/// The operator's response policy: the parts of `onus.yaml` that decide.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// How far responses may go.
    pub modes: Modes,
    /// What is accepted.
    pub exemptions: Vec<Exemption>,
    /// Rules that are not evaluated.
    pub off: Vec<Glob>,
    /// Whose changes are Onus's own.
    pub settings: Settings,
}

/// What a policy answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The mode that applies.
    pub mode: Mode,
    /// What `onus.yaml` asked for, before it was capped.
    pub configured: Mode,
    /// Where it asked for it.
    pub source: ModeSource,
    /// Why the mode is lower than configured; `None` when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capped_by: Option<Cap>,
}

impl Decision {
    /// The same decision where tags that could matter cannot be read: told, and nothing else.
    #[must_use]
    pub fn without_tags(self) -> Self {
        Self { mode: Mode::Alert, capped_by: Some(Cap::UnknownTags), ..self }
    }
}

/// Which part of `onus.yaml` set a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModeSource {
    /// `modes.default`.
    Default,
    /// `modes.overrides`, by index from 0.
    Override(usize),
    /// `rules.off`, by index from 0.
    Off(usize),
}

impl fmt::Display for ModeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("modes.default"),
            Self::Override(index) => write!(f, "modes.overrides[{index}]"),
            Self::Off(index) => write!(f, "rules.off[{index}]"),
        }
    }
}

/// What kept a mode below what the operator configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cap {
    /// The rule names no remediation, or one that this build does not have.
    NoRemediation,
    /// The remediation's own limit.
    Safety(Safety),
    /// Onus made the change itself: responding could go on for ever.
    OwnChange,
    /// The tags of the resource could matter and are not known.
    UnknownTags,
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRemediation => f.write_str("there is no remediation"),
            Self::Safety(safety) => write!(f, "the remediation is {}", safety.as_str()),
            Self::OwnChange => f.write_str("Onus made the change itself"),
            Self::UnknownTags => f.write_str("the tags of the resource are not known"),
        }
    }
}

/// How specific an override is: the pattern of each selector, the selectors in order of weight.
type Specificity = [usize; 6];

impl<S> From<&Config<S>> for Policy {
    fn from(config: &Config<S>) -> Self {
        Self {
            modes: config.modes.clone(),
            exemptions: config.exemptions.clone(),
            off: config.rules.off.clone(),
            settings: config.settings.clone(),
        }
    }
}

impl Policy {
    /// How far a response may go.
    ///
    /// `rules.off` wins over everything. Else the most specific matching override counts, else `modes.default`. Overrides are compared
    /// selector by selector: resource, tags, account, rule, control, severity. In each, a pattern without wildcards is more specific than
    /// one with, more literal characters than fewer, and any pattern than none; more tags are more specific than fewer. Of two that are
    /// equal in all six, the lower mode counts.
    ///
    /// The result is capped by the remediation's [`Safety`] (`None`: there is no remediation) and, for changes of Onus's own, at `alert`.
    /// Where tags that are not known could lead to another result it is `alert`, neither more nor less, until they are.
    pub fn decide(&self, subject: &Subject<'_>, safety: Option<Safety>) -> Decision {
        self.decide_but(subject, safety, None)
    }

    /// The decision if one part of the policy were not there.
    fn decide_but(&self, subject: &Subject<'_>, safety: Option<Safety>, but: Option<ModeSource>) -> Decision {
        let (configured, source) = self.configured(subject, but);
        if self.mode_waits_for_tags(subject, safety, but) {
            return Decision { mode: Mode::Alert, configured, source, capped_by: Some(Cap::UnknownTags) };
        }
        let (mode, capped_by) = self.capped(configured, subject, safety);
        Decision { mode, configured, source, capped_by }
    }

    /// A mode that the operator configured, and what keeps it from applying whole.
    fn capped(&self, configured: Mode, subject: &Subject<'_>, safety: Option<Safety>) -> (Mode, Option<Cap>) {
        let by_safety = configured.capped(safety);
        if self.is_own(subject.actor) && by_safety > Mode::Alert {
            return (Mode::Alert, Some(Cap::OwnChange));
        }
        (by_safety, (by_safety < configured).then(|| safety.map_or(Cap::NoRemediation, Cap::Safety)))
    }

    fn configured(&self, subject: &Subject<'_>, but: Option<ModeSource>) -> (Mode, ModeSource) {
        let is_off = |(index, glob): (usize, &Glob)| glob.matches(subject.rule) && but != Some(ModeSource::Off(index));
        if let Some(index) = self.off.iter().enumerate().position(is_off) {
            return (Mode::Off, ModeSource::Off(index));
        }
        self.overrides(but)
            .filter(|(_, entry)| entry.matches(subject))
            .max_by_key(|(index, entry)| rank(*index, entry))
            .map_or((self.modes.default, ModeSource::Default), |(index, entry)| {
                (entry.mode, ModeSource::Override(index))
            })
    }

    fn overrides(&self, but: Option<ModeSource>) -> impl Iterator<Item = (usize, &Override)> {
        let overrides = self.modes.overrides.iter().enumerate();
        overrides.filter(move |(index, _)| but != Some(ModeSource::Override(*index)))
    }

    /// Whether the tags of the resource have to be read before [`Policy::decide`] or [`Policy::exemption`] can be heeded.
    pub fn waits_for_tags(&self, subject: &Subject<'_>, safety: Option<Safety>, now: Timestamp) -> bool {
        self.mode_waits_for_tags(subject, safety, None) || self.exemption_waits_for_tags(subject, now)
    }

    fn mode_waits_for_tags(&self, subject: &Subject<'_>, safety: Option<Safety>, but: Option<ModeSource>) -> bool {
        let (now, source) = self.configured(subject, but);
        let best = match source {
            ModeSource::Off(_) => return false,
            ModeSource::Override(index) => self.modes.overrides.get(index).map(|entry| rank(index, entry)),
            ModeSource::Default => None,
        };
        let effective = |mode| self.capped(mode, subject, safety).0;
        self.overrides(but).any(|(index, entry)| {
            entry.waits_for_tags(subject)
                && best.is_none_or(|best| rank(index, entry) > best)
                && effective(entry.mode) != effective(now)
        })
    }

    fn exemption_waits_for_tags(&self, subject: &Subject<'_>, now: Timestamp) -> bool {
        self.exemption(subject, now).is_none()
            && self.exemptions.iter().any(|entry| entry.waits_for_tags(subject) && entry.expires.holds(now))
    }

    /// The first exemption that matches and still holds, with its index in `exemptions`. While tags are not known, none that selects by
    /// tags matches.
    pub fn exemption(&self, subject: &Subject<'_>, now: Timestamp) -> Option<(usize, &Exemption)> {
        self.exemptions
            .iter()
            .enumerate()
            .find(|(_, exemption)| exemption.matches(subject) && exemption.expires.holds(now))
    }

    /// Whether the change was made by an identity that Onus acts with: its issuer's or its own unique id is one of
    /// `settings.own_principals`, whole, and nobody acted through it. Names, session names and user agents are not looked at.
    pub fn is_own(&self, actor: &Actor<'_>) -> bool {
        let own = |id: &str| !id.is_empty() && self.settings.own_principals.iter().any(|own| own == id);
        actor.delegates.is_empty() && (own(actor.issuer.as_deref().unwrap_or_default()) || own(&actor.principal))
    }
}

/// Which of two matching overrides counts: the greater.
fn rank(index: usize, entry: &Override) -> (Specificity, Reverse<Mode>, Reverse<usize>) {
    (specificity(entry), Reverse(entry.mode), Reverse(index))
}

fn specificity(entry: &Override) -> Specificity {
    let of = |glob: &Option<Glob>| glob.as_ref().map_or(0, Glob::specificity);
    // A key is always given whole, so each tag counts, and its value by its literal characters.
    let tags = entry.tags.values().map(|value| value.specificity().min(1 << 16) + (1 << 20)).sum();
    let severity = usize::from(entry.severity.is_some());
    [of(&entry.resource), tags, of(&entry.account), of(&entry.rule), of(&entry.control), severity]
}

#[cfg(test)]
mod tests;
