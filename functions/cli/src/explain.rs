//! `onus explain`: how one event is judged, step by step.

use std::fmt::Write as _;

use onus_core::{Change, Effects, Outcome, Verdict};
use onus_pipeline::policy;
use onus_rules::{Rule, Subject};
use onus_sources::{Decoded, Entry};

use crate::Ended;
use crate::args::ExplainArgs;
use crate::input;
use crate::output::say;
use crate::selection::{self, Selection};
use onus_sinks::render::printable::printable;

/// Prints, for each change of the input, who did what, its effects, and every candidate rule with its verdict.
///
/// # Errors
/// The input or the rules cannot be read.
pub(crate) fn run(args: &ExplainArgs) -> anyhow::Result<Ended> {
    let selection = selection::load(&args.rules)?;
    let inputs = input::expand(std::slice::from_ref(&args.input))?;
    let mut text = String::new();
    let mut shown = 0_usize;
    for input in &inputs {
        let reader = input::open(input)?;
        onus_sources::scan_reader(&input.name(), reader, &mut |entry| {
            if args.record.is_none_or(|record| record == entry.record) {
                shown += 1;
                explain(&mut text, &entry, &selection);
            }
        })?;
    }
    anyhow::ensure!(shown > 0, "`{}` holds no such record", args.input);
    say!("{}", text.trim_end());
    Ok(Ended::Clean)
}

fn explain(text: &mut String, entry: &Entry<'_>, selection: &Selection) {
    let _ = writeln!(text, "record {} of {}", entry.record, printable(entry.file));
    match &entry.result {
        Ok(Decoded::Change(change)) => change_text(text, change, selection),
        Ok(Decoded::Skipped(skip)) => {
            let _ = writeln!(text, "  skipped: {}", skip.as_str());
        }
        Err(error) => {
            let _ = writeln!(text, "  broken: {error}");
        }
    }
    text.push('\n');
}

fn change_text(text: &mut String, change: &Change<'_>, selection: &Selection) {
    let summary = change.summary();
    let outcome = match &summary.outcome {
        Outcome::Failed { code, .. } => format!("failed with {}", printable(code)),
        other => other.as_str().to_owned(),
    };
    let lines = [
        ("change", format!("{}:{} {outcome}", change.service, printable(&change.action))),
        ("time", summary.time.to_string()),
        ("where", format!("{} {} {}", summary.cloud, printable(&summary.account), printable(&summary.region))),
        ("actor", format!("{} {}", printable(&summary.actor.kind), printable(&summary.actor.id))),
        ("from", printable(&summary.origin.address)),
    ];
    for (name, value) in lines {
        let _ = writeln!(text, "  {name:<9} {value}");
    }
    for resource in &summary.resources {
        let _ = writeln!(text, "  {:<9} {} {}", "resource", printable(&resource.kind), printable(&resource.id));
    }
    effects_text(text, change.effects());
    let rules: Vec<&Rule> = selection.catalog.candidates(change).collect();
    if rules.is_empty() {
        let _ = writeln!(text, "  no rule watches this operation");
    }
    let subject = Subject::new(change, None, &selection.settings);
    for rule in rules {
        rule_text(text, rule, change, &subject, selection);
    }
}

fn effects_text(text: &mut String, effects: &Effects) {
    for exposure in effects.exposures() {
        let (from, to) = exposure.ports;
        let ports = if from == to { from.to_string() } else { format!("{from}-{to}") };
        let _ = writeln!(
            text,
            "  {:<9} the internet reaches {} on {} port {ports}",
            "opening",
            printable(&exposure.resource),
            exposure.protocol
        );
    }
    for grant in &effects.grants {
        let _ = writeln!(
            text,
            "  {:<9} {} ({}) may {} on {}{}",
            "grant",
            printable(&grant.principal),
            grant.audience.as_str(),
            printable(&grant.actions.join(", ")),
            printable(&grant.resource),
            grant.part.as_ref().map(|part| format!(", by {} {}", grant.via, printable(part))).unwrap_or_default()
        );
    }
    for doubt in &effects.doubts {
        let _ = writeln!(text, "  {:<9} {}", "unknown", printable(&doubt.to_string()));
    }
}

fn rule_text(text: &mut String, rule: &Rule, change: &Change<'_>, subject: &Subject<'_, '_>, selection: &Selection) {
    let verdict = match subject.evaluate(rule) {
        Ok(Verdict::Fires) => "fires".to_owned(),
        Ok(Verdict::Silent) if matches!(change.outcome, Outcome::Failed { .. }) => {
            "silent: the call did not succeed".to_owned()
        }
        Ok(Verdict::Silent) => "silent: the condition does not hold".to_owned(),
        Ok(Verdict::NeedsState(doubts)) => {
            let doubts: Vec<String> = doubts.iter().map(ToString::to_string).collect();
            let kind = rule.state.as_deref().unwrap_or("the resource");
            format!("needs_state: {}; would read {kind}", printable(&doubts.join(", ")))
        }
        Err(error) => format!("cannot be judged: {}", printable(&error.to_string())),
    };
    let _ = writeln!(text, "  rule      {} ({}) {verdict}", rule.id, rule.severity);
    let _ = writeln!(text, "            when {}", rule.when.split_whitespace().collect::<Vec<_>>().join(" "));
    if !verdict.starts_with("fires") && !verdict.starts_with("needs_state") {
        return;
    }
    let duty = rule.duty();
    let _ = writeln!(text, "            duty: {} ({} of {}, {})", duty.owner, duty.area, duty.service, duty.model);
    let remedy = rule.remedy.as_deref().and_then(onus_host::clouds::remediation);
    let controls: Vec<String> = rule.controls.iter().map(ToString::to_string).collect();
    let summary = change.summary();
    let asked = policy::Subject::new(&rule.id, &controls, rule.severity, &summary);
    let decision = selection.policy.decide(&asked, remedy.map(|remedy| remedy.spec().safety));
    let capped = decision.capped_by.map(|cap| format!(", not {}: {cap}", decision.configured)).unwrap_or_default();
    let _ = writeln!(text, "            mode: {} (by {}{capped})", decision.mode, decision.source);
    if let Some(remedy) = remedy {
        plan_text(text, rule, change, remedy);
    }
}

/// What a response would read and may send. The exact calls need the live resource: `plan` mode shows them.
fn plan_text(text: &mut String, rule: &Rule, change: &Change<'_>, remedy: &dyn onus_core::Remediation) {
    let spec = remedy.spec();
    let _ = writeln!(text, "            plan: {} ({}): {}", spec.id, spec.safety.as_str(), spec.title);
    let finding = onus_rules::finding(rule, change, None, change.time);
    match remedy.reads(&finding, &onus_core::Image::default()) {
        Ok(reads) => {
            for read in reads {
                let _ = writeln!(text, "              read  {}", printable(&read.call.to_string()));
            }
            for write in spec.writes {
                let _ = writeln!(text, "              may send {write}");
            }
        }
        Err(error) => {
            let _ = writeln!(text, "              cannot be planned: {}", printable(&error.to_string()));
        }
    }
}
