//! Policies that were opened to everybody beside a statement that has to stay.

use onus_tests::client::Client;
use onus_tests::cloudtrail::record;
use onus_tests::local_aws::ACCOUNT;
use serde_json::{Value, json};

use super::Case;

fn statement(sid: &str, principal: Value, action: &str, resource: &str) -> Value {
    let mut statement = json!({ "Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action });
    if !resource.is_empty() {
        statement["Resource"] = json!(resource);
    }
    statement
}

fn root() -> Value {
    json!({ "AWS": format!("arn:aws:iam::{ACCOUNT}:root") })
}

fn document(statements: &[Value]) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// A good statement, and the same beside a bad one, and beside another good one.
fn documents(action: &str, resource: &str) -> [String; 3] {
    let good = statement("Good", root(), action, resource);
    let bad = statement("Bad", json!("*"), action, resource);
    let other = statement("Other", root(), action, resource);
    [document(std::slice::from_ref(&good)), document(&[good.clone(), bad]), document(&[good, other])]
}

/// The ids of the statements in a policy, given as text.
fn sids(policy: &Value) -> Value {
    let Some(text) = policy.as_str() else { return json!([]) };
    let policy: Value = serde_json::from_str(text).expect("a policy");
    policy["Statement"].as_array().expect("statements").iter().map(|statement| statement["Sid"].clone()).collect()
}

fn case(
    remedy: &'static str,
    record: Value,
    read: impl Fn(&Client) -> Value + 'static,
    moves: impl Fn(&Client) + 'static,
) -> Case {
    Case { remedy, record, read: Box::new(read), good: json!(["Good"]), moves: Box::new(moves) }
}

pub fn queue(aws: &Client, number: u32) -> Case {
    let name = format!("orders-{number}");
    let url = aws.call("sqs", "CreateQueue", json!({ "QueueName": name }))["QueueUrl"].clone();
    let [_, bad, other] = documents("sqs:SendMessage", &format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"));
    let set = |policy: &str| json!({ "QueueUrl": url, "Attributes": { "Policy": policy } });
    aws.call("sqs", "SetQueueAttributes", set(&bad));
    let request = json!({ "queueUrl": url, "attributes": { "Policy": bad } });
    let record = record(&format!("queue-{number}"), "sqs", "SetQueueAttributes", request, Value::Null);
    let (get, other_change) = (json!({ "QueueUrl": url, "AttributeNames": ["Policy"] }), set(&other));
    case(
        "aws.sqs.remove_public_statements",
        record,
        move |aws| sids(&aws.call("sqs", "GetQueueAttributes", get.clone())["Attributes"]["Policy"]),
        move |aws| drop(aws.call("sqs", "SetQueueAttributes", other_change.clone())),
    )
}

pub fn topic(aws: &Client, number: u32) -> Case {
    let arn = aws.call("sns", "CreateTopic", json!({ "Name": format!("invoices-{number}") }))["TopicArn"].clone();
    let [_, bad, other] = documents("sns:Publish", arn.as_str().expect("an ARN"));
    let set = |policy: &str| json!({ "TopicArn": arn, "AttributeName": "Policy", "AttributeValue": policy });
    aws.call("sns", "SetTopicAttributes", set(&bad));
    let request = json!({ "topicArn": arn, "attributeName": "Policy", "attributeValue": bad });
    let record = record(&format!("topic-{number}"), "sns", "SetTopicAttributes", request, Value::Null);
    let (get, other_change) = (json!({ "TopicArn": arn }), set(&other));
    case(
        "aws.sns.remove_public_statements",
        record,
        move |aws| sids(&aws.call("sns", "GetTopicAttributes", get.clone())["Attributes"]["Policy"]),
        move |aws| drop(aws.call("sns", "SetTopicAttributes", other_change.clone())),
    )
}

pub fn bucket(aws: &Client, number: u32) -> Case {
    let name = format!("reports-{number}");
    aws.call("s3", "CreateBucket", json!({ "Bucket": name }));
    let [_, bad, other] = documents("s3:GetObject", &format!("arn:aws:s3:::{name}/*"));
    let set = |policy: &str| json!({ "Bucket": name, "Policy": policy });
    aws.call("s3", "PutBucketPolicy", set(&bad));
    let policy: Value = serde_json::from_str(&bad).expect("JSON");
    let request = json!({ "bucketName": name, "Host": "s3.amazonaws.com", "policy": "", "bucketPolicy": policy });
    let record = record(&format!("bucket-{number}"), "s3", "PutBucketPolicy", request, Value::Null);
    let (get, other_change) = (json!({ "Bucket": name }), set(&other));
    case(
        "aws.s3.remove_public_statements",
        record,
        move |aws| sids(&aws.call("s3", "GetBucketPolicy", get.clone())["Policy"]),
        move |aws| drop(aws.call("s3", "PutBucketPolicy", other_change.clone())),
    )
}

pub fn bucket_acl(aws: &Client, number: u32) -> Case {
    let name = format!("pictures-{number}");
    aws.call("s3", "CreateBucket", json!({ "Bucket": name, "ObjectOwnership": "ObjectWriter" }));
    aws.call("s3", "PutBucketAcl", json!({ "Bucket": name, "ACL": "public-read" }));
    let request = json!({ "bucketName": name, "Host": "s3.amazonaws.com", "acl": "", "x-amz-acl": ["public-read"] });
    let record = record(&format!("acl-{number}"), "s3", "PutBucketAcl", request, Value::Null);
    let (get, other_change) = (json!({ "Bucket": name }), json!({ "Bucket": name, "ACL": "authenticated-read" }));
    let read = move |aws: &Client| {
        let acl = aws.call("s3", "GetBucketAcl", get.clone());
        let grants = acl["Grants"].as_array().expect("grants").iter();
        let mut names: Vec<String> = grants
            .map(|grant| {
                let uri = grant["Grantee"]["URI"].as_str().unwrap_or("owner");
                uri.rsplit('/').next().expect("a name").to_owned()
            })
            .collect();
        names.sort();
        json!(names)
    };
    let moves = move |aws: &Client| drop(aws.call("s3", "PutBucketAcl", other_change.clone()));
    Case {
        remedy: "aws.s3.remove_public_acl_grants",
        record,
        read: Box::new(read),
        good: json!(["owner"]),
        moves: Box::new(moves),
    }
}

pub fn key(aws: &Client, number: u32) -> Case {
    let key = aws.call("kms", "CreateKey", json!({}))["KeyMetadata"]["KeyId"].clone();
    let [_, bad, other] = documents("kms:*", "*");
    let set = |policy: &str| json!({ "KeyId": key, "PolicyName": "default", "Policy": policy });
    aws.call("kms", "PutKeyPolicy", set(&bad));
    let request =
        json!({ "keyId": key, "policyName": "default", "policy": bad, "bypassPolicyLockoutSafetyCheck": false });
    let record = record(&format!("key-{number}"), "kms", "PutKeyPolicy", request, Value::Null);
    let (get, other_change) = (json!({ "KeyId": key, "PolicyName": "default" }), set(&other));
    case(
        "aws.kms.remove_public_statements",
        record,
        move |aws| sids(&aws.call("kms", "GetKeyPolicy", get.clone())["Policy"]),
        move |aws| drop(aws.call("kms", "PutKeyPolicy", other_change.clone())),
    )
}

pub fn secret(aws: &Client, number: u32) -> Case {
    let made = json!({ "Name": format!("token-{number}"), "SecretString": "x" });
    let arn = aws.call("secretsmanager", "CreateSecret", made)["ARN"].clone();
    let [_, bad, other] = documents("secretsmanager:GetSecretValue", "*");
    let set = |policy: &str| json!({ "SecretId": arn, "ResourcePolicy": policy });
    aws.call("secretsmanager", "PutResourcePolicy", set(&bad));
    let request = json!({ "secretId": arn, "resourcePolicy": bad });
    let record = record(&format!("secret-{number}"), "secretsmanager", "PutResourcePolicy", request, Value::Null);
    let (get, other_change) = (json!({ "SecretId": arn }), set(&other));
    case(
        "aws.secretsmanager.remove_public_statements",
        record,
        move |aws| sids(&aws.call("secretsmanager", "GetResourcePolicy", get.clone())["ResourcePolicy"]),
        move |aws| drop(aws.call("secretsmanager", "PutResourcePolicy", other_change.clone())),
    )
}

pub fn repository(aws: &Client, number: u32) -> Case {
    let name = format!("images-{number}");
    aws.call("ecr", "CreateRepository", json!({ "repositoryName": name }));
    let [_, bad, other] = documents("ecr:BatchGetImage", "");
    let set = |policy: &str| json!({ "repositoryName": name, "policyText": policy });
    aws.call("ecr", "SetRepositoryPolicy", set(&bad));
    let request = json!({ "repositoryName": name, "policyText": bad, "force": false });
    let record = record(&format!("repository-{number}"), "ecr", "SetRepositoryPolicy", request, Value::Null);
    let (get, other_change) = (json!({ "repositoryName": name }), set(&other));
    case(
        "aws.ecr.remove_public_statements",
        record,
        move |aws| sids(&aws.call("ecr", "GetRepositoryPolicy", get.clone())["policyText"]),
        move |aws| drop(aws.call("ecr", "SetRepositoryPolicy", other_change.clone())),
    )
}

pub fn trust(aws: &Client, number: u32) -> Case {
    let name = format!("worker-{number}");
    let [good, bad, other] = documents("sts:AssumeRole", "");
    aws.call("iam", "CreateRole", json!({ "RoleName": name, "AssumeRolePolicyDocument": good }));
    let set = |policy: &str| json!({ "RoleName": name, "PolicyDocument": policy });
    aws.call("iam", "UpdateAssumeRolePolicy", set(&bad));
    let request = json!({ "roleName": name, "policyDocument": bad });
    let record = record(&format!("trust-{number}"), "iam", "UpdateAssumeRolePolicy", request, Value::Null);
    let (get, other_change) = (json!({ "RoleName": name }), set(&other));
    let read = move |aws: &Client| {
        let role = aws.call("iam", "GetRole", get.clone());
        sids(&json!(role["Role"]["AssumeRolePolicyDocument"].to_string()))
    };
    case("aws.iam.remove_public_trust", record, read, move |aws| {
        drop(aws.call("iam", "UpdateAssumeRolePolicy", other_change.clone()));
    })
}

/// A zip archive that holds nothing: moto does not run functions here.
const EMPTY_ZIP: &str = "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==";

/// Makes a function and returns its name.
pub fn new_function(aws: &Client, name: &str) -> String {
    let trust = document(&[statement("", json!({ "Service": "lambda.amazonaws.com" }), "sts:AssumeRole", "")]);
    let role = json!({ "RoleName": name, "AssumeRolePolicyDocument": trust });
    let role = aws.call("iam", "CreateRole", role)["Role"]["Arn"].clone();
    let function = json!({
        "FunctionName": name, "Runtime": "python3.12", "Role": role, "Handler": "h.h", "Code": { "ZipFile": { "$base64": EMPTY_ZIP } },
    });
    aws.call("lambda", "CreateFunction", function);
    name.to_owned()
}

pub fn function(aws: &Client, number: u32) -> Case {
    let name = new_function(aws, &format!("resize-{number}"));
    let grant = |sid: &str, principal: &str| json!({ "FunctionName": name, "StatementId": sid, "Action": "lambda:InvokeFunction", "Principal": principal });
    let service = |sid: &str| {
        let mut service = grant(sid, "events.amazonaws.com");
        service["SourceArn"] = json!(format!("arn:aws:events:us-east-1:{ACCOUNT}:rule/nightly"));
        service
    };
    aws.call("lambda", "AddPermission", service("Good"));
    aws.call("lambda", "AddPermission", grant("Bad", "*"));
    let arn = format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}");
    let request =
        json!({ "functionName": name, "statementId": "Bad", "action": "lambda:InvokeFunction", "principal": "*" });
    let response = json!({ "statement": statement("Bad", json!("*"), "lambda:InvokeFunction", &arn).to_string() });
    let record = record(&format!("function-{number}"), "lambda", "AddPermission20150331v2", request, response);
    let (get, other_change) = (json!({ "FunctionName": name }), service("Other"));
    case(
        "aws.lambda.remove_public_permission",
        record,
        move |aws| sids(&aws.call("lambda", "GetPolicy", get.clone())["Policy"]),
        move |aws| drop(aws.call("lambda", "AddPermission", other_change.clone())),
    )
}
