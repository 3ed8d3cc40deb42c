//! What is sent for real calls, to the byte. Services parse this: a change here is reviewed, never just accepted.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use onus_aws::operations::{Addressing, endpoint, service};
use onus_aws::protocol::{Response, parse, serialize};
use serde_json::{Value, json};

/// A call as its request: method, address, headers, body.
fn sent(name: &str, region: &str, parameters: &Value) -> String {
    let (of, operation) = name.split_once(':').unwrap();
    let of = service(of).unwrap();
    let operation = of.operation(operation).unwrap();
    let mut request = serialize(of, operation, parameters, &|| "token".to_owned()).unwrap();
    let found = endpoint(of, operation, &mut request, parameters, region, None, Addressing::Auto).unwrap();
    let mut text = format!("{} {}{}\n", request.method, found.url, request.uri());
    for (name, value) in &request.headers {
        text.extend([name, ": ", value, "\n"]);
    }
    text + &String::from_utf8(request.body).unwrap()
}

#[test]
fn s3_calls_are_sent_like_this() {
    let policy =
        json!({ "Bucket": "logs", "Policy": "{\"Version\":\"2012-10-17\"}", "ExpectedBucketOwner": "111122223333" });
    insta::assert_snapshot!(sent("s3:PutBucketPolicy", "eu-west-1", &policy), @r#"
    PUT https://logs.s3.eu-west-1.amazonaws.com/?policy
    x-amz-expected-bucket-owner: 111122223333
    Content-Type: text/plain
    x-amz-sdk-checksum-algorithm: CRC32
    x-amz-checksum-crc32: n439HA==
    {"Version":"2012-10-17"}
    "#);
    let acl = json!({ "Bucket": "a.dotted.bucket", "AccessControlPolicy": {
        "Owner": { "ID": "abc" },
        "Grants": [{ "Permission": "READ", "Grantee": { "Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery" } }],
    }});
    insta::assert_snapshot!(sent("s3:PutBucketAcl", "cn-north-1", &acl), @r#"
    PUT https://s3.cn-north-1.amazonaws.com.cn/a.dotted.bucket?acl
    Content-Type: application/xml
    x-amz-sdk-checksum-algorithm: CRC32
    x-amz-checksum-crc32: GhzYOw==
    <AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"><URI>http://acs.amazonaws.com/groups/s3/LogDelivery</URI></Grantee><Permission>READ</Permission></Grant></AccessControlList><Owner><ID>abc</ID></Owner></AccessControlPolicy>
    "#);
    insta::assert_snapshot!(sent("s3:DeletePublicAccessBlock", "us-gov-west-1", &json!({ "Bucket": "logs" })), @"DELETE https://logs.s3.us-gov-west-1.amazonaws.com/?publicAccessBlock");
    let account = json!({ "AccountId": "111122223333" });
    insta::assert_snapshot!(sent("s3control:GetPublicAccessBlock", "eu-west-1", &account), @r#"
    GET https://111122223333.s3-control.eu-west-1.amazonaws.com/v20180820/configuration/publicAccessBlock
    x-amz-account-id: 111122223333
    "#);
}

#[test]
fn query_calls_are_sent_like_this() {
    let revoke = json!({ "GroupId": "sg-1", "SecurityGroupRuleIds": ["sgr-1", "sgr-2"] });
    insta::assert_snapshot!(sent("ec2:RevokeSecurityGroupIngress", "eu-west-1", &revoke), @r#"
    POST https://ec2.eu-west-1.amazonaws.com/
    Content-Type: application/x-www-form-urlencoded; charset=utf-8
    Action=RevokeSecurityGroupIngress&Version=2016-11-15&GroupId=sg-1&SecurityGroupRuleId.1=sgr-1&SecurityGroupRuleId.2=sgr-2
    "#);
    let authorize = json!({ "GroupId": "sg-1", "IpPermissions": [
        { "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{ "CidrIp": "10.0.0.0/8", "Description": "a & b" }] },
    ]});
    insta::assert_snapshot!(sent("ec2:AuthorizeSecurityGroupIngress", "eu-west-1", &authorize), @r#"
    POST https://ec2.eu-west-1.amazonaws.com/
    Content-Type: application/x-www-form-urlencoded; charset=utf-8
    Action=AuthorizeSecurityGroupIngress&Version=2016-11-15&GroupId=sg-1&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=22&IpPermissions.1.ToPort=22&IpPermissions.1.IpRanges.1.Description=a%20%26%20b&IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0%2F8
    "#);
    let snapshot = json!({ "SnapshotId": "snap-1", "Attribute": "createVolumePermission", "OperationType": "remove", "GroupNames": ["all"] });
    insta::assert_snapshot!(sent("ec2:ModifySnapshotAttribute", "us-iso-east-1", &snapshot), @r#"
    POST https://ec2.us-iso-east-1.c2s.ic.gov/
    Content-Type: application/x-www-form-urlencoded; charset=utf-8
    Action=ModifySnapshotAttribute&Version=2016-11-15&Attribute=createVolumePermission&UserGroup.1=all&OperationType=remove&SnapshotId=snap-1
    "#);
    let rds = json!({ "DBSnapshotIdentifier": "s", "AttributeName": "restore", "ValuesToRemove": ["all"] });
    insta::assert_snapshot!(sent("rds:ModifyDBSnapshotAttribute", "eu-west-1", &rds), @r#"
    POST https://rds.eu-west-1.amazonaws.com/
    Content-Type: application/x-www-form-urlencoded; charset=utf-8
    Action=ModifyDBSnapshotAttribute&Version=2014-10-31&DBSnapshotIdentifier=s&AttributeName=restore&ValuesToRemove.AttributeValue.1=all
    "#);
    let key = json!({ "UserName": "mallory", "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "Status": "Inactive" });
    insta::assert_snapshot!(sent("iam:UpdateAccessKey", "eu-west-1", &key), @r#"
    POST https://iam.amazonaws.com/
    Content-Type: application/x-www-form-urlencoded; charset=utf-8
    Action=UpdateAccessKey&Version=2010-05-08&UserName=mallory&AccessKeyId=AKIAIOSFODNN7EXAMPLE&Status=Inactive
    "#);
}

#[test]
fn json_calls_are_sent_like_this() {
    insta::assert_snapshot!(sent("cloudtrail:StartLogging", "eu-west-1", &json!({ "Name": "main" })), @r#"
    POST https://cloudtrail.eu-west-1.amazonaws.com/
    X-Amz-Target: com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.StartLogging
    Content-Type: application/x-amz-json-1.1
    {"Name":"main"}
    "#);
    let queue =
        json!({ "QueueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/q", "Attributes": { "Policy": "" } });
    insta::assert_snapshot!(sent("sqs:SetQueueAttributes", "eu-west-1", &queue), @r#"
    POST https://sqs.eu-west-1.amazonaws.com/
    X-Amz-Target: AmazonSQS.SetQueueAttributes
    Content-Type: application/x-amz-json-1.0
    x-amzn-query-mode: true
    {"Attributes":{"Policy":""},"QueueUrl":"https://sqs.eu-west-1.amazonaws.com/111122223333/q"}
    "#);
    insta::assert_snapshot!(sent("ecr:DeleteRepositoryPolicy", "eu-west-1", &json!({ "repositoryName": "r" })), @r#"
    POST https://api.ecr.eu-west-1.amazonaws.com/
    X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.DeleteRepositoryPolicy
    Content-Type: application/x-amz-json-1.1
    {"repositoryName":"r"}
    "#);
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:f";
    insta::assert_snapshot!(sent("lambda:RemovePermission", "eu-west-1", &json!({ "FunctionName": function, "StatementId": "s/1", "RevisionId": "r" })), @"DELETE https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A111122223333%3Afunction%3Af/policy/s%2F1?RevisionId=r");
}

#[test]
fn parameters_that_would_lead_a_request_elsewhere_are_refused() {
    let cases = [
        (
            "s3:GetBucketPolicy",
            json!({ "Bucket": "" }),
            "parameter `Bucket` may not be written in a path, host or header",
        ),
        (
            "s3:GetBucketPolicy",
            json!({ "Bucket": ".." }),
            "parameter `Bucket` may not be written in a path, host or header",
        ),
        (
            "s3:GetBucketPolicy",
            json!({ "Bucket": "b", "ExpectedBucketOwner": "1\r\nx: y" }),
            "parameter `x-amz-expected-bucket-owner` may not be written in a path, host or header",
        ),
        (
            "s3control:GetPublicAccessBlock",
            json!({ "AccountId": "evil.example/" }),
            "parameter `AccountId` may not be written in a path, host or header",
        ),
        (
            "s3:PutBucketAcl",
            json!({ "Bucket": "b", "AccessControlPolicy": { "Grants": [{ "Grantee": { "Uri": "x" } }] } }),
            "there is no parameter `AccessControlPolicy.Grants[0].Grantee.Uri`",
        ),
        ("s3:PutBucketPolicy", json!({ "Bucket": "b" }), "parameter `Policy` is missing"),
        (
            "ec2:RevokeSecurityGroupIngress",
            json!({ "SecurityGroupRuleIds": "sgr-1" }),
            "parameter `SecurityGroupRuleIds` is not a list",
        ),
        (
            "ec2:AuthorizeSecurityGroupIngress",
            json!({ "IpPermissions": [{ "FromPort": "22" }] }),
            "parameter `IpPermissions[0].FromPort` is not a whole number",
        ),
        ("sts:GetCallerIdentity", json!({ "Name": 1 }), "there is no parameter `Name`"),
        ("sts:GetCallerIdentity", json!([]), "parameter `parameters` is not an object"),
    ];
    let mut wrong = Vec::new();
    for (name, parameters, expected) in &cases {
        let (of, operation) = name.split_once(':').unwrap();
        let of = service(of).unwrap();
        let problem = serialize(of, of.operation(operation).unwrap(), parameters, &|| String::new());
        let problem = problem.map_err(|error| error.problem.to_string());
        if problem.as_ref().err().map(String::as_str) != Some(*expected) {
            wrong.push(format!("{name} {parameters}: {problem:?}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[allow(clippy::too_many_lines)]
fn calls_go_to_the_host_of_their_region_and_sign_for_it() {
    let at = |name: &str, region: &str, custom: Option<&str>, parameters: &Value| {
        let (of, operation) = name.split_once(':').unwrap();
        let of = service(of).unwrap();
        let operation = of.operation(operation).unwrap();
        let mut request = serialize(of, operation, parameters, &|| String::new()).unwrap();
        match endpoint(of, operation, &mut request, parameters, region, custom, Addressing::Auto) {
            Ok(found) => format!("{}{} {}", found.url, request.path, found.region),
            Err(error) => error.to_string(),
        }
    };
    let (bucket, dotted, none) = (json!({ "Bucket": "logs" }), json!({ "Bucket": "my.logs" }), json!({}));
    let account = json!({ "AccountId": "111122223333" });
    let block = "/v20180820/configuration/publicAccessBlock";
    let cases = [
        (
            "sts:GetCallerIdentity",
            "eu-west-1",
            None,
            &none,
            "https://sts.eu-west-1.amazonaws.com/ eu-west-1".to_owned(),
        ),
        (
            "sts:GetCallerIdentity",
            "cn-north-1",
            None,
            &none,
            "https://sts.cn-north-1.amazonaws.com.cn/ cn-north-1".to_owned(),
        ),
        ("iam:GetUser", "eu-west-1", None, &none, "https://iam.amazonaws.com/ us-east-1".to_owned()),
        ("iam:GetUser", "", None, &none, "https://iam.amazonaws.com/ us-east-1".to_owned()),
        ("iam:GetUser", "us-gov-east-1", None, &none, "https://iam.us-gov.amazonaws.com/ us-gov-west-1".to_owned()),
        ("iam:GetUser", "cn-north-1", None, &none, "https://iam.cn-north-1.amazonaws.com.cn/ cn-north-1".to_owned()),
        (
            "ec2:DescribeInstances",
            "us-iso-east-1",
            None,
            &none,
            "https://ec2.us-iso-east-1.c2s.ic.gov/ us-iso-east-1".to_owned(),
        ),
        (
            "ec2:DescribeInstances",
            "us-isob-east-1",
            None,
            &none,
            "https://ec2.us-isob-east-1.sc2s.sgov.gov/ us-isob-east-1".to_owned(),
        ),
        ("ec2:DescribeInstances", "", None, &none, "cannot find a host for `ec2`: no region given".to_owned()),
        (
            "ec2:DescribeInstances",
            "evil.example/",
            None,
            &none,
            "cannot find a host for `ec2`: `evil.example/` is not a region".to_owned(),
        ),
        (
            "s3:GetBucketAcl",
            "eu-west-1",
            None,
            &bucket,
            "https://logs.s3.eu-west-1.amazonaws.com/ eu-west-1".to_owned(),
        ),
        (
            "s3:GetBucketAcl",
            "eu-west-1",
            None,
            &dotted,
            "https://s3.eu-west-1.amazonaws.com/my.logs eu-west-1".to_owned(),
        ),
        (
            "s3:GetBucketAcl",
            "eu-west-1",
            Some("http://127.0.0.1:4566"),
            &bucket,
            "http://127.0.0.1:4566/logs eu-west-1".to_owned(),
        ),
        (
            "s3:GetBucketAcl",
            "eu-west-1",
            Some("http://localhost:4566/base/"),
            &bucket,
            "http://localhost:4566/base/logs eu-west-1".to_owned(),
        ),
        (
            "s3:GetBucketAcl",
            "eu-west-1",
            Some("https://vpce-1.s3.eu-west-1.vpce.amazonaws.com"),
            &bucket,
            "https://logs.vpce-1.s3.eu-west-1.vpce.amazonaws.com/ eu-west-1".to_owned(),
        ),
        (
            "s3control:GetPublicAccessBlock",
            "eu-west-1",
            None,
            &account,
            format!("https://111122223333.s3-control.eu-west-1.amazonaws.com{block} eu-west-1"),
        ),
        (
            "s3control:GetPublicAccessBlock",
            "eu-west-1",
            Some("http://[::1]:5000"),
            &account,
            format!("http://[::1]:5000{block} eu-west-1"),
        ),
        (
            "iam:GetUser",
            "eu-west-1",
            Some("http://127.0.0.1:4566"),
            &none,
            "http://127.0.0.1:4566/ us-east-1".to_owned(),
        ),
        (
            "iam:GetUser",
            "eu-west-1",
            Some("ftp://x"),
            &none,
            "cannot call `ftp://x`: not an `http` or `https` address".to_owned(),
        ),
    ];
    let mut wrong = Vec::new();
    for (name, region, custom, parameters, expected) in &cases {
        let found = at(name, region, *custom, parameters);
        if found != *expected {
            wrong.push(format!("{name} in `{region}`: {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Why a read is in the table that nothing of ours sends.
const LOOKING_CLOSER: &str = "for people who look into a finding with the `call` example";

/// Operations that the table holds for somebody who is neither a remediation nor a state reader, and for whom.
const FOR_OTHERS: &[(&str, &str)] = &[
    ("cloudtrail:DescribeTrails", LOOKING_CLOSER),
    ("cloudtrail:GetEventSelectors", LOOKING_CLOSER),
    ("ec2:DescribeSecurityGroups", LOOKING_CLOSER),
    ("lambda:GetFunctionConfiguration", LOOKING_CLOSER),
    ("rds:DescribeDBInstances", LOOKING_CLOSER),
    ("s3:GetBucketEncryption", LOOKING_CLOSER),
    ("s3:GetBucketLocation", LOOKING_CLOSER),
    ("s3:GetBucketLogging", LOOKING_CLOSER),
    ("s3:GetBucketOwnershipControls", LOOKING_CLOSER),
    ("s3:GetBucketPolicyStatus", LOOKING_CLOSER),
    ("s3:GetBucketVersioning", LOOKING_CLOSER),
    ("s3:HeadBucket", LOOKING_CLOSER),
    ("secretsmanager:GetSecretValue", "the key of approval links"),
    ("sqs:ChangeMessageVisibility", "the functions' own queue"),
    ("sqs:DeleteMessage", "the functions' own queue"),
    ("sqs:ReceiveMessage", "the functions' own queue"),
    ("sqs:SendMessage", "the functions' own queue"),
    ("sts:GetCallerIdentity", LOOKING_CLOSER),
];

#[test]
fn the_table_holds_every_operation_that_a_remediation_or_a_reader_names() {
    let specs = onus_aws::remediations().iter().map(|remediation| remediation.spec());
    let by_remediations = specs.flat_map(|spec| [spec.reads, spec.writes, spec.undo].concat());
    let by_readers = onus_aws::state_readers().iter().flat_map(|reader| reader.operations().to_vec());
    let by_listers = onus_aws::listers().iter().flat_map(|lister| lister.operations().to_vec());
    let by_others = onus_aws::tags::OPERATIONS.iter().copied().chain(FOR_OTHERS.iter().map(|(name, _)| *name));
    let named: std::collections::BTreeSet<&str> =
        by_remediations.chain(by_readers).chain(by_listers).chain(by_others).collect();
    let held: std::collections::BTreeSet<&str> = onus_aws::operations::operations().collect();
    let missing: Vec<_> = named.difference(&held).collect();
    let unused: Vec<_> = held.difference(&named).collect();
    assert!(missing.is_empty(), "add to operations.txt and run generate_operations.py: {missing:?}");
    assert!(unused.is_empty(), "nobody calls these: take them out of operations.txt, or say here who does: {unused:?}");
}

fn answer(name: &str, status: u16, body: &str) -> Result<Value, onus_core::CallError> {
    let (of, operation) = name.split_once(':').unwrap();
    let of = service(of).unwrap();
    let response = Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
    parse(of, of.operation(operation).unwrap(), &response)
}

#[test]
fn answers_are_read_like_this() {
    let location = r#"<?xml version="1.0"?><LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">EU</LocationConstraint>"#;
    let owner = r#"<AccessControlPolicy xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><Owner><ID>a&amp;b</ID></Owner><AccessControlList><Grant><Grantee xsi:type="Group"><URI>u</URI></Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>"#;
    let keys = "<ListAccessKeysResponse><ListAccessKeysResult><AccessKeyMetadata><member><Status>Active</Status><CreateDate>2024-05-01T12:00:00Z</CreateDate></member></AccessKeyMetadata></ListAccessKeysResult></ListAccessKeysResponse>";
    let cases = [
        ("s3:GetBucketLocation", location, json!({ "LocationConstraint": "EU" })),
        ("s3:GetBucketPolicy", "{\"Version\":1}", json!({ "Policy": "{\"Version\":1}" })),
        (
            "s3:GetBucketAcl",
            owner,
            json!({ "Owner": { "ID": "a&b" }, "Grants": [{ "Grantee": { "Type": "Group", "URI": "u" }, "Permission": "READ" }] }),
        ),
        (
            "iam:ListAccessKeys",
            keys,
            json!({ "AccessKeyMetadata": [{ "Status": "Active", "CreateDate": "2024-05-01T12:00:00Z" }] }),
        ),
        (
            "kms:ScheduleKeyDeletion",
            r#"{"DeletionDate":1714564800.5,"KeyId":"k","New":1}"#,
            json!({ "DeletionDate": "2024-05-01T12:00:00.5Z", "KeyId": "k" }),
        ),
        ("s3:DeleteBucketPolicy", "", json!({})),
    ];
    let mut wrong = Vec::new();
    for (name, body, expected) in cases {
        let found = answer(name, 200, body);
        if found.as_ref() != Ok(&expected) {
            wrong.push(format!("{name}: {found:?}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_answer_that_is_not_what_the_model_promises_is_an_error() {
    let deep = "<a>".repeat(100_000);
    let bodies = ["", "<", "<a>", "<a/><b/>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<a>&b;</a>", &deep];
    let read = |body: &&str| answer("ec2:DescribeInstances", 200, body).is_ok();
    let taken: Vec<_> = bodies.iter().filter(|body| read(body)).map(|body| body.get(..20)).collect();
    assert!(taken.is_empty(), "{taken:?}");
    assert!(answer("kms:DescribeKey", 200, "[]").is_err() && answer("kms:DescribeKey", 200, "<html>").is_err());
}

proptest::proptest! {
    #[test]
    fn no_body_makes_a_parser_panic(body in "(<[a-zA-Z:/!?&;'\"= \\[\\]-]{0,12}>|[\\PC]{0,6}|[{}\\[\\]:,\"0-9]{0,6}){0,12}", status in 200_u16..600) {
        for name in ["s3:GetBucketAcl", "ec2:DescribeSecurityGroupRules", "iam:GetRole", "kms:ListGrants", "lambda:GetPolicy"] {
            let _ = answer(name, status, &body);
        }
    }
}
