//! The wire form. Receivers parse this: a change here is a breaking change.
#![allow(clippy::expect_used, reason = "a test file is a test from top to bottom")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jiff::Timestamp;
use onus_core::duty::{Area, Party, ServiceModel};
use onus_core::plan::ReceiptKind;
use onus_core::{
    Actor, Call, ChangeSummary, Cloud, Duty, Effects, Finding, FindingId, Image, Mode, Notice, Origin, Outcome, Plan,
    Receipt, ReceiptOutcome, Resource, Sent, Severity, Sink, Step,
};
use onus_sinks::render::{Located, csv, sarif};
use onus_sinks::{CloudEvent, Lines, TooLarge, fitted};
use serde_json::{Value, json};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

fn finding() -> Finding {
    let rule = "aws.s3.bucket_made_public";
    Finding {
        id: FindingId::of(Cloud::Aws, "e-1", rule),
        rule: rule.to_owned(),
        title: "S3 bucket opened to everyone".to_owned(),
        severity: Severity::Critical,
        duty: Duty {
            area: Area::DataClassificationAccountability,
            service: "S3".to_owned(),
            model: ServiceModel::Paas,
            owner: Party::Customer,
        },
        why: "Anyone on the internet can read the objects.".to_owned(),
        respond: vec!["Ask whether it was planned.".to_owned(), "List reads since then.".to_owned()],
        controls: vec!["cis-aws-5.0:2.1.4".to_owned(), "attack:T1530".to_owned(), "attack:T1098.001".to_owned()],
        references: vec!["https://docs.aws.amazon.com/AmazonS3/latest/userguide/".to_owned()],
        remedy: Some("aws.s3.remove_public_statements".to_owned()),
        change: ChangeSummary {
            uid: "e-1".to_owned(),
            time: at("2026-11-02T10:00:00Z"),
            cloud: Cloud::Aws,
            account: "111122223333".to_owned(),
            region: "eu-central-1".to_owned(),
            service: "s3".to_owned(),
            action: "PutBucketPolicy".to_owned(),
            actor: Actor {
                kind: "AssumedRole".into(),
                id: "arn:aws:sts::111122223333:assumed-role/dev/alice".into(),
                principal: "AROAEXAMPLEID:alice".into(),
                account: "111122223333".into(),
                issuer: Some("AROAEXAMPLEID".into()),
                invoked_by: None,
                mfa: Some(false),
                delegates: Vec::new(),
            },
            origin: Origin { address: "198.51.100.7".into(), user_agent: "aws-cli/2.31\u{1b}[2J".into() },
            outcome: Outcome::Succeeded,
            resources: vec![Resource::new("AWS::S3::Bucket", "arn:aws:s3:::logs", "logs")],
        },
        effects: Effects::none(),
        from_state: false,
        request: json!({ "bucketName": "logs" }),
        response: Value::Null,
        found_at: at("2026-11-02T10:00:05Z"),
    }
}

fn step() -> Step {
    let call = |operation| Call::aws("s3", operation, "eu-central-1", json!({ "Bucket": "logs" }));
    Step {
        title: "remove statement #1 of 1".to_owned(),
        call: call("DeleteBucketPolicy"),
        inverse: Some(call("PutBucketPolicy")),
    }
}

fn image(policy: &str) -> Image {
    Image([("policy".to_owned(), Value::from(policy))].into())
}

fn receipt(kind: ReceiptKind, outcome: ReceiptOutcome) -> Receipt {
    let step = step();
    Receipt {
        finding: finding().id,
        kind,
        remediation: "aws.s3.remove_public_statements".to_owned(),
        resource: Resource::new("AWS::S3::Bucket", "arn:aws:s3:::logs", "logs"),
        outcome,
        at: at("2026-11-02T10:00:09Z"),
        by: "policy".to_owned(),
        sent: vec![Sent { call: step.call.clone(), result: Ok(json!({})) }],
        steps: vec![step],
        before: image("{…}"),
        after: Some(Image::default()),
    }
}

/// One of each, and every outcome of a receipt.
fn notices() -> Vec<Notice> {
    let boxed = || Box::new(finding());
    let plan = Plan {
        finding: finding().id,
        remediation: "aws.s3.remove_public_statements".to_owned(),
        resource: Resource::new("AWS::S3::Bucket", "arn:aws:s3:::logs", "logs"),
        steps: vec![step()],
        before: image("{…}"),
    };
    let reason = || "access was denied".to_owned();
    let mut notices = vec![
        Notice::Found { finding: boxed(), mode: Mode::Enforce },
        Notice::Planned {
            finding: boxed(),
            mode: Mode::Approve,
            plan: Box::new(plan),
            at: at("2026-11-02T10:00:07Z"),
            links: None,
        },
        Notice::Alarm { finding: boxed(), reason: reason(), at: at("2026-11-02T10:00:08Z") },
    ];
    for kind in [ReceiptKind::Respond, ReceiptKind::Undo] {
        for outcome in [
            ReceiptOutcome::Verified,
            ReceiptOutcome::NothingToDo,
            ReceiptOutcome::Planned,
            ReceiptOutcome::Unverified { reason: reason() },
            ReceiptOutcome::Refused { reason: reason() },
        ] {
            notices.push(Notice::Responded { finding: boxed(), receipt: Box::new(receipt(kind, outcome)) });
        }
    }
    // What a log may leave out.
    let mut bare = finding();
    bare.change.actor = Actor::default();
    bare.change.origin = Origin { address: "cloudtrail.amazonaws.com".into(), user_agent: "".into() };
    bare.change.resources.clear();
    bare.change.region.clear();
    bare.respond.clear();
    bare.controls.clear();
    bare.change.outcome = Outcome::Failed { code: "AccessDenied".into(), message: "".into() };
    notices.push(Notice::Found { finding: Box::new(bare), mode: Mode::Alert });
    notices
}

#[test]
fn a_notice_on_the_wire() {
    let notices = notices();
    let found = CloudEvent::from(notices.first().expect("the first"));
    insta::assert_json_snapshot!(found);
}

#[test]
fn every_notice_has_its_own_id_and_keeps_it() {
    let ids = || notices().iter().map(|notice| CloudEvent::from(notice).id).collect::<Vec<_>>();
    // The bare one is about the same finding and tells the same thing: it is found.
    let mut distinct = ids();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), notices().len() - 1);
    assert_eq!(ids(), ids());
}

#[test]
fn only_a_verified_response_closes_a_finding() {
    let closing: Vec<String> = notices()
        .iter()
        .map(CloudEvent::from)
        .filter(|event| event.data.activity_name == "Close")
        .map(|event| event.data.status_detail.unwrap_or_default())
        .collect();
    assert_eq!(closing, ["taken back, and verified by reading back", "already gone"]);
}

#[test]
fn a_notice_over_the_limit_loses_evidence_first_and_says_so() {
    let mut big = finding();
    big.request = json!({ "policy": "x".repeat(300_000) });
    big.effects = Effects::unknown("y".repeat(200_000), "too long");
    let notice = Notice::Found { finding: Box::new(big), mode: Mode::Alert };
    let whole = fitted(&notice, usize::MAX).expect("no limit");
    assert!(whole.len() > 500_000);

    let text = fitted(&notice, 260_000).expect("fits");
    let event: Value = serde_json::from_str(&text).expect("still JSON");
    assert!(text.len() <= 260_000);
    assert_eq!(event["data"]["unmapped"]["trimmed"]["left_out"], json!(["evidences.data"]));
    assert!(event["data"]["unmapped"]["effects"].is_object(), "what fits stays");

    let text = fitted(&notice, 20_000).expect("fits");
    let event: Value = serde_json::from_str(&text).expect("still JSON");
    assert_eq!(event["data"]["unmapped"]["effects"], Value::Null);
    assert!(matches!(fitted(&notice, 100), Err(TooLarge { limit: 100, .. })));
}

#[tokio::test]
async fn a_line_is_one_line_whatever_a_resource_is_called() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("findings.jsonl");
    let mut evil = finding();
    evil.change.resources =
        vec![Resource::new("AWS::S3::Bucket", "a\nb\u{1b}[31m\r\u{2028}\u{9b}31m\u{7f}\u{202e}", "a\nb")];
    for _ in 0..2 {
        let sink = Lines::file("file", &path).expect("opens");
        let notice = Notice::Found { finding: Box::new(evil.clone()), mode: Mode::Alert };
        sink.tell(&notice).await.expect("writes");
    }
    let text = std::fs::read_to_string(&path).expect("reads");
    assert_eq!(text.lines().count(), 2);
    let obeyed = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{2028}' | '\u{202e}');
    assert!(!text.contains(obeyed), "{text:?}");
    let line: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("still JSON");
    assert_eq!(line["subject"], "a\nb\u{1b}[31m\r\u{2028}\u{9b}31m\u{7f}\u{202e}", "and still the same text");
}

#[test]
fn renderings_for_people() {
    let finding = finding();
    let fires = Located { finding: &finding, verdict: "fires", file: "trail/2026 11.json", record: 3 };
    let review = Located { verdict: "needs_state", record: 4, ..fires };
    assert_eq!(
        csv::line(Some(&fires)),
        "f-ec52cbf17cfe6315c04066afad,aws.s3.bucket_made_public,critical,fires,S3 bucket opened to everyone,customer,2026-11-02T10:00:00Z,aws,\
         111122223333,eu-central-1,s3:PutBucketPolicy,arn:aws:sts::111122223333:assumed-role/dev/alice,arn:aws:s3:::logs,\
         trail/2026 11.json,3\r\n",
    );
    insta::assert_json_snapshot!(sarif::log([fires, review]));
}

/// Asks the published schema (`tests/ocsf/validate.py`, with the packages that `make local` installs).
#[test]
fn every_notice_is_valid_against_the_published_ocsf_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let local = std::env::var_os("ONUS_LOCAL").map_or_else(|| root.join(".local"), PathBuf::from);
    let python = local.join("venv/bin/python");
    assert!(python.exists(), "`{}` is missing\nhint: run `make local`", python.display());
    let mut validator = Command::new(python)
        .arg(root.join("tests/ocsf/validate.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the validator starts");
    let mut input = validator.stdin.take().expect("a pipe");
    for notice in notices() {
        let line = serde_json::to_string(&CloudEvent::from(&notice)).expect("serialises");
        writeln!(input, "{line}").expect("the validator reads");
    }
    drop(input);
    let output = validator.wait_with_output().expect("the validator ends");
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
}
