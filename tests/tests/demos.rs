//! The demos of the README, played with the binaries of this build: each ends with checks of its own, and fails where one does not hold.

use std::process::Command;

use onus_tests::stage::binary;
use onus_tests::workspace;

fn plays(script: &str) {
    let onus = binary("onus");
    let output = Command::new(workspace::python())
        .arg(workspace::root().join(script))
        .arg(onus.parent().expect("it lies in a folder"))
        .current_dir(workspace::root())
        .output()
        .expect("Python runs");
    let (told, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}: {told}\n{failed}");
    assert!(told.contains("ok    ") && !told.contains("FAIL"), "{script}: {told}");
}

#[test]
fn risky_changes_on_a_local_aws_are_found_told_rolled_back_and_undone() {
    plays("tests/demo/play.py");
}

#[test]
fn risky_changes_on_a_local_azure_are_found_told_rolled_back_and_undone() {
    plays("tests/demo_azure/play.py");
}

#[test]
fn risky_changes_on_a_local_google_cloud_are_found_told_rolled_back_and_undone() {
    plays("tests/demo_gcp/play.py");
}
