//! Remediations of changes as CloudTrail writes them: the repository's own records, decoded, with the effects derived.

use onus_core::{Change, Finding, FindingId};
use onus_sources::Decoded;
use onus_sources::aws::cloudtrail::decode;
use serde_json::{Value, json};

use super::EVENTS;
use super::cases::{own, policy, public, world};
use super::findings::finding;
use onus_core::proof::Case;

/// The text of a record under `events/aws`.
fn record(path: &str) -> String {
    let path = format!("{EVENTS}/aws/{path}.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let record: Value = serde_json::from_str(&text).unwrap();
    record.get("detail").unwrap_or(&record).to_string()
}

/// The finding that a rule would make of a change.
fn found(change: &Change<'_>) -> Finding {
    let mut found = finding(&change.operation(), change.request.json().to_value());
    found.id = FindingId::of(change.cloud, &change.uid, "aws.test");
    found.response = change.response.json().to_value();
    found.effects = change.effects().clone();
    found.change = change.summary();
    found
}

fn case(remediation: &'static str, path: &'static str, thing: &'static str, live: Value, healed: Value) -> Case {
    let text = record(path);
    let Ok(Decoded::Change(change)) = decode(&text) else { panic!("{path} decodes to no change") };
    Case {
        name: path,
        remediation,
        finding: found(&change),
        world: world([(thing, live)]),
        healed: vec![(thing, healed)],
    }
}

const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:orders";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:111122223333:orders";
const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

fn rule(id: &str, ports: (u16, u16), cidr: &str) -> Value {
    json!({
        "SecurityGroupRuleId": id, "GroupId": "sg-0a1b2c3d4e5f60718", "IsEgress": false, "IpProtocol": "tcp",
        "FromPort": ports.0, "ToPort": ports.1, "CidrIpv4": cidr, "Tags": [],
    })
}

fn networks() -> Vec<Case> {
    let group = "group/sg-0a1b2c3d4e5f60718";
    let private = rule("sgr-0aaaaaaaaaaaaaaaa", (22, 22), "10.0.0.0/8");
    let live = json!([private, rule("sgr-0123456789abcdef0", (22, 22), "0.0.0.0/0")]);
    let revoke = |path| case("aws.ec2.revoke_security_group_rules", path, group, live.clone(), json!([private]));
    let entry = |number: u16, cidr: &str| {
        json!({
            "RuleNumber": number, "Egress": false, "Protocol": "6", "RuleAction": "allow", "CidrBlock": cidr,
            "PortRange": { "From": 22, "To": 22 },
        })
    };
    let kept = [entry(10, "10.0.0.0/8"), entry(100, "0.0.0.0/0")];
    let instance = "instance/i-0a1b2c3d4e5f60718";
    let tokens = "aws.ec2.require_metadata_tokens";
    vec![
        case(
            "aws.ec2.delete_network_acl_entry",
            "ec2/create_network_acl_entry",
            "network-acl/acl-0a1b2c3d4e5f60718",
            json!([kept[0], entry(50, "0.0.0.0/0"), kept[1]]),
            json!(kept),
        ),
        case(tokens, "ec2/modify_instance_metadata_options", instance, json!("optional"), json!("required")),
        case(tokens, "ec2/run_instances", instance, json!("optional"), json!("required")),
        revoke("ec2/authorize_security_group_ingress"),
        revoke("ec2/authorize_security_group_ingress_flat"),
        revoke("ec2/modify_security_group_rules"),
    ]
}

fn shares() -> Vec<Case> {
    let partner = json!({ "UserId": "444455556666" });
    let live = json!([partner, { "Group": "all" }]);
    vec![
        case(
            "aws.ec2.unshare_snapshot",
            "ec2/modify_snapshot_attribute",
            "snapshot/snap-0a1b2c3d4e5f60718",
            live.clone(),
            json!([partner]),
        ),
        case(
            "aws.ec2.unshare_image",
            "ec2/modify_image_attribute",
            "image/ami-0a1b2c3d4e5f60718",
            live,
            json!([partner]),
        ),
        case(
            "aws.rds.unshare_snapshot",
            "rds/modify_db_snapshot_attribute",
            "db-snapshot/orders-2026-03-01",
            json!(["all"]),
            json!([]),
        ),
        case(
            "aws.rds.unshare_snapshot",
            "rds/modify_db_cluster_snapshot_attribute",
            "cluster-snapshot/orders-2026-03-01",
            json!(["all"]),
            json!([]),
        ),
    ]
}

fn policies() -> Vec<Case> {
    let mut pull = public("pull", "ecr:BatchGetImage", "");
    pull.as_object_mut().unwrap().remove("Resource");
    pull["Action"] = json!(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]);
    let mut topic = public("anyone", "", TOPIC);
    topic["Principal"] = json!({ "AWS": "*" });
    topic["Action"] = json!(["SNS:Subscribe", "SNS:Publish"]);
    let mut secret = public("", "secretsmanager:GetSecretValue", "*");
    secret.as_object_mut().unwrap().remove("Sid");
    let mine = own("App", "*", "*");
    let beside = |bad: Value| policy(&[mine.clone(), bad]);
    let left = || policy(std::slice::from_ref(&mine));
    let root = json!({
        "Sid": "Own account", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:root" },
        "Action": "kms:*", "Resource": "*",
    });
    let key: &'static str = format!("key-policy/{KEY}").leak();
    let queue = "queue-policy/https://sqs.eu-west-1.amazonaws.com/111122223333/orders";
    vec![
        case(
            "aws.s3.remove_public_statements",
            "s3/put_bucket_policy",
            "bucket-policy/example-reports",
            beside(public("PublicRead", "s3:GetObject", "arn:aws:s3:::example-reports/*")),
            left(),
        ),
        case(
            "aws.sns.remove_public_statements",
            "sns/set_topic_attributes",
            "topic-policy/arn:aws:sns:eu-west-1:111122223333:orders",
            beside(topic),
            left(),
        ),
        case(
            "aws.sqs.remove_public_statements",
            "sqs/set_queue_attributes",
            queue,
            beside(public("anyone", "sqs:SendMessage", QUEUE)),
            left(),
        ),
        case(
            "aws.ecr.remove_public_statements",
            "ecr/set_repository_policy",
            "repository-policy/orders",
            beside(pull),
            left(),
        ),
        case(
            "aws.secretsmanager.remove_public_statements",
            "secretsmanager/put_resource_policy",
            "secret-policy/prod/db",
            beside(secret),
            left(),
        ),
        case(
            "aws.kms.remove_public_statements",
            "kms/put_key_policy",
            key,
            policy(&[root.clone(), public("Anyone", "kms:Decrypt", "*")]),
            policy(&[root]),
        ),
        case(
            "aws.lambda.remove_public_permission",
            "lambda/add_permission",
            "function-policy/orders",
            json!({ "Version": "2012-10-17", "Id": "default", "Statement": [
                public("anyone", "lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:111122223333:function:orders"),
            ] }),
            Value::Null,
        ),
        case(
            "aws.iam.remove_public_trust",
            "iam/update_assume_role_policy",
            "trust/partner-access",
            json!({ "Version": "2012-10-17", "Statement": [
                { "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" }, "Action": "sts:AssumeRole" },
                { "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": "sts:AssumeRole" },
            ] }),
            json!({ "Version": "2012-10-17", "Statement": [
                { "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" }, "Action": "sts:AssumeRole" },
            ] }),
        ),
    ]
}

fn buckets() -> Vec<Case> {
    let owner = json!({ "Grantee": { "Type": "CanonicalUser", "ID": "me" }, "Permission": "FULL_CONTROL" });
    let everyone = json!({
        "Grantee": { "Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers" }, "Permission": "READ",
    });
    let flags = |flags: [bool; 4]| {
        json!({
            "BlockPublicAcls": flags[0], "IgnorePublicAcls": flags[1],
            "BlockPublicPolicy": flags[2], "RestrictPublicBuckets": flags[3],
        })
    };
    let (bucket, account) = ("block/example-reports", "account-block/111122223333");
    let restore = "aws.s3.restore_bucket_public_access_block";
    let restore_account = "aws.s3.restore_account_public_access_block";
    vec![
        case(
            "aws.s3.remove_public_acl_grants",
            "s3/put_bucket_acl",
            "acl/example-reports",
            json!({ "Owner": { "ID": "me" }, "Grants": [owner, everyone] }),
            json!({ "Owner": { "ID": "me" }, "Grants": [owner] }),
        ),
        case(restore, "s3/put_bucket_public_access_block", bucket, flags([false; 4]), flags([true; 4])),
        case(restore, "s3/delete_bucket_public_access_block", bucket, flags([false; 4]), flags([true; 4])),
        case(
            restore_account,
            "s3/put_account_public_access_block",
            account,
            flags([true, false, false, false]),
            flags([true, false, true, true]),
        ),
        case(restore_account, "s3/delete_account_public_access_block", account, flags([false; 4]), flags([true; 4])),
    ]
}

fn others() -> Vec<Case> {
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    let detach = |path, thing| case("aws.iam.detach_policy", path, thing, json!([admin]), json!([]));
    let url = "function-url/orders";
    let close = |path| case("aws.lambda.close_public_url", path, url, json!("NONE"), json!("AWS_IAM"));
    let key = |status: &str| json!([{ "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "Status": status }]);
    let state = |state: &str| json!({ "KeyState": state, "DeletionDate": 1 });
    let thing: &'static str = format!("key/{KEY}").leak();
    let grants: &'static str = format!("grants/arn:aws:kms:eu-west-1:111122223333:key/{KEY}").leak();
    let rotation: &'static str = format!("rotation/{KEY}").leak();
    let grant = json!({
        "GrantId": "0123456789abcdef".repeat(4), "GranteePrincipal": "arn:aws:iam::444455556666:role/reader",
        "Operations": ["Decrypt", "DescribeKey"],
    });
    vec![
        close("lambda/create_function_url_config"),
        close("lambda/update_function_url_config"),
        detach("iam/attach_user_policy", "attached-user/svc-build"),
        detach("iam/attach_role_policy", "attached-role/app-server"),
        detach("iam/attach_group_policy", "attached-group/analysts"),
        case(
            "aws.iam.deactivate_access_key",
            "iam/create_access_key",
            "keys/svc-build",
            key("Active"),
            json!([{ "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "Status": "Inactive" }]),
        ),
        case(
            "aws.kms.cancel_key_deletion",
            "kms/schedule_key_deletion",
            thing,
            state("PendingDeletion"),
            state("Enabled"),
        ),
        case("aws.kms.enable_key", "kms/disable_key", thing, state("Disabled"), state("Enabled")),
        case(
            "aws.kms.enable_key_rotation",
            "kms/disable_key_rotation",
            rotation,
            json!({ "KeyRotationEnabled": false }),
            json!({ "KeyRotationEnabled": true }),
        ),
        case("aws.kms.revoke_grant", "kms/create_grant", grants, json!([grant]), json!([])),
        case(
            "aws.cloudtrail.start_logging",
            "cloudtrail/stop_logging",
            "trail/arn:aws:cloudtrail:eu-west-1:111122223333:trail/org-trail",
            json!(false),
            json!(true),
        ),
        case(
            "aws.ec2.enable_ebs_default_encryption",
            "ec2/disable_ebs_encryption_by_default",
            "ebs/default",
            json!(false),
            json!(true),
        ),
    ]
}

/// Every one.
pub(crate) fn all() -> Vec<Case> {
    [networks(), shares(), policies(), buckets(), others()].into_iter().flatten().collect()
}
