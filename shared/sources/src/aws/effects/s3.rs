//! S3 access control lists, given as a canned name, in headers, or in the body.
//!
//! Sources: Amazon S3 User Guide, "Access control list (ACL) overview" (canned ACLs, predefined groups); Amazon S3 API
//! Reference, `PutBucketAcl`, `PutObjectAcl`.

use std::borrow::Cow;

use onus_core::{Audience, Effects, Grant, Json, Level};

use super::policies::absent;
use super::seen::{Seen, any, items, scalar, texts};

const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED_USERS: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";

/// Headers that give one permission each.
const HEADERS: [(&str, &str); 5] = [
    ("x-amz-grant-read", "READ"),
    ("x-amz-grant-write", "WRITE"),
    ("x-amz-grant-read-acp", "READ_ACP"),
    ("x-amz-grant-write-acp", "WRITE_ACP"),
    ("x-amz-grant-full-control", "FULL_CONTROL"),
];

/// A canned ACL as grants to groups: what it gives beyond full control of the owner. `None` for a name that S3 does not
/// know.
fn canned(name: &str) -> Option<&'static [(&'static str, &'static str)]> {
    match name {
        "private" | "bucket-owner-read" | "bucket-owner-full-control" | "aws-exec-read" => Some(&[]),
        "public-read" => Some(&[(ALL_USERS, "READ")]),
        "public-read-write" => Some(&[(ALL_USERS, "READ"), (ALL_USERS, "WRITE")]),
        "authenticated-read" => Some(&[(AUTHENTICATED_USERS, "READ")]),
        "log-delivery-write" => Some(&[(LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")]),
        _ => None,
    }
}

/// `PutBucketAcl`, `PutObjectAcl`: the list is what the call is about.
pub(super) fn acl(seen: &Seen<'_, '_>) -> Effects {
    list(seen).unwrap_or_else(|| absent("AccessControlPolicy"))
}

/// `CreateBucket`, `PutObject`, …: the list may come with the call; without one it is private.
pub(super) fn created(seen: &Seen<'_, '_>) -> Effects {
    list(seen).unwrap_or_default()
}

/// What the access control list of a request grants to others than the owner; `None` when it has none.
fn list(seen: &Seen<'_, '_>) -> Option<Effects> {
    let mut effects = Effects::none();
    let mut found = false;
    // Older records have one-element lists of header values.
    for name in texts(seen.any(&["x-amz-acl"])) {
        found = true;
        match canned(&name) {
            Some(grants) => effects.grants.extend(grants.iter().map(|(uri, to)| group(seen, uri, to))),
            None => effects.doubts.extend(unknown_acl(&name).doubts),
        }
    }
    for (header, permission) in HEADERS {
        for value in texts(seen.any(&[header])) {
            found = true;
            effects.grants.extend(grantees(&value).filter_map(|(kind, who)| header_grant(seen, kind, who, permission)));
        }
    }
    let policy = seen.any(&["AccessControlPolicy"]);
    if !policy.is_null() {
        found = true;
        let owner = scalar(any(policy, &["Owner.ID"])).unwrap_or_default();
        for entry in items(any(policy, &["AccessControlList.Grant", "AccessControlList"])) {
            effects.grants.extend(body_grant(seen, entry, &owner));
        }
    }
    found.then_some(effects)
}

fn unknown_acl(name: &str) -> Effects {
    Effects::unknown("request.x-amz-acl", format!("has a value that S3 does not know: `{name}`"))
}

/// The grantees of a header: `uri="…", id="…", emailAddress="…"`.
fn grantees(value: &str) -> impl Iterator<Item = (&str, &str)> {
    value.split(',').filter_map(|part| {
        let (kind, who) = part.split_once('=')?;
        Some((kind.trim(), who.trim().trim_matches('"')))
    })
}

fn header_grant(seen: &Seen<'_, '_>, kind: &str, who: &str, permission: &str) -> Option<Grant> {
    match kind.to_ascii_lowercase().as_str() {
        "uri" => Some(group(seen, who, permission)),
        "id" | "emailaddress" => Some(grant(seen, Audience::External, who, permission)),
        _ => None,
    }
}

/// A grant of the body, unless it is the owner's own.
fn body_grant(seen: &Seen<'_, '_>, entry: &Json<'_>, owner: &str) -> Option<Grant> {
    let permission = scalar(any(entry, &["Permission"])).unwrap_or(Cow::Borrowed("FULL_CONTROL"));
    let text = |name: &str| scalar(any(entry, &[name])).filter(|text| !text.is_empty());
    if let Some(uri) = text("Grantee.URI") {
        return Some(group(seen, &uri, &permission));
    }
    let who = text("Grantee.ID").or_else(|| text("Grantee.EmailAddress"))?;
    (who != owner).then(|| grant(seen, Audience::External, &who, &permission))
}

/// A grant to a predefined group. A group that S3 does not know reaches everybody, for all that can be told.
fn group(seen: &Seen<'_, '_>, uri: &str, permission: &str) -> Grant {
    let path = uri.split_once("://").map_or(uri, |(_, path)| path).to_ascii_lowercase();
    let audience = match path.as_str() {
        "acs.amazonaws.com/groups/global/authenticatedusers" => Audience::AnyAuthenticated,
        "acs.amazonaws.com/groups/s3/logdelivery" => Audience::Service,
        _ => Audience::Public,
    };
    grant(seen, audience, uri, permission)
}

fn grant(seen: &Seen<'_, '_>, audience: Audience, who: &str, permission: &str) -> Grant {
    Grant {
        resource: resource(seen),
        audience,
        principal: who.to_owned(),
        account: None,
        actions: vec![permission.to_owned()],
        level: match permission {
            "READ" | "READ_ACP" => Level::Read,
            "WRITE" => Level::Write,
            _ => Level::Admin,
        },
        via: "acl".to_owned(),
        part: Some(format!("{who}:{permission}")),
    }
}

/// The object when the list is an object's, else the bucket.
fn resource(seen: &Seen<'_, '_>) -> String {
    let bucket = seen.resource(&["bucketName"]);
    match seen.text(&["key"]).filter(|key| !key.is_empty()) {
        Some(key) if !bucket.ends_with(&format!("/{key}")) => format!("{bucket}/{key}"),
        _ => bucket,
    }
}
