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

/// An action, and any resource of the kind it acts on.
pub(super) type Power = (&'static str, String);

/// The ways to give oneself anything that no unconditional Deny of an identity policy takes back. `account` is the
/// holder's; empty matches wildcards only.
pub(super) fn powers(denies: &[&Statement<'_>], account: &str) -> Vec<Power> {
    let account = if account.is_empty() { ANY_NAME } else { account };
    let mut powers = Vec::new();
    for partition in ["aws", "aws-cn", "aws-us-gov"] {
        for (action, kind) in GIVE_ONESELF_ANYTHING {
            let power = (action, format!("arn:{partition}:iam::{account}:{kind}/{ANY_NAME}"));
            if !denies.iter().any(|deny| deny.conditions.is_empty() && may(deny, &power)) {
                powers.push(power);
            }
        }
    }
    powers
}

fn may(statement: &Statement<'_>, (action, resource): &Power) -> bool {
    statement.actions.matches(action, true) && statement.resources.matches(resource, false)
}

/// The level of a statement of an identity policy: [`Level::Admin`] when it gives one of the policy's [`powers`]. A
/// condition on the Allow does not make it less: whoever meets it is an administrator.
pub(super) fn of_identity(statement: &Statement<'_>, powers: &[Power]) -> Level {
    if powers.iter().any(|power| may(statement, power)) {
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

/// The most actions that a grant spells out. A policy has a list of actions once, but its grants would repeat it for each
/// principal.
const MOST_ACTIONS: usize = 100;

/// The actions as written; the exceptions of a `NotAction` each with that word before it. A very long list is cut, and
/// the last entry says by how many.
pub(super) fn as_written(actions: &Patterns<'_>) -> Vec<String> {
    let (patterns, word) = match actions {
        Patterns::Listed(patterns) => (patterns, ""),
        Patterns::Except(patterns) => (patterns, "NotAction "),
    };
    let mut written: Vec<String> = patterns.iter().take(MOST_ACTIONS).map(|p| format!("{word}{p}")).collect();
    if patterns.len() > MOST_ACTIONS {
        written.push(format!("and {} more", patterns.len() - MOST_ACTIONS));
    }
    written
}
