use super::*;

#[test]
fn the_short_name_is_the_last_part_of_an_arn() {
    let cases = [
        ("arn:aws:iam::111122223333:role/path/deploy", "deploy"),
        ("arn:aws:s3:::logs/a/b.json", "logs/a/b.json"),
        ("arn:aws:s3:::logs", "logs"),
        ("arn:aws:sns:eu-west-1:111122223333:alerts", "alerts"),
        ("arn:aws:logs:eu-west-1:111122223333:log-group:/app/web:*", "web"),
        ("sg-1", "sg-1"),
        ("arn:aws:x", "arn:aws:x"),
        ("", ""),
    ];
    for (arn, expected) in cases {
        assert_eq!(short(arn), expected, "{arn}");
    }
}

/// Decodes a record of one operation and writes its resources as `kind name id`.
fn resources(event: &str, request: &str, response: &str, rest: &str) -> Vec<String> {
    let (service, action) = event.split_once(':').unwrap();
    let text = format!(
        r#"{{"eventSource":"{service}.amazonaws.com","eventName":"{action}","eventTime":"2026-11-23T18:00:00Z",
        "awsRegion":"eu-west-1","recipientAccountId":"111122223333",
        "userIdentity":{{"type":"IAMUser","userName":"mara","arn":"arn:aws:iam::111122223333:user/ops/mara"}},
        "requestParameters":{request},"responseElements":{response}{rest}}}"#
    );
    let decoded = crate::aws::cloudtrail::decode(&text).unwrap();
    let change = decoded.change().unwrap();
    change.resources.iter().map(|r| format!("{} {} {}", r.kind, r.name, r.id)).collect()
}

/// Operation, request, response, and what they name.
type Case = (&'static str, &'static str, &'static str, &'static [&'static str]);

const CASES: &[Case] = &[
    ("s3:PutBucketPolicy", r#"{"bucketName":"b"}"#, "null", &["AWS::S3::Bucket b arn:aws:s3:::b"]),
    ("s3:PutAccountPublicAccessBlock", "{}", "null", &["AWS::S3::AccountPublicAccessBlock 111122223333 111122223333"]),
    (
        "ec2:AuthorizeSecurityGroupIngress",
        r#"{"groupId":"sg-1","ipPermissions":{}}"#,
        "null",
        &["AWS::EC2::SecurityGroup sg-1 arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1"],
    ),
    (
        "ec2:AuthorizeSecurityGroupIngress",
        r#"{"groupName":"web"}"#,
        r#"{"securityGroupRuleSet":{"items":[{"groupId":"sg-1","securityGroupRuleId":"sgr-1"}]}}"#,
        &["AWS::EC2::SecurityGroup sg-1 arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1"],
    ),
    (
        "ec2:ModifySecurityGroupRules",
        r#"{"ModifySecurityGroupRulesRequest":{"GroupId":"sg-1","SecurityGroupRule":{"tag":1}}}"#,
        "null",
        &["AWS::EC2::SecurityGroup sg-1 arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1"],
    ),
    (
        "ec2:DeleteFlowLogs",
        r#"{"DeleteFlowLogsRequest":{"FlowLogId":[{"content":"fl-1","tag":1},{"content":"fl-2","tag":2}]}}"#,
        "null",
        &[
            "AWS::EC2::FlowLog fl-1 arn:aws:ec2:eu-west-1:111122223333:vpc-flow-log/fl-1",
            "AWS::EC2::FlowLog fl-2 arn:aws:ec2:eu-west-1:111122223333:vpc-flow-log/fl-2",
        ],
    ),
    (
        "ec2:ModifySnapshotAttribute",
        r#"{"snapshotId":"snap-1"}"#,
        "null",
        &["AWS::EC2::Snapshot snap-1 arn:aws:ec2:eu-west-1::snapshot/snap-1"],
    ),
    (
        "ec2:ModifyImageAttribute",
        r#"{"imageId":"ami-1"}"#,
        "null",
        &["AWS::EC2::Image ami-1 arn:aws:ec2:eu-west-1::image/ami-1"],
    ),
    (
        "ec2:RunInstances",
        r#"{"instancesSet":{"items":[{"imageId":"ami-1"}]}}"#,
        r#"{"instancesSet":{"items":[{"instanceId":"i-1"}]}}"#,
        &["AWS::EC2::Instance i-1 arn:aws:ec2:eu-west-1:111122223333:instance/i-1"],
    ),
    (
        "ec2:DisableEbsEncryptionByDefault",
        "null",
        "null",
        &["AWS::EC2::EBSEncryptionByDefault 111122223333 111122223333"],
    ),
    (
        "iam:AttachUserPolicy",
        r#"{"userName":"li","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}"#,
        "null",
        &[
            "AWS::IAM::User li arn:aws:iam::111122223333:user/li",
            "AWS::IAM::ManagedPolicy arn:aws:iam::aws:policy/AdministratorAccess arn:aws:iam::aws:policy/AdministratorAccess",
        ],
    ),
    (
        "iam:CreateAccessKey",
        "null",
        r#"{"accessKey":{"userName":"mara","accessKeyId":"AKIAIOSFODNN7EXAMPLE","status":"Active"}}"#,
        &[
            "AWS::IAM::User mara arn:aws:iam::111122223333:user/mara",
            "AWS::IAM::AccessKey AKIAIOSFODNN7EXAMPLE AKIAIOSFODNN7EXAMPLE",
        ],
    ),
    (
        "iam:CreateRole",
        r#"{"roleName":"deploy","path":"/ci/"}"#,
        r#"{"role":{"roleName":"deploy","arn":"arn:aws:iam::111122223333:role/ci/deploy"}}"#,
        &["AWS::IAM::Role deploy arn:aws:iam::111122223333:role/ci/deploy"],
    ),
    (
        "signin:ConsoleLogin",
        "null",
        r#"{"ConsoleLogin":"Success"}"#,
        &["AWS::IAM::User mara arn:aws:iam::111122223333:user/ops/mara"],
    ),
    (
        "cloudtrail:StopLogging",
        r#"{"name":"audit"}"#,
        "null",
        &["AWS::CloudTrail::Trail audit arn:aws:cloudtrail:eu-west-1:111122223333:trail/audit"],
    ),
    (
        "cloudtrail:DeleteTrail",
        r#"{"name":"arn:aws:cloudtrail:us-east-1:111122223333:trail/audit"}"#,
        "null",
        &[
            "AWS::CloudTrail::Trail arn:aws:cloudtrail:us-east-1:111122223333:trail/audit arn:aws:cloudtrail:us-east-1:111122223333:trail/audit",
        ],
    ),
    (
        "sqs:SetQueueAttributes",
        r#"{"queueUrl":"https://sqs.eu-west-1.amazonaws.com/444455556666/jobs"}"#,
        "null",
        &[
            "AWS::SQS::Queue https://sqs.eu-west-1.amazonaws.com/444455556666/jobs arn:aws:sqs:eu-west-1:444455556666:jobs",
        ],
    ),
    (
        "sns:SetTopicAttributes",
        r#"{"topicArn":"arn:aws:sns:eu-west-1:111122223333:alerts"}"#,
        "null",
        &["AWS::SNS::Topic arn:aws:sns:eu-west-1:111122223333:alerts arn:aws:sns:eu-west-1:111122223333:alerts"],
    ),
    (
        "lambda:AddPermission20150331v2",
        r#"{"functionName":"resize","statementId":"all"}"#,
        "null",
        &["AWS::Lambda::Function resize arn:aws:lambda:eu-west-1:111122223333:function:resize"],
    ),
    (
        "kms:PutKeyPolicy",
        r#"{"keyId":"alias/data"}"#,
        "null",
        &["AWS::KMS::Key alias/data arn:aws:kms:eu-west-1:111122223333:key/k-1"],
    ),
    (
        "rds:ModifyDBSnapshotAttribute",
        r#"{"dBSnapshotIdentifier":"nightly","attributeName":"restore"}"#,
        "null",
        &["AWS::RDS::DBSnapshot nightly arn:aws:rds:eu-west-1:111122223333:snapshot:nightly"],
    ),
    (
        "secretsmanager:PutResourcePolicy",
        r#"{"secretId":"db"}"#,
        r#"{"arn":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf","name":"db"}"#,
        &["AWS::SecretsManager::Secret db arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf"],
    ),
    (
        "ecr:SetRepositoryPolicy",
        r#"{"repositoryName":"team/app"}"#,
        "null",
        &["AWS::ECR::Repository team/app arn:aws:ecr:eu-west-1:111122223333:repository/team/app"],
    ),
    (
        "monitoring:DeleteAlarms",
        r#"{"alarmNames":["a","b"]}"#,
        "null",
        &[
            "AWS::CloudWatch::Alarm a arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a",
            "AWS::CloudWatch::Alarm b arn:aws:cloudwatch:eu-west-1:111122223333:alarm:b",
        ],
    ),
    (
        "events:PutPermission",
        "{}",
        "null",
        &["AWS::Events::EventBus default arn:aws:events:eu-west-1:111122223333:event-bus/default"],
    ),
    (
        "guardduty:DeleteDetector",
        r#"{"detectorId":"d1"}"#,
        "null",
        &["AWS::GuardDuty::Detector d1 arn:aws:guardduty:eu-west-1:111122223333:detector/d1"],
    ),
    (
        "s3:PutObjectAcl",
        r#"{"bucketName":"b","key":"a/1"}"#,
        "null",
        &["AWS::S3::Object a/1 arn:aws:s3:::b/a/1", "AWS::S3::Bucket b arn:aws:s3:::b"],
    ),
    (
        "ec2:SharedSnapshotVolumeCreated",
        "null",
        r#"null,"serviceEventDetails":{"snapshotId":"snap-1"}"#,
        &["AWS::EC2::Snapshot snap-1 arn:aws:ec2:eu-west-1::snapshot/snap-1"],
    ),
    // Denied calls name nothing, and calls that only read are not searched.
    ("s3:PutBucketPolicy", "null", "null", &[]),
    ("nosuch:DoThing", r#"{"name":"x"}"#, "null", &[]),
];

#[test]
fn operations_name_what_they_act_on_first() {
    let listed = r#","resources":[{"ARN":"arn:aws:kms:eu-west-1:111122223333:key/k-1","accountId":"111122223333","type":"AWS::KMS::Key"}]"#;
    let mut wrong = Vec::new();
    for (event, request, response, expected) in CASES {
        let got = resources(event, request, response, if event.starts_with("kms") { listed } else { "" });
        if got != *expected {
            wrong.push(format!("{event} {request}\n  expected {expected:?}\n  got      {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} operations name something else:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_cloudtrail_lists_is_kept_behind_what_the_table_finds() {
    let listed = r#","resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::b/k/1"},{"type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::b"},{"type":"x"}]"#;
    let got = resources("s3:PutBucketTagging", r#"{"bucketName":"b"}"#, "null", listed);
    assert_eq!(got, ["AWS::S3::Bucket b arn:aws:s3:::b", "AWS::S3::Object b/k/1 arn:aws:s3:::b/k/1"]);
}

#[test]
fn a_sign_in_is_about_who_signed_in() {
    let cases = [
        (
            r#"{"type":"Root","arn":"arn:aws:iam::111122223333:root","userName":"team"}"#,
            "AWS::IAM::RootUser 111122223333 arn:aws:iam::111122223333:root",
        ),
        (
            r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/ops/li"}"#,
            "AWS::STS::Session arn:aws:sts::111122223333:assumed-role/ops/li arn:aws:sts::111122223333:assumed-role/ops/li",
        ),
        (r#"{"type":"IAMUser","userName":"li"}"#, "AWS::IAM::User li arn:aws:iam::111122223333:user/li"),
    ];
    for (identity, expected) in cases {
        let rest = format!(r#","userIdentity":{identity}"#);
        assert_eq!(resources("signin:ConsoleLogin", "null", "null", &rest), [expected], "{identity}");
    }
}

#[test]
fn arns_follow_the_partition_of_the_region() {
    let got = resources("s3:PutBucketAcl", r#"{"bucketName":"b"}"#, "null", r#","awsRegion":"cn-north-1""#);
    assert_eq!(got, ["AWS::S3::Bucket b arn:aws-cn:s3:::b"]);
}

#[test]
fn no_row_is_unreachable() {
    let mut wrong = Vec::new();
    for (service, rows) in table::SERVICES {
        for row in *rows {
            let places = row.names.iter().chain(row.arns);
            wrong.extend(
                places
                    .filter(|place| {
                        let root = place.split('.').next().unwrap_or_default();
                        !(["request", "response", "service", "user", "account", "region"].contains(&root)
                            || root.starts_with('='))
                    })
                    .map(|place| format!("{service}: `{place}` has no such root")),
            );
            if row.actions.contains(&"*") && row.actions.len() > 1 {
                wrong.push(format!("{service}: `*` stands beside other operations"));
            }
            for part in row.arn.split('{').skip(1) {
                let key = part.split('}').next().unwrap_or_default();
                if !["partition", "region", "account", "name", "queue", "owner"].contains(&key)
                    && !key.starts_with("request.")
                {
                    wrong.push(format!("{service}: `{{{key}}}` is no part of an ARN"));
                }
            }
        }
    }
    let names: Vec<&str> = table::SERVICES.iter().map(|(name, _)| *name).collect();
    if !names.is_sorted() {
        wrong.push("the services are not sorted".to_owned());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
