//! IAM: takes back an attachment, and makes a new access key useless.

use onus_core::{Finding, Image, PlanError, Read, Remediation, Safety, Spec, Step};
use serde_json::{Value, json};

use super::{incomplete, refused, unless_read};
use crate::readers::iam::{ATTACHED, HOLDERS, Holder, KEYS, access_keys};
use crate::readers::subject::{Subject, Target, elements, text};

/// Detaches the managed policy that the change attached to a user, role or group.
pub(crate) struct DetachPolicy;

static DETACH: Spec = Spec {
    id: "aws.iam.detach_policy",
    title: "Detaches the managed policy that the change attached",
    safety: Safety::Automatic,
    kind: "AWS::IAM::ManagedPolicy",
    reads: &["iam:ListAttachedUserPolicies", "iam:ListAttachedRolePolicies", "iam:ListAttachedGroupPolicies"],
    writes: &["iam:DetachUserPolicy", "iam:DetachRolePolicy", "iam:DetachGroupPolicy"],
    undo: &["iam:AttachUserPolicy", "iam:AttachRolePolicy", "iam:AttachGroupPolicy"],
    caveat: "Attaching what is already attached succeeds and is logged like any other: then the policy that stood before \
             is detached. What was done with it meanwhile (other policies, keys, roles) remains.",
};

impl Remediation for DetachPolicy {
    fn spec(&self) -> &'static Spec {
        &DETACH
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        let (holder, name, _) = attachment(finding)?;
        Ok(unless_read(so_far, holder.attached(&name)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let (holder, name, policy) = attachment(finding)?;
        if !elements(image.get(ATTACHED)).iter().any(|attached| attached.as_str() == Some(&policy)) {
            return Ok(Vec::new());
        }
        let identity = Target::global(json!({ holder.parameter: name }));
        let call =
            |verb: &str| identity.call("iam", &format!("{verb}{}Policy", holder.word), json!({ "PolicyArn": policy }));
        let title = format!("detach {policy} from {} {name}", holder.word.to_lowercase());
        Ok(vec![Step { title, call: call("Detach"), inverse: Some(call("Attach")) }])
    }
}

/// The kind of identity, its name, and the policy's ARN, from an `Attach…Policy` request.
fn attachment(finding: &Finding) -> Result<(&'static Holder, String, String), PlanError> {
    let subject = Subject::of_finding(finding, "");
    let action = finding.change.action.as_str();
    let is_this = |holder: &&Holder| action == format!("Attach{}Policy", holder.word);
    let holder = HOLDERS.iter().find(is_this).ok_or_else(|| incomplete(&DETACH, "an attachment"))?;
    let name = subject.told(holder.member).ok_or_else(|| incomplete(&DETACH, "the user, role or group"))?;
    let policy = subject.told("policyArn").ok_or_else(|| incomplete(&DETACH, "the policy"))?;
    Ok((holder, name.to_owned(), policy.to_owned()))
}

/// Sets the access key that the change created or activated to inactive.
pub(crate) struct DeactivateKey;

static DEACTIVATE: Spec = Spec {
    id: "aws.iam.deactivate_access_key",
    title: "Sets the access key that the change created or activated to inactive",
    safety: Safety::Automatic,
    kind: "AWS::IAM::AccessKey",
    reads: &["iam:ListAccessKeys"],
    writes: &["iam:UpdateAccessKey"],
    undo: &["iam:UpdateAccessKey"],
    caveat: "Temporary credentials that were made with the key stay valid until they expire. The root user's keys can be \
             changed by the root user alone.",
};

impl Remediation for DeactivateKey {
    fn spec(&self) -> &'static Spec {
        &DEACTIVATE
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        let (user, _) = key(finding)?;
        Ok(unless_read(so_far, access_keys(&user)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let (user, id) = key(finding)?;
        let is_active = |key: &&Value| text(key, "AccessKeyId") == id && text(key, "Status") == "Active";
        if !elements(image.get(KEYS)).iter().any(|key| is_active(&key)) {
            return Ok(Vec::new());
        }
        let key = Target::global(json!({ "UserName": user, "AccessKeyId": id }));
        let set = |status: &str| key.call("iam", "UpdateAccessKey", json!({ "Status": status }));
        let title = format!("set access key {id} of user {user} to inactive");
        Ok(vec![Step { title, call: set("Inactive"), inverse: Some(set("Active")) }])
    }
}

/// The user and the key that a change created or activated.
fn key(finding: &Finding) -> Result<(String, String), PlanError> {
    let subject = Subject::of_finding(finding, "");
    let created = subject.response.get_ci("accessKey");
    let activated = subject.request.get_ci("status").as_str() == Some("Active");
    let id = match finding.change.action.as_str() {
        "CreateAccessKey" => created.get_ci("accessKeyId").as_str(),
        "UpdateAccessKey" if activated => subject.told("accessKeyId"),
        _ => return Err(refused(&DEACTIVATE, "the change neither created nor activated an access key")),
    };
    let id = id.ok_or_else(|| incomplete(&DEACTIVATE, "the access key"))?;
    let caller = finding.change.actor.id.rsplit_once(":user/").and_then(|(_, path)| path.rsplit('/').next());
    if finding.change.actor.kind == "Root" && subject.told("userName").is_none() {
        return Err(refused(&DEACTIVATE, "the root user's keys can be changed by the root user alone"));
    }
    let user = subject.told("userName").or(created.get_ci("userName").as_str()).or(caller);
    let user = user.ok_or_else(|| incomplete(&DEACTIVATE, "the user"))?;
    Ok((user.to_owned(), id.to_owned()))
}
