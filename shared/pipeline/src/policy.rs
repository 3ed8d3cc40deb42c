//! How far a response to a finding may go. The one place where that is judged.

use std::cmp::Reverse;
use std::fmt;

use jiff::Timestamp;
use onus_core::{Actor, ChangeSummary, Finding, Mode, Resource, Safety, Severity};
use serde::{Deserialize, Serialize};

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

/// What a policy looks at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
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
}

impl<'a> From<&'a Finding> for Subject<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self::new(&finding.rule, &finding.controls, finding.severity, &finding.change)
    }
}

impl<'a> Subject<'a> {
    /// A rule on a change, before it is known whether it fires.
    pub fn new(rule: &'a str, controls: &'a [String], severity: Severity, change: &'a ChangeSummary) -> Self {
        Self {
            rule,
            controls,
            severity,
            account: &change.account,
            resource: change.resources.first(),
            actor: &change.actor,
        }
    }
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
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRemediation => f.write_str("there is no remediation"),
            Self::Safety(safety) => write!(f, "the remediation is {}", safety.as_str()),
            Self::OwnChange => f.write_str("Onus made the change itself"),
        }
    }
}

/// How specific an override is: the pattern of each selector, the selectors in order of weight.
type Specificity = [usize; 5];

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
    /// selector by selector: resource, account, rule, control, severity. In each, a pattern without wildcards is more specific than one
    /// with, more literal characters than fewer, and any pattern than none. Of two that are equal in all five, the lower mode counts.
    ///
    /// The result is capped by the remediation's [`Safety`] (`None`: there is no remediation) and, for changes of Onus's
    /// own, at `alert`.
    pub fn decide(&self, subject: &Subject<'_>, safety: Option<Safety>) -> Decision {
        let (configured, source) = self.configured(subject);
        let by_safety = configured.capped(safety);
        if self.is_own(subject.actor) && by_safety > Mode::Alert {
            return Decision { mode: Mode::Alert, configured, source, capped_by: Some(Cap::OwnChange) };
        }
        let capped_by = (by_safety < configured).then(|| safety.map_or(Cap::NoRemediation, Cap::Safety));
        Decision { mode: by_safety, configured, source, capped_by }
    }

    fn configured(&self, subject: &Subject<'_>) -> (Mode, ModeSource) {
        if let Some(index) = self.off.iter().position(|glob| glob.matches(subject.rule)) {
            return (Mode::Off, ModeSource::Off(index));
        }
        self.modes
            .overrides
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.matches(subject))
            .max_by_key(|(index, entry)| (entry.specificity(), Reverse(entry.mode), Reverse(*index)))
            .map_or((self.modes.default, ModeSource::Default), |(index, entry)| {
                (entry.mode, ModeSource::Override(index))
            })
    }

    /// The first exemption that matches and still holds, with its index in `exemptions`.
    pub fn exemption(&self, subject: &Subject<'_>, now: Timestamp) -> Option<(usize, &Exemption)> {
        self.exemptions
            .iter()
            .enumerate()
            .find(|(_, exemption)| exemption.matches(subject) && exemption.expires.holds(now))
    }

    /// Whether the change was made by an identity that Onus acts with, by unique id.
    pub fn is_own(&self, actor: &Actor<'_>) -> bool {
        // `AROA…:session` is a session of the role `AROA…`.
        fn role(id: &str) -> &str {
            id.split(':').next().unwrap_or(id)
        }
        let ids = [actor.issuer.as_deref(), Some(&*actor.principal)];
        let own = &self.settings.own_principals;
        ids.into_iter().flatten().any(|id| !id.is_empty() && own.iter().any(|own| role(own) == role(id)))
    }
}

/// Whether a selector that was not given, or one that matches any of these, lets the subject through.
fn selects<'a>(glob: Option<&Glob>, texts: impl IntoIterator<Item = &'a str>) -> bool {
    glob.is_none_or(|glob| texts.into_iter().any(|text| glob.matches(text)))
}

fn names<'a>(resource: Option<&'a Resource<'a>>) -> impl Iterator<Item = &'a str> {
    resource.into_iter().flat_map(|resource| [&*resource.id, &*resource.name])
}

impl Override {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        selects(self.rule.as_ref(), [subject.rule])
            && selects(self.account.as_ref(), [subject.account])
            && selects(self.control.as_ref(), subject.controls.iter().map(String::as_str))
            && selects(self.resource.as_ref(), names(subject.resource))
            && self.severity.is_none_or(|severity| severity == subject.severity)
    }

    fn specificity(&self) -> Specificity {
        let of = |glob: &Option<Glob>| glob.as_ref().map_or(0, Glob::specificity);
        [of(&self.resource), of(&self.account), of(&self.rule), of(&self.control), usize::from(self.severity.is_some())]
    }
}

impl Exemption {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        selects(Some(&self.rule), [subject.rule])
            && selects(self.account.as_ref(), [subject.account])
            && selects(self.resource.as_ref(), names(subject.resource))
            && selects(self.actor.as_ref(), [&*subject.actor.id])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "aws.s3.bucket_made_public";

    /// A policy knows no sinks.
    #[derive(serde::Deserialize)]
    enum Nowhere {}

    impl onus_core::SinkConfig for Nowhere {
        fn name(&self) -> &str {
            match *self {}
        }
    }

    fn policy(yaml: &str) -> Policy {
        Policy::from(&Config::<Nowhere>::parse("onus.yaml", yaml).expect("a good configuration"))
    }

    fn decide(yaml: &str, safety: Option<Safety>) -> Decision {
        let controls = ["cis-aws-5.0:2.1.4".to_owned(), "attack:T1530".to_owned()];
        let resource = Resource::new("AWS::S3::Bucket", "arn:aws:s3:::logs", "logs");
        let actor = Actor { principal: "AROAEXAMPLEID:onus".into(), ..Actor::default() };
        let subject = Subject {
            rule: RULE,
            controls: &controls,
            severity: Severity::Critical,
            account: "111122223333",
            resource: Some(&resource),
            actor: &actor,
        };
        policy(yaml).decide(&subject, safety)
    }

    #[test]
    fn the_most_specific_override_counts_and_of_equals_the_safest() {
        let cases: [(&str, Mode); 14] = [
            ("[]", Mode::Alert),
            ("[{ rule: aws.*, mode: plan }]", Mode::Plan),
            ("[{ rule: aws.*, mode: plan }, { rule: aws.s3.*, mode: enforce }]", Mode::Enforce),
            (
                "[{ rule: aws.s3.bucket_made_public, mode: plan }, { rule: aws.s3.bucket_made_publi*, mode: enforce }]",
                Mode::Plan,
            ),
            ("[{ rule: aws.s3.*, mode: enforce }, { rule: aws.??.*, mode: plan }]", Mode::Enforce),
            ("[{ rule: aws.s3.*, mode: enforce }, { rule: aws.s3.*, mode: alert }]", Mode::Alert),
            ("[{ rule: aws.s3.*, mode: alert }, { rule: aws.s3.*, mode: enforce }]", Mode::Alert),
            (
                "[{ account: '111122223333', mode: alert }, { rule: aws.s3.bucket_made_public, mode: enforce }]",
                Mode::Alert,
            ),
            (
                "[{ resource: logs, mode: plan }, { account: '111122223333', rule: aws.s3.*, mode: enforce }]",
                Mode::Plan,
            ),
            ("[{ resource: 'arn:aws:s3:::l*', mode: plan }]", Mode::Plan),
            ("[{ control: 'cis-aws-5.0:2.1.*', mode: plan }, { severity: critical, mode: enforce }]", Mode::Plan),
            ("[{ severity: high, mode: enforce }]", Mode::Alert),
            ("[{ rule: aws.s3.*, severity: critical, mode: plan }, { rule: aws.s3.*, mode: enforce }]", Mode::Plan),
            ("[{ account: '444455556666', rule: aws.s3.*, mode: enforce }]", Mode::Alert),
        ];
        let mut wrong = Vec::new();
        for (overrides, expected) in cases {
            let got = decide(&format!("modes: {{ overrides: {overrides} }}"), Some(Safety::Automatic)).mode;
            if got != expected {
                wrong.push(format!("{overrides}: {got}, not {expected}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn a_decision_says_where_it_comes_from_and_what_capped_it() {
        let yaml = "modes: { overrides: [{ severity: low, mode: plan }, { rule: 'aws.*', mode: enforce }] }";
        let decision = decide(yaml, Some(Safety::NeedsApproval));
        assert_eq!((decision.mode, decision.configured), (Mode::Approve, Mode::Enforce));
        assert_eq!(decision.source.to_string(), "modes.overrides[1]");
        assert_eq!(decision.capped_by, Some(Cap::Safety(Safety::NeedsApproval)));
        assert_eq!(decide(yaml, None).capped_by, Some(Cap::NoRemediation));
        assert_eq!(decide(yaml, Some(Safety::Automatic)).capped_by, None);
    }

    #[test]
    fn off_wins_over_every_mode() {
        let yaml = "rules: { off: [aws.s3.*] }\nmodes: { overrides: [{ resource: logs, mode: enforce }] }";
        let decision = decide(yaml, Some(Safety::Automatic));
        assert_eq!((decision.mode, decision.source), (Mode::Off, ModeSource::Off(0)));
    }

    #[test]
    fn what_onus_did_itself_is_told_at_most() {
        let cases = [("AROAEXAMPLEID", Mode::Alert), ("AROAEXAMPLEID:onus", Mode::Alert), ("AROAOTHER", Mode::Enforce)];
        for (own, expected) in cases {
            let yaml = format!("modes: {{ default: enforce }}\nsettings: {{ own_principals: ['{own}'] }}");
            assert_eq!(decide(&yaml, Some(Safety::Automatic)).mode, expected, "{own}");
        }
    }
}
