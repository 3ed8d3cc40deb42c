//! `onus policy explain`, `onus exempt` and `onus exemptions list` as an operator meets them.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const POLICY: &str = "# who may do what
modes:
  default: alert
  overrides:
    - { rule: aws.s3.*, mode: plan }
    - { rule: aws.s3.*, tags: { env: dev }, mode: enforce }
exemptions:
  # until the move is done
  - rule: aws.s3.bucket_policy_made_public
    tags: { public: 'yes' }
    reason: a website
    owner: web
    expires: never
";

fn onus(arguments: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_onus"));
    command.args(arguments).current_dir(root).env_remove("ONUS_CONFIG_FILE").env_remove("ONUS_LEDGER");
    command.output().expect("onus starts")
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn policy(folder: &tempfile::TempDir) -> PathBuf {
    let path = folder.path().join("onus.yaml");
    std::fs::write(&path, POLICY).expect("writes");
    path
}

#[test]
fn an_explanation_names_the_line_that_decides_and_what_waits_for_tags() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = policy(&folder);
    let config = config.to_str().expect("text");
    let event = "events/aws/s3/put_bucket_policy.json";
    let explain = |more: &[&str]| {
        let only = ["--only", "aws.s3.bucket_policy_made_public"];
        stdout(&onus(&[&["policy", "explain", event, "--config", config], &only[..], more].concat()))
    };
    let cases: [(&[&str], &[&str]); 4] = [
        (
            &[],
            &[
                "mode     alert, by modes.overrides[0]",
                "onus.yaml:5)",
                "the tags of the resource are not known",
                "matches with env=dev: enforce",
                "holds with public=yes",
                "s3:GetBucketTagging {\"Bucket\":\"example-reports\"} is read",
            ],
        ),
        (
            &["--tags", "env=dev"],
            &["mode     enforce, by modes.overrides[1]", "onus.yaml:6)", "without  plan, by modes.overrides[0]"],
        ),
        (&["--tags", "public=yes"], &["exempt   exemptions[0]", "onus.yaml:9)", "a website (web)"]),
        (
            &["--untagged"],
            &["mode     plan, by modes.overrides[0]", "without  alert, by modes.default", "onus.yaml:3)"],
        ),
    ];
    let mut wrong = Vec::new();
    for (more, expected) in cases {
        let text = explain(more);
        wrong.extend(
            expected.iter().filter(|part| !text.contains(**part)).map(|part| format!("{part} is not in\n{text}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_exemption_is_added_to_the_file_and_listed() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = policy(&folder);
    let config = config.to_str().expect("text");
    let what = ["exempt", "--rule", "aws.kms.*", "--account", "111122223333", "--reason", "rotation", "--owner", "ops"];
    let added = onus(&[&what[..], &["--expires", "2020-01-31", "--id", "kms", "--config", config]].concat());
    assert!(stdout(&added).contains("added exemption kms"), "{added:?}");
    let text = std::fs::read_to_string(config).expect("reads");
    assert!(text.starts_with(POLICY) && text.contains("  - id: \"kms\"\n    rule: \"aws.kms.*\""), "{text}");

    let listed = stdout(&onus(&["exemptions", "list", "--config", config, "--format", "json"]));
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!((&listed[1]["id"], &listed[1]["days"], &listed[1]["holds"]), (&"kms".into(), &0.into(), &false.into()));
    assert_eq!((&listed[0]["days"], &listed[0]["holds"]), (&Value::Null, &true.into()));

    let printed = stdout(&onus(&[&what[..], &["--expires", "never"]].concat()));
    assert!(printed.starts_with("  - rule: \"aws.kms.*\"") && printed.contains("expires: \"never\""), "{printed}");
}

#[test]
fn an_exemption_without_an_end_or_anything_to_exempt_is_refused() {
    for arguments in [
        vec!["exempt", "--rule", "x", "--reason", "r", "--owner", "o"],
        vec!["exempt", "--rule", "x", "--reason", "r", "--owner", "o", "--expires", "soon"],
        vec!["exempt", "--reason", "r", "--owner", "o", "--expires", "never"],
        vec!["exempt", "--rule", "x", "--reason", " ", "--owner", "o", "--expires", "never"],
    ] {
        assert_eq!(onus(&arguments).status.code(), Some(2), "{arguments:?}");
    }
}
