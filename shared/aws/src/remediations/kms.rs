//! KMS keys: cancels a deletion, enables a key and its rotation, revokes a grant.

use onus_core::{Finding, Image, PlanError, Read, Remediation, Safety, Spec, Step};
use serde_json::{Map, Value, json};

use super::{incomplete, refused, unless_read, unreadable};
use crate::readers::kms::{self, GRANTS, KEY, KEY_KIND, ROTATION};
use crate::readers::subject::{Subject, Target, elements, text};

fn target(spec: &'static Spec, finding: &Finding) -> Result<Target, PlanError> {
    kms::key(&Subject::of_finding(finding, KEY_KIND)).ok_or_else(|| incomplete(spec, "the key"))
}

fn key_state<'a>(spec: &'static Spec, image: &'a Image) -> Result<&'a str, PlanError> {
    let state = image.get(KEY).get("KeyState").and_then(Value::as_str);
    state.ok_or_else(|| unreadable(spec, KEY, &"does not tell the key's state"))
}

fn enable(key: &Target) -> Step {
    Step {
        title: "enable the key".to_owned(),
        call: key.call("kms", "EnableKey", Value::Null),
        inverse: Some(key.call("kms", "DisableKey", Value::Null)),
    }
}

/// Cancels the deletion of a key and enables it.
pub(crate) struct CancelDeletion;

static CANCEL: Spec = Spec {
    id: "aws.kms.cancel_key_deletion",
    title: "Cancels the scheduled deletion of a key and enables the key",
    safety: Safety::NeedsApproval,
    kind: KEY_KIND,
    reads: &["kms:DescribeKey"],
    writes: &["kms:CancelKeyDeletion", "kms:EnableKey"],
    undo: &["kms:DisableKey", "kms:ScheduleKeyDeletion"],
    caveat: "A cancelled deletion leaves the key disabled, and the record does not tell whether the key was enabled before: \
             it is enabled, since a key that is needed and disabled is an outage. An undo schedules the deletion with the \
             same waiting period from then on.",
};

impl Remediation for CancelDeletion {
    fn spec(&self) -> &'static Spec {
        &CANCEL
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, kms::state(&target(&CANCEL, finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let key = target(&CANCEL, finding)?;
        match key_state(&CANCEL, image)? {
            "PendingDeletion" => {
                let days = subject_days(finding);
                let cancel = Step {
                    title: "cancel the deletion (which leaves the key disabled)".to_owned(),
                    call: key.call("kms", "CancelKeyDeletion", Value::Null),
                    inverse: Some(key.call("kms", "ScheduleKeyDeletion", json!({ "PendingWindowInDays": days }))),
                };
                Ok(vec![cancel, enable(&key)])
            }
            "Disabled" => Ok(vec![enable(&key)]),
            "Enabled" => Ok(Vec::new()),
            other => Err(refused(&CANCEL, format!("the key's state is `{other}`"))),
        }
    }
}

/// The waiting period that was asked for; 30 days is the service's default and longest.
fn subject_days(finding: &Finding) -> i64 {
    let subject = Subject::of_finding(finding, KEY_KIND);
    let asked = subject.request.get_ci("pendingWindowInDays").as_i64();
    asked
        .or(subject.response.get_ci("pendingWindowInDays").as_i64())
        .filter(|days| (7..=30).contains(days))
        .unwrap_or(30)
}

/// Enables a key that the change disabled.
pub(crate) struct EnableKey;

static ENABLE: Spec = Spec {
    id: "aws.kms.enable_key",
    title: "Enables the key that the change disabled",
    safety: Safety::Automatic,
    kind: KEY_KIND,
    reads: &["kms:DescribeKey"],
    writes: &["kms:EnableKey"],
    undo: &["kms:DisableKey"],
    caveat: "",
};

impl Remediation for EnableKey {
    fn spec(&self) -> &'static Spec {
        &ENABLE
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, kms::state(&target(&ENABLE, finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let key = target(&ENABLE, finding)?;
        match key_state(&ENABLE, image)? {
            "Disabled" => Ok(vec![enable(&key)]),
            "Enabled" => Ok(Vec::new()),
            other => Err(refused(&ENABLE, format!("the key's state is `{other}`"))),
        }
    }
}

/// Turns the rotation of a key on again.
pub(crate) struct EnableRotation;

static ROTATE: Spec = Spec {
    id: "aws.kms.enable_key_rotation",
    title: "Turns on the key rotation that the change turned off",
    safety: Safety::Automatic,
    kind: KEY_KIND,
    reads: &["kms:GetKeyRotationStatus"],
    writes: &["kms:EnableKeyRotation"],
    undo: &["kms:DisableKeyRotation"],
    caveat: "The record does not tell the period between rotations: unless the service still knows it, it is the \
             service's default.",
};

impl Remediation for EnableRotation {
    fn spec(&self) -> &'static Spec {
        &ROTATE
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, kms::rotation(&target(&ROTATE, finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let key = target(&ROTATE, finding)?;
        let rotation = image.get(ROTATION);
        match rotation.get("KeyRotationEnabled").and_then(Value::as_bool) {
            Some(true) => Ok(Vec::new()),
            Some(false) => {
                let period = rotation.get("RotationPeriodInDays").filter(|period| !period.is_null());
                let more = period.map_or(Value::Null, |period| json!({ "RotationPeriodInDays": period }));
                Ok(vec![Step {
                    title: "turn the key's rotation on".to_owned(),
                    call: key.call("kms", "EnableKeyRotation", more),
                    inverse: Some(key.call("kms", "DisableKeyRotation", Value::Null)),
                }])
            }
            None => Err(refused(&ROTATE, "a key of its kind cannot rotate by itself")),
        }
    }
}

/// Revokes the grant that the change created.
pub(crate) struct RevokeGrant;

static REVOKE: Spec = Spec {
    id: "aws.kms.revoke_grant",
    title: "Revokes the key grant that the change created",
    safety: Safety::NeedsApproval,
    kind: KEY_KIND,
    reads: &["kms:ListGrants"],
    writes: &["kms:RevokeGrant"],
    undo: &["kms:CreateGrant"],
    caveat: "An undo creates the same grant under a new id and with a new token: whoever holds the old id or token cannot use \
             it any more.",
};

impl Remediation for RevokeGrant {
    fn spec(&self) -> &'static Spec {
        &REVOKE
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, kms::grants(&target(&REVOKE, finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let key = target(&REVOKE, finding)?;
        let subject = Subject::of_finding(finding, KEY_KIND);
        let id = subject.response.get_ci("grantId").as_str().ok_or_else(|| incomplete(&REVOKE, "the grant's id"))?;
        let Some(live) = elements(image.get(GRANTS)).iter().find(|grant| text(grant, "~GrantId") == id) else {
            return Ok(Vec::new());
        };
        let again: Map<String, Value> = live
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| !name.starts_with('~'))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let grantee = [text(live, "GranteePrincipal"), text(live, "GranteeServicePrincipal")].concat();
        Ok(vec![Step {
            title: format!("revoke grant {id} to {grantee}"),
            call: key.call("kms", "RevokeGrant", json!({ "GrantId": id })),
            inverse: Some(key.call("kms", "CreateGrant", Value::Object(again))),
        }])
    }
}
