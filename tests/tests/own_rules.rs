//! A function with the operator's own rules, which lie in a bucket.

use onus_tests::cloudtrail::{event, record};
use onus_tests::lambda::Function;
use onus_tests::local_aws::LocalAws;
use onus_tests::stage::{Stage, binary, returned};
use onus_tests::workspace;
use serde_json::{Value, json};

const CONFIG: &str = "rules: { url: 's3://own-rules/team/', instead_of_builtin: true }";

#[test]
fn rules_in_a_bucket_replace_the_built_in_ones() {
    let stage = Stage::new(LocalAws::moto());
    stage.client.call("s3", "CreateBucket", json!({ "Bucket": "own-rules" }));
    let template = workspace::root().join("functions/cli/src/rules/template.yaml");
    let rule = std::fs::read_to_string(template).expect("a rule");
    let put = json!({ "Bucket": "own-rules", "Key": "team/aws/s3/bucket_tagged.yaml", "Body": rule });
    stage.client.call("s3", "PutObject", put);

    let audit = Function::start(&binary("aws-audit"), stage.env_with(&[("ONUS_CONFIG", CONFIG)]));
    let tags = json!({ "bucketName": "b", "Tagging": { "TagSet": { "Tag": { "Key": "temporary", "Value": "yes" } } } });
    let tagged = returned(audit.invoke(&event(&record("tagged", "s3", "PutBucketTagging", tags, Value::Null))));
    let rules: Vec<&Value> = tagged["findings"].as_array().expect("a list").iter().map(|found| &found[1]).collect();
    assert_eq!(rules, ["aws.s3.bucket_tagged"], "{tagged}");

    let stopped = record("stopped", "cloudtrail", "StopLogging", json!({ "name": "trail" }), Value::Null);
    assert_eq!(returned(audit.invoke(&event(&stopped)))["findings"], json!([]), "the built-in rules are left out");
}
