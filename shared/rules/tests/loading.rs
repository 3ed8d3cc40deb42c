//! Rules from files: mistakes told at their place, the index, findings, self-contained tests.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "this is a test")]

use std::fs;

use onus_core::{Area, Change, Party, ServiceModel, Severity, Verdict};
use onus_rules::{Catalog, LoadErrors, Settings, cases, evaluate, finding, responsibility};
use onus_sources::Decoded;
use onus_sources::aws::cloudtrail;

const RULE: &str = "\
title: Bucket listing seen
status: stable
severity: high
duty: { area: data_classification_accountability, service: S3 }
why: Because.
respond: [\"Look.\"]
controls: [\"fsbp:S3.2\", \"attack:T1530\"]
watch: { source: aws.cloudtrail, actions: [\"s3:PutBucketPolicy\", \"s3:DeleteBucketPolicy\"] }
when: request.bucketName == \"logs\"
remedy: aws.s3.remove_public_statements
tests:
  - name: the logs
    expect: fires
    record:
      eventVersion: \"1.11\"
      userIdentity: { type: IAMUser, accountId: \"111122223333\", arn: \"arn:aws:iam::111122223333:user/alice\" }
      eventTime: \"2026-01-02T03:04:05Z\"
      eventSource: s3.amazonaws.com
      eventName: PutBucketPolicy
      awsRegion: eu-central-1
      sourceIPAddress: 198.51.100.7
      requestParameters: { bucketName: logs }
      eventID: c0ffee00-0000-4000-8000-000000000001
      eventType: AwsApiCall
      recipientAccountId: \"111122223333\"
";

fn load(text: &str) -> Result<Catalog, LoadErrors> {
    Catalog::load([("aws/s3/listing_seen.yaml".to_owned(), text.to_owned())])
}

fn decode(text: &str, visit: &mut dyn FnMut(&Change<'_>)) -> Result<(), String> {
    match cloudtrail::decode(text).map_err(|error| error.to_string())? {
        Decoded::Change(change) => visit(&change),
        Decoded::Skipped(skip) => return Err(skip.as_str().to_owned()),
    }
    Ok(())
}

/// Runs a function on the change of the rule's own record, with one text in it replaced.
fn on_record<T>(catalog: &Catalog, from: &str, to: &str, mut then: impl FnMut(&Change<'_>) -> T) -> T {
    let case = catalog.cases("aws.s3.listing_seen").first().expect("the rule has a case");
    let record = case.record_text(&|_| Err("no fixtures".to_owned())).expect("the record is written out");
    let mut answer = None;
    decode(&record.replace(from, to), &mut |change| answer = Some(then(change))).expect("the record decodes");
    answer.expect("the record is a change")
}

#[test]
fn mistakes_are_told_with_line_and_column() {
    let cases = [
        ("severity: high", "severity: hihg", "aws/s3/listing_seen.yaml:3:11: `hihg` is not a severity"),
        ("status: stable", "status: stabel", "aws/s3/listing_seen.yaml:2:9: "),
        ("why: Because.", "why: Because.\nwhen_: x", "aws/s3/listing_seen.yaml:6:1: unknown field `when_`"),
        ("service: S3", "service: S33", "aws/s3/listing_seen.yaml:4:60: `S33` is no service"),
        (
            "area: data_",
            "area: dta_",
            "aws/s3/listing_seen.yaml:4:15: `dta_classification_accountability` is not an area",
        ),
        ("attack:T1530", "attack:1530", "aws/s3/listing_seen.yaml:7:26: `attack:1530` is not a control"),
        ("s3:DeleteBucketPolicy", "s3:Delete*", "aws/s3/listing_seen.yaml:8:67: `s3:Delete*` is not an action"),
        ("aws.cloudtrail", "gcp.audit", "aws/s3/listing_seen.yaml:8:18: `gcp.audit` is not a log of `aws`"),
        ("== \"logs\"", "= \"logs\"", "aws/s3/listing_seen.yaml:9:"),
        ("request.bucketName", "requets.bucketName", "aws/s3/listing_seen.yaml:9:14: `requets` is no variable"),
        (
            "    record:\n",
            "    event: x.json\n    record:\n",
            "aws/s3/listing_seen.yaml:12:11: test `the logs`: has both",
        ),
        ("title: Bucket listing seen\n", "", "missing field `title`"),
        ("respond: [\"Look.\"]", "respond: []", "aws/s3/listing_seen.yaml:6:1: `respond` is empty"),
        (RULE, "[", "aws/s3/listing_seen.yaml:"),
    ];
    let mut wrong = Vec::new();
    for (from, to, expected) in cases {
        match load(&RULE.replacen(from, to, 1)) {
            Ok(_) => wrong.push(format!("{to}: loads")),
            Err(errors) if errors.to_string().contains(expected) => {}
            Err(errors) => wrong.push(format!("{to}: should say `{expected}`, says `{errors}`")),
        }
    }
    assert!(wrong.is_empty(), "{} mistakes are told otherwise:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn all_mistakes_of_all_files_are_told_at_once() {
    let one = RULE.replace("severity: high", "severity: hihg").replace("attack:T1530", "attack:1530");
    let files = [("aws/s3/one.yaml", one.as_str()), ("aws/s3/two.yaml", "["), ("nowhere.yaml", RULE)];
    let Err(LoadErrors(errors)) = Catalog::load(files.map(|(path, text)| (path.to_owned(), text.to_owned()))) else {
        panic!("the files load");
    };
    let paths: Vec<&str> = errors.iter().map(|error| error.path.as_str()).collect();
    assert_eq!(paths, ["aws/s3/one.yaml", "aws/s3/one.yaml", "aws/s3/two.yaml", "nowhere.yaml", "nowhere.yaml"]);
    for error in errors.iter().filter(|error| !error.message.contains("gives no rule id")) {
        assert!(error.offset <= error.text.len(), "{error}: the place is in the text");
    }
}

#[test]
fn a_folder_loads_and_an_id_has_one_meaning() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("aws/s3")).expect("writes");
    fs::write(folder.path().join("aws/s3/listing_seen.yaml"), RULE).expect("writes");
    fs::write(folder.path().join("aws/s3/notes.txt"), "no rule").expect("writes");
    let user = Catalog::load_dir(folder.path()).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(user.rules().len(), 1);
    let both = Catalog::embedded().merged(&user).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(both.rules().len(), Catalog::embedded().rules().len() + 1);
    assert!(both.rule("aws.s3.listing_seen").is_some());
    assert!(both.merged(&user).unwrap_err().to_string().contains("`aws.s3.listing_seen` is also in"));
    assert_eq!(both.only(|rule| rule.remedy.is_none()).rule("aws.s3.listing_seen").map(|rule| &rule.id), None);

    let twice = [("aws/s3/listing_seen.yaml", RULE), ("./aws/s3/listing_seen.yaml", RULE)];
    let errors = Catalog::load(twice.map(|(path, text)| (path.to_owned(), text.to_owned()))).unwrap_err();
    assert!(errors.to_string().contains("is also in aws/s3/listing_seen.yaml"), "{errors}");
    assert!(Catalog::load_dir(&folder.path().join("nowhere")).unwrap_err().to_string().contains("cannot read"));
}

#[test]
fn a_change_finds_the_rules_that_watch_it_once() {
    let watching = |id: &str, status: &str, actions: &str| {
        let text = RULE.replace("status: stable", &format!("status: {status}"));
        let actions = format!("actions: [{actions}]");
        let text = text.replace("actions: [\"s3:PutBucketPolicy\", \"s3:DeleteBucketPolicy\"]", &actions);
        (format!("aws/s3/{id}.yaml"), text)
    };
    let catalog = Catalog::load([
        watching("listing_seen", "stable", "\"s3:PutBucketPolicy\""),
        watching("whole_service", "draft", "\"s3:PutBucketPolicy\", \"s3:*\""),
        watching("everything", "stable", "\"*:*\", \"s3:*\""),
        watching("elsewhere", "stable", "\"iam:*\", \"s3:PutBucketAcl\""),
        watching("old", "deprecated", "\"s3:*\""),
    ])
    .unwrap_or_else(|errors| panic!("{errors}"));
    let found = on_record(&catalog, "", "", |change| {
        catalog.candidates(change).map(|rule| rule.id.to_string()).collect::<Vec<_>>()
    });
    assert_eq!(found, ["aws.s3.listing_seen", "aws.s3.whole_service", "aws.s3.everything"]);
    let watched: Vec<String> = catalog.watched().iter().map(|w| format!("{}:{}", w.service, w.action)).collect();
    assert_eq!(watched, ["*:*", "iam:*", "s3:*", "s3:PutBucketAcl", "s3:PutBucketPolicy"]);
}

#[test]
fn the_outcome_that_a_rule_watches_decides_first() {
    let verdict = |outcome: &str, error: &str| {
        let watch =
            RULE.replace("\"s3:DeleteBucketPolicy\"] }", &format!("\"s3:DeleteBucketPolicy\"], outcome: {outcome} }}"));
        let catalog = load(&watch).unwrap_or_else(|errors| panic!("{errors}"));
        let rule = catalog.rule("aws.s3.listing_seen").expect("loaded");
        on_record(&catalog, "\"eventType\"", &format!("{error}\"eventType\""), |change| {
            evaluate(rule, change, None, &Settings::default()).expect("evaluates")
        })
    };
    let denied = "\"errorCode\":\"AccessDenied\",";
    assert_eq!([verdict("succeeded", ""), verdict("succeeded", denied)], [Verdict::Fires, Verdict::Silent]);
    assert_eq!([verdict("failed", ""), verdict("failed", denied)], [Verdict::Silent, Verdict::Fires]);
    assert_eq!([verdict("any", ""), verdict("any", denied)], [Verdict::Fires, Verdict::Fires]);
}

#[test]
fn a_finding_names_the_duty_and_keeps_the_evidence() {
    let catalog = load(RULE).unwrap_or_else(|errors| panic!("{errors}"));
    let rule = catalog.rule("aws.s3.listing_seen").expect("loaded");
    let at = "2026-01-02T03:05:00Z".parse().expect("a time");
    let finding = on_record(&catalog, "", "", |change| finding(rule, change, None, at));
    assert_eq!((finding.rule.as_str(), finding.severity), ("aws.s3.listing_seen", Severity::High));
    assert_eq!((finding.duty.model, finding.duty.owner), (ServiceModel::Paas, Party::Customer));
    assert_eq!(finding.request, serde_json::json!({ "bucketName": "logs" }));
    assert_eq!(finding.change.account, "111122223333");
    assert_eq!(finding.remedy.as_deref(), Some("aws.s3.remove_public_statements"));
    assert!(!finding.from_state && finding.found_at == at);
}

#[test]
fn a_rule_that_carries_its_records_tests_itself() {
    let run = |text: &str| {
        let catalog = load(text).unwrap_or_else(|errors| panic!("{errors}"));
        let rule = catalog.rule("aws.s3.listing_seen").expect("loaded");
        let case = catalog.cases(&rule.id).first().expect("a case");
        cases::check(rule, case, &|_| Err("no such file".to_owned()), &decode).map_err(|error| error.to_string())
    };
    assert_eq!(run(RULE), Ok(()));
    let with = |line: &str| RULE.replace("    record:", &format!("    with: {{ {line} }}\n    record:"));
    let of = |line: &str| run(&with(line)).unwrap_err();
    assert_eq!(of("requestParameters.bucketName: other"), "expected `fires`, was `silent`");
    assert_eq!(of("eventName: PutBucketAcl"), "`s3:PutBucketAcl` of `aws.cloudtrail` is not watched by the rule");
    assert!(of("eventTime: null").starts_with("cannot decode the record: "));
    assert!(of("eventTime.deeper.still: 1").starts_with("cannot prepare the record: `eventTime.deeper.still`"));
    let fixture = RULE.split("    record:").next().expect("text before").to_owned() + "    event: aws/x.json\n";
    assert_eq!(run(&fixture).unwrap_err(), "cannot read event `aws/x.json`: no such file");
}

#[test]
fn the_matrix_says_whose_duty_it_is_and_what_no_rule_watches() {
    let matrix = responsibility::matrix();
    let cells = [
        (Area::NetworkControls, ServiceModel::Iaas, Party::Shared),
        (Area::NetworkControls, ServiceModel::Paas, Party::Provider),
        (Area::DataClassificationAccountability, ServiceModel::Saas, Party::Customer),
        (Area::IdentityAccessManagement, ServiceModel::Faas, Party::Shared),
        (Area::ClientEndpointProtection, ServiceModel::Saas, Party::Shared),
        (Area::PhysicalSecurity, ServiceModel::OnPrem, Party::Customer),
        (Area::PhysicalSecurity, ServiceModel::Iaas, Party::Provider),
    ];
    for (area, model, owner) in cells {
        assert_eq!(matrix.owner(area, model), owner, "{area} × {model}");
    }
    assert_eq!(matrix.service("aws", "Lambda").map(|row| row.model), Some(ServiceModel::Faas));
    assert!(matrix.service("azure", "S3").is_none());

    let watched = load(RULE).unwrap_or_else(|errors| panic!("{errors}"));
    let open = responsibility::duties_without_a_rule(&watched);
    let is_open = |service: &str, area: Area| open.iter().any(|(row, duty)| row.name == service && duty.area == area);
    assert!(!is_open("S3", Area::DataClassificationAccountability), "a rule watches over it");
    assert!(is_open("S3", Area::ConfigurationAndSettings), "no rule does");
    assert!(open.iter().any(|(row, duty)| row.name == "EC2" && duty.unseen.is_some()), "and no log can show that one");
}
