//! What an operator may write, and what is said when it is wrong.

#![allow(clippy::expect_used, reason = "a test file is a test from top to bottom")]

use onus_core::Mode;
use onus_pipeline::{Config, SinkConfig, schema};

const EVERYTHING: &str = "
version: 1
ledger: s3://onus-ledger-111122223333/onus
rules:
  url: ./rules
  instead_of_builtin: false
  off: [aws.ec2.*]
modes:
  default: alert
  overrides:
    - { rule: aws.s3.*, account: '111122223333', mode: enforce }
    - { control: 'cis-aws-5.0:*', severity: critical, resource: 'arn:aws:s3:::*', mode: approve }
exemptions:
  - rule: aws.s3.bucket_made_public
    account: '111122223333'
    resource: arn:aws:s3:::www
    actor: '*:assumed-role/deploy/*'
    reason: A public website.
    owner: web@example.com
    expires: 2027-01-31
  - { rule: aws.kms.*, reason: r, owner: o, expires: never }
sinks:
  - sns: { topic: 'arn:aws:sns:eu-central-1:111122223333:onus' }
  - eventbridge: { bus: onus }
  - stdout: {}
  - file: { path: findings.jsonl, name: log }
settings:
  trusted_accounts: ['444455556666']
  own_principals: [AROAEXAMPLEID]
";

#[test]
fn everything_that_can_be_written_is_read() {
    let config = Config::parse("onus.yaml", EVERYTHING).expect("reads");
    let names: Vec<&str> = config.sinks.iter().map(SinkConfig::name).collect();
    assert_eq!(names, ["sns", "eventbridge", "stdout", "log"]);
    let again = yaml_serde::to_string(&config).expect("writes");
    assert_eq!(Config::parse("again", &again).expect("reads"), config);
}

#[test]
fn nothing_is_the_safe_default() {
    for empty in ["", "\n", "# nothing\n", "{}"] {
        let config = Config::parse("onus.yaml", empty).expect("reads");
        assert_eq!(config, Config::default(), "{empty:?}");
        assert_eq!(config.modes.default, Mode::Alert);
    }
}

#[test]
fn what_is_wrong_is_named_with_line_and_column() {
    let cases = [
        ("mode: {}", "onus.yaml:1:1", "unknown field `mode`"),
        ("modes:\n  defualt: alert", "onus.yaml:2:3", "unknown field `defualt`"),
        ("modes:\n  default: enforced", "onus.yaml:2:12", "unknown variant `enforced`"),
        ("modes:\n  overrides:\n    - rule: x\n      mod: plan", "onus.yaml:4:7", "unknown field `mod`"),
        ("sinks:\n  - sms: {}", "onus.yaml:2:5", "unknown variant `sms`"),
        ("sinks:\n  - sns: { topik: x }", "onus.yaml:2:12", "unknown field `topik`"),
        ("sinks:\n  - sns: {}", "onus.yaml:2", "missing field `topic`"),
        ("exemptions:\n  - rule: x\n    reason: r\n    owner: o", "onus.yaml:2:5", "missing field `expires`"),
        ("exemptions:\n  - { rule: x, reason: r, owner: o, expires: soon }", "onus.yaml:2:", "`soon` is not an expiry"),
        (
            "exemptions:\n  - { rule: x, reason: ' ', owner: o, expires: never }",
            "onus.yaml",
            "exemptions[0].reason is empty",
        ),
        ("modes: { overrides: [{ mode: enforce }] }", "onus.yaml", "selects nothing"),
        ("version: 2", "onus.yaml", "version 2 is not known"),
        ("sinks: [{ stdout: {} }, { stdout: {} }]", "onus.yaml", "two sinks are called `stdout`"),
        ("sinks: [{ stdout: { name: a/b } }]", "onus.yaml", "sink name `a/b`"),
        ("rules: [", "onus.yaml:", ""),
        ("ledger: a\nledger: b", "onus.yaml:", "duplicate"),
        ("- a", "onus.yaml", ""),
    ];
    let mut wrong = Vec::new();
    for (text, place, problem) in cases {
        match Config::parse("onus.yaml", text) {
            Ok(_) => wrong.push(format!("{text:?} was read")),
            Err(error) => {
                let message = error.to_string();
                if !(message.contains(place) && message.contains(problem) && !message.contains(" at line ")) {
                    wrong.push(format!("{text:?}: {message}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The published schema is what editors check `onus.yaml` against. After a change:
/// `ONUS_WRITE=1 cargo test -p onus-pipeline --test config`.
#[test]
fn the_published_schema_is_that_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/onus.schema.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&schema()).expect("serialises"));
    if std::env::var_os("ONUS_WRITE").is_some() {
        std::fs::write(path, &text).expect("writes");
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), text, "infra/onus.schema.json is out of date");
}
