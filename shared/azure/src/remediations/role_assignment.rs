//! Role assignments: removes the one that the change made.

use onus_core::{Finding, Image, Json, PlanError, Read, Remediation, Safety, Spec, Step};
use serde_json::json;

use super::{answered_id, subject, unless_read, unreadable};
use crate::readers::arm::{call, pick, text};
use crate::readers::governance::{ASSIGNMENT, ASSIGNMENT_KIND, assignment};

/// See the [module docs](self).
pub(crate) struct RemoveRoleAssignment;

static SPEC: Spec = Spec {
    id: "azure.authorization.remove_role_assignment",
    title: "Removes the role assignment that the change made",
    safety: Safety::Automatic,
    kind: ASSIGNMENT_KIND,
    reads: &["Microsoft.Authorization:RoleAssignments_GetById"],
    writes: &["Microsoft.Authorization:RoleAssignments_DeleteById"],
    undo: &["Microsoft.Authorization:RoleAssignments_CreateById"],
    caveat: "Tokens that were issued meanwhile keep their rights for some minutes, and what was done with them (other \
             assignments, keys, credentials) remains. To undo, Onus needs the right to assign roles, which is as strong as \
             ownership: restrict it with a condition on the role, or take it out of the role and assign by hand.",
};

/// All that an assignment can be made of again. Who made it, and when, is the service's to say.
const SENT: [&str; 7] = [
    "properties.condition",
    "properties.conditionVersion",
    "properties.delegatedManagedIdentityResourceId",
    "properties.description",
    "properties.principalId",
    "properties.principalType",
    "properties.roleDefinitionId",
];

impl Remediation for RemoveRoleAssignment {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, assignment(&subject(&SPEC, finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let id = subject(&SPEC, finding)?;
        let live = image.get(ASSIGNMENT);
        if live.is_null() {
            return Ok(Vec::new());
        }
        let (principal, role) = (text(live, "/properties/principalId"), text(live, "/properties/roleDefinitionId"));
        if principal.is_empty() || role.is_empty() {
            return Err(unreadable(&SPEC, ASSIGNMENT, &"does not name the principal and the role"));
        }
        if !is_the_changes(finding, principal, role) {
            return Ok(Vec::new());
        }
        let id = answered_id(&SPEC, live, id.as_str())?;
        let kind = Some(text(live, "/properties/principalType")).filter(|kind| !kind.is_empty()).unwrap_or("principal");
        let role_name = role.rsplit('/').next().unwrap_or_default();
        Ok(vec![Step {
            title: format!("remove role {role_name} from {kind} {principal} (assignment {})", name(&id)),
            call: call("Microsoft.Authorization:RoleAssignments_DeleteById", &id, None),
            inverse: Some(call(
                "Microsoft.Authorization:RoleAssignments_CreateById",
                &id,
                Some(json!(pick(live, &SENT))),
            )),
        }])
    }
}

/// Whether the assignment still gives what the change gave, where the record tells it. An assignment's principal and role cannot
/// be changed, but one that was removed can be made again under the same name with others.
fn is_the_changes(finding: &Finding, principal: &str, role: &str) -> bool {
    let request = Json::from_value(&finding.request);
    let properties = request.get_ci("properties");
    let same = |member: &str, live: &str| {
        properties.get_ci(member).as_str().is_none_or(|asked| name(asked).eq_ignore_ascii_case(name(live)))
    };
    same("principalId", principal) && same("roleDefinitionId", role)
}

/// The last segment of an id. The same role is written with the scope that it is assigned at, and without one.
fn name(id: &str) -> &str {
    id.trim_end_matches('/').rsplit('/').next().unwrap_or(id)
}
