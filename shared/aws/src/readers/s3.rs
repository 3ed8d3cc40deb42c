//! S3 buckets: policy, access control list, and the two public access blocks that stand above them.

use onus_core::{Audience, ChangeSummary, Effects, Grant, Image, Level, Read, Resource, StateReader};
use onus_sources::aws::policy::PolicyKind;
use serde_json::{Value, json};

use super::policy::{Asked, POLICY, PolicyHolder, context, judged_effects, nothing_first, parsed};
use super::subject::{Subject, Target, elements, only, set, take, text};

/// `AWS::S3::Bucket`.
pub(crate) const BUCKET: &str = "AWS::S3::Bucket";
/// Image key of the access control list: `{"Owner": {"ID"}, "Grants": [{"Grantee", "Permission"}]}`.
pub(crate) const ACL: &str = "acl";
/// Image key of the bucket's public access block: the four flags, or `null`.
pub(crate) const BLOCK: &str = "public_access_block";
/// Image key of the account's public access block.
pub(crate) const ACCOUNT_BLOCK: &str = "account_public_access_block";

/// The flags of a public access block, as `PublicAccessBlockConfiguration` names them.
pub(crate) const FLAGS: [&str; 4] =
    ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];

/// Everyone, with or without credentials, and everyone with an AWS account: the two predefined groups that reach beyond
/// the customer (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html>).
pub(crate) const GROUPS: [(&str, Audience); 2] = [
    ("http://acs.amazonaws.com/groups/global/AllUsers", Audience::Public),
    ("http://acs.amazonaws.com/groups/global/AuthenticatedUsers", Audience::AnyAuthenticated),
];

/// A bucket's policy.
pub(crate) static BUCKET_POLICY: PolicyHolder = PolicyHolder {
    kind: BUCKET,
    policy_kind: PolicyKind::Resource,
    operations: &["s3:GetBucketPolicy"],
    first: nothing_first,
    target: |subject, _| bucket(subject),
    read: |bucket| {
        Read::new(POLICY, bucket.call("s3", "GetBucketPolicy", Value::Null))
            .absent(&["NoSuchBucketPolicy", "NoSuchBucket"])
            .keep(|answer| parsed(&take(answer, "/Policy")))
    },
    asked: |subject| Asked::document([subject.request.get_ci("bucketPolicy")]),
};

/// The bucket a subject is about. An ARN of anything else (an access point) names no bucket. A bucket that is being made
/// is where its request says, which need not be where the call went.
pub(crate) fn bucket(subject: &Subject<'_>) -> Option<Target> {
    let named = subject.told("bucketName").or_else(|| subject.name())?;
    let name = if named.starts_with("arn:") { named.split_once(":s3:::")?.1 } else { named };
    let mut bucket = Target::regional(subject, json!({ "Bucket": name }));
    match subject.request.get_ci("CreateBucketConfiguration").get_ci("LocationConstraint").as_str() {
        None | Some("") => {}
        // The name of eu-west-1 from when there was but one region in Europe.
        Some("EU") => "eu-west-1".clone_into(&mut bucket.region),
        Some(region) => region.clone_into(&mut bucket.region),
    }
    Some(bucket)
}

/// Reads a bucket's access control list. Display names are left out: they say nothing that the ids do not.
pub(crate) fn acl(bucket: &Target) -> Read {
    Read::new(ACL, bucket.call("s3", "GetBucketAcl", Value::Null)).absent(&["NoSuchBucket"]).keep(|answer| {
        let grants = elements(answer.get("Grants").unwrap_or(&Value::Null)).iter().map(|grant| {
            let grantee = only(grant.get("Grantee").unwrap_or(&Value::Null), &["Type", "ID", "URI", "EmailAddress"]);
            json!({ "Grantee": grantee, "Permission": text(grant, "Permission") })
        });
        json!({ "Owner": only(answer.get("Owner").unwrap_or(&Value::Null), &["ID"]), "Grants": set(grants) })
    })
}

/// Reads a bucket's public access block.
pub(crate) fn block(bucket: &Target) -> Read {
    Read::new(BLOCK, bucket.call("s3", "GetPublicAccessBlock", Value::Null))
        .absent(&["NoSuchPublicAccessBlockConfiguration", "NoSuchBucket"])
        .keep(flags)
}

/// The account whose public access block a subject is about.
pub(crate) fn account(subject: &Subject<'_>) -> Option<Target> {
    let account = subject.change.account.as_str();
    (!account.is_empty()).then(|| Target::regional(subject, json!({ "AccountId": account })))
}

/// Reads an account's public access block.
pub(crate) fn account_block(account: &Target) -> Read {
    Read::new(ACCOUNT_BLOCK, account.call("s3control", "GetPublicAccessBlock", Value::Null))
        .absent(&["NoSuchPublicAccessBlockConfiguration"])
        .keep(flags)
}

/// All four flags; one that the answer leaves out is off.
fn flags(answer: Value) -> Value {
    let block = take(answer, "/PublicAccessBlockConfiguration");
    let flag = |name: &str| block.get(name).and_then(Value::as_bool).unwrap_or(false);
    FLAGS.iter().map(|name| ((*name).to_owned(), Value::Bool(flag(name)))).collect::<serde_json::Map<_, _>>().into()
}

/// Reads buckets. Grants that a public access block makes void are left out: they let nobody in.
pub(crate) struct BucketReader;

impl StateReader for BucketReader {
    fn kind(&self) -> &'static str {
        BUCKET
    }

    fn operations(&self) -> &'static [&'static str] {
        &["s3:GetBucketPolicy", "s3:GetBucketAcl", "s3:GetPublicAccessBlock", "s3control:GetPublicAccessBlock"]
    }

    fn reads(&self, change: &ChangeSummary, resource: &Resource<'_>, so_far: &Image) -> Vec<Read> {
        let subject = Subject::of_resource(change, resource);
        let Some(bucket) = bucket(&subject) else { return Vec::new() };
        let mut reads = vec![(BUCKET_POLICY.read)(&bucket), acl(&bucket), block(&bucket)];
        reads.extend(account(&subject).as_ref().map(account_block));
        reads.retain(|read| !so_far.has(&read.key));
        reads
    }

    fn effects(&self, change: &ChangeSummary, resource: &Resource<'_>, image: &Image) -> Effects {
        let on = |flag: &str| {
            [BLOCK, ACCOUNT_BLOCK].iter().any(|key| image.get(key).get(flag).and_then(Value::as_bool) == Some(true))
        };
        let context = context(change, resource, PolicyKind::Resource);
        let mut effects = judged_effects(image, POLICY, &context);
        if on("RestrictPublicBuckets") {
            effects.grants.retain(|grant| !is_open(grant.audience));
        }
        if !on("IgnorePublicAcls") {
            effects.grants.extend(open_grants(image.get(ACL), context.resource));
        }
        effects
    }
}

/// Whether an audience is nobody in particular.
pub(crate) fn is_open(audience: Audience) -> bool {
    matches!(audience, Audience::Public | Audience::AnyAuthenticated)
}

/// The grants of an access control list to the two groups.
fn open_grants(acl: &Value, resource: &str) -> Vec<Grant> {
    let grants = elements(acl.get("Grants").unwrap_or(&Value::Null)).iter();
    grants
        .filter_map(|grant| {
            let uri = grant.pointer("/Grantee/URI").and_then(Value::as_str)?;
            let audience = group_audience(uri)?;
            let permission = text(grant, "Permission");
            Some(Grant {
                resource: resource.to_owned(),
                audience,
                principal: uri.to_owned(),
                account: None,
                actions: vec![permission.to_owned()],
                level: level(permission),
                via: "acl".to_owned(),
                part: Some(format!("{uri}:{permission}")),
            })
        })
        .collect()
}

/// Who a group URI reaches; `None` for groups of the provider's own (`LogDelivery`). The scheme does not matter.
pub(crate) fn group_audience(uri: &str) -> Option<Audience> {
    let path = |uri: &str| uri.split_once("://").map_or(uri.to_owned(), |(_, path)| path.to_owned());
    GROUPS.iter().find(|(group, _)| path(group).eq_ignore_ascii_case(&path(uri))).map(|(_, audience)| *audience)
}

fn level(permission: &str) -> Level {
    match permission {
        "READ" | "READ_ACP" => Level::Read,
        "WRITE" => Level::Write,
        _ => Level::Admin,
    }
}
