//! Things that were switched off or on.

use onus_tests::client::Client;
use onus_tests::cloudtrail::record;
use onus_tests::local_aws::ACCOUNT;
use serde_json::{Value, json};

use super::Case;

fn case(remedy: &'static str, record: Value, good: Value, read: impl Fn(&Client) -> Value + 'static) -> Case {
    Case { remedy, record, read: Box::new(read), good, moves: Box::new(|_| {}) }
}

pub fn stopped_trail(aws: &Client, number: u32) -> Case {
    let (name, bucket) = (format!("trail-{number}"), format!("trail-logs-{number}"));
    aws.call("s3", "CreateBucket", json!({ "Bucket": bucket }));
    aws.call("cloudtrail", "CreateTrail", json!({ "Name": name, "S3BucketName": bucket }));
    aws.call("cloudtrail", "StartLogging", json!({ "Name": name }));
    aws.call("cloudtrail", "StopLogging", json!({ "Name": name }));
    let record = record(&format!("trail-{number}"), "cloudtrail", "StopLogging", json!({ "name": name }), Value::Null);
    case("aws.cloudtrail.start_logging", record, json!(true), move |aws| {
        aws.call("cloudtrail", "GetTrailStatus", json!({ "Name": name }))["IsLogging"].clone()
    })
}

pub fn unencrypted_volumes(aws: &Client, number: u32) -> Case {
    aws.call("ec2", "DisableEbsEncryptionByDefault", json!({}));
    let request = json!({ "DisableEbsEncryptionByDefaultRequest": {} });
    let response = json!({ "DisableEbsEncryptionByDefaultResponse": { "ebsEncryptionByDefault": false } });
    let record = record(&format!("volumes-{number}"), "ec2", "DisableEbsEncryptionByDefault", request, response);
    case("aws.ec2.enable_ebs_default_encryption", record, json!(true), |aws| {
        aws.call("ec2", "GetEbsEncryptionByDefault", json!({}))["EbsEncryptionByDefault"].clone()
    })
}

pub fn administrator(aws: &Client, number: u32) -> Case {
    let (name, read_only) = (format!("contractor-{number}"), "arn:aws:iam::aws:policy/ReadOnlyAccess");
    let administrator = "arn:aws:iam::aws:policy/AdministratorAccess";
    aws.call("iam", "CreateUser", json!({ "UserName": name }));
    for policy in [read_only, administrator] {
        aws.call("iam", "AttachUserPolicy", json!({ "UserName": name, "PolicyArn": policy }));
    }
    let request = json!({ "userName": name, "policyArn": administrator });
    let record = record(&format!("administrator-{number}"), "iam", "AttachUserPolicy", request, Value::Null);
    case("aws.iam.detach_policy", record, json!([read_only]), move |aws| {
        let attached = aws.call("iam", "ListAttachedUserPolicies", json!({ "UserName": name }));
        let mut arns: Vec<String> = attached["AttachedPolicies"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|policy| policy["PolicyArn"].as_str().expect("an ARN").to_owned())
            .collect();
        arns.sort();
        json!(arns)
    })
}

pub fn second_key(aws: &Client, number: u32) -> Case {
    let name = format!("builder-{number}");
    aws.call("iam", "CreateUser", json!({ "UserName": name }));
    let key = aws.call("iam", "CreateAccessKey", json!({ "UserName": name }))["AccessKey"]["AccessKeyId"].clone();
    let request = json!({ "userName": name });
    let response = json!({ "accessKey": { "userName": name, "accessKeyId": key, "status": "Active", "createDate": "Jan 31, 2026, 12:00:00 PM" } });
    let record = record(&format!("second-{number}"), "iam", "CreateAccessKey", request, response);
    case("aws.iam.deactivate_access_key", record, json!("Inactive"), move |aws| {
        aws.call("iam", "ListAccessKeys", json!({ "UserName": name }))["AccessKeyMetadata"][0]["Status"].clone()
    })
}

/// A key and what CloudTrail says of a request about it.
fn key(aws: &Client) -> (Value, Value) {
    let key = aws.call("kms", "CreateKey", json!({}))["KeyMetadata"]["KeyId"].clone();
    let arn = format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/{}", key.as_str().expect("an id"));
    (key, json!([{ "accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": arn }]))
}

pub fn key_deletion(aws: &Client, number: u32) -> Case {
    let (key, resources) = key(aws);
    aws.call("kms", "ScheduleKeyDeletion", json!({ "KeyId": key, "PendingWindowInDays": 7 }));
    let request = json!({ "keyId": key, "pendingWindowInDays": 7 });
    let mut record =
        record(&format!("deletion-{number}"), "kms", "ScheduleKeyDeletion", request, json!({ "keyId": key }));
    record["resources"] = resources;
    case("aws.kms.cancel_key_deletion", record, json!("Enabled"), move |aws| {
        aws.call("kms", "DescribeKey", json!({ "KeyId": key }))["KeyMetadata"]["KeyState"].clone()
    })
}

pub fn disabled_key(aws: &Client, number: u32) -> Case {
    let (key, resources) = key(aws);
    aws.call("kms", "DisableKey", json!({ "KeyId": key }));
    let mut record = record(&format!("disabled-{number}"), "kms", "DisableKey", json!({ "keyId": key }), Value::Null);
    record["resources"] = resources;
    case("aws.kms.enable_key", record, json!("Enabled"), move |aws| {
        aws.call("kms", "DescribeKey", json!({ "KeyId": key }))["KeyMetadata"]["KeyState"].clone()
    })
}

pub fn unrotated_key(aws: &Client, number: u32) -> Case {
    let (key, resources) = key(aws);
    aws.call("kms", "EnableKeyRotation", json!({ "KeyId": key }));
    aws.call("kms", "DisableKeyRotation", json!({ "KeyId": key }));
    let request = json!({ "keyId": key });
    let mut record = record(&format!("unrotated-{number}"), "kms", "DisableKeyRotation", request, Value::Null);
    record["resources"] = resources;
    case("aws.kms.enable_key_rotation", record, json!(true), move |aws| {
        aws.call("kms", "GetKeyRotationStatus", json!({ "KeyId": key }))["KeyRotationEnabled"].clone()
    })
}

pub fn unblocked_bucket(aws: &Client, number: u32) -> Case {
    let name = format!("backups-{number}");
    let block = |on: bool| json!({ "BlockPublicAcls": on, "IgnorePublicAcls": on, "BlockPublicPolicy": on, "RestrictPublicBuckets": on });
    aws.call("s3", "CreateBucket", json!({ "Bucket": name }));
    aws.call("s3", "PutPublicAccessBlock", json!({ "Bucket": name, "PublicAccessBlockConfiguration": block(true) }));
    aws.call("s3", "DeletePublicAccessBlock", json!({ "Bucket": name }));
    let request = json!({ "bucketName": name, "Host": "s3.amazonaws.com", "publicAccessBlock": "" });
    let record = record(&format!("unblocked-{number}"), "s3", "DeleteBucketPublicAccessBlock", request, Value::Null);
    let mut half = block(true);
    half["RestrictPublicBuckets"] = json!(false);
    let other_change = json!({ "Bucket": name, "PublicAccessBlockConfiguration": half });
    let read = move |aws: &Client| match aws.ask("s3", "GetPublicAccessBlock", json!({ "Bucket": name })) {
        Ok(answer) => answer["PublicAccessBlockConfiguration"].clone(),
        Err(code) => json!(code),
    };
    let moves = move |aws: &Client| drop(aws.call("s3", "PutPublicAccessBlock", other_change.clone()));
    Case { moves: Box::new(moves), ..case("aws.s3.restore_bucket_public_access_block", record, block(true), read) }
}

pub fn unblocked_account(aws: &Client, number: u32) -> Case {
    let block = |on: bool| json!({ "BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": on, "RestrictPublicBuckets": on });
    let put = |block: Value| json!({ "AccountId": ACCOUNT, "PublicAccessBlockConfiguration": block });
    aws.call("s3control", "PutPublicAccessBlock", put(block(true)));
    aws.call("s3control", "PutPublicAccessBlock", put(block(false)));
    let request = json!({ "publicAccessBlock": "", "Host": "s3-control.us-east-1.amazonaws.com", "accountId": ACCOUNT,
        "PublicAccessBlockConfiguration": block(false) });
    let record = record(&format!("account-{number}"), "s3", "PutAccountPublicAccessBlock", request, Value::Null);
    let mut half = block(true);
    half["RestrictPublicBuckets"] = json!(false);
    let other_change = put(half);
    let read = |aws: &Client| {
        let answer = aws.call("s3control", "GetPublicAccessBlock", json!({ "AccountId": ACCOUNT }));
        answer["PublicAccessBlockConfiguration"].clone()
    };
    let moves = move |aws: &Client| drop(aws.call("s3control", "PutPublicAccessBlock", other_change.clone()));
    Case { moves: Box::new(moves), ..case("aws.s3.restore_account_public_access_block", record, block(true), read) }
}

pub fn optional_tokens(aws: &Client, number: u32) -> Case {
    let images = aws.call("ec2", "DescribeImages", json!({ "Owners": ["amazon"] }));
    let run = json!({ "ImageId": images["Images"][0]["ImageId"], "MinCount": 1, "MaxCount": 1 });
    let id = aws.call("ec2", "RunInstances", run)["Instances"][0]["InstanceId"].clone();
    let options = |tokens: &str| json!({ "InstanceId": id, "HttpTokens": tokens });
    aws.call("ec2", "ModifyInstanceMetadataOptions", options("required"));
    aws.call("ec2", "ModifyInstanceMetadataOptions", options("optional"));
    let request = json!({ "ModifyInstanceMetadataOptionsRequest": { "InstanceId": id, "HttpTokens": "optional" } });
    let response = json!({ "ModifyInstanceMetadataOptionsResponse": { "instanceId": id } });
    let record = record(&format!("tokens-{number}"), "ec2", "ModifyInstanceMetadataOptions", request, response);
    case("aws.ec2.require_metadata_tokens", record, json!("required"), move |aws| {
        let answer = aws.call("ec2", "DescribeInstances", json!({ "InstanceIds": [id] }));
        answer["Reservations"][0]["Instances"][0]["MetadataOptions"]["HttpTokens"].clone()
    })
}

pub fn public_url(aws: &Client, number: u32) -> Case {
    let name = super::policies::new_function(aws, &format!("hook-{number}"));
    let url = |auth: &str| json!({ "FunctionName": name, "AuthType": auth });
    let made = aws.call("lambda", "CreateFunctionUrlConfig", url("NONE"));
    let request = json!({ "functionName": name, "authType": "NONE" });
    let response =
        json!({ "functionUrl": made["FunctionUrl"], "functionArn": made["FunctionArn"], "authType": "NONE" });
    let record = record(&format!("url-{number}"), "lambda", "CreateFunctionUrlConfig20211031", request, response);
    case("aws.lambda.close_public_url", record, json!("AWS_IAM"), move |aws| {
        aws.call("lambda", "GetFunctionUrlConfig", json!({ "FunctionName": name }))["AuthType"].clone()
    })
}

pub fn foreign_grant(aws: &Client, number: u32) -> Case {
    let (key, resources) = key(aws);
    let grant = |account: &str| json!({ "KeyId": key, "GranteePrincipal": format!("arn:aws:iam::{account}:role/reader"), "Operations": ["Decrypt"] });
    let own = aws.call("kms", "CreateGrant", grant(ACCOUNT))["GrantId"].clone();
    let id = aws.call("kms", "CreateGrant", grant("444455556666"))["GrantId"].clone();
    let request =
        json!({ "keyId": key, "granteePrincipal": "arn:aws:iam::444455556666:role/reader", "operations": ["Decrypt"] });
    let mut record = record(&format!("grant-{number}"), "kms", "CreateGrant", request, json!({ "grantId": id }));
    record["resources"] = resources;
    let (good, listed) = (json!([format!("arn:aws:iam::{ACCOUNT}:role/reader")]), key.clone());
    assert!(own.is_string(), "the grant of our own role stands beside it");
    let read = move |aws: &Client| {
        let grants = aws.call("kms", "ListGrants", json!({ "KeyId": listed }));
        let mut who: Vec<_> = grants["Grants"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|grant| grant["GranteePrincipal"].as_str().expect("an ARN").to_owned())
            .collect();
        who.sort();
        json!(who)
    };
    let other_change = grant("111122223333");
    let moves = move |aws: &Client| drop(aws.call("kms", "CreateGrant", other_change.clone()));
    Case { moves: Box::new(moves), ..case("aws.kms.revoke_grant", record, good, read) }
}
