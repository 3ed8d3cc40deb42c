//! How much the actions of a statement allow at most.

use onus_core::Level;

use super::pattern::literal_prefix;
use super::statement::{Patterns, Statement};

/// Actions of resources that change who has access to them. A statement that allows one of these is
/// [`Level::Admin`]. Source: Service Authorization Reference, access level "Permissions management".
const MANAGE_ACCESS: [&str; 34] = [
    "backup:PutBackupVaultAccessPolicy",
    "codeartifact:PutDomainPermissionsPolicy",
    "codeartifact:PutRepositoryPermissionsPolicy",
    "dynamodb:PutResourcePolicy",
    "ecr-public:SetRepositoryPolicy",
    "ecr:PutRegistryPolicy",
    "ecr:SetRepositoryPolicy",
    "elasticfilesystem:PutFileSystemPolicy",
    "es:UpdateDomainConfig",
    "events:PutPermission",
    "glacier:SetVaultAccessPolicy",
    "glue:PutResourcePolicy",
    "kinesis:PutResourcePolicy",
    "kms:CreateGrant",
    "kms:PutKeyPolicy",
    "lambda:AddLayerVersionPermission",
    "lambda:AddPermission",
    "logs:PutResourcePolicy",
    "s3:BypassGovernanceRetention",
    "s3:DeleteBucketPolicy",
    "s3:ObjectOwnerOverrideToBucketOwner",
    "s3:PutAccessPointPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutObjectAcl",
    "s3:PutObjectVersionAcl",
    "secretsmanager:PutResourcePolicy",
    "sns:AddPermission",
    "sns:SetTopicAttributes",
    "sqs:AddPermission",
    "sqs:SetQueueAttributes",
    "ssm:ModifyDocumentPermission",
];

/// IAM actions, each of which lets its holder give itself whatever it likes when it may be done to every user, group,
/// role or policy (the second part). `*` and `iam:*` cover them. Combinations, such as passing a role to a new
/// function, are not looked for. Source: the actions of IAM in the Service Authorization Reference with the access
/// level "Permissions management", less those that only take away, plus those that make credentials for others.
const GIVE_ONESELF_ANYTHING: [(&str, &str); 13] = [
    ("iam:AddUserToGroup", "group"),
    ("iam:AttachGroupPolicy", "group"),
    ("iam:AttachRolePolicy", "role"),
    ("iam:AttachUserPolicy", "user"),
    ("iam:CreateAccessKey", "user"),
    ("iam:CreateLoginProfile", "user"),
    ("iam:CreatePolicyVersion", "policy"),
    ("iam:PutGroupPolicy", "group"),
    ("iam:PutRolePolicy", "role"),
    ("iam:PutUserPolicy", "user"),
    ("iam:SetDefaultPolicyVersion", "policy"),
    ("iam:UpdateAssumeRolePolicy", "role"),
    ("iam:UpdateLoginProfile", "user"),
];

/// A name that IAM does not allow, so that only a wildcard matches it.
const ANY_NAME: &str = "~";

/// What the names of actions begin with that list, read or use and change nothing.
const READS: [&str; 27] = [
    "batchget",
    "check",
    "consume",
    "decrypt",
    "describe",
    "discover",
    "download",
    "estimate",
    "export",
    "filter",
    "get",
    "head",
    "invoke",
    "list",
    "lookup",
    "preview",
    "query",
    "read",
    "receive",
    "retrieve",
    "scan",
    "search",
    "select",
    "simulate",
    "subscribe",
    "validate",
    "verify",
];

/// The level of a statement of a resource policy.
pub(super) fn of_resource(actions: &Patterns<'_>) -> Level {
    if MANAGE_ACCESS.iter().any(|action| actions.matches(action, true)) || has_whole_service(actions) {
        return Level::Admin;
    }
    if only_reads(actions) { Level::Read } else { Level::Write }
}

/// The level of a statement of an identity policy: [`Level::Admin`] when the holder can give itself any permission and
/// no unconditional Deny of the same policy takes that back. A condition on the Allow does not make it less: whoever
/// meets it is an administrator. `account` is the holder's; empty matches wildcards only.
pub(super) fn of_identity(statement: &Statement<'_>, all: &[Statement<'_>], account: &str) -> Level {
    let account = if account.is_empty() { ANY_NAME } else { account };
    let may =
        |s: &Statement<'_>, action: &str, on: &str| s.actions.matches(action, true) && s.resources.matches(on, false);
    let admin = ["aws", "aws-cn", "aws-us-gov"].iter().any(|partition| {
        GIVE_ONESELF_ANYTHING.iter().any(|(action, kind)| {
            let on = format!("arn:{partition}:iam::{account}:{kind}/{ANY_NAME}");
            let denied = all.iter().any(|s| !s.allow && s.conditions.is_empty() && may(s, action, &on));
            may(statement, action, &on) && !denied
        })
    });
    if admin {
        Level::Admin
    } else if only_reads(&statement.actions) {
        Level::Read
    } else {
        Level::Write
    }
}

/// `service:*`, `*`, or all but a few.
fn has_whole_service(actions: &Patterns<'_>) -> bool {
    match actions {
        Patterns::Except(_) => true,
        Patterns::Listed(patterns) => patterns.iter().any(|p| *p == "*" || p.ends_with(":*")),
    }
}

fn only_reads(actions: &Patterns<'_>) -> bool {
    match actions {
        Patterns::Except(_) => false,
        Patterns::Listed(patterns) => patterns.iter().all(|pattern| {
            let prefix = literal_prefix(pattern).to_ascii_lowercase();
            prefix.split_once(':').is_some_and(|(_, name)| READS.iter().any(|verb| name.starts_with(verb)))
        }),
    }
}

/// The actions as written; the exceptions of a `NotAction` each with that word before it.
pub(super) fn as_written(actions: &Patterns<'_>) -> Vec<String> {
    match actions {
        Patterns::Listed(patterns) => patterns.iter().map(|&p| p.to_owned()).collect(),
        Patterns::Except(patterns) => patterns.iter().map(|p| format!("NotAction {p}")).collect(),
    }
}
