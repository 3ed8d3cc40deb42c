//! Projects: takes the members that a change added out of the project's policy.

use onus_core::{Audience, Call, Finding, Grant, Image, Level, PlanError, Read, Remediation, Safety, Spec, Step};
use serde_json::{Value, json};

use super::bindings::{Delta, heal};
use super::{Write, incomplete, refused, unless_read, unreadable};
use crate::readers::answer::{list, set, with};
use crate::readers::asset::Asset;
use crate::readers::iam::{PROJECT_KIND, project, project_policy};
use crate::readers::policy::{POLICY, live_etag, written};

/// See the [module docs](self).
pub(crate) struct RemoveMembers;

static SPEC: Spec = Spec {
    id: "gcp.resourcemanager.remove_members",
    title: "Takes the risky members that the change added out of the project's policy",
    safety: Safety::NeedsApproval,
    kind: PROJECT_KIND,
    reads: &["cloudresourcemanager:projects.getIamPolicy"],
    writes: &["cloudresourcemanager:projects.setIamPolicy"],
    undo: &["cloudresourcemanager:projects.setIamPolicy"],
    caveat: "Of what the change added, those leave who are from outside or got a role that administers; members of the \
             project with lesser roles and Google's own service agents stay. Whoever loses a role keeps access tokens \
             for up to an hour. Policies of folders and organisations above the project are not touched.",
};

/// The basic roles that may change anything (<https://cloud.google.com/iam/docs/roles-overview#basic>).
const BASIC: [&str; 2] = ["roles/owner", "roles/editor"];

impl Remediation for RemoveMembers {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, project_policy(&resource(finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        Write::steps(write(finding, image))
    }

    fn leaves(&self, finding: &Finding, image: &Image) -> Option<Image> {
        Write::leaves(write(finding, image), image)
    }
}

fn write(finding: &Finding, image: &Image) -> Result<Option<Write>, PlanError> {
    let resource = resource(finding)?;
    let policy = image.get(POLICY);
    let Some(healed) = heal(policy, &delta(finding)?) else { return Ok(None) };
    if !healed.bindings.iter().any(|binding| binding.get("role") == Some(&Value::from("roles/owner")))
        && list(policy, "bindings").iter().any(|binding| binding.get("role") == Some(&Value::from("roles/owner")))
    {
        return Err(refused(&SPEC, "the project would be left without an owner"));
    }
    let etag = policy.get("~etag").cloned();
    let etag = etag.ok_or_else(|| unreadable(&SPEC, POLICY, &"has no etag, so that a write could lose a change"))?;
    // Without a mask the service writes bindings and etag only: audit configurations stay as they are.
    let put = |body: Value| {
        let parameters = json!({ "resource": resource, "body": { "policy": body } });
        Call::gcp("cloudresourcemanager", "projects.setIamPolicy", parameters)
    };
    let left = with(policy, "bindings", set(healed.bindings.iter().cloned()));
    let step = Step {
        title: format!("take {}", healed.phrases.join(", ")),
        call: put(written(&healed.bindings, &etag)),
        inverse: Some(put(written(list(policy, "bindings"), &live_etag()))),
    };
    Ok(Some(Write { step, key: POLICY, left }))
}

fn resource(finding: &Finding) -> Result<String, PlanError> {
    let asset = Asset::of_finding(finding, PROJECT_KIND);
    asset.as_ref().and_then(project).ok_or_else(|| incomplete(&SPEC, "the project"))
}

/// The risky members that the change added, as the log's own comparison tells them.
fn delta(finding: &Finding) -> Result<Delta, PlanError> {
    let grants = &finding.effects.grants;
    if finding.from_state || is_whole_policy(finding) {
        return Err(refused(&SPEC, "the record does not tell which members the change added"));
    }
    let delta = Delta::of(grants.iter().filter(|grant| is_risky(grant)));
    if delta.is_empty() { Err(incomplete(&SPEC, "a member that was added")) } else { Ok(delta) }
}

/// Whether the grants are all that the request's policy holds. A comparison lists fewer: a project has an owner before
/// anybody else is added.
fn is_whole_policy(finding: &Finding) -> bool {
    let asked = finding.request.get("policy").unwrap_or(&Value::Null);
    let members: usize = list(asked, "bindings").iter().map(|binding| list(binding, "members").len()).sum();
    members > 0 && finding.effects.grants.len() >= members
}

fn is_risky(grant: &Grant) -> bool {
    let administers = grant.level == Level::Admin || grant.actions.iter().any(|role| BASIC.contains(&role.as_str()));
    match grant.audience {
        Audience::Public | Audience::AnyAuthenticated | Audience::External => true,
        Audience::Internal => administers,
        Audience::Service => false,
    }
}
