//! Cloud Storage buckets: enforces public access prevention, which makes every public grant void without touching it.

use onus_core::{Call, Finding, Image, PlanError, Read, Remediation, Safety, Spec, Step, live};
use serde_json::{Value, json};

use super::{incomplete, unless_read, unreadable};
use crate::readers::asset::Asset;
use crate::readers::storage::{BUCKET, BUCKET_KIND, bucket, name};

/// See the [module docs](self).
pub(crate) struct EnforcePrevention;

static SPEC: Spec = Spec {
    id: "gcp.storage.enforce_public_access_prevention",
    title: "Enforces public access prevention on the bucket",
    safety: Safety::NeedsApproval,
    kind: BUCKET_KIND,
    reads: &["storage:buckets.get"],
    writes: &["storage:buckets.patch"],
    undo: &["storage:buckets.patch"],
    caveat: "A website that is served from the bucket goes dark. Public grants stay in the policy, without effect, and \
             let the public in again once the prevention is lifted.",
};

impl Remediation for EnforcePrevention {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, bucket(bucket_name(finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let name = bucket_name(finding)?;
        let live_bucket = image.get(BUCKET);
        if live_bucket.is_null() {
            return Ok(Vec::new());
        }
        let prevention = live_bucket.pointer("/iamConfiguration/publicAccessPrevention").and_then(Value::as_str);
        let prevention = prevention.ok_or_else(|| unreadable(&SPEC, BUCKET, &"does not tell its prevention"))?;
        if prevention == "enforced" {
            return Ok(Vec::new());
        }
        let version = live_bucket.get("~metageneration").cloned();
        let version = version.ok_or_else(|| unreadable(&SPEC, BUCKET, &"has no metageneration"))?;
        // The answer of the default projection would need a permission more.
        let patch = |prevention: &str, version: Value| {
            let body = json!({ "iamConfiguration": { "publicAccessPrevention": prevention } });
            let parameters =
                json!({ "bucket": name, "projection": "noAcl", "ifMetagenerationMatch": version, "body": body });
            Call::gcp("storage", "buckets.patch", parameters)
        };
        Ok(vec![Step {
            title: format!("enforce public access prevention, which is {prevention:?}"),
            call: patch("enforced", version),
            inverse: Some(patch(prevention, live(&[BUCKET, "~metageneration"]))),
        }])
    }
}

fn bucket_name(finding: &Finding) -> Result<&str, PlanError> {
    Asset::of_finding(finding, BUCKET_KIND).as_ref().and_then(name).ok_or_else(|| incomplete(&SPEC, "the bucket"))
}
