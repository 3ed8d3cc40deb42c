//! Policies of bindings, and what a call added to one.
//!
//! Shapes: `google.iam.v1.Policy` and `PolicyDelta`
//! (<https://cloud.google.com/iam/docs/reference/rest/v1/Policy>, <https://cloud.google.com/iam/docs/audit-logging>).

use onus_core::{Effects, Grant, Json};

use super::members;
use super::seen::{Seen, texts};

/// Whose policy is judged.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'o> {
    /// How grants name the resource: its full name, `//storage.googleapis.com/reports`.
    pub resource: &'o str,
    /// The project it lives in: its members are internal. Empty when unknown, and then nobody is.
    pub project: &'o str,
}

impl Owner<'_> {
    /// One grant; `None` for a member that lets nobody in.
    pub(super) fn grant(&self, role: &str, member: &str, via: &str, part: String) -> Option<Grant> {
        let reach = members::reach(member, self.project)?;
        Some(Grant {
            resource: self.resource.to_owned(),
            audience: reach.audience,
            principal: member.to_owned(),
            account: reach.account.map(str::to_owned),
            actions: vec![role.to_owned()],
            level: members::level(role),
            via: via.to_owned(),
            part: Some(part),
        })
    }
}

/// What a policy of bindings grants: one grant for each member of each binding, `via` is `binding`, and `part` the role and the member with
/// a blank between them, followed by ` if ` and the condition's expression where there is one.
///
/// A whole policy as the API answers it, or as a request sends it. A conditional binding is a grant like any other: most conditions narrow
/// the resource or the time, not who comes in. Without bindings nothing is granted.
pub fn policy_grants(policy: &Json<'_>, owner: Owner<'_>) -> Vec<Grant> {
    policy
        .get_ci("bindings")
        .each()
        .iter()
        .flat_map(|binding| {
            let role = binding.get_ci("role").as_str().unwrap_or_default();
            let condition = condition(binding);
            texts(binding.get_ci("members"))
                .filter_map(move |member| owner.grant(role, member, "binding", part(role, member, &condition)))
                .collect::<Vec<Grant>>()
        })
        .collect()
}

/// What the access list of a bucket or an object grants (`storage.buckets.get?projection=full`, member `acl` or `defaultObjectAcl`): `via` is
/// `acl`, `part` the entity and the role with a blank between them. Entities are `allUsers`, `user-ann@example.com`, `project-owners-123`.
pub fn acl_grants(acl: &Json<'_>, owner: Owner<'_>) -> Vec<Grant> {
    acl.each()
        .iter()
        .filter_map(|entry| {
            let role = entry.get_ci("role").as_str().unwrap_or_default();
            let entity = entry.get_ci("entity").as_str()?;
            // `project-owners-123` are the own project's people: entries that every bucket has.
            if entity.starts_with("project-") {
                return None;
            }
            let member = match entity.split_once('-') {
                Some((kind @ ("user" | "group" | "domain"), id)) => format!("{kind}:{id}"),
                _ => entity.to_owned(),
            };
            owner.grant(role, &member, "acl", format!("{entity} {role}"))
        })
        .collect()
}

/// What a call that sets a policy granted.
///
/// The log's own comparison counts where there is one: what it lists as `ADD`. A removal is no grant. Without a comparison the whole
/// policy of the request is what is granted now; with neither, nothing is known.
pub(super) fn set(seen: &Seen<'_, '_>) -> Effects {
    if let Some(deltas) = deltas(seen) {
        return Effects { grants: added(&deltas, seen.owner()), ..Effects::none() };
    }
    let policy = seen.request().get_ci("policy");
    if policy.is_null() {
        return Effects::unknown("request.policy", "is not part of the record");
    }
    Effects { grants: policy_grants(policy, seen.owner()), ..Effects::none() }
}

/// What a call granted besides what it is for: creating a bucket from a predefined access list, a dataset with its first readers. Nothing is
/// in doubt when the record compares nothing.
pub(super) fn compared(seen: &Seen<'_, '_>) -> Effects {
    let grants = deltas(seen).map(|deltas| added(&deltas, seen.owner())).unwrap_or_default();
    Effects { grants, ..Effects::none() }
}

/// `InsertProjectOwnershipInvite`: who accepts becomes an owner. The console sends it, because a policy cannot name an owner from outside.
pub(super) fn invited(seen: &Seen<'_, '_>) -> Effects {
    const ROLE: &str = "roles/owner";
    let Some(member) = seen.request().get_ci("member").as_str() else {
        return Effects::unknown("request.member", "is not part of the record");
    };
    let grant = seen.owner().grant(ROLE, member, "binding", part(ROLE, member, ""));
    Effects { grants: grant.into_iter().collect(), ..Effects::none() }
}

/// The entries of the log's own comparison of the policy before and after; `None` when it made none.
pub(super) fn deltas<'c, 'a>(seen: &Seen<'c, 'a>) -> Option<Vec<&'c Json<'a>>> {
    let places = [seen.service_data().get_ci("policyDelta"), seen.metadata().get_ci("policyDelta")];
    let changed = seen.metadata().get_ci("datasetChange").get_ci("bindingDeltas");
    if changed.is_null() && places.iter().all(|place| place.is_null()) {
        return None;
    }
    let lists = places.map(|place| place.get_ci("bindingDeltas"));
    Some(lists.into_iter().chain([changed]).flat_map(Json::each).collect())
}

fn added(deltas: &[&Json<'_>], owner: Owner<'_>) -> Vec<Grant> {
    deltas
        .iter()
        .filter(|delta| is_add(delta.get_ci("action")))
        .filter_map(|delta| {
            let role = delta.get_ci("role").as_str().unwrap_or_default();
            let member = delta.get_ci("member").as_str()?;
            owner.grant(role, member, "binding", part(role, member, &condition(delta)))
        })
        .collect()
}

/// `ADD`, or 1 where enums are written as numbers.
fn is_add(action: &Json<'_>) -> bool {
    action.as_i64() == Some(1) || action.as_str().is_some_and(|word| word.eq_ignore_ascii_case("ADD"))
}

fn part(role: &str, member: &str, condition: &str) -> String {
    if condition.is_empty() { format!("{role} {member}") } else { format!("{role} {member} if {condition}") }
}

fn condition(binding: &Json<'_>) -> String {
    binding.get_ci("condition").get_ci("expression").as_str().unwrap_or_default().to_owned()
}
