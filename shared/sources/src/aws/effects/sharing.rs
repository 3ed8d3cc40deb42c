//! Snapshots, images, documents and other resources shared with accounts or with everybody.
//!
//! Sources: EC2 API Reference, `ModifySnapshotAttribute`, `ModifyImageAttribute`; Amazon RDS API Reference,
//! `ModifyDBSnapshotAttribute`; Systems Manager API Reference, `ModifyDocumentPermission`; Amazon Redshift API
//! Reference, `AuthorizeSnapshotAccess`; AWS RAM API Reference, `CreateResourceShare`.

use std::borrow::Cow;

use onus_core::{Audience, Doubt, Effects, Grant, Json, Level};

use super::policies::absent;
use super::seen::{Seen, account, any, items};

/// `ModifySnapshotAttribute`.
pub(super) fn snapshot(seen: &Seen<'_, '_>) -> Effects {
    launchable(seen, "createVolumePermission", &["snapshotId"])
}

/// `ModifyImageAttribute`.
pub(super) fn image(seen: &Seen<'_, '_>) -> Effects {
    launchable(seen, "launchPermission", &["imageId"])
}

/// `ModifyFpgaImageAttribute`.
pub(super) fn fpga_image(seen: &Seen<'_, '_>) -> Effects {
    launchable(seen, "loadPermission", &["fpgaImageId"])
}

/// `ModifyDBSnapshotAttribute`, `ModifyDBClusterSnapshotAttribute`: the attribute `restore` lists accounts, or `all`.
pub(super) fn database_snapshot(seen: &Seen<'_, '_>) -> Effects {
    match seen.text(&["attributeName"]) {
        None => absent("attributeName"),
        Some(name) if name != "restore" => Effects::none(),
        Some(_) => {
            let names = &["dBSnapshotIdentifier", "dBClusterSnapshotIdentifier"];
            shared(seen, "restore", names, items(seen.any(&["valuesToAdd"])).iter().filter_map(grantee))
        }
    }
}

/// `redshift:AuthorizeSnapshotAccess`.
pub(super) fn warehouse_snapshot(seen: &Seen<'_, '_>) -> Effects {
    let Some(grantee) = account(seen.any(&["accountWithRestoreAccess"])) else {
        return absent("accountWithRestoreAccess");
    };
    shared(seen, "restore", &["snapshotIdentifier", "snapshotArn"], [grantee.into_owned()])
}

/// `ssm:ModifyDocumentPermission`.
pub(super) fn document(seen: &Seen<'_, '_>) -> Effects {
    shared(seen, "share", &["name"], items(seen.any(&["accountIdsToAdd"])).iter().filter_map(grantee))
}

/// `ModifyVpcEndpointServicePermissions`: who may connect to an endpoint service. `*` is everybody.
pub(super) fn endpoint_service(seen: &Seen<'_, '_>) -> Effects {
    let added = items(seen.any(&["addAllowedPrincipals"])).iter().filter_map(grantee);
    shared(seen, "allowedPrincipals", &["serviceId"], added)
}

/// `ram:CreateResourceShare`, `ram:AssociateResourceShare`: resources shared by name of the share.
pub(super) fn resource_share(seen: &Seen<'_, '_>) -> Effects {
    let principals = items(seen.any(&["principals"])).iter().filter_map(grantee);
    shared(seen, "share", &["resourceShareArn", "name"], principals)
}

/// Whom an entry of a list names, as written.
fn grantee(entry: &Json<'_>) -> Option<String> {
    account(entry).filter(|text| !text.is_empty()).map(Cow::into_owned)
}

/// Lists of grantees in the flat spelling; older records use the plural, newer ones the name of the XML element.
const FLAT: [&str; 9] = [
    "userIds",
    "userId",
    "groupNames",
    "userGroups",
    "userGroup",
    "organizationArns",
    "organizationArn",
    "organizationalUnitArns",
    "organizationalUnitArn",
];

/// The three EC2 attributes with lists of accounts. Two ways to write them: `{"<attribute>": {"add": {"items":
/// [{"group": "all"}, {"userId": "…"}]}}}`, and flat with `operationType: add`, `userIds` and `groupNames` (or
/// `userGroups`). What is removed is no effect, and neither is a change of another attribute.
fn launchable(seen: &Seen<'_, '_>, attribute: &str, names: &[&str]) -> Effects {
    let about = seen.any(&[attribute]);
    let kind = seen.text(&["attributeType", "attribute"]).unwrap_or_default().replace('_', "");
    let operation = seen.text(&["operationType"]);
    if about.is_null() && operation.is_none() {
        let other = !kind.is_empty() && !kind.eq_ignore_ascii_case(attribute);
        let elsewhere = ["description", "imdsSupport", "productCodes", "productCode", "name", "value"];
        return if other || !seen.any(&elsewhere).is_null() { Effects::none() } else { absent(attribute) };
    }
    let mut found = Vec::new();
    for entry in items(any(about, &["add"])) {
        found.extend(entry_grantee(entry));
    }
    if operation.is_some_and(|operation| operation.eq_ignore_ascii_case("add")) {
        for list in FLAT {
            for entry in items(seen.any(&[list])) {
                found.extend(grantee(entry).or_else(|| entry_grantee(entry)));
            }
        }
    }
    shared(seen, attribute, names, found)
}

/// One entry of an `add` list: `{"group": "all"}`, `{"userId": "…"}`, an organisation, or a unit of one.
fn entry_grantee(entry: &Json<'_>) -> Option<String> {
    const NAMES: [&str; 6] = ["group", "groupName", "userId", "organizationArn", "organizationalUnitArn", "userGroup"];
    NAMES.iter().find_map(|name| grantee(any(entry, &[name])))
}

/// A grant for each grantee.
fn shared(seen: &Seen<'_, '_>, attribute: &str, names: &[&str], grantees: impl IntoIterator<Item = String>) -> Effects {
    let resource = seen.resource(names);
    let mut effects = Effects::none();
    for who in grantees {
        let Some((audience, account)) = whom(seen, &who) else {
            effects.doubts.push(Doubt::new(format!("grantee {who}"), "is neither `all`, an account nor an ARN"));
            continue;
        };
        effects.grants.push(Grant {
            resource: resource.clone(),
            audience,
            principal: who.clone(),
            account,
            actions: vec![attribute.to_owned()],
            level: Level::Read,
            via: "attribute".to_owned(),
            part: Some(who),
        });
    }
    effects
}

/// Whom a grantee is, and of which account: everybody, an account, a principal by its ARN, an organisation, a service.
fn whom(seen: &Seen<'_, '_>, who: &str) -> Option<(Audience, Option<String>)> {
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if who.eq_ignore_ascii_case("all") || who == "*" {
        Some((Audience::Public, None))
    } else if is_account(who) {
        Some((seen.audience_of(who), Some(who.to_owned())))
    } else if who.starts_with("arn:") {
        // The account in an organisation's ARN is its management account, not who gets access.
        let mut parts = who.split(':').skip(2);
        let principal = matches!(parts.next(), Some("iam" | "sts"));
        let account = parts.nth(1).filter(|account| principal && is_account(account));
        Some((account.map_or(Audience::External, |id| seen.audience_of(id)), account.map(str::to_owned)))
    } else if who.ends_with(".amazonaws.com") {
        Some((Audience::Service, None))
    } else {
        None
    }
}
