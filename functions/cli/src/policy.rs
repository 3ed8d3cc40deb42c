//! `onus policy explain`: which line of `onus.yaml` decides about an event, and what would decide without it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;
use onus_core::{Change, ChangeSummary, Mode, Remediation, TagSource, Tags, Verdict};
use onus_pipeline::config::Exemption;
use onus_pipeline::place::{Step, place};
use onus_pipeline::policy::{Explanation, Subject};
use onus_pipeline::{Decision, ModeSource};
use onus_rules::{Rule, Subject as RuleSubject};
use onus_sources::{Decoded, Entry};

use crate::Ended;
use crate::args::PolicyExplainArgs;
use crate::output::say;
use crate::selection::{self, Selection};
use crate::{failure, input};
use onus_sinks::render::printable::printable;

/// What everything that is explained shares.
struct Asked<'a> {
    selection: Selection,
    /// The name and the text of `onus.yaml`.
    file: Option<(String, String)>,
    /// Tags that the resource is supposed to have; `None`: not known.
    tags: Option<Tags>,
    args: &'a PolicyExplainArgs,
    now: Timestamp,
}

/// Prints, for each change of the input and each rule that watches it, what the policy decides and why.
///
/// # Errors
/// The input, the rules or `onus.yaml` cannot be read.
pub(crate) fn explain(args: &PolicyExplainArgs) -> anyhow::Result<Ended> {
    let file = args.rules.config.as_deref().map(read).transpose()?;
    let tags = (!args.tags.is_empty() || args.untagged).then(|| args.tags.iter().cloned().collect());
    let asked = Asked { selection: selection::with_off(&args.rules)?, file, tags, args, now: Timestamp::now() };
    if asked.file.is_none() {
        failure::note("no `--config`: this is the default policy, which alerts");
    }
    let mut text = String::new();
    let mut shown = 0_usize;
    for input in &input::expand(std::slice::from_ref(&args.input))? {
        let reader = input::open(input)?;
        onus_sources::scan_reader(&input.name(), reader, &mut |entry| {
            if args.record.is_none_or(|record| record == entry.record) {
                shown += 1;
                asked.entry(&mut text, &entry);
            }
        })?;
    }
    anyhow::ensure!(shown > 0, "`{}` holds no such record", args.input);
    say!("{}", text.trim_end());
    Ok(Ended::Clean)
}

fn read(path: &Path) -> anyhow::Result<(String, String)> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok((path.display().to_string(), text))
}

impl Asked<'_> {
    fn entry(&self, text: &mut String, entry: &Entry<'_>) {
        let _ = writeln!(text, "record {} of {}", entry.record, printable(entry.file));
        match &entry.result {
            Ok(Decoded::Change(change)) => self.change(text, change),
            Ok(Decoded::Skipped(skip)) => {
                let _ = writeln!(text, "  skipped: {}", skip.as_str());
            }
            Err(error) => {
                let _ = writeln!(text, "  broken: {error}");
            }
        }
        text.push('\n');
    }

    fn change(&self, text: &mut String, change: &Change<'_>) {
        let summary = change.summary();
        line(text, "change", &format!("{}:{}", change.service, printable(&change.action)));
        line(text, "account", &printable(&summary.account));
        line(text, "actor", &printable(&summary.actor.id));
        match summary.resources.first() {
            Some(resource) => {
                line(text, "resource", &format!("{} {}", printable(&resource.kind), printable(&resource.id)));
            }
            None => line(text, "resource", "none: no resource or tag selector matches"),
        }
        let mut none = true;
        for rule in self.selection.catalog.candidates(change) {
            none = false;
            self.rule(text, rule, change, &summary);
        }
        if none {
            line(text, "rule", "none watches this operation");
        }
    }

    fn rule(&self, text: &mut String, rule: &Rule, change: &Change<'_>, summary: &ChangeSummary) {
        let verdict = match RuleSubject::new(change, None, &self.selection.settings).evaluate(rule) {
            Ok(Verdict::Fires) => "fires",
            Ok(Verdict::Silent) => "silent on this event",
            Ok(Verdict::NeedsState(_)) => "needs live state",
            Err(_) => "cannot be judged",
        };
        let _ = writeln!(text, "  rule      {} ({}): {verdict}", rule.id, rule.severity);
        let remedy = rule.remedy.as_deref().and_then(onus_host::clouds::remediation);
        let safety = remedy.map(|remedy| remedy.spec().safety);
        let controls: Vec<String> = rule.controls.iter().map(ToString::to_string).collect();
        let subject = Subject::new(&rule.id, &controls, rule.severity, summary).tagged(self.tags.as_ref());
        let explained = self.selection.policy.explain(&subject, safety, self.now);
        self.mode(text, &explained, remedy);
        self.exemptions(text, &explained);
        self.tags(text, &explained, summary);
    }

    fn mode(&self, text: &mut String, explained: &Explanation, remedy: Option<&dyn Remediation>) {
        let decision = explained.decision;
        sub(text, "mode", &format!("{}, by {}", decision.mode, self.source(decision)));
        if let Some(cap) = decision.capped_by {
            let of = remedy.map(|remedy| format!(" (`{}`)", remedy.spec().id)).unwrap_or_default();
            sub(text, "capped", &format!("{} was asked for, but {cap}{of}", decision.configured));
        }
        if let Some(without) = explained.without {
            let cap = without.capped_by.map(|cap| format!(", because {cap}")).unwrap_or_default();
            sub(text, "without", &format!("{}, by {}{cap}", without.mode, self.source(without)));
        }
    }

    fn exemptions(&self, text: &mut String, explained: &Explanation) {
        if let Some(index) = explained.exemption {
            sub(text, "exempt", &self.exemption(index));
        }
        for index in &explained.ended {
            sub(text, "ended", &self.exemption(*index));
        }
        if explained.exemption.is_none() && explained.decision.mode == Mode::Off {
            sub(text, "", "off: not evaluated, so nothing is kept or told");
        }
    }

    /// What would be read, and which parts of the policy wait for it.
    fn tags(&self, text: &mut String, explained: &Explanation, summary: &ChangeSummary) {
        for index in &explained.overrides_by_tag {
            let overrides = &self.selection.policy.modes.overrides;
            let Some(entry) = overrides.get(*index) else { continue };
            let wanted = wanted(entry.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())));
            let at = self.at(&[Step::Key("modes"), Step::Key("overrides"), Step::Index(*index)]);
            sub(text, "by tag", &format!("modes.overrides[{index}]{at} matches with {wanted}: {}", entry.mode));
        }
        for index in &explained.exemptions_by_tag {
            let Some(entry) = self.selection.policy.exemptions.get(*index) else { continue };
            let wanted = wanted(entry.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())));
            sub(text, "by tag", &format!("{} holds with {wanted}", self.exemption(*index)));
        }
        if !explained.waits_for_tags {
            return;
        }
        let read = summary.resources.first().and_then(|resource| onus_host::clouds::tag_source(summary, resource));
        let read = match read {
            Some(TagSource::Read(read)) => format!("{} is read; without an answer, alert", read.call),
            Some(TagSource::Untagged) => "a resource of this kind has none, so nothing is read".to_owned(),
            None => "nobody knows how to read them here: alert, and an alarm".to_owned(),
        };
        sub(text, "tags", &printable(&read));
        if self.args.tags.is_empty() {
            sub(text, "", "`--tags key=value` or `--untagged` tells what is decided then");
        }
    }

    fn source(&self, decision: Decision) -> String {
        let path: &[Step<'_>] = match &decision.source {
            ModeSource::Default => &[Step::Key("modes"), Step::Key("default")],
            ModeSource::Override(index) => &[Step::Key("modes"), Step::Key("overrides"), Step::Index(*index)],
            ModeSource::Off(index) => &[Step::Key("rules"), Step::Key("off"), Step::Index(*index)],
        };
        format!("{}{}", decision.source, self.at(path))
    }

    fn exemption(&self, index: usize) -> String {
        let Some(exemption) = self.selection.policy.exemptions.get(index) else { return String::new() };
        let Exemption { reason, owner, expires, .. } = exemption;
        let at = self.at(&[Step::Key("exemptions"), Step::Index(index)]);
        format!(
            "exemptions[{index}] `{}`{at}, until {expires}: {} ({})",
            exemption.id(),
            printable(reason),
            printable(owner)
        )
    }

    /// ` (onus.yaml:12)`; empty where the file does not say it.
    fn at(&self, path: &[Step<'_>]) -> String {
        let Some((name, text)) = &self.file else { return String::new() };
        place(text, path).map(|(line, _)| format!(" ({name}:{line})")).unwrap_or_default()
    }
}

/// `env=prod, team=web-*`.
fn wanted<'a>(tags: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let tags: Vec<String> = tags.map(|(key, value)| format!("{key}={value}")).collect();
    printable(&tags.join(", "))
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "  {name:<9} {value}");
}

fn sub(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "            {name:<8} {value}");
}
