//! The command line on a bucket: logs to audit and rules to load lie in S3.

use std::process::{Command, Output};

use onus_tests::client::Client;
use onus_tests::local_aws::LocalAws;
use onus_tests::stage::binary;
use onus_tests::workspace;
use serde_json::{Value, json};

fn onus(aws: &LocalAws, arguments: &[&str]) -> Output {
    Command::new(binary("onus")).args(arguments).envs(aws.env()).output().expect("onus starts")
}

fn findings(output: &Output) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    lines.map(|line| (text(&line["rule"]), text(&line["source"]["file"]))).collect()
}

#[test]
fn logs_and_rules_are_read_from_a_bucket() {
    let aws = LocalAws::moto();
    let client = Client::new(&aws.url);
    client.call("s3", "CreateBucket", json!({ "Bucket": "logs" }));
    let put =
        |key: &str, body: String| client.call("s3", "PutObject", json!({ "Bucket": "logs", "Key": key, "Body": body }));
    let event =
        |name: &str| std::fs::read_to_string(workspace::root().join("events/aws").join(name)).expect("a fixture");
    put("AWSLogs/2026/a.json", event("cloudtrail/stop_logging.json"));
    put("AWSLogs/2026/b.json", event("s3/put_bucket_acl.json"));
    put("AWSLogsOther/c.json", event("s3/put_bucket_policy.json"));
    let template = workspace::root().join("functions/cli/src/rules/template.yaml");
    let rule = std::fs::read_to_string(template).expect("a rule").replace("s3:PutBucketTagging", "s3:PutBucketAcl");
    let when = rule.lines().find(|line| line.starts_with("when:")).expect("a condition").to_owned();
    put("rules/aws/s3/acl_was_set.yaml", rule.replace(&when, "when: 'true'"));

    let whole = onus(
        &aws,
        &["audit", "s3://logs/AWSLogs/", "--format", "jsonl", "--only", "aws.cloudtrail.*", "--only", "aws.s3.*"],
    );
    let told = String::from_utf8_lossy(&whole.stderr).into_owned();
    assert_eq!(whole.status.code(), Some(1), "{told}");
    let (trail, bucket) = ("s3://logs/AWSLogs/2026/a.json", "s3://logs/AWSLogs/2026/b.json");
    assert!(findings(&whole).contains(&("aws.cloudtrail.trail_stopped".to_owned(), trail.to_owned())), "{told}");
    assert!(findings(&whole).iter().all(|(_, file)| file == trail || file == bucket), "{told}");

    let own = onus(&aws, &["audit", bucket, "--format", "jsonl", "--no-builtin", "--rules", "s3://logs/rules/"]);
    let told = String::from_utf8_lossy(&own.stderr).into_owned();
    assert_eq!(findings(&own), [("aws.s3.acl_was_set".to_owned(), bucket.to_owned())], "{told}");

    let none = onus(&aws, &["audit", "s3://logs/nothing-here/"]);
    assert_eq!(none.status.code(), Some(2), "a prefix that holds nothing is no clean audit");
}
