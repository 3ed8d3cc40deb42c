//! What an operator may write, and what is said when it is wrong.

#![allow(clippy::expect_used, reason = "a test file is a test from top to bottom")]

use onus_core::{Mode, SinkConfig};
use serde::Deserialize;

/// One kind of sink, as whoever opens sinks brings more.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Post(Post),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Post {
    to: String,
    #[serde(default)]
    name: Option<String>,
}

impl SinkConfig for Kind {
    fn name(&self) -> &str {
        let Self::Post(post) = self;
        post.name.as_deref().unwrap_or("post")
    }
}

type Config = onus_pipeline::Config<Kind>;

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
    - { tags: { env: dev, team: 'web-*' }, mode: plan }
    - { control: 'cis-aws-5.0:*', severity: critical, resource: 'arn:aws:s3:::*', mode: approve }
exemptions:
  - rule: aws.s3.bucket_made_public
    account: '111122223333'
    resource: arn:aws:s3:::www
    actor: '*:assumed-role/deploy/*'
    reason: A public website.
    owner: web@example.com
    expires: 2027-01-31
  - { id: kms, rule: aws.kms.*, tags: { env: dev }, reason: r, owner: o, expires: never }
sinks:
  - post: { to: security }
  - post: { to: owners, name: log }
settings:
  trusted_accounts: ['444455556666']
  own_principals: [AROAEXAMPLEID]
";

#[test]
fn everything_that_can_be_written_is_read() {
    let config = Config::parse("onus.yaml", EVERYTHING).expect("reads");
    let names: Vec<&str> = config.sinks.iter().map(Kind::name).collect();
    assert_eq!(names, ["post", "log"]);
    assert_eq!(config.ledger.as_deref(), Some("s3://onus-ledger-111122223333/onus"));
    assert_eq!((config.modes.overrides.len(), config.exemptions.len(), config.rules.off.len()), (3, 2, 1));
    assert_eq!(config.settings.trusted_accounts, ["444455556666"]);
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
        ("sinks:\n  - post: { too: x }", "onus.yaml:2:13", "unknown field `too`"),
        ("sinks:\n  - post: {}", "onus.yaml:2", "missing field `to`"),
        ("exemptions:\n  - rule: x\n    reason: r\n    owner: o", "onus.yaml:2:5", "missing field `expires`"),
        ("exemptions:\n  - { rule: x, reason: r, owner: o, expires: soon }", "onus.yaml:2:", "`soon` is not an expiry"),
        (
            "exemptions:\n  - { rule: x, reason: ' ', owner: o, expires: never }",
            "onus.yaml",
            "exemptions[0].reason is empty",
        ),
        (
            "exemptions:\n  - { id: a/b, rule: x, reason: r, owner: o, expires: never }",
            "onus.yaml",
            "exemptions[0].id `a/b` is not",
        ),
        (
            "exemptions:\n  - { rule: x, reason: r, owner: o, expires: never }\n  - { rule: x, reason: s, owner: p, expires: 2027-01-31 }",
            "onus.yaml",
            "exemptions[0] and exemptions[1] select the same",
        ),
        (
            "exemptions: [{ id: a, rule: x, reason: r, owner: o, expires: never }, { id: a, rule: y, reason: r, owner: o, expires: never }]",
            "onus.yaml",
            "have the same id (`a`)",
        ),
        ("modes: { overrides: [{ mode: enforce, tags: {} }] }", "onus.yaml", "selects nothing"),
        ("modes: { overrides: [{ mode: enforce }] }", "onus.yaml", "selects nothing"),
        ("version: 2", "onus.yaml", "version 2 is not known"),
        ("sinks: [{ post: { to: a } }, { post: { to: b } }]", "onus.yaml", "two sinks are called `post`"),
        ("sinks: [{ post: { to: x, name: a/b } }]", "onus.yaml", "sink name `a/b`"),
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
