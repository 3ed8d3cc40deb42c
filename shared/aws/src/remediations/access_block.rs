//! Public access blocks of buckets and accounts: turns the flags that a change cleared on again.

use onus_core::{Finding, Image, Json, PlanError, Read, Remediation, Safety, Spec, Step};
use serde_json::{Map, Value, json};

use super::{incomplete, unless_read, unreadable};
use crate::readers::s3::{self, ACCOUNT_BLOCK, BLOCK, FLAGS};
use crate::readers::subject::{Subject, Target};

/// Restores the public access block of one level.
pub(crate) struct RestoreBlock {
    spec: &'static Spec,
    service: &'static str,
    key: &'static str,
    target: fn(&Subject<'_>) -> Option<Target>,
    read: fn(&Target) -> Read,
}

/// Turning a flag on can close what was open on purpose before the change, so a person agrees first.
const CAVEAT: &str = "The record does not tell which flags were on before: one that was already off and is cleared again \
                      is turned on too, and may close a bucket that is public on purpose.";

/// One bucket's.
pub(crate) static BUCKET: RestoreBlock = RestoreBlock {
    spec: &Spec {
        id: "aws.s3.restore_bucket_public_access_block",
        title: "Turns on the flags of a bucket's public access block that the change cleared",
        safety: Safety::NeedsApproval,
        kind: s3::BUCKET,
        reads: &["s3:GetPublicAccessBlock"],
        writes: &["s3:PutPublicAccessBlock"],
        undo: &["s3:PutPublicAccessBlock", "s3:DeletePublicAccessBlock"],
        caveat: CAVEAT,
    },
    service: "s3",
    key: BLOCK,
    target: s3::bucket,
    read: s3::block,
};

/// The whole account's.
pub(crate) static ACCOUNT: RestoreBlock = RestoreBlock {
    spec: &Spec {
        id: "aws.s3.restore_account_public_access_block",
        title: "Turns on the flags of the account's public access block that the change cleared",
        safety: Safety::NeedsApproval,
        kind: "AWS::S3::AccountPublicAccessBlock",
        reads: &["s3control:GetPublicAccessBlock"],
        writes: &["s3control:PutPublicAccessBlock"],
        undo: &["s3control:PutPublicAccessBlock", "s3control:DeletePublicAccessBlock"],
        caveat: CAVEAT,
    },
    service: "s3control",
    key: ACCOUNT_BLOCK,
    target: s3::account,
    read: s3::account_block,
};

impl Remediation for RestoreBlock {
    fn spec(&self) -> &'static Spec {
        self.spec
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        let target = self.target(finding)?;
        Ok(unless_read(so_far, (self.read)(&target)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let target = self.target(finding)?;
        let subject = Subject::of_finding(finding, self.spec.kind);
        let (cleared, note) = match cleared(&subject) {
            Some(cleared) => (cleared, ""),
            None if finding.from_state => (FLAGS.to_vec(), " (the record leaves out which were cleared)"),
            None => return Err(incomplete(self.spec, "the flags that were cleared")),
        };
        let live = image.get(self.key);
        let is_on = |flag: &str| live.get(flag).and_then(Value::as_bool).unwrap_or(false);
        if !live.is_null() && !live.is_object() {
            return Err(unreadable(self.spec, self.key, &"is no public access block"));
        }
        let off: Vec<&str> = cleared.iter().copied().filter(|flag| !is_on(flag)).collect();
        if off.is_empty() {
            return Ok(Vec::new());
        }
        let healed: Map<String, Value> =
            FLAGS.iter().map(|flag| ((*flag).to_owned(), (is_on(flag) || off.contains(flag)).into())).collect();
        let put = |flags: Value| {
            target.call(self.service, "PutPublicAccessBlock", json!({ "PublicAccessBlockConfiguration": flags }))
        };
        let inverse = match live {
            Value::Null => target.call(self.service, "DeletePublicAccessBlock", Value::Null),
            flags => put(flags.clone()),
        };
        let title = format!("turn on {}{note}", off.join(", "));
        Ok(vec![Step { title, call: put(Value::Object(healed)), inverse: Some(inverse) }])
    }
}

impl RestoreBlock {
    fn target(&self, finding: &Finding) -> Result<Target, PlanError> {
        let subject = Subject::of_finding(finding, self.spec.kind);
        (self.target)(&subject).ok_or_else(|| incomplete(self.spec, "the bucket or account"))
    }
}

/// The flags that a change cleared: all of them when it deleted the block, else those that it put as false or left out,
/// which means false. `None` when the record does not show the block.
fn cleared(subject: &Subject<'_>) -> Option<Vec<&'static str>> {
    if subject.change.action.starts_with("Delete") {
        return Some(FLAGS.to_vec());
    }
    let block: &Json<'_> = subject.request.get_ci("PublicAccessBlockConfiguration");
    if block.members().is_empty() {
        return None;
    }
    Some(FLAGS.into_iter().filter(|flag| block.get_ci(flag).as_bool() != Some(true)).collect())
}
