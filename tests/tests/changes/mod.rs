//! The bad changes that round trips play, one for each remediation.

mod networks;
mod policies;
pub mod restorations;
mod switches;

use onus_tests::client::Client;
use serde_json::Value;

/// One bad change that was just made.
pub struct Case {
    /// The remediation that takes it back.
    pub remedy: &'static str,
    /// Its record.
    pub record: Value,
    /// Reads what the change and the remediation act on.
    pub read: Box<dyn Fn(&Client) -> Value>,
    /// What is to be read once the bad part alone is gone.
    pub good: Value,
    /// Somebody else's change to the same thing.
    pub moves: Box<dyn Fn(&Client)>,
}

/// Makes a change. The number keeps names apart.
pub type Make = fn(&Client, u32) -> Case;

/// Every change, by remediation.
pub const ALL: &[(&str, Make)] = &[
    ("aws.cloudtrail.start_logging", switches::stopped_trail),
    ("aws.ec2.delete_network_acl_entry", networks::open_network_acl),
    ("aws.ec2.enable_ebs_default_encryption", switches::unencrypted_volumes),
    ("aws.ec2.require_metadata_tokens", switches::optional_tokens),
    ("aws.ec2.revoke_security_group_rules", networks::open_port),
    ("aws.ec2.unshare_image", networks::shared_image),
    ("aws.ec2.unshare_snapshot", networks::shared_snapshot),
    ("aws.ecr.remove_public_statements", policies::repository),
    ("aws.iam.deactivate_access_key", switches::second_key),
    ("aws.iam.detach_policy", switches::administrator),
    ("aws.iam.remove_public_trust", policies::trust),
    ("aws.kms.cancel_key_deletion", switches::key_deletion),
    ("aws.kms.enable_key", switches::disabled_key),
    ("aws.kms.enable_key_rotation", switches::unrotated_key),
    ("aws.kms.remove_public_statements", policies::key),
    ("aws.kms.revoke_grant", switches::foreign_grant),
    ("aws.lambda.close_public_url", switches::public_url),
    ("aws.lambda.remove_public_permission", policies::function),
    ("aws.rds.unshare_snapshot", networks::shared_database_snapshot),
    ("aws.s3.remove_public_acl_grants", policies::bucket_acl),
    ("aws.s3.remove_public_statements", policies::bucket),
    ("aws.s3.restore_account_public_access_block", switches::unblocked_account),
    ("aws.s3.restore_bucket_public_access_block", switches::unblocked_bucket),
    ("aws.secretsmanager.remove_public_statements", policies::secret),
    ("aws.sns.remove_public_statements", policies::topic),
    ("aws.sqs.remove_public_statements", policies::queue),
];

/// Things with two states only: any other change is the undo itself.
pub const CANNOT_MOVE: &[&str] = &[
    "aws.cloudtrail.start_logging",
    "aws.ec2.enable_ebs_default_encryption",
    "aws.ec2.require_metadata_tokens",
    "aws.iam.deactivate_access_key",
    "aws.iam.detach_policy",
    "aws.kms.cancel_key_deletion",
    "aws.kms.enable_key",
    "aws.kms.enable_key_rotation",
    "aws.lambda.close_public_url",
];
