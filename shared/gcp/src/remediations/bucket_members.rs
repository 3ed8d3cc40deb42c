//! Cloud Storage buckets: takes public members out of a bucket's policy.

use onus_core::{Call, Finding, Image, PlanError, Read, Remediation, Safety, Spec, Step};
use serde_json::{Value, json};

use super::bindings::{Delta, heal};
use super::{Write, incomplete, is_open, unless_read, unreadable};
use crate::readers::answer::{list, set, with};
use crate::readers::asset::Asset;
use crate::readers::policy::{POLICY, live_etag, written};
use crate::readers::storage::{BUCKET_KIND, bucket_policy, name};

/// See the [module docs](self).
pub(crate) struct RemovePublicMembers;

static SPEC: Spec = Spec {
    id: "gcp.storage.remove_public_members",
    title: "Takes the public members that the change added out of the bucket's policy",
    safety: Safety::NeedsApproval,
    kind: BUCKET_KIND,
    reads: &["storage:buckets.getIamPolicy"],
    writes: &["storage:buckets.setIamPolicy"],
    undo: &["storage:buckets.setIamPolicy"],
    caveat: "A website that is served from the bucket goes dark. Objects with access lists of their own stay public: \
             only uniform bucket-level access or public access prevention reaches them. Where the record does not tell \
             which members were added, every public member leaves.",
};

impl Remediation for RemovePublicMembers {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, bucket_policy(bucket(finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        Write::steps(write(finding, image))
    }

    fn leaves(&self, finding: &Finding, image: &Image) -> Option<Image> {
        Write::leaves(write(finding, image), image)
    }
}

fn write(finding: &Finding, image: &Image) -> Result<Option<Write>, PlanError> {
    let bucket = bucket(finding)?;
    let policy = image.get(POLICY);
    if policy.is_null() {
        return Ok(None);
    }
    let Some(healed) = heal(policy, &delta(finding)?) else { return Ok(None) };
    let etag = policy.get("~etag").cloned();
    let etag = etag.ok_or_else(|| unreadable(&SPEC, POLICY, &"has no etag, so that a write could lose a change"))?;
    let unknown =
        if finding.from_state { " (the record leaves out who was added: every public member counts)" } else { "" };
    let put = |body: Value| Call::gcp("storage", "buckets.setIamPolicy", json!({ "bucket": bucket, "body": body }));
    let left = with(policy, "bindings", set(healed.bindings.iter().cloned()));
    let step = Step {
        title: format!("take {}{unknown}", healed.phrases.join(", ")),
        call: put(written(&healed.bindings, &etag)),
        inverse: Some(put(written(list(policy, "bindings"), &live_etag()))),
    };
    Ok(Some(Write { step, key: POLICY, left }))
}

fn bucket(finding: &Finding) -> Result<&str, PlanError> {
    Asset::of_finding(finding, BUCKET_KIND).as_ref().and_then(name).ok_or_else(|| incomplete(&SPEC, "the bucket"))
}

fn delta(finding: &Finding) -> Result<Delta, PlanError> {
    if finding.from_state {
        return Ok(Delta::Public);
    }
    let delta = Delta::of(finding.effects.grants.iter().filter(|grant| is_open(grant.audience)));
    if delta.is_empty() { Err(incomplete(&SPEC, "a public member that was added")) } else { Ok(delta) }
}
