//! Effects of whole records, through the decoder.

use onus_core::effect::{Direction, Protocol};
use onus_core::{Effects, Grant, Opening, Resource};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::Decoded;
use crate::aws::cloudtrail;

/// The effects of one record in account 111122223333 whose resource the decoder could not tell, so that grants name it
/// as the request does.
fn effects(event: &str, request: &Value, response: &Value) -> Effects {
    derived(event, request, response, &[])
}

/// The effects of one record about some resources.
fn derived(event: &str, request: &Value, response: &Value, resources: &[&'static str]) -> Effects {
    let (service, action) = event.split_once(':').expect("service:Action");
    let record = json!({
        "eventVersion": "1.09", "eventID": "6f1a5b2e-0000-4000-8000-000000000001", "eventTime": "2026-01-02T03:04:05Z",
        "eventSource": format!("{service}.amazonaws.com"), "eventName": action, "awsRegion": "eu-west-1",
        "recipientAccountId": "111122223333", "userIdentity": {"type": "IAMUser", "accountId": "111122223333"},
        "eventType": "AwsApiCall", "requestParameters": request, "responseElements": response,
    })
    .to_string();
    match cloudtrail::decode(&record) {
        Ok(Decoded::Change(mut change)) => {
            change.resources = resources.iter().map(|arn| Resource::new("AWS::Any::Kind", *arn, *arn)).collect();
            change.effects().clone()
        }
        other => panic!("{event}: {other:?}"),
    }
}

fn of(event: &str, request: &Value) -> Effects {
    effects(event, request, &Value::Null)
}

/// An opening in short: `ingress tcp 22-22 0.0.0.0/0 #sgr-1`, with `!` before it when it denies.
fn short(opening: &Opening) -> String {
    let direction = if opening.direction == Direction::Ingress { "ingress" } else { "egress" };
    let protocol = match opening.protocol {
        Protocol::Any => "any".to_owned(),
        Protocol::Tcp => "tcp".to_owned(),
        Protocol::Udp => "udp".to_owned(),
        Protocol::Icmp => "icmp".to_owned(),
        Protocol::Other(number) => number.to_string(),
    };
    let (from, to) = opening.ports;
    let mut from_whom: Vec<String> = opening.sources.iter().map(ToString::to_string).collect();
    from_whom.extend(opening.peers.iter().cloned());
    let deny = if opening.allow { "" } else { "!" };
    let id = opening.rule_id.as_ref().map_or(String::new(), |id| format!(" #{id}"));
    format!("{deny}{direction} {protocol} {from}-{to} {}{id}", from_whom.join(","))
}

/// A grant in short: `public * s3:GetObject read policy #0`.
fn told(grant: &Grant) -> String {
    format!(
        "{} {} {} {} {} {}",
        grant.audience.as_str(),
        grant.principal,
        grant.actions.join(","),
        grant.level.as_str(),
        grant.via,
        grant.part.as_deref().unwrap_or("-")
    )
}

fn openings(effects: &Effects) -> Vec<String> {
    effects.openings.iter().map(short).collect()
}

fn grants(effects: &Effects) -> Vec<String> {
    effects.grants.iter().map(told).collect()
}

fn doubts(effects: &Effects) -> Vec<&str> {
    effects.doubts.iter().map(|doubt| doubt.about.as_str()).collect()
}

#[test]
fn a_rule_entry_is_an_opening_with_its_own_id() {
    let request = json!({"groupId": "sg-1", "ipPermissions": {"items": [
        {"ipProtocol": "tcp", "fromPort": "22", "toPort": 22, "groups": {}, "prefixListIds": {},
         "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8", "description": "vpn"}, {"cidrIp": "0.0.0.0/0"}]},
         "ipv6Ranges": {"items": [{"cidrIpv6": "::/0"}]}},
        {"ipProtocol": "-1", "groups": {"items": [{"groupId": "sg-2", "userId": "111122223333"}]}, "ipRanges": {},
         "prefixListIds": {"items": [{"prefixListId": "pl-1"}]}},
        {"ipProtocol": "icmp", "fromPort": 8, "toPort": -1, "ipRanges": {"items": [{"cidrIp": "203.0.113.9/0"}]}}]}});
    let response = json!({"_return": true, "securityGroupRuleSet": {"items": [
        {"securityGroupRuleId": "sgr-6", "groupId": "sg-1", "isEgress": false, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv6": "::/0"},
        {"securityGroupRuleId": "sgr-0", "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0"},
        {"securityGroupRuleId": "sgr-1", "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "10.0.0.0/8"},
        {"securityGroupRuleId": "sgr-2", "ipProtocol": "-1", "fromPort": -1, "toPort": -1, "referencedGroupInfo": {"groupId": "sg-2"}},
        {"securityGroupRuleId": "sgr-3", "ipProtocol": "-1", "fromPort": -1, "toPort": -1, "prefixListId": "pl-1"},
        {"securityGroupRuleId": "sgr-4", "ipProtocol": "icmp", "fromPort": 8, "toPort": -1, "cidrIpv4": "0.0.0.0/0"}]}});
    let effects = effects("ec2:AuthorizeSecurityGroupIngress", &request, &response);
    assert_eq!(
        openings(&effects),
        [
            "ingress tcp 22-22 10.0.0.0/8 #sgr-1",
            "ingress tcp 22-22 0.0.0.0/0 #sgr-0",
            "ingress tcp 22-22 ::/0 #sgr-6",
            "ingress any 0-65535 sg-2 #sgr-2",
            "ingress any 0-65535 pl-1 #sgr-3",
            "ingress icmp 0-65535 0.0.0.0/0 #sgr-4",
        ]
    );
    assert_eq!(doubts(&effects), ["prefix list pl-1"]);
    assert!(effects.openings.iter().all(|opening| opening.resource == "sg-1"));
}

#[test]
fn a_security_group_rule_is_read_in_every_shape() {
    let response = json!({"securityGroupRuleSet": {"items": [
        {"securityGroupRuleId": "sgr-1", "groupId": "sg-1", "ipProtocol": "tcp", "fromPort": 3389, "toPort": 3389, "cidrIpv4": "0.0.0.0/1"}]}});
    let flat = json!({"groupId": "sg-1", "ipPermissions": {}, "ipProtocol": "tcp", "fromPort": 3389, "toPort": 3389, "cidrIp": "0.0.0.0/1"});
    let wrapped = json!({"AuthorizeSecurityGroupIngressRequest": {"GroupId": "sg-1", "IpPermissions":
        {"tag": 1, "IpProtocol": "tcp", "FromPort": 3389, "ToPort": 3389, "IpRanges": {"tag": 1, "CidrIp": "0.0.0.0/1"}}}});
    let list = json!({"groupId": "sg-1", "ipPermissions": [{"ipProtocol": "6", "fromPort": 3389, "toPort": 3389, "ipRanges": [{"cidrIp": "0.0.0.0/1"}]}]});
    let by_name = json!({"groupName": "default", "cidrIp": "0.0.0.0/1", "ipProtocol": "TCP", "fromPort": "3389", "toPort": "3389"});
    for request in [flat, wrapped, list, by_name, Value::Null] {
        let effects = effects("ec2:AuthorizeSecurityGroupIngress", &request, &response);
        assert_eq!(openings(&effects), ["ingress tcp 3389-3389 0.0.0.0/1 #sgr-1"], "{request}");
        assert_eq!(effects.openings[0].resource, "sg-1", "{request}");
    }
}

#[test]
fn other_ways_to_open_a_path_are_seen() {
    let rule = |cidr: &str| {
        json!({"ModifySecurityGroupRulesRequest": {"GroupId": "sg-1", "SecurityGroupRule":
        {"SecurityGroupRuleId": "sgr-7", "tag": 1, "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": cidr}}}})
    };
    let entry = |egress: bool, action: &str| {
        json!({"networkAclId": "acl-1", "ruleNumber": 100, "egress": egress, "ruleAction": action,
        "aclProtocol": "6", "portRange": {"from": 22, "to": 23}, "cidrBlock": "0.0.0.0/0", "icmpTypeCode": {}})
    };
    let cases = [
        ("ec2:ModifySecurityGroupRules", rule("10.0.0.0/8"), "ingress tcp 22-22 10.0.0.0/8 #sgr-7", 0),
        ("ec2:ModifySecurityGroupRules", rule("0.0.0.0/0"), "ingress tcp 22-22 0.0.0.0/0 #sgr-7", 1),
        (
            "ec2:AuthorizeSecurityGroupEgress",
            json!({"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": "-1", "ipv6Ranges": {"items": [{"cidrIpv6": "::/0"}]}}]}}),
            "egress any 0-65535 ::/0",
            0,
        ),
        ("ec2:CreateNetworkAclEntry", entry(false, "allow"), "ingress tcp 22-23 0.0.0.0/0 #100", 0),
        ("ec2:ReplaceNetworkAclEntry", entry(true, "allow"), "egress tcp 22-23 0.0.0.0/0 #100", 0),
        ("ec2:CreateNetworkAclEntry", entry(false, "deny"), "!ingress tcp 22-23 0.0.0.0/0 #100", 0),
        (
            "ec2:CreateNetworkAclEntry",
            json!({"networkAclId": "acl-1", "ruleNumber": 101, "egress": false, "ruleAction": "allow", "aclProtocol": "-1", "ipv6CidrBlock": "::/0", "portRange": {}}),
            "ingress any 0-65535 ::/0 #101",
            0,
        ),
    ];
    for (event, request, expected, doubts) in cases {
        let effects = of(event, &request);
        assert_eq!(openings(&effects), [expected], "{event} {request}");
        assert_eq!(effects.doubts.len(), doubts, "{event} {:?}", effects.doubts);
    }
}

#[test]
fn what_takes_away_or_only_makes_has_no_effect() {
    let ingress = json!({"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": "-1", "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}});
    let cases = [
        ("ec2:RevokeSecurityGroupIngress", ingress.clone()),
        ("ec2:RevokeSecurityGroupEgress", ingress),
        ("ec2:CreateSecurityGroup", json!({"groupName": "web", "groupDescription": "web", "vpcId": "vpc-1"})),
        (
            "ec2:ModifySnapshotAttribute",
            json!({"snapshotId": "snap-1", "createVolumePermission": {"remove": {"items": [{"group": "all"}]}}, "attributeType": "CREATE_VOLUME_PERMISSION"}),
        ),
        (
            "ec2:ModifySnapshotAttribute",
            json!({"snapshotId": "snap-1", "attributeType": "CREATE_VOLUME_PERMISSION", "operationType": "remove", "groupNames": ["all"]}),
        ),
        (
            "ec2:ModifyImageAttribute",
            json!({"imageId": "ami-1", "attributeType": "description", "description": {"value": "all"}}),
        ),
        (
            "rds:ModifyDBSnapshotAttribute",
            json!({"dBSnapshotIdentifier": "a", "attributeName": "restore", "valuesToRemove": ["all"]}),
        ),
        (
            "rds:ModifyDBSnapshotAttribute",
            json!({"dBSnapshotIdentifier": "a", "attributeName": "restore", "valuesToAdd": []}),
        ),
        (
            "ssm:ModifyDocumentPermission",
            json!({"name": "a", "permissionType": "Share", "accountIdsToRemove": ["all"]}),
        ),
        (
            "sns:SetTopicAttributes",
            json!({"topicArn": "arn:aws:sns:eu-west-1:111122223333:t", "attributeName": "DisplayName", "attributeValue": "x"}),
        ),
        (
            "sqs:SetQueueAttributes",
            json!({"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/q", "attributes": {"VisibilityTimeout": "30"}}),
        ),
        (
            "sqs:SetQueueAttributes",
            json!({"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/q", "attributes": {"Policy": ""}}),
        ),
        ("s3:CreateBucket", json!({"bucketName": "example"})),
        ("s3:PutBucketAcl", json!({"bucketName": "example", "acl": "", "x-amz-acl": ["private"]})),
        ("kms:CreateKey", json!({"description": "x"})),
        ("lambda:CreateFunctionUrlConfig20211031", json!({"functionName": "f", "authType": "AWS_IAM"})),
        ("lambda:UpdateFunctionUrlConfig", json!({"functionName": "f", "cors": {}})),
        ("iam:AttachUserPolicy", json!({"userName": "u", "policyArn": "arn:aws:iam::aws:policy/AWSDenyAll"})),
        (
            "iam:PutUserPolicy",
            json!({"userName": "u", "policyName": "p", "policyDocument": r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#}),
        ),
    ];
    let wrong: Vec<_> = cases
        .iter()
        .map(|(event, request)| (event, of(event, request)))
        .filter(|(_, effects)| *effects != Effects::none())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
#[rustfmt::skip]
fn every_way_to_grant_names_its_part() {
    let open = r#"{"Statement":[{"Sid":"Open","Effect":"Allow","Principal":"*","Action":"ACTION"}]}"#;
    let policy = |action: &str| json!(open.replace("ACTION", action));
    let admin = json!(r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#);
    let all_users = "http://acs.amazonaws.com/groups/global/AllUsers";
    let cases: Vec<(&str, Value, Value, Vec<&str>)> = vec![
        ("s3:PutBucketPolicy", json!({"bucketName": "b", "policy": "", "bucketPolicy": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}]}}), Value::Null,
            vec!["public * s3:GetObject read policy #0"]),
        ("s3:PutBucketAcl", json!({"bucketName": "b", "acl": "", "x-amz-acl": "public-read-write"}), Value::Null,
            vec!["public http://acs.amazonaws.com/groups/global/AllUsers READ read acl http://acs.amazonaws.com/groups/global/AllUsers:READ",
                 "public http://acs.amazonaws.com/groups/global/AllUsers WRITE write acl http://acs.amazonaws.com/groups/global/AllUsers:WRITE"]),
        ("s3:CreateBucket", json!({"bucketName": "b", "x-amz-acl": ["authenticated-read"]}), Value::Null,
            vec!["any_authenticated http://acs.amazonaws.com/groups/global/AuthenticatedUsers READ read acl http://acs.amazonaws.com/groups/global/AuthenticatedUsers:READ"]),
        ("s3:PutObjectAcl", json!({"bucketName": "b", "key": "k", "acl": "", "x-amz-grant-full-control": format!("id=\"abc\", uri=\"{all_users}\"")}), Value::Null,
            vec!["external abc FULL_CONTROL admin acl abc:FULL_CONTROL",
                 "public http://acs.amazonaws.com/groups/global/AllUsers FULL_CONTROL admin acl http://acs.amazonaws.com/groups/global/AllUsers:FULL_CONTROL"]),
        ("s3:PutBucketAcl", json!({"bucketName": "b", "acl": "", "AccessControlPolicy": {"xmlns": "x", "Owner": {"ID": "me"}, "AccessControlList": {"Grant": [
                {"Grantee": {"xsi:type": "CanonicalUser", "ID": "me"}, "Permission": "FULL_CONTROL"},
                {"Grantee": {"xsi:type": "Group", "URI": all_users}, "Permission": "READ_ACP"}]}}}), Value::Null,
            vec!["public http://acs.amazonaws.com/groups/global/AllUsers READ_ACP read acl http://acs.amazonaws.com/groups/global/AllUsers:READ_ACP"]),
        ("s3:PutBucketAcl", json!({"bucketName": "b", "acl": "", "AccessControlPolicy": {"AccessControlList": {"Grant": {"Grantee": {"URI": all_users}, "Permission": "WRITE_ACP"}}}}), Value::Null,
            vec!["public http://acs.amazonaws.com/groups/global/AllUsers WRITE_ACP admin acl http://acs.amazonaws.com/groups/global/AllUsers:WRITE_ACP"]),
        ("sns:SetTopicAttributes", json!({"topicArn": "arn:aws:sns:eu-west-1:111122223333:t", "attributeName": "Policy", "attributeValue": policy("SNS:Publish")}), Value::Null,
            vec!["public * SNS:Publish write policy Open"]),
        ("sns:CreateTopic", json!({"name": "t", "attributes": {"Policy": policy("SNS:Subscribe")}}), Value::Null,
            vec!["public * SNS:Subscribe read policy Open"]),
        ("sns:AddPermission", json!({"topicArn": "arn:aws:sns:eu-west-1:111122223333:t", "label": "l", "aWSAccountId": ["444455556666"], "actionName": ["Publish"]}), Value::Null,
            vec!["external 444455556666 sns:Publish write permission l"]),
        ("sqs:AddPermission", json!({"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/q", "label": "l", "aWSAccountIds": ["*", "111122223333"], "actions": ["*"]}), Value::Null,
            vec!["public * sqs:* admin permission l", "internal 111122223333 sqs:* admin permission l"]),
        ("sqs:SetQueueAttributes", json!({"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/q", "attributes": {"Policy": policy("sqs:SendMessage")}}), Value::Null,
            vec!["public * sqs:SendMessage write policy Open"]),
        ("events:PutPermission", json!({"eventBusName": "b", "action": "events:PutEvents", "principal": "*", "statementId": "s"}), Value::Null,
            vec!["public * events:PutEvents write permission s"]),
        ("events:PutPermission", json!({"action": "events:PutEvents", "principal": "*", "statementId": "s", "condition": {"type": "StringEquals", "key": "aws:PrincipalOrgID", "value": "o-a1b2c3d4e5"}}), Value::Null,
            vec!["external * events:PutEvents write permission s"]),
        ("lambda:AddPermission20150331v2", json!({"functionName": "f", "statementId": "s", "action": "lambda:InvokeFunction", "principal": "*"}), Value::Null,
            vec!["public * lambda:InvokeFunction read permission s"]),
        ("lambda:AddPermission20150331v2", json!({"functionName": "f", "statementId": "s", "action": "lambda:InvokeFunction", "principal": "s3.amazonaws.com"}), Value::Null,
            vec!["service s3.amazonaws.com lambda:InvokeFunction read permission s"]),
        ("lambda:AddPermission20150331v2", json!({"functionName": "f", "statementId": "s", "action": "lambda:InvokeFunction", "principal": "s3.amazonaws.com", "sourceArn": "arn:aws:s3:::b", "sourceAccount": "111122223333"}), Value::Null,
            vec!["internal s3.amazonaws.com lambda:InvokeFunction read permission s"]),
        ("lambda:AddPermission20150331v2", json!({"functionName": "f", "statementId": "s", "action": "lambda:InvokeFunction", "principal": "*", "principalOrgID": "o-a1b2c3d4e5"}), Value::Null,
            vec!["external * lambda:InvokeFunction read permission s"]),
        ("lambda:AddPermission20150331v2", json!({"functionName": "f", "statementId": "s", "action": "lambda:InvokeFunctionUrl", "principal": "*", "functionUrlAuthType": "NONE"}), Value::Null,
            vec!["public * lambda:InvokeFunctionUrl read permission s"]),
        ("lambda:AddLayerVersionPermission20181031", json!({"layerName": "l", "versionNumber": 3, "statementId": "s", "action": "lambda:GetLayerVersion", "principal": "*"}), Value::Null,
            vec!["public * lambda:GetLayerVersion read permission s"]),
        ("lambda:CreateFunctionUrlConfig", json!({"functionName": "f", "authType": "NONE"}), Value::Null,
            vec!["public * lambda:InvokeFunctionUrl read attribute AuthType"]),
        ("kms:PutKeyPolicy", json!({"keyId": "k", "policyName": "default", "policy": policy("kms:*")}), Value::Null,
            vec!["public * kms:* admin policy Open"]),
        ("kms:CreateGrant", json!({"keyId": "k", "granteePrincipal": "arn:aws:iam::444455556666:role/r", "operations": ["Decrypt", "CreateGrant"]}), json!({"grantId": "g"}),
            vec!["external arn:aws:iam::444455556666:role/r kms:Decrypt,kms:CreateGrant admin grant g"]),
        ("secretsmanager:PutResourcePolicy", json!({"secretId": "s", "resourcePolicy": policy("secretsmanager:GetSecretValue")}), Value::Null,
            vec!["public * secretsmanager:GetSecretValue read policy Open"]),
        ("ecr:SetRepositoryPolicy", json!({"repositoryName": "r", "policyText": policy("ecr:BatchGetImage")}), Value::Null,
            vec!["public * ecr:BatchGetImage read policy Open"]),
        ("glue:PutResourcePolicy", json!({"policyInJson": policy("glue:GetTable")}), Value::Null,
            vec!["public * glue:GetTable read policy Open"]),
        ("es:UpdateDomainConfig", json!({"domainName": "d", "accessPolicies": policy("es:ESHttp*")}), Value::Null,
            vec!["public * es:ESHttp* write policy Open"]),
        ("iam:CreateRole", json!({"roleName": "r", "assumeRolePolicyDocument": r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"sts:AssumeRole"}]}"#}), Value::Null,
            vec!["external arn:aws:iam::444455556666:root sts:AssumeRole write trust #0"]),
        ("iam:AttachUserPolicy", json!({"userName": "u", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}), Value::Null,
            vec!["internal u arn:aws:iam::aws:policy/AdministratorAccess admin attachment arn:aws:iam::aws:policy/AdministratorAccess"]),
        ("iam:AttachRolePolicy", json!({"roleName": "r", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}), Value::Null,
            vec!["internal r arn:aws:iam::aws:policy/ReadOnlyAccess read attachment arn:aws:iam::aws:policy/ReadOnlyAccess"]),
        ("iam:PutUserPolicy", json!({"userName": "u", "policyName": "p", "policyDocument": admin}), Value::Null,
            vec!["internal u * admin policy p/#0"]),
        ("iam:CreatePolicyVersion", json!({"policyArn": "arn:aws:iam::111122223333:policy/p", "policyDocument": admin, "setAsDefault": true}), json!({"policyVersion": {"versionId": "v2"}}),
            vec!["internal arn:aws:iam::111122223333:policy/p * admin policy v2/#0"]),
        ("eks:AssociateAccessPolicy", json!({"name": "c", "principalArn": "arn%3Aaws%3Aiam%3A%3A444455556666%3Arole%2Fr", "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"}), Value::Null,
            vec!["external arn:aws:iam::444455556666:role/r arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy admin attachment arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"]),
        ("ec2:ModifySnapshotAttribute", json!({"snapshotId": "snap-1", "createVolumePermission": {"add": {"items": [{"group": "all"}, {"userId": "444455556666"}]}}, "attributeType": "CREATE_VOLUME_PERMISSION"}), Value::Null,
            vec!["public all createVolumePermission read attribute all", "external 444455556666 createVolumePermission read attribute 444455556666"]),
        ("ec2:ModifySnapshotAttribute", json!({"ModifySnapshotAttributeRequest": {"SnapshotId": "snap-1", "Attribute": "createVolumePermission", "OperationType": "add", "UserId": {"tag": 1, "content": 12_345_678_901_i64}}}), Value::Null,
            vec!["external 012345678901 createVolumePermission read attribute 012345678901"]),
        ("ec2:ModifySnapshotAttribute", json!({"snapshotId": "snap-1", "attributeType": "CREATE_VOLUME_PERMISSION", "operationType": "add", "groupNames": {"items": [{"groupName": "all"}]}}), Value::Null,
            vec!["public all createVolumePermission read attribute all"]),
        ("ec2:ModifyImageAttribute", json!({"imageId": "ami-1", "launchPermission": {"add": {"items": [{"organizationArn": "arn:aws:organizations::444455556666:organization/o-a1b2c3d4e5"}]}}, "attributeType": "launchPermission"}), Value::Null,
            vec!["external arn:aws:organizations::444455556666:organization/o-a1b2c3d4e5 launchPermission read attribute arn:aws:organizations::444455556666:organization/o-a1b2c3d4e5"]),
        ("rds:ModifyDBSnapshotAttribute", json!({"dBSnapshotIdentifier": "s", "attributeName": "restore", "valuesToAdd": ["all"]}), Value::Null,
            vec!["public all restore read attribute all"]),
        ("rds:ModifyDBClusterSnapshotAttribute", json!({"dBClusterSnapshotIdentifier": "s", "attributeName": "restore", "valuesToAdd": ["444455556666"]}), Value::Null,
            vec!["external 444455556666 restore read attribute 444455556666"]),
        ("redshift:AuthorizeSnapshotAccess", json!({"snapshotIdentifier": "s", "accountWithRestoreAccess": "444455556666"}), Value::Null,
            vec!["external 444455556666 restore read attribute 444455556666"]),
        ("ssm:ModifyDocumentPermission", json!({"name": "d", "permissionType": "Share", "accountIdsToAdd": ["all"]}), Value::Null,
            vec!["public all share read attribute all"]),
        ("ec2:ModifyVpcEndpointServicePermissions", json!({"ModifyVpcEndpointServicePermissionsRequest": {"ServiceId": "vpce-svc-1", "AddAllowedPrincipals": {"tag": 1, "content": "*"}}}), Value::Null,
            vec!["public * allowedPrincipals read attribute *"]),
        ("ram:CreateResourceShare", json!({"name": "s", "principals": ["444455556666", "arn:aws:iam::111122223333:role/r", "arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5"], "allowExternalPrincipals": true}), Value::Null,
            vec!["external 444455556666 share read attribute 444455556666",
                 "internal arn:aws:iam::111122223333:role/r share read attribute arn:aws:iam::111122223333:role/r",
                 "external arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5 share read attribute arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5"]),
    ];
    let wrong: Vec<_> = cases
        .iter()
        .map(|(event, request, response, expected)| (event, effects(event, request, response), expected))
        .filter(|(_, found, expected)| grants(found) != **expected || !found.doubts.is_empty())
        .map(|(event, found, _)| (event, grants(&found), found.doubts))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_the_record_does_not_tell_is_a_doubt_about_the_field() {
    let cases = [
        ("s3:PutBucketPolicy", json!({"bucketName": "b", "policy": ""}), "request.bucketPolicy"),
        ("s3:PutBucketPolicy", json!({"bucketName": "b", "bucketPolicy": {"Statement": [{}]}}), "request.bucketPolicy"),
        (
            "s3:PutBucketPolicy",
            json!({"reason": "requestParameters too large", "omitted": true, "originalSize": "149893"}),
            "request",
        ),
        ("s3:PutBucketPolicy", Value::Null, "request"),
        ("s3:PutBucketAcl", json!({"bucketName": "b", "acl": ""}), "request.AccessControlPolicy"),
        ("s3:PutBucketAcl", json!({"bucketName": "b", "x-amz-acl": "everyone"}), "request.x-amz-acl"),
        ("kms:PutKeyPolicy", json!({"keyId": "k", "policy": "<sensitiveDataRemoved>"}), "request.policy"),
        ("iam:CreateRole", json!({"roleName": "r"}), "request.assumeRolePolicyDocument"),
        ("iam:PutRolePolicy", json!({"roleName": "r"}), "request.policyDocument"),
        (
            "iam:SetDefaultPolicyVersion",
            json!({"policyArn": "arn:aws:iam::111122223333:policy/p", "versionId": "v1"}),
            "version v1 of arn:aws:iam::111122223333:policy/p",
        ),
        (
            "iam:AttachRolePolicy",
            json!({"roleName": "r", "policyArn": "arn:aws:iam::111122223333:policy/p"}),
            "policy arn:aws:iam::111122223333:policy/p",
        ),
        ("lambda:AddPermission20150331v2", json!({"functionName": "f"}), "request.principal"),
        ("kms:CreateGrant", json!({"keyId": "k"}), "request.granteePrincipal"),
        ("sqs:AddPermission", json!({"label": "l"}), "request.aWSAccountIds"),
        ("ec2:AuthorizeSecurityGroupIngress", json!({"groupId": "sg-1", "ipPermissions": {}}), "request.ipPermissions"),
        (
            "ec2:AuthorizeSecurityGroupIngress",
            json!({"groupId": "sg-1", "cidrIp": "anywhere", "ipProtocol": "-1"}),
            "network anywhere",
        ),
        ("ec2:ModifySecurityGroupRules", json!({"groupId": "sg-1"}), "request.SecurityGroupRule"),
        (
            "ec2:DeleteNetworkAclEntry",
            json!({"networkAclId": "acl-1", "ruleNumber": 100, "egress": false}),
            "entry 100 of acl-1",
        ),
        ("ec2:ModifySnapshotAttribute", json!({"snapshotId": "snap-1"}), "request.createVolumePermission"),
        (
            "ec2:ModifyImageAttribute",
            json!({"imageId": "ami-1", "launchPermission": {"add": {"items": [{"group": "some"}]}}}),
            "grantee some",
        ),
    ];
    let wrong: Vec<_> = cases
        .iter()
        .map(|(event, request, about)| (event, of(event, request), about))
        .filter(|(_, found, about)| doubts(found) != [**about])
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Requests of any shape, built of the words that the derivations look for.
fn body() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "groupId",
        "ipPermissions",
        "items",
        "ipRanges",
        "cidrIp",
        "fromPort",
        "toPort",
        "ipProtocol",
        "policy",
        "bucketPolicy",
        "Statement",
        "Principal",
        "add",
        "group",
        "userId",
        "launchPermission",
        "createVolumePermission",
        "valuesToAdd",
        "attributeName",
        "attributes",
        "Policy",
        "x-amz-acl",
        "AccessControlPolicy",
        "AccessControlList",
        "Grant",
        "principal",
        "policyArn",
        "policyDocument",
        "SecurityGroupRule",
        "securityGroupRuleSet",
        "content",
        "omitted",
    ]);
    let leaf = prop_oneof![
        prop::sample::select(vec!["0.0.0.0/0", "::/0", "22", "-1", "all", "public-read", "restore", "*", ""])
            .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..5)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

/// Every operation that has effects.
fn operation() -> impl Strategy<Value = String> {
    let functions = super::TABLE.iter().map(|(service, action, _)| format!("{service}:{action}"));
    let documents = super::policies::TABLE.iter().map(super::policies::Row::operation);
    prop::sample::select(functions.chain(documents).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn deriving_never_panics(event in operation(), request in body(), response in body()) {
        let _ = effects(&event, &request, &response);
    }

    #[test]
    fn an_address_is_never_lost(cidrs in prop::collection::vec("[0-9]{1,3}\\.0\\.0\\.0/[0-9]{1,2}", 1..5)) {
        let ranges: Vec<Value> = cidrs.iter().map(|cidr| json!({"cidrIp": cidr})).collect();
        let request = json!({"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": "tcp", "ipRanges": {"items": ranges}}]}});
        let found = of("ec2:AuthorizeSecurityGroupIngress", &request);
        let unread = found.openings.iter().filter(|opening| opening.sources.is_empty()).count();
        prop_assert_eq!(found.openings.len(), cidrs.len());
        prop_assert_eq!(found.doubts.len(), unread);
    }
}

#[test]
fn an_operation_stands_in_the_tables_once() {
    let mut all: Vec<String> = super::TABLE.iter().map(|(service, action, _)| format!("{service}:{action}")).collect();
    all.extend(super::policies::TABLE.iter().map(super::policies::Row::operation));
    let mut once = all.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), all.len());
}

#[test]
fn a_grant_names_the_resource_by_its_arn() {
    let acl = json!({"bucketName": "b", "key": "k", "x-amz-acl": "public-read"});
    let share = json!({"snapshotId": "snap-1", "createVolumePermission": {"add": {"items": [{"group": "all"}]}}});
    let permission = json!({"functionName": "f", "qualifier": "live", "principal": "*"});
    let snapshot = "arn:aws:ec2:eu-west-1:111122223333:snapshot/snap-1";
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:f";
    let cases = [
        ("s3:PutObjectAcl", &acl, &["arn:aws:s3:::b"][..], "arn:aws:s3:::b/k"),
        ("s3:PutObjectAcl", &acl, &["arn:aws:s3:::b/k"], "arn:aws:s3:::b/k"),
        ("s3:PutObjectAcl", &acl, &[], "b/k"),
        ("ec2:ModifySnapshotAttribute", &share, &[snapshot], snapshot),
        ("ec2:ModifySnapshotAttribute", &share, &[], "snap-1"),
        (
            "lambda:AddPermission20150331v2",
            &permission,
            &[function],
            "arn:aws:lambda:eu-west-1:111122223333:function:f:live",
        ),
        ("lambda:AddPermission20150331v2", &permission, &[], "f:live"),
    ];
    for (event, request, resources, expected) in cases {
        let effects = derived(event, request, &Value::Null, resources);
        assert_eq!(effects.grants[0].resource, expected, "{event} {resources:?}");
    }
}
