//! Buckets: policies, access control lists, public access blocks.

use serde_json::{Value, json};

use super::cases::{own, policy, public, world};
use super::findings::{finding, omitted};
use onus_core::proof::Case;

const LOGS: &str = "arn:aws:s3:::logs/*";

pub(crate) fn cases() -> Vec<Case> {
    let good = [own("App", "s3:GetObject", LOGS), own("Backup", "s3:PutObject", LOGS)];
    let three = policy(&[good[0].clone(), public("Open", "s3:GetObject", LOGS), good[1].clone()]);
    let put =
        |document: Value| finding("s3:PutBucketPolicy", json!({ "bucketName": "logs", "bucketPolicy": document }));
    let mixed = json!({
        "Effect": "Allow",
        "Principal": { "AWS": ["*", "arn:aws:iam::111122223333:role/app"], "Service": "logging.s3.amazonaws.com" },
        "Action": "s3:GetObject",
        "Resource": LOGS,
    });
    let mut narrowed = mixed.clone();
    narrowed["Principal"]["AWS"] = json!(["arn:aws:iam::111122223333:role/app"]);
    let owner = json!({ "Grantee": { "Type": "CanonicalUser", "ID": "me" }, "Permission": "FULL_CONTROL" });
    let group = |name: &str, permission: &str| {
        let uri = format!("http://acs.amazonaws.com/groups/{name}");
        json!({ "Grantee": { "Type": "Group", "URI": uri }, "Permission": permission })
    };
    let acl = |grants: &[Value]| json!({ "Owner": { "ID": "me" }, "Grants": grants });
    let delivery = group("s3/LogDelivery", "WRITE");
    let open = [group("global/AllUsers", "READ"), group("global/AuthenticatedUsers", "READ_ACP")];
    let mut all = vec![owner.clone(), delivery.clone()];
    all.extend(open.clone());
    let statements = "aws.s3.remove_public_statements";
    let grants = "aws.s3.remove_public_acl_grants";
    vec![
        Case {
            name: "one bad statement between two good ones",
            remediation: statements,
            finding: put(three.clone()),
            world: world([("bucket-policy/logs", three.clone())]),
            healed: vec![("bucket-policy/logs", policy(&good))],
        },
        Case {
            name: "a public statement alone, written as text",
            remediation: statements,
            finding: put(json!(policy(&[public("Open", "s3:GetObject", LOGS)]).to_string())),
            world: world([("bucket-policy/logs", policy(&[public("Open", "s3:GetObject", LOGS)]))]),
            healed: vec![("bucket-policy/logs", Value::Null)],
        },
        Case {
            name: "everyone among named principals",
            remediation: statements,
            finding: put(policy(std::slice::from_ref(&mixed))),
            world: world([("bucket-policy/logs", policy(&[mixed]))]),
            healed: vec![("bucket-policy/logs", policy(&[narrowed]))],
        },
        Case {
            name: "a statement that is public from elsewhere stays",
            remediation: statements,
            finding: put(policy(&[public("Open", "s3:GetObject", LOGS)])),
            world: world([(
                "bucket-policy/logs",
                policy(&[
                    public("Website", "s3:ListBucket", "arn:aws:s3:::logs"),
                    public("Open", "s3:GetObject", LOGS),
                ]),
            )]),
            healed: vec![("bucket-policy/logs", policy(&[public("Website", "s3:ListBucket", "arn:aws:s3:::logs")]))],
        },
        Case {
            name: "a statement that the change put narrow and another made public since stays",
            remediation: statements,
            finding: put(policy(&[own("Later", "s3:GetObject", LOGS), public("Open", "s3:GetObject", LOGS)])),
            world: world([(
                "bucket-policy/logs",
                policy(&[public("Later", "s3:GetObject", LOGS), public("Open", "s3:GetObject", LOGS)]),
            )]),
            healed: vec![("bucket-policy/logs", policy(&[public("Later", "s3:GetObject", LOGS)]))],
        },
        Case {
            name: "the record omits the policy",
            remediation: statements,
            finding: omitted("s3:PutBucketPolicy", "AWS::S3::Bucket", "arn:aws:s3:::logs", "logs"),
            world: world([("bucket-policy/logs", three)]),
            healed: vec![("bucket-policy/logs", policy(&good))],
        },
        Case {
            name: "a canned list",
            remediation: grants,
            finding: finding("s3:PutBucketAcl", json!({ "bucketName": "logs", "x-amz-acl": ["public-read"] })),
            world: world([("acl/logs", acl(&all))]),
            healed: vec![("acl/logs", acl(&[owner.clone(), open[1].clone(), delivery.clone()]))],
        },
        Case {
            name: "a canned list of a bucket that is made elsewhere than it is asked for",
            remediation: grants,
            finding: finding(
                "s3:CreateBucket",
                json!({
                    "bucketName": "logs",
                    "x-amz-acl": "public-read",
                    "CreateBucketConfiguration": { "LocationConstraint": "eu-south-2" },
                }),
            ),
            world: world([("acl/logs", acl(&all))]),
            healed: vec![("acl/logs", acl(&[owner.clone(), open[1].clone(), delivery.clone()]))],
        },
        Case {
            name: "grants in headers",
            remediation: grants,
            finding: finding(
                "s3:PutBucketAcl",
                json!({
                    "bucketName": "logs",
                    "x-amz-grant-full-control": "id=\"me\"",
                    "x-amz-grant-read": "uri=\"http://acs.amazonaws.com/groups/global/AllUsers\", id=\"me\"",
                }),
            ),
            world: world([("acl/logs", acl(&all))]),
            healed: vec![("acl/logs", acl(&[owner.clone(), open[1].clone(), delivery.clone()]))],
        },
        Case {
            name: "a list in the body",
            remediation: grants,
            finding: finding(
                "s3:PutBucketAcl",
                json!({
                    "bucketName": "logs",
                    "AccessControlPolicy": { "AccessControlList": { "Grant": {
                        "Grantee": { "xsi:type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AuthenticatedUsers" },
                        "Permission": "READ_ACP",
                    } } },
                }),
            ),
            world: world([("acl/logs", acl(&all))]),
            healed: vec![("acl/logs", acl(&[owner, open[0].clone(), delivery]))],
        },
    ]
}

pub(crate) fn blocks() -> Vec<Case> {
    let flags = |flags: [bool; 4]| {
        json!({
            "BlockPublicAcls": flags[0], "IgnorePublicAcls": flags[1],
            "BlockPublicPolicy": flags[2], "RestrictPublicBuckets": flags[3],
        })
    };
    let bucket = "aws.s3.restore_bucket_public_access_block";
    let put = json!({
        "bucketName": "logs",
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": "true", "IgnorePublicAcls": true, "BlockPublicPolicy": false, "RestrictPublicBuckets": true,
        },
    });
    vec![
        Case {
            name: "one flag cleared",
            remediation: bucket,
            finding: finding("s3:PutBucketPublicAccessBlock", put),
            world: world([("block/logs", flags([true, false, false, true]))]),
            healed: vec![("block/logs", flags([true, false, true, true]))],
        },
        Case {
            name: "block deleted",
            remediation: bucket,
            finding: finding(
                "s3:DeleteBucketPublicAccessBlock",
                json!({ "bucketName": "logs", "publicAccessBlock": "" }),
            ),
            world: world([("bucket-policy/logs", policy(&[own("App", "s3:GetObject", LOGS)]))]),
            healed: vec![("block/logs", flags([true; 4]))],
        },
        Case {
            name: "account's block deleted",
            remediation: "aws.s3.restore_account_public_access_block",
            finding: finding("s3:DeleteAccountPublicAccessBlock", json!({ "accountId": "111122223333" })),
            world: world([("account-block/111122223333", flags([false; 4]))]),
            healed: vec![("account-block/111122223333", flags([true; 4]))],
        },
    ]
}
