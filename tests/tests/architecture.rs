//! What shared/README.md promises about the workspace as a whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use onus_tests::workspace;
use serde_json::Value;

/// Who may depend on whom, as shared/README.md draws it. Names are packages without `onus-`.
const MAY_USE: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("sources", &["core"]),
    ("rules", &["core"]),
    ("ledger", &["core"]),
    ("sinks", &["core"]),
    ("aws", &["core", "sources"]),
    ("azure", &["core", "sources"]),
    ("gcp", &["core", "sources"]),
    ("pipeline", &["core"]),
    ("host", &["core", "sources", "rules", "ledger", "sinks", "aws", "azure", "gcp", "pipeline"]),
    ("aws-approve", &["core", "sources", "host"]),
    ("aws-audit", &["core", "sources", "host"]),
    ("aws-respond", &["core", "sources", "host"]),
    ("aws-sweep", &["core", "sources", "host"]),
    ("azure-approve", &["core", "sources", "host"]),
    ("azure-audit", &["core", "sources", "host"]),
    ("azure-respond", &["core", "sources", "host"]),
    ("gcp-approve", &["core", "sources", "host"]),
    ("gcp-audit", &["core", "sources", "host"]),
    ("gcp-respond", &["core", "sources", "host"]),
    ("onus", &["core", "sources", "rules", "ledger", "sinks", "pipeline", "host"]),
];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 8] = ["util", "utils", "helper", "helpers", "common", "misc", "manager", "managers"];

/// The packages of the workspace: name without `onus-`, and its manifest as cargo reads it.
fn packages() -> BTreeMap<String, Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(workspace::root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("a list").iter();
    packages.map(|package| (short(package["name"].as_str().expect("a name")).to_owned(), package.clone())).collect()
}

fn short(name: &str) -> &str {
    name.strip_prefix("onus-").unwrap_or(name)
}

#[test]
fn dependencies_point_one_way() {
    let packages = packages();
    let mut wrong = Vec::new();
    for (name, package) in packages.iter().filter(|(name, _)| *name != "tests") {
        let Some((_, allowed)) = MAY_USE.iter().find(|(known, _)| known == name) else {
            wrong
                .push(format!("`{name}` has no place in the layers: give it one in this test and in shared/README.md"));
            continue;
        };
        let dependencies = package["dependencies"].as_array().expect("a list").iter();
        for used in
            dependencies.filter(|used| used["kind"] != "dev").map(|used| short(used["name"].as_str().expect("a name")))
        {
            if packages.contains_key(used) && !allowed.contains(&used) {
                wrong.push(format!("`{name}` must not depend on `{used}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} edges break the layers:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_core_touches_nothing_outside() {
    let core = &packages()["core"];
    let dependencies = core["dependencies"].as_array().expect("a list").iter();
    let names: Vec<&str> =
        dependencies.filter(|used| used["kind"].is_null()).filter_map(|used| used["name"].as_str()).collect();
    let outside = ["tokio", "reqwest", "hyper", "object_store", "tracing", "aws-config"];
    let found: Vec<_> = names.iter().filter(|name| outside.contains(name) || name.starts_with("aws-")).collect();
    assert!(found.is_empty(), "core must not depend on {found:?}");

    let mut wrong = Vec::new();
    for (path, text) in sources(&workspace::root().join("shared/core/src")) {
        for word in ["std::env", "std::fs", "std::net::Tcp", "Timestamp::now", "SystemTime::now", "std::process"] {
            if text.contains(word) {
                wrong.push(format!("{}: {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "core reaches outside:\n{}", wrong.join("\n"));
}

/// What a build of the command line alone depends on, a package a line with its features: builds of the whole workspace hide what it leaves out.
fn default_command_line() -> String {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", "onus", "--edges", "normal,no-proc-macro", "--prefix", "none", "--offline"])
        .args(["--format", "{p} {f}"])
        .current_dir(workspace::root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(tree.contains("onus-aws"), "the tree is that of the command line: {tree}");
    tree
}

#[test]
fn the_default_command_line_links_no_cloud_sdk() {
    let tree = default_command_line();
    let sdk: Vec<&str> = tree.lines().filter(|line| line.starts_with("aws-") || line.starts_with("reqwest")).collect();
    assert!(sdk.is_empty(), "the command line links {sdk:?}");
}

#[test]
fn the_default_command_line_reads_ledgers_of_all_clouds() {
    let tree = default_command_line();
    let ledger = tree.lines().find(|line| line.starts_with("onus-ledger")).expect("it reads ledgers");
    let features: Vec<&str> = ledger.rsplit(' ').find(|part| part.contains(',')).unwrap_or("").split(',').collect();
    let missing: Vec<&&str> = ["fs", "s3", "azblob", "gs"].iter().filter(|one| !features.contains(one)).collect();
    assert!(missing.is_empty(), "without {missing:?}: {ledger}");
}

#[test]
fn every_name_says_what_is_inside() {
    let mut wrong: Vec<String> =
        packages().into_keys().filter(|name| name.split('-').any(|part| EMPTY_NAMES.contains(&part))).collect();
    for folder in ["shared", "functions", "tests"] {
        for (path, _) in sources(&workspace::root().join(folder)) {
            let named = |part: &std::ffi::OsStr| EMPTY_NAMES.contains(&part.to_string_lossy().trim_end_matches(".rs"));
            if path.strip_prefix(workspace::root()).expect("below the root").iter().any(named) {
                wrong.push(path.display().to_string());
            }
        }
    }
    assert!(wrong.is_empty(), "these names say nothing:\n{}", wrong.join("\n"));
}

#[test]
fn functions_are_wiring_only() {
    let mut wrong = Vec::new();
    for (path, text) in sources(&workspace::root().join("functions")) {
        let below = path.strip_prefix(workspace::root()).expect("below the root");
        let of_a_function =
            path.ends_with("src/main.rs") && below.iter().any(|part| is_function(&part.to_string_lossy()));
        if of_a_function && text.lines().count() >= 60 {
            wrong.push(format!("{}: {} lines", path.display(), text.lines().count()));
        }
    }
    assert!(wrong.is_empty(), "a function's main.rs stays below 60 lines:\n{}", wrong.join("\n"));
}

fn is_function(folder: &str) -> bool {
    ["aws-", "azure-", "gcp-"].iter().any(|cloud| folder.starts_with(cloud))
}

/// Services and products of the clouds, as words of code.
const SERVICES: [&str; 26] = [
    "s3",
    "sns",
    "sqs",
    "iam",
    "kms",
    "ec2",
    "rds",
    "dynamodb",
    "eventbridge",
    "cloudtrail",
    "lambda",
    "cloudwatch",
    "amazonaws",
    "microsoft",
    "entra",
    "keyvault",
    "blob",
    "azblob",
    "eventgrid",
    "eventhub",
    "googleapis",
    "gcs",
    "bigquery",
    "pubsub",
    "cloudsql",
    "cloudrun",
];

/// A cloud comes in as new folders: what is in the middle knows that there are clouds, but not which, and none of their services.
#[test]
fn the_middle_names_no_cloud() {
    let mut wrong = Vec::new();
    for folder in ["shared/core/src", "shared/rules/src", "shared/pipeline/src"] {
        for (path, text) in sources(&workspace::root().join(folder)) {
            // Where the clouds are told apart at all: the enum, and a call's constructors.
            let tells_apart = path.ends_with("core/src/change.rs") || path.ends_with("core/src/call.rs");
            let is_test = path.iter().any(|part| part == "tests" || part == "tests.rs");
            if is_test {
                continue;
            }
            for (number, line) in code(&text) {
                let lower = line.to_lowercase();
                let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
                let service = words.find(|word| SERVICES.contains(word));
                let cloud = ["Cloud::Aws", "Cloud::Azure", "Cloud::Gcp"].into_iter().find(|name| line.contains(name));
                if let Some(name) = service.or(cloud.filter(|_| !tells_apart)) {
                    wrong.push(format!("{}:{number}: {name}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "the middle names a cloud or its service:\n{}", wrong.join("\n"));
}

/// The lines of a source that are neither comment nor test, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().take_while(|line| *line != "#[cfg(test)]").zip(1..).map(|(line, number)| (number, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

#[test]
fn the_readme_draws_the_layers_that_hold() {
    let readme = std::fs::read_to_string(workspace::root().join("shared/README.md")).expect("readable");
    let drawn = readme.split("## Layers").nth(1).expect("a chapter on layers").split("## ").next().expect("its text");
    let library = |name: &&str| !name.contains('-') && **name != *"onus";
    let missing: Vec<&str> =
        MAY_USE.iter().map(|(name, _)| *name).filter(library).filter(|name| !drawn.contains(name)).collect();
    assert!(missing.is_empty(), "shared/README.md draws no {missing:?}");
}

/// Every Rust source below a folder with its text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("sources are UTF-8");
            found.push((path, text));
        }
    }
    found.sort();
    found
}
