//! The command line as a person or a script meets it: what is printed, where, and with which exit status.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Runs `onus` from the root of the checkout.
fn onus(arguments: &[&str]) -> Output {
    command(arguments).output().expect("onus starts")
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onus"));
    command.args(arguments).current_dir(root()).env_remove("ONUS_CONFIG_FILE").env_remove("ONUS_LEDGER");
    command
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs `onus` with a text on standard input.
fn onus_reading(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("onus starts");
    child.stdin.take().expect("a pipe").write_all(input).expect("onus reads");
    child.wait_with_output().expect("onus ends")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

fn event(path: &str) -> String {
    std::fs::read_to_string(root().join("events/aws").join(path)).expect("a fixture")
}

#[test]
fn a_jsonl_line_says_what_where_and_whose_duty() {
    let output = onus(&["audit", "events/aws/s3/put_bucket_policy.json", "--format", "jsonl"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let lines: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let line = lines.iter().find(|line| line["rule"] == "aws.s3.bucket_policy_made_public").expect("the rule fired");
    assert_eq!(line["verdict"], "fires");
    assert_eq!(line["severity"], "critical");
    assert_eq!(line["duty"]["owner"], "customer");
    assert_eq!(line["change"]["action"], "PutBucketPolicy");
    assert_eq!(line["source"]["record"], 0);
    assert_eq!(line["source"]["file"], "events/aws/s3/put_bucket_policy.json");
    for field in ["title", "effects", "controls", "finding", "remedy"] {
        assert!(!line[field].is_null(), "{field}");
    }
    for field in ["uid", "time", "cloud", "account", "region", "service", "actor", "outcome", "resources"] {
        assert!(!line["change"][field].is_null(), "{field}");
    }
}

#[test]
fn the_exit_status_follows_the_severity_asked_for() {
    let file = "events/aws/s3/put_bucket_policy.json";
    let cases: [(&[&str], i32); 5] = [
        (&["audit", file], 1),
        (&["audit", file, "--fail-on", "critical"], 1),
        (&["audit", file, "--fail-on", "never"], 0),
        (&["audit", file, "--only", "aws.kms.*"], 0),
        (&["audit", file, "--fail-on", "dreadful"], 2),
    ];
    let wrong: Vec<_> =
        cases.into_iter().filter(|(arguments, code)| onus(arguments).status.code() != Some(*code)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn every_format_prints_the_finding() {
    let file = "events/aws/cloudtrail/stop_logging.json";
    for format in ["table", "jsonl", "ocsf", "sarif", "csv"] {
        let output = onus(&["audit", file, "--format", format]);
        assert!(stdout(&output).contains("aws.cloudtrail.trail_stopped"), "{format}: {}", stderr(&output));
    }
    let sarif: Value = serde_json::from_str(&stdout(&onus(&["audit", file, "--format", "sarif"]))).expect("JSON");
    assert_eq!(sarif["version"], "2.1.0");
}

#[test]
fn a_broken_record_is_told_with_its_place_and_loses_nothing_else() {
    let good: Value = serde_json::from_str(&event("cloudtrail/stop_logging.json")).expect("JSON");
    let mut broken = good.clone();
    broken["eventTime"] = Value::from("yesterday");
    let output =
        onus_reading(&["audit", "-", "--format", "jsonl"], format!("{good}\n{broken}\n{{]\n{good}\n").as_bytes());
    let records: Vec<u64> = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["source"]["record"].as_u64().expect("a number"))
        .collect();
    assert_eq!(records, [0, 3]);
    let notes = stderr(&output);
    assert!(notes.contains("- record 1: field `eventTime` holds `yesterday`"), "{notes}");
    assert!(notes.contains("- record 2: record is not valid JSON"), "{notes}");
    assert!(notes.contains("2 broken"), "{notes}");
}

#[test]
fn unreadable_input_is_a_clear_error_and_exit_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("written");
        path.display().to_string()
    };
    let garbage = write("garbage.json", &[0x00, 0x9f, 0x92, 0x96, 0xff, 0x00, 0x01]);
    let words = write("words.log", b"a log of another kind\nwith two lines\n");
    let policy = write("onus.yaml", b"modes: { defualt: alert }\n");
    let file = "events/aws/cloudtrail/stop_logging.json";
    let cases: [(Vec<&str>, &str); 5] = [
        (vec!["audit", "no/such/file"], "cannot read `no/such/file`"),
        (vec!["audit", &garbage], "garbage.json"),
        (vec!["audit", &words], "words.log` holds nothing that can be read"),
        (vec!["audit", file, "--config", &policy], "unknown field `defualt`"),
        (vec!["audit", file, "--only", "aws.nothing.*"], "no rule matches"),
    ];
    for (arguments, message) in cases {
        let output = onus(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(message), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn one_unreadable_input_does_not_hide_the_findings_of_another() {
    let output = onus(&["audit", "Cargo.lock", "events/aws/cloudtrail/stop_logging.json", "--format", "jsonl"]);
    assert!(stdout(&output).contains("aws.cloudtrail.trail_stopped"), "{}", stderr(&output));
}

#[test]
fn a_users_rule_with_a_mistake_is_told_at_its_line_and_column() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().display().to_string();
    let made = onus(&["rules", "new", "aws.s3.bucket_tagged_temporary", "--dir", &dir]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    let tested = onus(&["rules", "test", "--no-builtin", "--rules", &dir]);
    assert_eq!(tested.status.code(), Some(0), "{}", stdout(&tested));
    assert!(stdout(&tested).contains("3 passed, 0 failed"), "{}", stdout(&tested));

    let path = folder.path().join("aws/s3/bucket_tagged_temporary.yaml");
    let text = std::fs::read_to_string(&path).expect("written");
    let line = text.lines().position(|line| line.starts_with("when:")).expect("a condition") + 1;
    std::fs::write(&path, text.replace("tag.Key ==", "tag.Key = =")).expect("written");
    let output = onus(&["rules", "list", "--rules", &dir]);
    assert_eq!(output.status.code(), Some(2));
    let place = format!("bucket_tagged_temporary.yaml:{line}:");
    assert!(stderr(&output).contains(&place), "{}", stderr(&output));
}

#[test]
fn explain_names_the_effects_the_verdict_and_the_response() {
    let output = onus(&["explain", "events/aws/s3/put_bucket_policy.json"]);
    let text = stdout(&output);
    for part in
        ["aws.s3.bucket_policy_made_public (critical) fires", "grant", "mode: alert", "read  s3:GetBucketPolicy"]
    {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

#[test]
fn lists_are_json_when_asked() {
    for list in [&["rules", "list"][..], &["remediations", "list"], &["responsibility"]] {
        let output = onus(&[list, &["--cloud", "aws", "--format", "json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{list:?}");
        let _: Value = serde_json::from_str(&stdout(&output)).unwrap_or_else(|error| panic!("{list:?}: {error}"));
    }
}

#[test]
fn text_from_a_record_cannot_steer_the_terminal() {
    let mut record: Value = serde_json::from_str(&event("cloudtrail/stop_logging.json")).expect("JSON");
    record["requestParameters"]["name"] = Value::from("trail\u{1b}[2J\u{202e}");
    record["userIdentity"]["arn"] = Value::from("arn:aws:iam::111122223333:user/\u{1b}]0;x\u{7}");
    let text = record.to_string();
    for arguments in [&["audit", "-"][..], &["explain", "-"], &["audit", "-", "--format", "csv"]] {
        let output = onus_reading(arguments, text.as_bytes());
        assert!(stdout(&output).contains("trail"), "{arguments:?}: {}", stderr(&output));
        assert!(!stdout(&output).contains(['\u{1b}', '\u{7}', '\u{202e}']), "{arguments:?}");
    }
}

#[test]
fn a_request_to_an_unknown_finding_is_refused_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = format!("file://{}", folder.path().display());
    let id = format!("f-{}", "0".repeat(26));
    let output = onus(&["undo", &id, "--ledger", &ledger]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains(&format!("the ledger holds no finding `{id}`")), "{}", stderr(&output));
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn the_readme_shows_the_rule_as_it_is() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("text");
    let rule =
        std::fs::read_to_string(root().join("shared/rules/catalog/aws/cloudtrail/trail_stopped.yaml")).expect("text");
    assert!(
        readme.contains(rule.trim()),
        "README.md shows another rule than shared/rules/catalog/aws/cloudtrail/trail_stopped.yaml"
    );
}
