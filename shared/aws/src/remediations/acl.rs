//! Bucket access control lists: takes out the grants to everyone that a change made.

use std::collections::BTreeSet;

use onus_core::{Finding, Image, Json, PlanError, Read, Remediation, Safety, Spec, Step};
use serde_json::{Value, json};

use super::{incomplete, unless_read, unreadable};
use crate::readers::s3::{self, ACL, GROUPS, group_audience};
use crate::readers::subject::{Subject, text};

/// See the [module docs](self).
pub(crate) struct RemovePublicGrants;

static SPEC: Spec = Spec {
    id: "aws.s3.remove_public_acl_grants",
    title: "Takes out of a bucket ACL the grants to everyone that the change made",
    safety: Safety::Automatic,
    kind: s3::BUCKET,
    reads: &["s3:GetBucketAcl"],
    writes: &["s3:PutBucketAcl"],
    undo: &["s3:PutBucketAcl"],
    caveat: "A grant to everyone that stood before and was put again by this change is removed too: the record holds the \
             whole new list, not the old one.",
};

impl Remediation for RemovePublicGrants {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        let subject = Subject::of_finding(finding, s3::BUCKET);
        let bucket = s3::bucket(&subject).ok_or_else(|| incomplete(&SPEC, "the bucket"))?;
        Ok(unless_read(so_far, s3::acl(&bucket)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let live = image.get(ACL);
        if live.is_null() {
            return Ok(Vec::new());
        }
        let subject = Subject::of_finding(finding, s3::BUCKET);
        let bucket = s3::bucket(&subject).ok_or_else(|| incomplete(&SPEC, "the bucket"))?;
        let asked = asked(&subject);
        if asked.is_none() && !finding.from_state {
            return Err(incomplete(&SPEC, "the grants that were made"));
        }
        let grants = live.get("Grants").and_then(Value::as_array);
        let (Some(grants), Some(owner)) = (grants, live.pointer("/Owner/ID").and_then(Value::as_str)) else {
            return Err(unreadable(&SPEC, ACL, &"has no owner or no list of grants"));
        };
        let (bad, kept) = parted(grants, asked.as_ref());
        if bad.is_empty() {
            return Ok(Vec::new());
        }
        let write = |grants: &[&Value]| {
            let list = json!({ "Owner": { "ID": owner }, "Grants": grants });
            bucket.call("s3", "PutBucketAcl", json!({ "AccessControlPolicy": list }))
        };
        let all: Vec<&Value> = grants.iter().collect();
        Ok(vec![Step {
            title: title(&bad, grants.len(), asked.is_none()),
            call: write(&kept),
            inverse: Some(write(&all)),
        }])
    }

    fn leaves(&self, finding: &Finding, image: &Image) -> Option<Image> {
        let asked = asked(&Subject::of_finding(finding, s3::BUCKET));
        let (_, kept) = parted(image.get(ACL).get("Grants")?.as_array()?, asked.as_ref());
        let kept = kept.into_iter().cloned().collect::<Value>();
        let mut left = image.clone();
        *left.0.get_mut(ACL)?.get_mut("Grants")? = kept;
        Some(left)
    }
}

/// The grants that have to go, and those that stay.
fn parted<'g>(grants: &'g [Value], asked: Option<&BTreeSet<Pair>>) -> (Vec<&'g Value>, Vec<&'g Value>) {
    grants.iter().partition(|grant| is_bad(grant, asked))
}

fn title(bad: &[&Value], total: usize, unknown: bool) -> String {
    let named: Vec<String> = bad
        .iter()
        .map(|grant| {
            let uri = grant.pointer("/Grantee/URI").and_then(Value::as_str).unwrap_or_default();
            format!("{} to {}", text(grant, "Permission"), uri.rsplit('/').next().unwrap_or(uri))
        })
        .collect();
    let note = if unknown { " (the record leaves out what was asked: every public grant counts)" } else { "" };
    format!("remove {}, of {total} grants{note}", named.join(" and "))
}

/// A grant to everyone that the change made, or any to everyone where nobody knows what it made.
fn is_bad(grant: &Value, asked: Option<&BTreeSet<Pair>>) -> bool {
    let Some(uri) = grant.pointer("/Grantee/URI").and_then(Value::as_str) else { return false };
    let Some(group) = group(uri) else { return false };
    asked.is_none_or(|asked| asked.contains(&(group, text(grant, "Permission").to_owned())))
}

/// A group, by its place in [`GROUPS`], and a permission.
type Pair = (usize, String);

fn group(uri: &str) -> Option<usize> {
    let audience = group_audience(uri)?;
    GROUPS.iter().position(|(_, reached)| *reached == audience)
}

/// The grants to everyone that a request asked for: by canned list, by headers, or by a whole list in the body. `None`
/// when the record shows none of the three.
fn asked(subject: &Subject<'_>) -> Option<BTreeSet<Pair>> {
    let request = &subject.request;
    let mut pairs = BTreeSet::new();
    let canned = request.get_ci("x-amz-acl").each();
    for name in canned.iter().filter_map(Json::as_str) {
        pairs.extend(canned_grants(name));
    }
    let mut headers = 0;
    for (header, permission) in HEADERS {
        for value in request.get_ci(header).each().iter().filter_map(Json::as_str) {
            headers += 1;
            let grantees = value.split(',').filter_map(|grantee| grantee.trim().split_once('='));
            let uris = grantees.filter(|(kind, _)| kind.trim().eq_ignore_ascii_case("uri")).map(|(_, uri)| uri);
            pairs
                .extend(uris.filter_map(|uri| group(uri.trim().trim_matches('"'))).map(|g| (g, permission.to_owned())));
        }
    }
    let body = request.get_ci("AccessControlPolicy");
    for grant in body.get_ci("AccessControlList").get_ci("Grant").each() {
        let uri = grant.get_ci("Grantee").get_ci("URI").as_str().and_then(group);
        let permission = grant.get_ci("Permission").as_str();
        pairs.extend(uri.zip(permission.map(str::to_owned)));
    }
    (!canned.is_empty() || headers > 0 || !body.is_null()).then_some(pairs)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html>, request headers.
const HEADERS: [(&str, &str); 5] = [
    ("x-amz-grant-read", "READ"),
    ("x-amz-grant-write", "WRITE"),
    ("x-amz-grant-read-acp", "READ_ACP"),
    ("x-amz-grant-write-acp", "WRITE_ACP"),
    ("x-amz-grant-full-control", "FULL_CONTROL"),
];

/// What a canned list grants to the two groups
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl>).
fn canned_grants(name: &str) -> Vec<Pair> {
    match name {
        "public-read" => vec![(0, "READ".to_owned())],
        "public-read-write" => vec![(0, "READ".to_owned()), (0, "WRITE".to_owned())],
        "authenticated-read" => vec![(1, "READ".to_owned())],
        _ => Vec::new(),
    }
}
