//! What an AWS change opened and granted.
//!
//! A table says which operations open or grant something, and one file for each family says what. Effects are exact
//! enough to be taken back one by one: an opening for each rule entry with its rule id, a grant for each principal and
//! statement with the part that holds it.
//!
//! Two things are not looked at. The outcome: a rule decides what a denied attempt is worth. And the state before: what
//! was there already is opened or granted again by a call that replaces a whole policy or list. Removals are never
//! effects.
//!
//! | family | `via` | `part` |
//! |---|---|---|
//! | resource policy | `policy` | Sid, else `#index` |
//! | trust policy | `trust` | Sid, else `#index` |
//! | identity policy, managed | `policy` | version, `/`, Sid or `#index`; without the version when it is not told |
//! | identity policy, inline | `policy` | policy name, `/`, Sid or `#index` |
//! | attached managed policy | `attachment` | ARN of the policy |
//! | S3 ACL | `acl` | grantee, `:`, permission |
//! | snapshot, image, document, endpoint service, resource share | `attribute` | account id, `all`, `*`, ARN or service |
//! | Lambda, SNS, SQS, EventBridge permission | `permission` | statement id or label |
//! | Lambda function URL | `attribute` | `AuthType` |
//! | KMS grant | `grant` | grant id |

mod iam;
mod kms;
mod lambda;
mod messaging;
mod network;
mod policies;
mod s3;
mod seen;
mod sharing;
#[cfg(test)]
mod tests;

use onus_core::{Change, Effects};

use self::seen::Seen;

/// Works out what one operation did.
type Derive = fn(&Seen<'_, '_>) -> Effects;

/// Operations with effects: service, action (without API dates), and who works them out. Resource policies that are
/// one document in one field have a table of their own, [`policies::TABLE`].
const TABLE: &[(&str, &str, Derive)] = &[
    ("ec2", "AuthorizeSecurityGroupIngress", network::authorize),
    ("ec2", "AuthorizeSecurityGroupEgress", network::authorize),
    ("ec2", "ModifySecurityGroupRules", network::modify),
    ("ec2", "CreateNetworkAclEntry", network::acl_entry),
    ("ec2", "ReplaceNetworkAclEntry", network::acl_entry),
    ("ec2", "DeleteNetworkAclEntry", network::acl_entry_deleted),
    ("s3", "PutBucketAcl", s3::acl),
    ("s3", "PutObjectAcl", s3::acl),
    ("s3", "CreateBucket", s3::created),
    ("s3", "PutObject", s3::created),
    ("s3", "CopyObject", s3::created),
    ("s3", "CreateMultipartUpload", s3::created),
    ("sns", "SetTopicAttributes", messaging::topic_attribute),
    ("sns", "AddPermission", messaging::permission),
    ("sqs", "AddPermission", messaging::permission),
    ("events", "PutPermission", messaging::event_bus_permission),
    ("lambda", "AddPermission", lambda::permission),
    ("lambda", "AddLayerVersionPermission", lambda::layer_permission),
    ("lambda", "CreateFunctionUrlConfig", lambda::url),
    ("lambda", "UpdateFunctionUrlConfig", lambda::url),
    ("kms", "CreateGrant", kms::grant),
    ("iam", "CreatePolicy", iam::managed),
    ("iam", "CreatePolicyVersion", iam::managed),
    ("iam", "SetDefaultPolicyVersion", iam::version_chosen),
    ("iam", "PutUserPolicy", iam::inline),
    ("iam", "PutRolePolicy", iam::inline),
    ("iam", "PutGroupPolicy", iam::inline),
    ("iam", "AttachUserPolicy", iam::attached),
    ("iam", "AttachRolePolicy", iam::attached),
    ("iam", "AttachGroupPolicy", iam::attached),
    ("eks", "AssociateAccessPolicy", iam::cluster_access),
    ("ec2", "ModifySnapshotAttribute", sharing::snapshot),
    ("ec2", "ModifyImageAttribute", sharing::image),
    ("ec2", "ModifyFpgaImageAttribute", sharing::fpga_image),
    ("rds", "ModifyDBSnapshotAttribute", sharing::database_snapshot),
    ("rds", "ModifyDBClusterSnapshotAttribute", sharing::database_snapshot),
    ("redshift", "AuthorizeSnapshotAccess", sharing::warehouse_snapshot),
    ("ssm", "ModifyDocumentPermission", sharing::document),
    ("ec2", "ModifyVpcEndpointServicePermissions", sharing::endpoint_service),
    ("ram", "CreateResourceShare", sharing::resource_share),
    ("ram", "AssociateResourceShare", sharing::resource_share),
];

/// What a change did: the paths it opened and the access it gave, whether or not the call succeeded.
///
/// A call that can open or grant nothing has no effects. When the log left out the request, or a policy in it cannot be
/// read, a doubt names the field.
pub fn derive(change: &Change<'_>) -> Effects {
    let (service, action) = (change.service.as_ref(), change.action.as_ref());
    let known = TABLE.iter().find(|(s, a, _)| *s == service && *a == action).map(|(_, _, derive)| *derive);
    let row = policies::row_of(service, action);
    if known.is_none() && row.is_none() {
        return Effects::none();
    }
    if change.request.is_omitted() {
        return Effects::unknown("request", "was left out by the log");
    }
    let seen = Seen::of(change);
    if seen.request.is_null() && change.response.json().is_null() {
        return Effects::unknown("request", "is not part of the record");
    }
    match (known, row) {
        (Some(derive), _) => derive(&seen),
        (None, Some(row)) => policies::derive(&seen, row),
        (None, None) => Effects::none(),
    }
}

/// Puts together what several parts of one request did.
fn together(parts: impl IntoIterator<Item = Effects>) -> Effects {
    parts.into_iter().fold(Effects::none(), |mut all, part| {
        all.openings.extend(part.openings);
        all.grants.extend(part.grants);
        all.doubts.extend(part.doubts);
        all
    })
}
