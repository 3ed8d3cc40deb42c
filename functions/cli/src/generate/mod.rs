//! `onus generate`: files that are derived from rules and remediations, written or compared.

mod pages;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use onus_host::generate::Artifact;
use onus_rules::Catalog;
pub(crate) use pages::page;

use crate::Ended;
use crate::args::{GenerateArgs, Generated};
use crate::output::say;
use crate::selection;

/// Path below the project folder → content.
type Files = BTreeMap<PathBuf, String>;

/// Writes the files, or with `--check` tells which are out of date.
///
/// # Errors
/// The rules cannot be read, or a file cannot be read or written.
pub(crate) fn run(args: &GenerateArgs) -> anyhow::Result<Ended> {
    let selection = selection::load(&args.rules)?;
    let mut files = Files::new();
    let wants = |what| args.what == what || args.what == Generated::All;
    if wants(Generated::Docs) {
        files.extend(pages::files(&selection.catalog));
    }
    if wants(Generated::Schema) {
        let schema = serde_json::to_string_pretty(&onus_host::config_schema())?;
        files.insert("infra/onus.schema.json".into(), schema + "\n");
    }
    if wants(Generated::Aws) {
        files.extend(aws(&args.into, &selection.catalog)?);
    }
    if wants(Generated::Azure) {
        files.extend(of(onus_host::generate::azure(&selection.catalog)));
    }
    if wants(Generated::Gcp) {
        files.extend(of(onus_host::generate::gcp(&selection.catalog)));
    }
    let stale = stale(&args.into, &files, wants(Generated::Docs))?;
    if args.check {
        for path in stale.keys() {
            say!("out of date: {}", path.display());
        }
        return Ok(if stale.is_empty() { Ended::Clean } else { Ended::Found });
    }
    write(&args.into, &stale)?;
    Ok(Ended::Clean)
}

/// Event patterns, roles and the template with its derived blocks.
fn aws(root: &Path, catalog: &Catalog) -> anyhow::Result<Files> {
    let path = root.join(onus_host::generate::TEMPLATE);
    let template = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let artifacts = onus_host::generate::aws(catalog, &template)?;
    Ok(of(artifacts))
}

fn of(artifacts: Vec<Artifact>) -> Files {
    artifacts.into_iter().map(|artifact| (artifact.path.into(), artifact.text)).collect()
}

/// What differs: path → content, `None` for a page whose rule is gone.
fn stale(root: &Path, files: &Files, pages: bool) -> anyhow::Result<BTreeMap<PathBuf, Option<String>>> {
    let mut stale = BTreeMap::new();
    for (path, content) in files {
        if fs::read_to_string(root.join(path)).ok().as_ref() != Some(content) {
            stale.insert(path.clone(), Some(content.clone()));
        }
    }
    if pages && root.join(pages::FOLDER).is_dir() {
        for entry in fs::read_dir(root.join(pages::FOLDER))? {
            let path = Path::new(pages::FOLDER).join(entry?.file_name());
            if !files.contains_key(&path) {
                stale.insert(path, None);
            }
        }
    }
    Ok(stale)
}

fn write(root: &Path, files: &BTreeMap<PathBuf, Option<String>>) -> anyhow::Result<()> {
    for (path, content) in files {
        let file = root.join(path);
        let Some(content) = content else {
            fs::remove_file(&file).with_context(|| format!("cannot remove `{}`", file.display()))?;
            say!("removed {}", path.display());
            continue;
        };
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make folder `{}`", parent.display()))?;
        }
        fs::write(&file, content).with_context(|| format!("cannot write `{}`", file.display()))?;
        say!("wrote {}", path.display());
    }
    Ok(())
}
