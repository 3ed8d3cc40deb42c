//! `onus rules`: what is looked for, and whether it works.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context;
use onus_core::Cloud;
use onus_rules::{Rule, cases};
use onus_sources::Decoded;
use serde_json::json;

use crate::Ended;
use crate::args::{ListArgs, ListFormat, RulesCommand};
use crate::failure::count;
use crate::output::{json_document, say, table};
use crate::selection;
use onus_sinks::render::printable::printable;

/// Runs one of the `rules` commands.
///
/// # Errors
/// The rules cannot be read, a rule id is unknown, or a file cannot be written.
pub(crate) fn run(command: &RulesCommand) -> anyhow::Result<Ended> {
    match command {
        RulesCommand::List { list: args, rules } => {
            let selection = selection::load(rules)?;
            list(args, selection.catalog.rules())
        }
        RulesCommand::Show { id, rules } => show(id, &selection::load(rules)?),
        RulesCommand::Test { events, rules } => test(events, &selection::load(rules)?),
        RulesCommand::New { id, dir } => new(id, dir),
    }
}

fn list<'a>(args: &ListArgs, rules: impl Iterator<Item = &'a Rule>) -> anyhow::Result<Ended> {
    let rules: Vec<&Rule> = rules.filter(|rule| is_of(rule, args.cloud)).collect();
    match args.format {
        ListFormat::Json => {
            let rules: Vec<_> = rules.into_iter().map(facts).collect();
            say!("{}", json_document(&rules)?);
        }
        ListFormat::Table => {
            let rows = rules.iter().map(|rule| {
                let remedy = rule.remedy.as_deref().unwrap_or_default();
                [&*rule.id, rule.severity.as_str(), rule.duty().owner.as_str(), remedy].map(str::to_owned).to_vec()
            });
            say!("{}", table::grid(&["rule", "severity", "duty", "remedy"], rows.collect()));
            say!("{}", count(rules.len(), "rule"));
        }
    }
    Ok(Ended::Clean)
}

fn is_of(rule: &Rule, cloud: Option<Cloud>) -> bool {
    cloud.is_none_or(|cloud| rule.cloud() == cloud.as_str())
}

/// A rule as JSON, for scripts and pages.
pub(crate) fn facts(rule: &Rule) -> serde_json::Value {
    json!({
        "id": rule.id,
        "title": rule.title,
        "status": rule.status.as_str(),
        "severity": rule.severity,
        "duty": rule.duty(),
        "why": rule.why,
        "benign": rule.benign,
        "respond": rule.respond,
        "controls": rule.controls,
        "references": rule.references,
        "watch": { "source": rule.watch.source, "actions": rule.watch.actions, "outcome": rule.watch.outcome.as_str() },
        "when": rule.when,
        "state": rule.state,
        "state_when": rule.state_when,
        "remedy": rule.remedy,
    })
}

fn show(id: &str, selection: &selection::Selection) -> anyhow::Result<Ended> {
    let rule = selection.catalog.rule(id).with_context(|| format!("there is no rule `{id}`, see `onus rules list`"))?;
    say!("{}", crate::generate::page(rule));
    Ok(Ended::Clean)
}

/// Runs the cases of every rule and tells those that do not go as expected.
fn test(events: &Path, selection: &selection::Selection) -> anyhow::Result<Ended> {
    let read = |event: &str| fs::read_to_string(events.join(event)).map_err(|error| error.to_string());
    let (mut passed, mut failed) = (0_usize, 0_usize);
    for rule in selection.catalog.rules() {
        for case in selection.catalog.cases(&rule.id) {
            match cases::check(rule, case, &read, &decode) {
                Ok(()) => passed += 1,
                Err(error) => {
                    failed += 1;
                    say!("{}: `{}`: {}", rule.id, printable(&case.name), printable(&error.to_string()));
                }
            }
        }
    }
    say!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { Ended::Clean } else { Ended::Found })
}

/// Decodes a fixture of any log and hands its change on.
fn decode(text: &str, with: &mut dyn FnMut(&onus_core::Change<'_>)) -> Result<(), String> {
    let mut broken = None;
    let scanned = onus_sources::scan("the record", text.as_bytes(), &mut |entry| match &entry.result {
        Ok(Decoded::Change(change)) => with(change),
        Ok(Decoded::Skipped(skip)) => broken = Some(format!("it is no change: {}", skip.as_str())),
        Err(error) => broken = Some(error.to_string()),
    });
    match (scanned, broken) {
        (Err(error), _) => Err(error.to_string()),
        (_, Some(reason)) => Err(reason),
        (Ok(_), None) => Ok(()),
    }
}

/// Writes a rule file to start from, which already passes its own tests.
fn new(id: &str, folder: &Path) -> anyhow::Result<Ended> {
    let parts: Vec<&str> = id.split('.').collect();
    let well_formed = |part: &&str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    anyhow::ensure!(
        parts.len() == 3 && parts.iter().all(well_formed),
        "`{id}` is not a rule id, expected `cloud.service.what_happened` in lower case"
    );
    let mut path = folder.to_owned();
    path.extend(&parts);
    path.set_extension("yaml");
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make folder `{}`", parent.display()))?;
    }
    let mut file = fs::File::create_new(&path).with_context(|| format!("cannot create `{}`", path.display()))?;
    file.write_all(TEMPLATE.as_bytes())?;
    say!("wrote {}; test it with `onus rules test --no-builtin --rules {}`", path.display(), folder.display());
    Ok(Ended::Clean)
}

const TEMPLATE: &str = include_str!("rules/template.yaml");
