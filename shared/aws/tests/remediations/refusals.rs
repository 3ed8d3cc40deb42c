//! Where nothing is planned: the bad part is gone, or the remediation cannot know what is bad.

use onus_aws::remediation;
use onus_core::{Effects, Finding, Image, PlanError};
use serde_json::{Value, json};

use crate::cases::{own, policy, public, world};
use crate::fake::FakeAws;
use crate::findings::{finding, omitted};
use crate::read;

const LOGS: &str = "arn:aws:s3:::logs/*";

fn image(value: Value) -> Image {
    serde_json::from_value(value).unwrap()
}

/// `incomplete`, `unreadable`, `refused`, `read`, or the titles of what was planned.
fn outcome(id: &str, finding: &Finding, live: Value) -> String {
    let planned = remediation(id).unwrap().plan(finding, &image(live));
    match planned {
        Ok(steps) => steps.into_iter().map(|step| step.title).collect::<Vec<_>>().join("; "),
        Err(PlanError::Incomplete { .. }) => "incomplete".to_owned(),
        Err(PlanError::Unreadable { .. }) => "unreadable".to_owned(),
        Err(PlanError::Refused { .. }) => "refused".to_owned(),
        Err(PlanError::Read(_)) => "read".to_owned(),
    }
}

#[test]
fn doubt_plans_nothing() {
    let open = policy(&[public("Open", "s3:GetObject", LOGS)]);
    let statements = "aws.s3.remove_public_statements";
    let put =
        |document: Value| finding("s3:PutBucketPolicy", json!({ "bucketName": "logs", "bucketPolicy": document }));
    let mut unread = omitted("s3:PutBucketPolicy", "AWS::S3::Bucket", "arn:aws:s3:::logs", "logs");
    unread.from_state = false;
    let root = {
        let mut root = finding("iam:CreateAccessKey", json!(null));
        root.change.actor.kind = "Root".into();
        root.response = json!({ "accessKey": { "accessKeyId": "AKIAIOSFODNN7EXAMPLE" } });
        root
    };
    let group = {
        let mut group = omitted("ec2:AuthorizeSecurityGroupIngress", "AWS::EC2::SecurityGroup", "", "sg-1");
        group.effects = Effects::none();
        group
    };
    let kms = |state: &str| json!({ "key": { "KeyState": state } });
    let key = finding("kms:DisableKey", json!({ "keyId": "k" }));
    let key_policy = finding("kms:PutKeyPolicy", json!({ "keyId": "k", "policy": open.to_string() }));
    let cases: Vec<(&str, &str, Finding, Value, &str)> = vec![
        (
            "nobody names the bucket",
            statements,
            finding("s3:PutBucketPolicy", json!({})),
            json!({ "policy": open }),
            "incomplete",
        ),
        ("the policy that was put is not known", statements, unread, json!({ "policy": open }), "incomplete"),
        ("what was put is no policy", statements, put(json!("{")), json!({ "policy": open }), "unreadable"),
        ("what is there is no policy", statements, put(open.clone()), json!({ "policy": "{" }), "unreadable"),
        ("the policy is gone", statements, put(open.clone()), json!({ "policy": null }), ""),
        (
            "what was put has been replaced",
            statements,
            put(open.clone()),
            json!({ "policy": policy(&[own("App", "s3:*", LOGS)]) }),
            "",
        ),
        ("a key needs a policy", "aws.kms.remove_public_statements", key_policy, json!({ "policy": open }), "refused"),
        (
            "no flags in the record",
            "aws.s3.restore_bucket_public_access_block",
            finding("s3:PutBucketPublicAccessBlock", json!({ "bucketName": "logs" })),
            json!({ "public_access_block": null }),
            "incomplete",
        ),
        (
            "no grants in the record",
            "aws.s3.remove_public_acl_grants",
            finding("s3:PutBucketAcl", json!({ "bucketName": "logs" })),
            json!({ "acl": { "Owner": { "ID": "me" }, "Grants": [] } }),
            "incomplete",
        ),
        (
            "a list without an owner",
            "aws.s3.remove_public_acl_grants",
            finding("s3:PutBucketAcl", json!({ "bucketName": "logs", "x-amz-acl": "public-read" })),
            json!({ "acl": { "Grants": [] } }),
            "unreadable",
        ),
        (
            "which rules were made is not known",
            "aws.ec2.revoke_security_group_rules",
            group,
            json!({ "rules": [] }),
            "refused",
        ),
        ("the root user's key", "aws.iam.deactivate_access_key", root, json!({ "access_keys": [] }), "refused"),
        (
            "a key deactivated",
            "aws.iam.deactivate_access_key",
            finding("iam:UpdateAccessKey", json!({ "userName": "u", "accessKeyId": "k", "status": "Inactive" })),
            json!({}),
            "refused",
        ),
        (
            "a policy detached",
            "aws.iam.detach_policy",
            finding("iam:DetachUserPolicy", json!({ "userName": "u", "policyArn": "p" })),
            json!({}),
            "incomplete",
        ),
        ("a key in a state of its own", "aws.kms.enable_key", key.clone(), kms("PendingImport"), "refused"),
        ("a key without a state", "aws.kms.enable_key", key.clone(), json!({}), "unreadable"),
        ("a key already enabled", "aws.kms.enable_key", key.clone(), kms("Enabled"), ""),
        (
            "a deletion cancelled by hand leaves a disabled key",
            "aws.kms.cancel_key_deletion",
            key,
            kms("Disabled"),
            "enable the key",
        ),
    ];
    let wrong: Vec<String> = cases
        .into_iter()
        .map(|(name, id, finding, live, expected)| (name, outcome(id, &finding, live), expected))
        .filter(|(_, found, expected)| found != expected)
        .map(|(name, found, expected)| format!("{name}: {found:?}, not {expected:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_title_says_which_statement_and_when_the_record_was_silent() {
    let live = json!({ "policy": policy(&[own("App", "s3:*", LOGS), public("A\nB", "s3:GetObject", LOGS)]) });
    let finding = omitted("s3:PutBucketPolicy", "AWS::S3::Bucket", "arn:aws:s3:::logs", "logs");
    let expected =
        r#"remove statement #1 "A\nB", of 2 (the record leaves out what was put: every public statement counts)"#;
    assert_eq!(outcome("aws.s3.remove_public_statements", &finding, live), expected);
}

#[tokio::test]
async fn a_thing_that_is_gone_needs_nothing_and_a_trail_that_is_gone_is_an_error() {
    let aws = FakeAws::new(world([]));
    let gone = finding("s3:PutBucketPolicy", json!({ "bucketName": "logs", "bucketPolicy": policy(&[]) }));
    let remedy = remediation("aws.s3.remove_public_statements").unwrap();
    let image = read(&aws, remedy, &gone).await.unwrap();
    assert_eq!(remedy.plan(&gone, &image).unwrap(), []);
    let trail = finding("cloudtrail:StopLogging", json!({ "name": "org" }));
    let error = read(&aws, remediation("aws.cloudtrail.start_logging").unwrap(), &trail).await.unwrap_err();
    assert!(matches!(error, PlanError::Read(_)), "{error}");
}

#[test]
fn calls_go_where_the_thing_is() {
    let place = |id: &str, finding: &Finding| {
        let reads = remediation(id).unwrap().reads(finding, &Image::default()).unwrap();
        (reads[0].call.region.clone(), reads[0].call.parameters.clone())
    };
    let made = json!({ "bucketName": "logs", "CreateBucketConfiguration": { "LocationConstraint": "EU" } });
    let bucket = finding("s3:CreateBucket", made);
    let found = place("aws.s3.remove_public_acl_grants", &bucket);
    assert_eq!(found, ("eu-west-1".to_owned(), json!({ "Bucket": "logs" })));
    let mut replica = finding("kms:ReplicateKey", json!({ "keyId": "mrk-1", "replicaRegion": "eu-south-2" }));
    let arn = "arn:aws:kms:eu-south-2:111122223333:key/mrk-1";
    replica.response = json!({ "replicaKeyMetadata": { "arn": arn, "keyId": "mrk-1" } });
    let found = place("aws.kms.remove_public_statements", &replica);
    assert_eq!(found.0, "eu-south-2");
    assert_eq!(found.1["KeyId"], arn);
    let point =
        finding("s3:PutBucketPolicy", json!({ "bucketName": "arn:aws:s3:eu-west-1:111122223333:accesspoint/x" }));
    let refused = remediation("aws.s3.remove_public_statements").unwrap().reads(&point, &Image::default());
    assert!(matches!(refused, Err(PlanError::Incomplete { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_queue_that_is_gone_needs_nothing() {
    let aws = FakeAws::new(world([]));
    let finding =
        omitted("sqs:SetQueueAttributes", "AWS::SQS::Queue", "arn:aws:sqs:eu-central-1:111122223333:jobs", "jobs");
    let remedy = remediation("aws.sqs.remove_public_statements").unwrap();
    let image = read(&aws, remedy, &finding).await.unwrap();
    assert_eq!(remedy.plan(&finding, &image).unwrap(), []);
}
