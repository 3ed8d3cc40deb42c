//! Bad changes in shapes that are easily got wrong: what each was, what there is, and what shall be left.

use onus_core::{Audience, Grant, Level};
use serde_json::{Value, json};

use super::findings::{answered, finding, omitted};
use super::{buckets, security_groups};
use onus_core::proof::{Case, World};

pub(crate) fn world<const N: usize>(things: [(&str, Value); N]) -> World {
    things.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

pub(crate) fn all() -> Vec<Case> {
    [
        buckets::cases(),
        buckets::blocks(),
        policies(),
        permissions(),
        sharing(),
        identities(),
        keys(),
        switches(),
        security_groups::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub(crate) fn public(sid: &str, action: &str, resource: &str) -> Value {
    json!({ "Sid": sid, "Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource })
}

pub(crate) fn own(sid: &str, action: &str, resource: &str) -> Value {
    let role = "arn:aws:iam::111122223333:role/app";
    json!({ "Sid": sid, "Effect": "Allow", "Principal": { "AWS": role }, "Action": action, "Resource": resource })
}

pub(crate) fn policy(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Id": "kept", "Statement": statements })
}

const TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:alerts";
const QUEUE: &str = "arn:aws:sqs:eu-central-1:111122223333:jobs";
const QUEUE_URL: &str = "https://sqs.eu-central-1.amazonaws.com/111122223333/jobs";
const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd";

/// A service with a policy of one good statement and one for everyone, put as a whole.
fn put_policy(remediation: &'static str, operation: &str, thing: &'static str, request: fn(Value) -> Value) -> Case {
    let (good, bad) = (own("App", "*", "*"), public("Open", "*", "*"));
    let both = policy(&[good.clone(), bad]);
    Case {
        name: "one bad statement beside a good one",
        remediation,
        finding: finding(operation, request(json!(both.to_string()))),
        world: world([(thing, both)]),
        healed: vec![(thing, policy(&[good]))],
    }
}

fn policies() -> Vec<Case> {
    let topic = format!("topic-policy/{TOPIC}");
    let topic: &'static str = topic.leak();
    let queue: &'static str = format!("queue-policy/{QUEUE_URL}").leak();
    let key: &'static str = format!("key-policy/{KEY}").leak();
    let lone = |action: &str, thing: &str| policy(&[public("Open", action, thing)]);
    let owner_only = json!({
        "Version": "2008-10-17",
        "Statement": [{
            "Sid": "OwnerOnly", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:root" },
            "Action": [
                "SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission",
                "SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish",
            ],
            "Resource": TOPIC,
        }],
    });
    let trust = |principal: Value| {
        json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole",
        }] })
    };
    let nobody = json!({ "Version": "2012-10-17", "Statement": [
        { "Sid": "Nobody", "Effect": "Deny", "Principal": { "AWS": "*" }, "Action": "sts:AssumeRole" },
    ] });
    vec![
        put_policy(
            "aws.sns.remove_public_statements",
            "sns:SetTopicAttributes",
            topic,
            |policy| json!({ "topicArn": TOPIC, "attributeName": "Policy", "attributeValue": policy }),
        ),
        Case {
            name: "the last statement makes way for the owner's",
            remediation: "aws.sns.remove_public_statements",
            finding: finding("sns:AddPermission", json!({ "topicArn": TOPIC, "label": "Open" })),
            world: world([(topic, lone("SNS:Publish", TOPIC))]),
            healed: vec![(topic, owner_only)],
        },
        put_policy(
            "aws.sqs.remove_public_statements",
            "sqs:SetQueueAttributes",
            queue,
            |policy| json!({ "queueUrl": QUEUE_URL, "attributes": { "Policy": policy } }),
        ),
        Case {
            name: "a queue known by ARN, its last statement",
            remediation: "aws.sqs.remove_public_statements",
            finding: omitted("sqs:SetQueueAttributes", "AWS::SQS::Queue", QUEUE, "jobs"),
            world: world([(queue, lone("sqs:SendMessage", QUEUE)), ("queue-url/jobs", json!(QUEUE_URL))]),
            healed: vec![(queue, Value::Null)],
        },
        put_policy(
            "aws.secretsmanager.remove_public_statements",
            "secretsmanager:PutResourcePolicy",
            "secret-policy/db",
            |p| json!({ "secretId": "db", "resourcePolicy": p }),
        ),
        put_policy(
            "aws.ecr.remove_public_statements",
            "ecr:SetRepositoryPolicy",
            "repository-policy/team/app",
            |policy| json!({ "repositoryName": "team/app", "policyText": policy, "force": false }),
        ),
        put_policy(
            "aws.kms.remove_public_statements",
            "kms:PutKeyPolicy",
            key,
            |policy| json!({ "keyId": KEY, "policyName": "default", "policy": policy }),
        ),
        Case {
            name: "trust in everyone",
            remediation: "aws.iam.remove_public_trust",
            finding: finding(
                "iam:UpdateAssumeRolePolicy",
                json!({ "roleName": "app", "policyDocument": trust(json!({ "AWS": "*" })).to_string() }),
            ),
            world: world([("trust/app", trust(json!({ "AWS": "*" })))]),
            healed: vec![("trust/app", nobody)],
        },
    ]
}

fn permissions() -> Vec<Case> {
    let resource = "arn:aws:lambda:eu-central-1:111122223333:function:hook";
    let url = json!({
        "Sid": "Url", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunctionUrl", "Resource": resource,
        "Condition": { "StringEquals": { "lambda:FunctionUrlAuthType": "NONE" } },
    });
    let good = json!({
        "Sid": "Bucket", "Effect": "Allow", "Principal": { "Service": "s3.amazonaws.com" },
        "Action": "lambda:InvokeFunction", "Resource": resource,
        "Condition": { "StringEquals": { "AWS:SourceAccount": "111122223333" } },
    });
    let document = |statements: &[Value]| json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements });
    let case = |name, sid: &str, statements: &[Value], left: Value| Case {
        name,
        remediation: "aws.lambda.remove_public_permission",
        finding: finding("lambda:AddPermission", json!({ "functionName": "hook", "statementId": sid })),
        world: world([("function-policy/hook", document(statements))]),
        healed: vec![("function-policy/hook", left)],
    };
    vec![
        case("a public URL beside a bucket's permission", "Url", &[url.clone(), good.clone()], document(&[good])),
        case("the only permission", "Url", &[url], Value::Null),
    ]
}

fn sharing() -> Vec<Case> {
    let partner = "444455556666";
    let trusted = Grant {
        resource: "snap-1".to_owned(),
        audience: Audience::Internal,
        principal: "123456789012".to_owned(),
        account: Some("123456789012".to_owned()),
        actions: Vec::new(),
        level: Level::Read,
        via: "attribute".to_owned(),
        part: None,
    };
    let request = json!({
        "snapshotId": "snap-1", "attributeType": "CREATE_VOLUME_PERMISSION",
        "createVolumePermission": { "add": { "items": [{ "group": "all" }, { "userId": "123456789012" }] } },
    });
    let mut shared = finding("ec2:ModifySnapshotAttribute", request);
    shared.effects.grants.push(trusted);
    let launch = json!({ "add": { "items": [{ "userId": "999999999999" }, { "organizationArn": "arn:aws:organizations::9:organization/o-9" }] } });
    let before = json!([{ "UserId": partner }, { "Group": "all" }, { "UserId": "123456789012" }]);
    let restore = |member: &str| json!({ member: "nightly", "attributeName": "restore", "valuesToAdd": ["all"] });
    vec![
        Case {
            name: "public, with a partner of before and a trusted account of the same call",
            remediation: "aws.ec2.unshare_snapshot",
            finding: shared,
            world: world([("snapshot/snap-1", before.clone())]),
            healed: vec![("snapshot/snap-1", json!([{ "UserId": partner }, { "UserId": "123456789012" }]))],
        },
        Case {
            name: "the record omits who was added: only the public goes",
            remediation: "aws.ec2.unshare_snapshot",
            finding: omitted(
                "ec2:ModifySnapshotAttribute",
                "AWS::EC2::Snapshot",
                "arn:aws:ec2:eu-central-1::snapshot/snap-1",
                "snap-1",
            ),
            world: world([("snapshot/snap-1", before)]),
            healed: vec![("snapshot/snap-1", json!([{ "UserId": partner }, { "UserId": "123456789012" }]))],
        },
        Case {
            name: "an account and an organisation",
            remediation: "aws.ec2.unshare_image",
            finding: finding("ec2:ModifyImageAttribute", json!({ "imageId": "ami-1", "launchPermission": launch })),
            world: world([(
                "image/ami-1",
                json!([
                    { "UserId": partner },
                    { "UserId": "999999999999" },
                    { "OrganizationArn": "arn:aws:organizations::9:organization/o-9" },
                ]),
            )]),
            healed: vec![("image/ami-1", json!([{ "UserId": partner }]))],
        },
        Case {
            name: "an instance snapshot",
            remediation: "aws.rds.unshare_snapshot",
            finding: finding("rds:ModifyDBSnapshotAttribute", restore("dBSnapshotIdentifier")),
            world: world([("db-snapshot/nightly", json!([partner, "all"]))]),
            healed: vec![("db-snapshot/nightly", json!([partner]))],
        },
        Case {
            name: "a cluster snapshot",
            remediation: "aws.rds.unshare_snapshot",
            finding: finding("rds:ModifyDBClusterSnapshotAttribute", restore("dBClusterSnapshotIdentifier")),
            world: world([("cluster-snapshot/nightly", json!(["all"]))]),
            healed: vec![("cluster-snapshot/nightly", json!([]))],
        },
    ]
}

fn identities() -> Vec<Case> {
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    let reader = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let attach = |name, action: &str, member: &str, thing: &'static str| Case {
        name,
        remediation: "aws.iam.detach_policy",
        finding: finding(action, json!({ member: "deploy", "policyArn": admin })),
        world: world([(thing, json!([reader, admin]))]),
        healed: vec![(thing, json!([reader]))],
    };
    let created =
        json!({ "accessKey": { "userName": "deploy", "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "status": "Active" } });
    let old = json!({ "AccessKeyId": "AKIAI44QH8DHBEXAMPLE", "Status": "Active" });
    let new = |status: &str| json!({ "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "Status": status });
    let named = |mut key: Value| {
        key["UserName"] = json!("deploy");
        key
    };
    vec![
        attach("a user", "iam:AttachUserPolicy", "userName", "attached-user/deploy"),
        attach("a role", "iam:AttachRolePolicy", "roleName", "attached-role/deploy"),
        attach("a group", "iam:AttachGroupPolicy", "groupName", "attached-group/deploy"),
        Case {
            name: "the new one of two keys",
            remediation: "aws.iam.deactivate_access_key",
            finding: answered(finding("iam:CreateAccessKey", json!(null)), created),
            world: world([("keys/deploy", json!([named(old.clone()), named(new("Active"))]))]),
            healed: vec![("keys/deploy", json!([named(old), named(new("Inactive"))]))],
        },
    ]
}

fn keys() -> Vec<Case> {
    let state = |state: &str| json!({ "KeyId": "1234abcd", "KeyState": state, "DeletionDate": 7 });
    let thing: &'static str = format!("key/{KEY}").leak();
    let rotation: &'static str = format!("rotation/{KEY}").leak();
    let grants: &'static str = format!("grants/{KEY}").leak();
    let grant = |id: &str, grantee: &str| {
        json!({
            "KeyId": KEY, "GrantId": id, "Name": "", "GranteePrincipal": grantee, "Operations": ["Decrypt", "CreateGrant"],
            "Constraints": { "EncryptionContextEquals": { "app": "x" } }, "CreationDate": 1,
        })
    };
    let (kept, bad) =
        (grant("g-1", "arn:aws:iam::111122223333:role/app"), grant("g-2", "arn:aws:iam::444455556666:root"));
    let request = json!({ "keyId": KEY, "pendingWindowInDays": 7 });
    vec![
        Case {
            name: "a deletion scheduled",
            remediation: "aws.kms.cancel_key_deletion",
            finding: finding("kms:ScheduleKeyDeletion", request),
            world: world([(thing, state("PendingDeletion"))]),
            healed: vec![(thing, state("Enabled"))],
        },
        Case {
            name: "a key disabled",
            remediation: "aws.kms.enable_key",
            finding: finding("kms:DisableKey", json!({ "keyId": KEY })),
            world: world([(thing, state("Disabled"))]),
            healed: vec![(thing, state("Enabled"))],
        },
        Case {
            name: "rotation turned off",
            remediation: "aws.kms.enable_key_rotation",
            finding: finding("kms:DisableKeyRotation", json!({ "keyId": KEY })),
            world: world([(rotation, json!({ "KeyRotationEnabled": false }))]),
            healed: vec![(rotation, json!({ "KeyRotationEnabled": true }))],
        },
        Case {
            name: "one grant of two",
            remediation: "aws.kms.revoke_grant",
            finding: answered(finding("kms:CreateGrant", json!({ "keyId": KEY })), json!({ "grantId": "g-2" })),
            world: world([(grants, json!([kept.clone(), bad]))]),
            healed: vec![(grants, json!([kept]))],
        },
    ]
}

fn switches() -> Vec<Case> {
    let trail = "trail/arn:aws:cloudtrail:eu-central-1:111122223333:trail/org";
    vec![
        Case {
            name: "a trail stopped, named by ARN",
            remediation: "aws.cloudtrail.start_logging",
            finding: finding("cloudtrail:StopLogging", json!({ "name": &trail[6..] })),
            world: world([(trail, json!(false)), ("trail/other", json!(false))]),
            healed: vec![(trail, json!(true))],
        },
        Case {
            name: "default encryption turned off, by a call without parameters",
            remediation: "aws.ec2.enable_ebs_default_encryption",
            finding: finding("ec2:DisableEbsEncryptionByDefault", json!(null)),
            world: world([("ebs/default", json!(false))]),
            healed: vec![("ebs/default", json!(true))],
        },
    ]
}
