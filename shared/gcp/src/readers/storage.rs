//! Cloud Storage buckets and their IAM policies.
//!
//! The entries of a bucket's own access list need no reading: the policy holds them as bindings of the legacy bucket roles
//! (<https://cloud.google.com/storage/docs/access-control/iam#acls>).

use onus_core::Effects;
use onus_core::{Audience, Call, Image, Read};
use onus_sources::gcp::Owner;
use serde_json::{Value, json};

use super::ABSENT;
use super::answer::{hidden, put, without};
use super::asset::Asset;
use super::policy::{self, POLICY, VERSION};
use super::reader::{Reader, by_policy};

/// `storage.googleapis.com/Bucket`.
pub(crate) const BUCKET_KIND: &str = "storage.googleapis.com/Bucket";
/// Image key of a bucket: `buckets.get` without access lists, links and dates; `null` when there is none.
pub(crate) const BUCKET: &str = "bucket";

const PREVENTION: &str = "/iamConfiguration/publicAccessPrevention";

/// The bucket's name.
pub(crate) fn name<'a>(asset: &Asset<'a>) -> Option<&'a str> {
    asset.segment("buckets").or_else(|| asset.name())
}

/// Reads a bucket.
pub(crate) fn bucket(name: &str) -> Read {
    Read::new(BUCKET, Call::gcp("storage", "buckets.get", json!({ "bucket": name, "projection": "noAcl" })))
        .absent(ABSENT)
        .keep(|answer| {
            let dropped = ["kind", "selfLink", "etag", "timeCreated", "updated"];
            let mut kept = hidden(without(answer, &dropped), &["metageneration"]);
            // Absent, and the old word `unspecified`, both mean `inherited`.
            if kept.pointer(PREVENTION).is_none_or(|prevention| prevention == "unspecified") {
                put(&mut kept, &["iamConfiguration", "publicAccessPrevention"], json!("inherited"));
            }
            kept
        })
}

/// Reads a bucket's policy.
pub(crate) fn bucket_policy(name: &str) -> Read {
    let parameters = json!({ "bucket": name, "optionsRequestedPolicyVersion": VERSION });
    Read::new(POLICY, Call::gcp("storage", "buckets.getIamPolicy", parameters)).absent(ABSENT).keep(policy::kept)
}

/// Reads buckets. Public grants that public access prevention makes void are left out: they let nobody in.
pub(crate) static BUCKET_READER: Reader = Reader {
    kind: BUCKET_KIND,
    operations: &["storage:buckets.get", "storage:buckets.getIamPolicy"],
    keys: &[BUCKET, POLICY],
    reads: |asset| name(asset).map(|name| vec![bucket(name), bucket_policy(name)]).unwrap_or_default(),
    effects: bucket_effects,
};

fn bucket_effects(image: &Image, owner: Owner<'_>) -> Effects {
    let mut effects = by_policy(image, owner);
    if image.get(BUCKET).pointer(PREVENTION).and_then(Value::as_str) == Some("enforced") {
        effects.grants.retain(|grant| !matches!(grant.audience, Audience::Public | Audience::AnyAuthenticated));
    }
    effects
}
