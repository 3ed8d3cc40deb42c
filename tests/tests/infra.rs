//! What is deployed: up to date with the rules, clean to the linter, and as the code expects it.

use std::process::Command;

use onus_host::generate;
use onus_rules::Catalog;
use onus_tests::workspace;

fn template() -> String {
    std::fs::read_to_string(workspace::root().join(generate::TEMPLATE)).expect("the template is there")
}

#[test]
fn derived_files_are_up_to_date() {
    let mut artifacts = generate::aws(Catalog::embedded(), &template()).expect("the template has its markers");
    artifacts.extend(generate::azure(Catalog::embedded()));
    artifacts.extend(generate::gcp(Catalog::embedded()));
    let mut stale = Vec::new();
    for artifact in artifacts {
        let path = workspace::root().join(artifact.path);
        if std::fs::read_to_string(&path).unwrap_or_default() == artifact.text {
            continue;
        }
        if std::env::var_os("ONUS_UPDATE").is_some() {
            std::fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("the folder can be made");
            std::fs::write(&path, &artifact.text).expect("the file can be written");
        }
        stale.push(artifact.path);
    }
    assert!(stale.is_empty(), "not up to date: {stale:?}\nhint: run `make docs`");
}

#[test]
fn the_template_is_clean_to_cfn_lint() {
    let lint = workspace::local().join("venv/bin/cfn-lint");
    assert!(lint.exists(), "`{}` is missing\nhint: run `make local`", lint.display());
    let output = Command::new(lint).arg(workspace::root().join(generate::TEMPLATE)).output().expect("cfn-lint runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_lease_outlives_the_function_that_holds_it() {
    // onus_host::aws::LEASE; the package builds without that feature here.
    const LEASE: u64 = 180;
    let template = template();
    let respond = template.split("\n  Respond:\n").nth(1).expect("there is a function `Respond`");
    let timeout = respond.split("Timeout: ").nth(1).and_then(|rest| rest.lines().next()).expect("it has a timeout");
    assert_eq!(timeout.trim().parse::<u64>().expect("a number") + 60, LEASE, "change LEASE in shared/host with it");
}
