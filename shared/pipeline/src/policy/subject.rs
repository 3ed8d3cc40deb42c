//! What a policy looks at, and what its selectors match.

use std::collections::BTreeMap;

use onus_core::{Actor, ChangeSummary, Cloud, Finding, Resource, Severity, Tags};

use crate::config::{Exemption, Override};
use crate::glob::Glob;

/// A rule on a change.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Whose cloud. Azure does not tell upper from lower case in ids, account ids and tag keys, so selectors do not either.
    pub cloud: Cloud,
    /// The rule's id.
    pub rule: &'a str,
    /// The rule's controls.
    pub controls: &'a [String],
    /// The rule's severity.
    pub severity: Severity,
    /// Where the change was made.
    pub account: &'a str,
    /// The resource the change is about; `None` when the record names none, and then no resource selector matches.
    pub resource: Option<&'a Resource<'a>>,
    /// Who made it.
    pub actor: &'a Actor<'a>,
    /// The tags of the resource as they were read; `None` while they are not known.
    pub tags: Option<&'a Tags>,
}

impl<'a> From<&'a Finding> for Subject<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self::new(&finding.rule, &finding.controls, finding.severity, &finding.change)
    }
}

impl<'a> Subject<'a> {
    /// A rule on a change, before it is known whether it fires, and before tags are known.
    pub fn new(rule: &'a str, controls: &'a [String], severity: Severity, change: &'a ChangeSummary) -> Self {
        Self {
            cloud: change.cloud,
            rule,
            controls,
            severity,
            account: &change.account,
            resource: change.resources.first(),
            actor: &change.actor,
            tags: None,
        }
    }

    /// The same subject with what was read of its tags.
    #[must_use]
    pub fn tagged(self, tags: Option<&'a Tags>) -> Self {
        Self { tags, ..self }
    }

    /// Whether a selector that was not given, or one that matches any of these ids, lets the subject through.
    fn selects<'t>(&self, glob: Option<&Glob>, texts: impl IntoIterator<Item = &'t str>) -> bool {
        let matches = |glob: &Glob, text: &str| {
            if self.cloud.ignores_case() { glob.matches_ignoring_case(text) } else { glob.matches(text) }
        };
        glob.is_none_or(|glob| texts.into_iter().any(|text| matches(glob, text)))
    }

    fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.resource.into_iter().flat_map(|resource| [&*resource.id, &*resource.name])
    }

    /// Whether every selected tag is there with a value that matches. Tags that are not known match nothing.
    fn has_tags(&self, wanted: &BTreeMap<String, Glob>) -> bool {
        let ignores_case = self.cloud.ignores_case();
        let same = |key: &str, wanted: &str| key == wanted || (ignores_case && key.eq_ignore_ascii_case(wanted));
        wanted.iter().all(|(key, glob)| {
            self.tags.is_some_and(|tags| tags.iter().any(|(name, value)| same(name, key) && glob.matches(value)))
        })
    }
}

/// A part of a policy that selects subjects.
pub(super) trait Selector {
    /// Whether all selectors but the tags match.
    fn matches_but_tags(&self, subject: &Subject<'_>) -> bool;

    /// The tags it selects by; empty when it does not.
    fn tags(&self) -> &BTreeMap<String, Glob>;

    /// Whether every selector matches.
    fn matches(&self, subject: &Subject<'_>) -> bool {
        self.matches_but_tags(subject) && subject.has_tags(self.tags())
    }

    /// Whether only tags, which are not known, could make it match.
    fn waits_for_tags(&self, subject: &Subject<'_>) -> bool {
        subject.tags.is_none() && !self.tags().is_empty() && self.matches_but_tags(subject)
    }
}

impl Selector for Override {
    fn matches_but_tags(&self, subject: &Subject<'_>) -> bool {
        self.rule.as_ref().is_none_or(|rule| rule.matches(subject.rule))
            && subject.selects(self.account.as_ref(), [subject.account])
            && self.control.as_ref().is_none_or(|glob| subject.controls.iter().any(|control| glob.matches(control)))
            && subject.selects(self.resource.as_ref(), subject.names())
            && self.severity.is_none_or(|severity| severity == subject.severity)
    }

    fn tags(&self) -> &BTreeMap<String, Glob> {
        &self.tags
    }
}

impl Selector for Exemption {
    fn matches_but_tags(&self, subject: &Subject<'_>) -> bool {
        self.rule.matches(subject.rule)
            && subject.selects(self.account.as_ref(), [subject.account])
            && subject.selects(self.resource.as_ref(), subject.names())
            && subject.selects(self.actor.as_ref(), [&*subject.actor.id])
    }

    fn tags(&self) -> &BTreeMap<String, Glob> {
        &self.tags
    }
}
