//! Who may do what and what watches it: role assignments and definitions, locks, Defender plans.

use onus_core::{Effects, Image, Level, Read};
use serde_json::{Value, json};

use super::arm::{ArmReader, effects_of, elements, keep, no_effects, pick, read, text, tidy};
use crate::operations::ResourceId;

/// The ARM type of a role assignment.
pub(crate) const ASSIGNMENT_KIND: &str = "Microsoft.Authorization/roleAssignments";
/// The ARM type of a role definition.
const DEFINITION_KIND: &str = "Microsoft.Authorization/roleDefinitions";
/// The ARM type of a Defender plan.
pub(crate) const PRICING_KIND: &str = "Microsoft.Security/pricings";
/// The ARM type of a lock.
pub(crate) const LOCK_KIND: &str = "Microsoft.Authorization/locks";
/// Image key of a lock.
pub(crate) const LOCK: &str = "lock";
/// Image key of a role assignment.
pub(crate) const ASSIGNMENT: &str = "roleAssignment";
/// Image key of a role definition: what the role allows.
const DEFINITION: &str = "roleDefinition";
/// Image key of a Defender plan.
pub(crate) const PRICING: &str = "pricing";

/// Reads an assignment, less who made it and when.
pub(crate) fn assignment(id: &ResourceId) -> Read {
    read(ASSIGNMENT, "Microsoft.Authorization:RoleAssignments_GetById", id, |answer| {
        keep(
            &answer,
            &[
                "properties.condition",
                "properties.conditionVersion",
                "properties.delegatedManagedIdentityResourceId",
                "properties.description",
                "properties.principalId",
                "properties.principalType",
                "properties.roleDefinitionId",
                "properties.scope",
            ],
        )
    })
}

fn definition(id: &ResourceId) -> Read {
    read(DEFINITION, "Microsoft.Authorization:RoleDefinitions_GetById", id, |answer| {
        let paths = ["assignableScopes", "description", "permissions", "roleName", "type"];
        let paths = paths.map(|member| format!("properties.{member}"));
        keep(&answer, &paths.each_ref().map(String::as_str))
    })
}

/// What an assignment grants. How much is told by its role where that was read: custom roles and rare built-in ones are not known
/// otherwise.
fn assigned(id: &ResourceId, image: &Image) -> Effects {
    let mut effects = effects_of(ASSIGNMENT_KIND, id.as_str(), image.get(ASSIGNMENT));
    let role = image.get(DEFINITION);
    if !role.is_null() {
        effects.doubts.retain(|doubt| !doubt.about.starts_with("role definition "));
        for grant in &mut effects.grants {
            grant.level = level(role);
            grant.actions = vec![text(role, "/properties/roleName").to_owned()];
        }
    }
    effects
}

/// How much a role allows at most: everything, or handing out access, is admin. What it takes out again (`notActions`) does not make
/// it less, except where that is handing out access.
fn level(role: &Value) -> Level {
    let permissions = elements(role.pointer("/properties/permissions").unwrap_or(&Value::Null));
    let allows = |permission: &Value| {
        let listed =
            |name: &str| elements(permission.get(name).unwrap_or(&Value::Null)).iter().filter_map(Value::as_str);
        let is_access = |action: &str| {
            let action = action.to_ascii_lowercase();
            action == "*" || action.starts_with("microsoft.authorization/") && !action.ends_with("/read")
        };
        let kept_back =
            listed("notActions").any(|action| action.to_ascii_lowercase().starts_with("microsoft.authorization/*"));
        if listed("actions").any(is_access) && !kept_back {
            return Level::Admin;
        }
        let is_read = |action: &str| action.to_ascii_lowercase().ends_with("/read");
        if listed("actions").chain(listed("dataActions")).all(is_read) { Level::Read } else { Level::Write }
    };
    permissions.iter().map(allows).max().unwrap_or(Level::Read)
}

/// Role assignments, each with its role: the assignment alone names the role by a GUID.
pub(crate) static ASSIGNMENTS: ArmReader = ArmReader {
    kind: ASSIGNMENT_KIND,
    operations: &["Microsoft.Authorization:RoleAssignments_GetById", "Microsoft.Authorization:RoleDefinitions_GetById"],
    reads: |id, so_far| {
        let role = ResourceId::parse(text(so_far.get(ASSIGNMENT), "/properties/roleDefinitionId")).ok();
        let role = role.filter(|role| role.is_of(DEFINITION_KIND));
        std::iter::once(assignment(id)).chain(role.as_ref().map(definition)).collect()
    },
    effects: assigned,
};

/// Role definitions.
pub(crate) static DEFINITIONS: ArmReader = ArmReader {
    kind: DEFINITION_KIND,
    operations: &["Microsoft.Authorization:RoleDefinitions_GetById"],
    reads: |id, _| vec![definition(id)],
    effects: no_effects,
};

/// Reads a lock: its level, its notes, and the applications that own it.
pub(crate) fn lock(id: &ResourceId) -> Read {
    read(LOCK, "Microsoft.Authorization:ManagementLocks_GetByScope", id, |answer| {
        keep(&answer, &["properties.level", "properties.notes", "properties.owners"])
    })
}

/// Locks.
pub(crate) static LOCKS: ArmReader = ArmReader {
    kind: LOCK_KIND,
    operations: &["Microsoft.Authorization:ManagementLocks_GetByScope"],
    reads: |id, _| vec![lock(id)],
    effects: no_effects,
};

/// Reads a Defender plan. What is left of a trial and how many resources are covered change by themselves.
pub(crate) fn pricing(id: &ResourceId) -> Read {
    read(PRICING, "Microsoft.Security:Pricings_Get", id, |answer| {
        let is_free = text(&answer, "/properties/pricingTier").eq_ignore_ascii_case("Free");
        let mut kept = keep(
            &answer,
            &[
                "properties.deprecated",
                "properties.enforce",
                "properties.inherited",
                "properties.pricingTier",
                "properties.replacedBy",
                "properties.subPlan",
            ],
        );
        // A plan that is off has no extensions that are on; some answers list them all as off, some none.
        let extensions = elements(answer.pointer("/properties/extensions").unwrap_or(&Value::Null)).iter();
        let extensions = extensions.map(|one| pick(one, &["additionalExtensionProperties", "isEnabled", "name"]));
        let extensions = tidy(&json!(extensions.collect::<Vec<_>>()));
        if let (false, Some(Value::Object(properties))) = (is_free, kept.get_mut("properties")) {
            properties.insert("extensions".to_owned(), extensions);
        }
        kept
    })
}

/// Defender plans.
pub(crate) static PRICINGS: ArmReader = ArmReader {
    kind: PRICING_KIND,
    operations: &["Microsoft.Security:Pricings_Get"],
    reads: |id, _| vec![pricing(id)],
    effects: no_effects,
};
