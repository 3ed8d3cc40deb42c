//! Every record of the repository and of a rule's test on which a rule with a remediation fires, in the worlds that other cases bring.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use onus_core::{Change, Finding, State};
use onus_host::Rules;
use onus_pipeline::Rules as _;
use onus_rules::{Catalog, Settings};
use onus_sources::{Decoded, scan};

use crate::EVENTS;
use crate::run::{Case, Run};

/// A finding on each record, once for each rule and each world of its remediation in which a plan can be made; where there is none, in the
/// first world.
pub(crate) fn cases(played: &[Case]) -> Vec<Case> {
    let mut worlds: BTreeMap<&'static str, Vec<&Case>> = BTreeMap::new();
    for case in played {
        worlds.entry(case.remediation).or_default().push(case);
    }
    let mut cases = Vec::new();
    for (name, finding) in findings() {
        let remedy = finding.remedy.as_deref().expect("only those with a remediation are taken");
        let Some((remediation, worlds)) = worlds.get_key_value(remedy) else { continue };
        let in_world = |case: &&Case| Case::new(name.clone(), remediation, &finding, Arc::clone(&case.world));
        let fitting = worlds.iter().map(in_world).find(Run::fits);
        cases.extend(fitting.or_else(|| worlds.first().map(in_world)));
    }
    cases
}

/// Every finding, by the record and rule that lead to it, each once.
fn findings() -> Vec<(String, Finding)> {
    let rules = Rules::new(std::borrow::Cow::Borrowed(Catalog::embedded()), Settings::default());
    let mut found = BTreeMap::new();
    for path in files(Path::new(EVENTS)) {
        let name = path.strip_prefix(EVENTS).expect("it lies there").display().to_string();
        let record = std::fs::read(&path).expect("it can be read");
        fire(&rules, &name, &record, None, &mut found);
    }
    let read = |event: &str| std::fs::read_to_string(Path::new(EVENTS).join(event)).map_err(|error| error.to_string());
    for rule in Catalog::embedded().rules().filter(|rule| rule.remedy.is_some()) {
        for case in Catalog::embedded().cases(&rule.id) {
            let (Ok(record), Ok(state)) = (case.record_text(&read), case.state()) else { continue };
            let name = format!("{}, {}", rule.id, case.name);
            fire(&rules, &name, record.as_bytes(), state.as_ref(), &mut found);
        }
    }
    let mut seen = BTreeSet::new();
    found.into_iter().filter(|(_, finding)| seen.insert(serde_json::to_string(finding).expect("it is JSON"))).collect()
}

/// The findings of rules with a remediation on the changes of an input.
fn fire(rules: &Rules, name: &str, input: &[u8], state: Option<&State>, found: &mut BTreeMap<String, Finding>) {
    let mut change = |change: &Change<'_>| {
        for candidate in rules.candidates(change).iter().filter(|candidate| candidate.remedy.is_some()) {
            let verdict = rules.evaluate(candidate.id, change, state);
            if verdict.is_ok_and(|verdict| verdict == onus_core::Verdict::Fires)
                && let Some(finding) = rules.finding(candidate.id, change, state, change.time)
            {
                found.insert(format!("{name}, {} on {}", candidate.id, change.uid), finding);
            }
        }
    };
    // What cannot be read holds no change, which other tests look at.
    let _ = scan(name, input, &mut |entry| {
        if let Ok(Decoded::Change(decoded)) = entry.result {
            change(&decoded);
        }
    });
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}
