//! What IAM users, groups and roles are given, and who is made an administrator of an EKS cluster.
//!
//! Trust policies are in [`policies`](super::policies). Sources: IAM API Reference; AWS Managed Policy Reference;
//! Amazon EKS User Guide, "Review access policy permissions".

use onus_core::{Audience, Doubt, Effects, Grant, Level};
use percent_encoding::percent_decode_str;

use super::policies::{absent, judged};
use super::seen::{Seen, any, scalar};
use crate::aws::policy::PolicyKind;

/// Members that name who holds a policy, or the policy.
const NAMES: &[&str] = &["userName", "roleName", "groupName", "policyArn", "policyName"];

/// Managed policies of AWS that let their holder give itself anything.
const ADMIN: [&str; 2] = ["AdministratorAccess", "IAMFullAccess"];

/// Managed policies of AWS that only deny.
const DENY: [&str; 4] =
    ["AWSCompromisedKeyQuarantine", "AWSCompromisedKeyQuarantineV2", "AWSCompromisedKeyQuarantineV3", "AWSDenyAll"];

/// `CreatePolicy`, `CreatePolicyVersion`: what a holder of the managed policy may do, whether or not anybody holds it
/// yet or the version is in force.
pub(super) fn managed(seen: &Seen<'_, '_>) -> Effects {
    let version = any(seen.response, &["policyVersion.versionId", "policy.defaultVersionId"]);
    identity(seen, scalar(version).as_deref())
}

/// `PutUserPolicy`, `PutRolePolicy`, `PutGroupPolicy`.
pub(super) fn inline(seen: &Seen<'_, '_>) -> Effects {
    identity(seen, seen.text(&["policyName"]).as_deref())
}

fn identity(seen: &Seen<'_, '_>, holder: Option<&str>) -> Effects {
    let document = seen.any(&["policyDocument"]);
    if document.is_null() {
        return absent("policyDocument");
    }
    let mut effects = judged(seen, "policyDocument", document, &seen.resource(NAMES), PolicyKind::Identity);
    if let Some(holder) = holder {
        for part in effects.grants.iter_mut().filter_map(|grant| grant.part.as_mut()) {
            *part = format!("{holder}/{part}");
        }
    }
    effects
}

/// `SetDefaultPolicyVersion`: puts a version in force whose document the call does not have.
pub(super) fn version_chosen(seen: &Seen<'_, '_>) -> Effects {
    let text = |name: &str| seen.text(&[name]).unwrap_or_default();
    Effects::unknown(
        format!("version {} of {}", text("versionId"), text("policyArn")),
        "its document is not part of the request",
    )
}

/// `AttachUserPolicy`, `AttachRolePolicy`, `AttachGroupPolicy`. What AWS's own policies allow is told from their names;
/// what a customer's allows is a doubt, and the level then is a guess between the two ends.
pub(super) fn attached(seen: &Seen<'_, '_>) -> Effects {
    let Some(policy) = seen.text(&["policyArn"]) else { return absent("policyArn") };
    let name = policy.rsplit('/').next().unwrap_or_default();
    let is_aws = policy.split(':').nth(4) == Some("aws");
    if is_aws && DENY.contains(&name) {
        return Effects::none();
    }
    let mut effects = Effects::none();
    if !is_aws {
        effects.doubts.push(Doubt::new(format!("policy {policy}"), "its document is not part of the request"));
    }
    let holder = seen.resource(NAMES);
    effects.grants.push(Grant {
        resource: holder.clone(),
        audience: Audience::Internal,
        principal: holder,
        account: Some(seen.change.account.to_string()).filter(|account| !account.is_empty()),
        actions: vec![policy.to_string()],
        level: if is_aws { level_of_managed(name) } else { Level::Write },
        via: "attachment".to_owned(),
        part: Some(policy.into_owned()),
    });
    effects
}

/// The level of one of AWS's managed policies, by its name.
fn level_of_managed(name: &str) -> Level {
    const READS: [&str; 4] = ["ReadOnly", "ViewOnly", "SecurityAudit", "ViewAccess"];
    if ADMIN.contains(&name) {
        Level::Admin
    } else if READS.iter().any(|word| name.contains(word)) {
        Level::Read
    } else {
        Level::Write
    }
}

/// `eks:AssociateAccessPolicy`: gives a principal rights in a cluster. The principal is part of the path and may be
/// percent-encoded.
pub(super) fn cluster_access(seen: &Seen<'_, '_>) -> Effects {
    let Some(principal) = seen.text(&["principalArn"]) else { return absent("principalArn") };
    let Some(policy) = seen.text(&["policyArn"]) else { return absent("policyArn") };
    let principal = percent_decode_str(&principal).decode_utf8_lossy().into_owned();
    let account = principal.split(':').nth(4).unwrap_or_default().to_owned();
    let level = match policy.rsplit('/').next().unwrap_or_default() {
        "AmazonEKSClusterAdminPolicy" | "AmazonEKSAdminPolicy" => Level::Admin,
        name if name.contains("View") => Level::Read,
        _ => Level::Write,
    };
    Effects {
        grants: vec![Grant {
            resource: seen.resource(&["name", "clusterName"]),
            audience: seen.audience_of(&account),
            principal,
            account: Some(account).filter(|account| !account.is_empty()),
            actions: vec![policy.to_string()],
            level,
            via: "attachment".to_owned(),
            part: Some(policy.into_owned()),
        }],
        ..Effects::none()
    }
}
