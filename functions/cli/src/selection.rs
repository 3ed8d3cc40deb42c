//! Which rules take part, and under which policy: the built-in catalogue, folders of rules, `onus.yaml`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Context;
use globset::{Glob, GlobSet, GlobSetBuilder};
use onus_host::Config;
use onus_pipeline::Policy;
use onus_rules::{Catalog, LoadErrors, Settings};

use crate::args::RuleArgs;

/// The rules and the policy of one run.
pub(crate) struct Selection {
    /// The rules.
    pub catalog: Catalog,
    /// The response policy; the default where no file is named.
    pub policy: Policy,
    /// What rules may ask about the operator's clouds.
    pub settings: Settings,
}

/// Loads what the arguments name, without the rules that `rules.off` names.
///
/// # Errors
/// A rule file or `onus.yaml` is wrong; `--only` matches no rule.
pub(crate) fn load(args: &RuleArgs) -> anyhow::Result<Selection> {
    let Selection { catalog, policy, settings } = with_off(args)?;
    let catalog = catalog.only(|rule| !policy.off.iter().any(|glob| glob.matches(&rule.id)));
    Ok(Selection { catalog, policy, settings })
}

/// As [`load`], with the rules that `rules.off` names.
///
/// # Errors
/// As [`load`].
pub(crate) fn with_off(args: &RuleArgs) -> anyhow::Result<Selection> {
    let config = match &args.config {
        Some(path) => read_config(path)?,
        None => Config::default(),
    };
    let catalog = catalog(args)?;
    let policy = Policy::from(&config);
    let catalog = narrowed(catalog, &args.only)?;
    let trusted_accounts: BTreeSet<String> = policy.settings.trusted_accounts.iter().cloned().collect();
    Ok(Selection { catalog, policy, settings: Settings { trusted_accounts } })
}

/// Reads an `onus.yaml`.
///
/// # Errors
/// It cannot be read, or is wrong.
pub(crate) fn read_config(path: &Path) -> anyhow::Result<Config> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(Config::parse(&path.display().to_string(), &text)?)
}

/// The built-in rules (unless left out) and those of every folder.
fn catalog(args: &RuleArgs) -> anyhow::Result<Catalog> {
    let mut catalog = if args.no_builtin { None } else { Some(Catalog::embedded().clone()) };
    for folder in &args.dirs {
        let more = rules_of(folder)?;
        catalog = Some(match catalog {
            Some(catalog) => catalog.merged(&more)?,
            None => more,
        });
    }
    catalog.ok_or_else(|| LoadErrors(Vec::new())).map_err(Into::into)
}

#[cfg(feature = "buckets")]
fn rules_of(folder: &str) -> anyhow::Result<Catalog> {
    if !folder.contains("://") {
        return Ok(Catalog::load_dir(Path::new(folder))?);
    }
    let mut files = Vec::new();
    crate::objects::each(folder, &mut |url, path, content| {
        if Catalog::is_rule_file(path) {
            files.push((path.to_owned(), String::from_utf8(content).with_context(|| format!("`{url}` is not text"))?));
        }
        Ok(())
    })?;
    Ok(Catalog::load(files)?)
}

#[cfg(not(feature = "buckets"))]
fn rules_of(folder: &str) -> anyhow::Result<Catalog> {
    anyhow::ensure!(!folder.contains("://"), "cannot read rules from `{folder}`: this build reads folders only");
    Ok(Catalog::load_dir(Path::new(folder))?)
}

fn narrowed(catalog: Catalog, only: &[String]) -> anyhow::Result<Catalog> {
    if only.is_empty() {
        return Ok(catalog);
    }
    let globs = globs(only)?;
    let catalog = catalog.only(|rule| globs.is_match(&*rule.id));
    anyhow::ensure!(catalog.rules().len() > 0, "no rule matches `--only {}`", only.join(" --only "));
    Ok(catalog)
}

fn globs(patterns: &[String]) -> anyhow::Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern).with_context(|| format!("`{pattern}` is not a glob"))?);
    }
    Ok(set.build()?)
}
