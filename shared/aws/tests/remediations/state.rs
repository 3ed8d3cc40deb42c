//! State readers: what is read, and what it means.

use onus_aws::{state_reader, state_readers};
use onus_core::{Audience, Caller, Effects, Image, Resource, StateReader, address};
use serde_json::{Value, json};

use crate::cases::{own, policy, public, world};
use crate::fake::FakeAws;
use crate::findings::finding;
use onus_core::proof::{Fake, World};

async fn read(reader: &dyn StateReader, resource: &Resource<'_>, world: World) -> (Image, Effects, Vec<String>) {
    let aws = FakeAws::new(world);
    let change = finding("s3:Any", json!(null)).change;
    let caller: &dyn Caller = &aws;
    let image = onus_core::state::read_image(caller, |so_far| {
        Ok::<_, onus_core::CallError>(reader.reads(&change, resource, so_far))
    });
    let image = image.await.unwrap();
    let effects = reader.effects(&change, resource, &image);
    let calls = aws.calls().iter().map(onus_core::Call::name).collect();
    (image, effects, calls)
}

fn audiences(effects: &Effects) -> Vec<(Audience, &str)> {
    effects.grants.iter().map(|grant| (grant.audience, grant.via.as_str())).collect()
}

fn bucket(blocks: [Option<&str>; 2]) -> World {
    let acl = json!({
        "Owner": { "ID": "me" },
        "Grants": [{
            "Grantee": { "Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers" },
            "Permission": "READ",
        }],
    });
    let mut all = world([
        ("bucket-policy/logs", policy(&[public("Open", "s3:GetObject", "arn:aws:s3:::logs/*")])),
        ("acl/logs", acl),
    ]);
    for (key, flag) in ["block/logs", "account-block/111122223333"].into_iter().zip(blocks) {
        if let Some(flag) = flag {
            all.insert(key.to_owned(), json!({ flag: true }));
        }
    }
    all
}

#[tokio::test]
async fn a_public_access_block_makes_grants_void() {
    let logs = Resource::new("AWS::S3::Bucket", "arn:aws:s3:::logs", "logs");
    let (acl, policy) = ((Audience::Public, "acl"), (Audience::Public, "policy"));
    let cases = [
        ([None, None], vec![policy, acl]),
        ([Some("IgnorePublicAcls"), None], vec![policy]),
        ([None, Some("RestrictPublicBuckets")], vec![acl]),
        ([Some("RestrictPublicBuckets"), Some("IgnorePublicAcls")], vec![]),
        ([Some("BlockPublicPolicy"), Some("BlockPublicAcls")], vec![policy, acl]),
    ];
    for (blocks, expected) in cases {
        let reader = state_reader("AWS::S3::Bucket").unwrap();
        let (_, effects, _) = read(reader, &logs, bucket(blocks)).await;
        assert_eq!(audiences(&effects), expected, "{blocks:?}");
        assert!(effects.doubts.is_empty());
    }
}

#[tokio::test]
async fn a_security_group_opens_what_its_rules_say() {
    let rules = json!([
        { "SecurityGroupRuleId": "sgr-1", "IsEgress": false, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/1" },
        { "SecurityGroupRuleId": "sgr-2", "IsEgress": false, "IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "CidrIpv4": "128.0.0.0/1" },
        { "SecurityGroupRuleId": "sgr-3", "IsEgress": true, "IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "CidrIpv4": "10.0.0.0/8" },
        { "SecurityGroupRuleId": "sgr-4", "IsEgress": false, "IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "PrefixListId": "pl-1" },
        { "SecurityGroupRuleId": "sgr-6", "IsEgress": false, "IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "PrefixListId": "pl-2" },
        { "SecurityGroupRuleId": "sgr-5", "IsEgress": false, "IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIpv4": "nonsense" },
    ]);
    let group = Resource::new("AWS::EC2::SecurityGroup", "", "sg-1");
    let reader = state_reader("AWS::EC2::SecurityGroup").unwrap();
    let (_, effects, _) =
        read(reader, &group, world([("group/sg-1", rules), ("prefix-list/pl-2", json!(["0.0.0.0/1"]))])).await;
    assert_eq!(effects.openings.len(), 5);
    let listed = effects.openings.iter().find(|opening| opening.peers == ["pl-2"]).unwrap();
    assert_eq!(listed.sources, [address::parse("0.0.0.0/1").unwrap()]);
    let reached: Vec<(u16, u16)> = effects.exposures().into_iter().map(|exposure| exposure.ports).collect();
    assert_eq!(reached.iter().map(|ports| ports.0).min(), Some(0), "{reached:?}");
    let doubts: Vec<&str> = effects.doubts.iter().map(|doubt| doubt.about.as_str()).collect();
    assert_eq!(doubts, ["rule sgr-5", "prefix list pl-1"]);
}

/// Each kind by its ARN and name, what there is, and what it means.
fn kinds() -> Vec<(&'static str, &'static str, &'static str, World, Vec<Audience>)> {
    let arn = "arn:aws:sns:eu-central-1:111122223333:alerts";
    let both = || policy(&[own("App", "*", "*"), public("Open", "*", "*")]);
    let seen = vec![Audience::Public, Audience::Internal];
    let trust = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::444455556666:root" }, "Action": "sts:AssumeRole" },
    ] });
    let key = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd";
    let secret = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:db-1";
    let function = "arn:aws:lambda:eu-central-1:111122223333:function:hook";
    vec![
        ("AWS::SNS::Topic", arn, arn, world([(&format!("topic-policy/{arn}"), both())]), seen.clone()),
        (
            "AWS::SQS::Queue",
            "arn:aws:sqs:eu-central-1:111122223333:jobs",
            "jobs",
            world([("queue-url/jobs", json!("https://sqs/jobs")), ("queue-policy/https://sqs/jobs", both())]),
            seen.clone(),
        ),
        (
            "AWS::KMS::Key",
            key,
            "1234abcd",
            world([(&format!("key-policy/{key}"), both()), (&format!("key/{key}"), json!({ "KeyState": "Enabled" }))]),
            seen.clone(),
        ),
        (
            "AWS::SecretsManager::Secret",
            secret,
            "db",
            world([(&format!("secret-policy/{secret}"), both())]),
            seen.clone(),
        ),
        (
            "AWS::Lambda::Function",
            function,
            "hook",
            world([(&format!("function-policy/{function}"), both())]),
            seen.clone(),
        ),
        (
            "AWS::ECR::Repository",
            "arn:aws:ecr:eu-central-1:111122223333:repository/a/b",
            "a/b",
            world([("repository-policy/a/b", both())]),
            seen,
        ),
        (
            "AWS::EC2::Snapshot",
            "",
            "snap-1",
            world([("snapshot/snap-1", json!([{ "Group": "all" }, { "UserId": "111122223333" }]))]),
            vec![Audience::Public, Audience::Internal],
        ),
        (
            "AWS::EC2::Image",
            "",
            "ami-1",
            world([("image/ami-1", json!([{ "UserId": "444455556666" }]))]),
            vec![Audience::External],
        ),
        (
            "AWS::RDS::DBSnapshot",
            "",
            "nightly",
            world([("db-snapshot/nightly", json!(["all"]))]),
            vec![Audience::Public],
        ),
        ("AWS::RDS::DBClusterSnapshot", "", "nightly", world([("cluster-snapshot/nightly", json!([]))]), vec![]),
        ("AWS::EC2::FlowLog", "", "fl-0a1b2c3d4e5f60718", world([]), vec![]),
        ("AWS::CloudTrail::Trail", "", "org", world([("trail/org", json!(false))]), vec![]),
        (
            "AWS::IAM::Role",
            "arn:aws:iam::111122223333:role/team/app",
            "app",
            world([
                ("trust/app", trust),
                ("attached-role/app", json!([])),
                ("inline-role/app", json!({ "all": admin() })),
            ]),
            vec![Audience::External, Audience::Internal],
        ),
        (
            "AWS::IAM::User",
            "",
            "deploy",
            world([("attached-user/deploy", json!([])), ("inline-user/deploy", json!({}))]),
            vec![],
        ),
        (
            "AWS::IAM::Group",
            "",
            "ops",
            world([("attached-group/ops", json!([])), ("inline-group/ops", json!({ "all": admin() }))]),
            vec![Audience::Internal],
        ),
        (
            "AWS::IAM::ManagedPolicy",
            "arn:aws:iam::111122223333:policy/all",
            "all",
            world([("managed/arn:aws:iam::111122223333:policy/all", admin())]),
            vec![Audience::Internal],
        ),
    ]
}

fn admin() -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] })
}

#[tokio::test]
async fn every_kind_is_read_by_its_name_and_told_in_effects() {
    let mut wrong = Vec::new();
    let kinds = kinds();
    for (kind, id, name, world, expected) in &kinds {
        let reader = state_reader(kind).unwrap_or_else(|| panic!("no reader of {kind}"));
        let resource = Resource::new(*kind, *id, *name);
        let (image, effects, calls) = read(reader, &resource, world.clone()).await;
        let mut found: Vec<Audience> = effects.grants.iter().map(|grant| grant.audience).collect();
        found.sort_unstable();
        if found != *expected {
            wrong.push(format!("{kind}: {found:?}, not {expected:?}, of {image:?}"));
        }
        if !effects.doubts.is_empty() {
            wrong.push(format!("{kind}: {:?}", effects.doubts));
        }
        let strangers = calls.iter().filter(|call| !reader.operations().contains(&call.as_str()));
        wrong.extend(strangers.map(|call| format!("{kind}: `{call}` is not among its operations")));
    }
    let tested = |kind: &str| kinds.iter().any(|(tested, ..)| *tested == kind);
    let untested = state_readers().iter().map(|reader| reader.kind());
    let untested =
        untested.filter(|kind| !tested(kind) && !["AWS::S3::Bucket", "AWS::EC2::SecurityGroup"].contains(kind));
    wrong.extend(untested.map(|kind| format!("{kind} has no case")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_resource_that_nobody_names_is_a_doubt_not_silence() {
    let change = finding("s3:Any", json!(null)).change;
    let mut silent = Vec::new();
    // Trails and flow logs neither open nor grant anything.
    let logs = ["AWS::CloudTrail::Trail", "AWS::EC2::FlowLog"];
    for reader in state_readers().iter().filter(|reader| !logs.contains(&reader.kind())) {
        let effects = reader.effects(&change, &Resource::new(reader.kind(), "", ""), &Image::default());
        if effects.doubts.is_empty() {
            silent.push(reader.kind());
        }
    }
    assert!(silent.is_empty(), "{silent:?}");
}
