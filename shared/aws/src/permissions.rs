//! Which IAM actions a call needs. Roles are written from this.

use std::borrow::Cow;

/// Services whose IAM prefix is not botocore's service name (Service Authorization Reference, one page per service).
const PREFIXES: &[(&str, &str)] = &[
    ("accessanalyzer", "access-analyzer"),
    ("docdb", "rds"),
    ("efs", "elasticfilesystem"),
    ("elb", "elasticloadbalancing"),
    ("elbv2", "elasticloadbalancing"),
    ("emr", "elasticmapreduce"),
    ("neptune", "rds"),
    ("opensearch", "es"),
    ("resourcegroupstaggingapi", "tag"),
    ("s3control", "s3"),
    ("sesv2", "ses"),
    ("sso-admin", "sso"),
    ("stepfunctions", "states"),
];

/// Calls whose IAM action is not named after the operation. Sorted. Sources: the Service Authorization Reference and,
/// for S3, "Required permissions for Amazon S3 API operations".
const EXCEPTIONS: &[(&str, &str, &[&str])] = &[
    ("cloudtrail", "CreateTrail", &["cloudtrail:CreateTrail", "iam:PassRole"]),
    ("ec2", "CreateFlowLogs", &["ec2:CreateFlowLogs", "ec2:CreateTags", "iam:PassRole"]),
    ("lambda", "Invoke", &["lambda:InvokeFunction"]),
    ("s3", "CompleteMultipartUpload", &["s3:PutObject"]),
    ("s3", "CopyObject", &["s3:GetObject", "s3:PutObject"]),
    ("s3", "CreateMultipartUpload", &["s3:PutObject"]),
    ("s3", "DeleteBucketCors", &["s3:PutBucketCORS"]),
    ("s3", "DeleteBucketEncryption", &["s3:PutEncryptionConfiguration"]),
    ("s3", "DeleteBucketLifecycle", &["s3:PutLifecycleConfiguration"]),
    ("s3", "DeleteBucketOwnershipControls", &["s3:PutBucketOwnershipControls"]),
    ("s3", "DeleteBucketReplication", &["s3:PutReplicationConfiguration"]),
    ("s3", "DeleteBucketTagging", &["s3:PutBucketTagging"]),
    ("s3", "DeleteObjects", &["s3:DeleteObject"]),
    ("s3", "DeletePublicAccessBlock", &["s3:PutBucketPublicAccessBlock"]),
    ("s3", "GetBucketAccelerateConfiguration", &["s3:GetAccelerateConfiguration"]),
    ("s3", "GetBucketCors", &["s3:GetBucketCORS"]),
    ("s3", "GetBucketEncryption", &["s3:GetEncryptionConfiguration"]),
    ("s3", "GetBucketInventoryConfiguration", &["s3:GetInventoryConfiguration"]),
    ("s3", "GetBucketLifecycleConfiguration", &["s3:GetLifecycleConfiguration"]),
    ("s3", "GetBucketNotificationConfiguration", &["s3:GetBucketNotification"]),
    ("s3", "GetBucketReplication", &["s3:GetReplicationConfiguration"]),
    ("s3", "GetObjectLockConfiguration", &["s3:GetBucketObjectLockConfiguration"]),
    ("s3", "GetPublicAccessBlock", &["s3:GetBucketPublicAccessBlock"]),
    ("s3", "HeadBucket", &["s3:ListBucket"]),
    ("s3", "HeadObject", &["s3:GetObject"]),
    ("s3", "ListBuckets", &["s3:ListAllMyBuckets"]),
    ("s3", "ListMultipartUploads", &["s3:ListBucketMultipartUploads"]),
    ("s3", "ListObjectVersions", &["s3:ListBucketVersions"]),
    ("s3", "ListObjects", &["s3:ListBucket"]),
    ("s3", "ListObjectsV2", &["s3:ListBucket"]),
    ("s3", "ListParts", &["s3:ListMultipartUploadParts"]),
    ("s3", "PutBucketAccelerateConfiguration", &["s3:PutAccelerateConfiguration"]),
    ("s3", "PutBucketCors", &["s3:PutBucketCORS"]),
    ("s3", "PutBucketEncryption", &["s3:PutEncryptionConfiguration"]),
    ("s3", "PutBucketInventoryConfiguration", &["s3:PutInventoryConfiguration"]),
    ("s3", "PutBucketLifecycleConfiguration", &["s3:PutLifecycleConfiguration"]),
    ("s3", "PutBucketNotificationConfiguration", &["s3:PutBucketNotification"]),
    ("s3", "PutBucketReplication", &["s3:PutReplicationConfiguration"]),
    ("s3", "PutObjectLockConfiguration", &["s3:PutBucketObjectLockConfiguration"]),
    ("s3", "PutPublicAccessBlock", &["s3:PutBucketPublicAccessBlock"]),
    ("s3", "UploadPart", &["s3:PutObject"]),
    ("s3control", "DeletePublicAccessBlock", &["s3:PutAccountPublicAccessBlock"]),
    ("s3control", "GetPublicAccessBlock", &["s3:GetAccountPublicAccessBlock"]),
    ("s3control", "PutPublicAccessBlock", &["s3:PutAccountPublicAccessBlock"]),
    ("sns", "PublishBatch", &["sns:Publish"]),
    ("sqs", "ChangeMessageVisibilityBatch", &["sqs:ChangeMessageVisibility"]),
    ("sqs", "DeleteMessageBatch", &["sqs:DeleteMessage"]),
    ("sqs", "SendMessageBatch", &["sqs:SendMessage"]),
];

/// The IAM actions that one call needs: `<prefix>:<Operation>` unless the tables above say otherwise.
///
/// `service` is botocore's service name (`s3control`), `operation` as the provider spells it. Never empty. Actions that
/// a call needs only for some parameters are included where a remediation sends such parameters (`iam:PassRole`, for the
/// role with which a trail or flow log writes), and no others (`kms:Decrypt` on an encrypted resource).
pub fn iam_action(service: &str, operation: &str) -> Vec<Cow<'static, str>> {
    if let Some((.., actions)) = EXCEPTIONS.iter().find(|(s, o, _)| (*s, *o) == (service, operation)) {
        return actions.iter().copied().map(Cow::Borrowed).collect();
    }
    let prefix = PREFIXES.iter().find(|(name, _)| *name == service).map_or(service, |(_, prefix)| *prefix);
    vec![Cow::Owned(format!("{prefix}:{operation}"))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_maps_to_the_actions_that_iam_checks() {
        let cases = [
            ("s3", "GetBucketPolicy", "s3:GetBucketPolicy"),
            ("s3", "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
            ("s3", "HeadBucket", "s3:ListBucket"),
            ("s3", "GetBucketEncryption", "s3:GetEncryptionConfiguration"),
            ("s3control", "PutPublicAccessBlock", "s3:PutAccountPublicAccessBlock"),
            ("s3control", "DeletePublicAccessBlock", "s3:PutAccountPublicAccessBlock"),
            ("lambda", "GetPolicy", "lambda:GetPolicy"),
            ("resourcegroupstaggingapi", "GetResources", "tag:GetResources"),
            ("ec2", "RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"),
        ];
        for (service, operation, action) in cases {
            assert_eq!(iam_action(service, operation), [action], "{service}:{operation}");
        }
    }

    #[test]
    fn the_tables_are_sorted_and_hold_no_entry_twice() {
        assert!(PREFIXES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(EXCEPTIONS.windows(2).all(|pair| (pair[0].0, pair[0].1) < (pair[1].0, pair[1].1)));
    }
}
