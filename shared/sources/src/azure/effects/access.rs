//! Access given: role assignments, vault access policies, anonymous access to blobs.
//!
//! Sources: <https://learn.microsoft.com/rest/api/authorization/role-assignments>,
//! <https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults>,
//! <https://learn.microsoft.com/azure/storage/blobs/anonymous-read-access-overview>.

use onus_core::{Audience, Change, Doubt, Effects, Grant, Json, Level};

use super::body::{Body, Extent, member, text};
use super::{switches, together};
use crate::azure::{resources, roles};

/// Who reads without credentials.
const ANONYMOUS: &str = "anonymous";

/// A role given at a scope. What a role allows that is not in [`roles::ROLES`] is not known: it counts as writing, with a doubt.
/// A group or user of another tenant shows as `ForeignGroup`; a guest cannot be told from a member.
pub(super) fn role_assignment(body: &Body<'_, '_>) -> Effects {
    let definition = body.text("roleDefinitionId");
    let principal = body.text("principalId");
    if definition.is_empty() {
        return Effects::unknown("request.properties.roleDefinitionId", "is not part of the request");
    }
    let mut effects = Effects::none();
    let role = roles::role_of(&definition);
    if role.is_none() {
        effects.doubts.push(Doubt::new(format!("role definition {definition}"), "is none of the known built-in roles"));
    }
    let foreign = body.text("principalType").eq_ignore_ascii_case("foreigngroup");
    let scope = match body.text("scope") {
        scope if scope.is_empty() => resources::scope(&body.id).to_owned(),
        scope => scope.trim_end_matches('/').to_ascii_lowercase(),
    };
    effects.grants.push(Grant {
        resource: if scope.is_empty() { "/".to_owned() } else { scope },
        audience: if foreign { Audience::External } else { Audience::Internal },
        principal,
        account: None,
        actions: vec![role.map_or(definition, |role| role.name.to_owned())],
        level: role.map_or(Level::Write, |role| role.level),
        via: "role_assignment".to_owned(),
        part: Some(body.id.to_string()),
    });
    effects
}

/// `elevateAccess`: a global administrator makes himself User Access Administrator of everything in the tenant.
pub(super) fn elevation(change: &Change<'_>) -> Effects {
    let actor = &change.actor;
    let principal = if actor.principal.is_empty() { &actor.id } else { &actor.principal };
    Effects {
        grants: vec![Grant {
            resource: "/".to_owned(),
            audience: Audience::Internal,
            principal: principal.to_string(),
            account: None,
            actions: vec![roles::USER_ACCESS_ADMINISTRATOR.to_owned()],
            level: Level::Admin,
            via: "elevation".to_owned(),
            part: None,
        }],
        ..Effects::none()
    }
}

/// A vault: its network and its access policies. Under RBAC the policies are kept and do nothing.
pub(super) fn vault(body: &Body<'_, '_>) -> Effects {
    let policies = if body.property("enableRbacAuthorization").as_bool() == Some(true) {
        Effects::none()
    } else {
        policies(body, &body.id, &body.text("tenantId"))
    };
    together([switches::network_acls(body), policies])
}

/// `vaults/accessPolicies/{add|replace|remove}`: a change of the vault's list, written to a child of the vault.
pub(super) fn vault_policies(body: &Body<'_, '_>) -> Effects {
    if body.name() == "remove" {
        return Effects::none();
    }
    policies(body, &super::parent(&body.id), "")
}

/// One grant for each policy. The tenant of the vault tells which ones are from outside, where it is told.
fn policies(body: &Body<'_, '_>, vault: &str, tenant: &str) -> Effects {
    let mut effects = Effects::none();
    let listed = body.property("accessPolicies");
    if listed.is_null() && body.extent == Extent::Part {
        effects.doubts.push(Doubt::new("request.properties.accessPolicies", "is not part of the request"));
    }
    for policy in listed.elements() {
        let (object, application) = (text(member(policy, "objectId")), text(member(policy, "applicationId")));
        let home = text(member(policy, "tenantId"));
        let outside = !tenant.is_empty() && !home.is_empty() && !home.eq_ignore_ascii_case(tenant);
        let actions = permissions(member(policy, "permissions"));
        if actions.is_empty() {
            continue;
        }
        let part = if application.is_empty() { object.to_string() } else { format!("{object}/{application}") };
        effects.grants.push(Grant {
            resource: vault.to_owned(),
            audience: if outside { Audience::External } else { Audience::Internal },
            principal: object.into_owned(),
            account: (!home.is_empty()).then(|| home.into_owned()),
            level: actions.iter().map(|action| level(action)).max().unwrap_or(Level::Read),
            actions,
            via: "access_policy".to_owned(),
            part: Some(part),
        });
    }
    effects
}

/// `secrets:get`, `keys:all`, …, in lower case.
fn permissions(json: &Json<'_>) -> Vec<String> {
    let mut actions = Vec::new();
    for kind in ["keys", "secrets", "certificates", "storage"] {
        for permission in member(json, kind).elements() {
            actions.push(format!("{kind}:{}", text(permission).to_ascii_lowercase()));
        }
    }
    actions
}

/// Reading, using and listing is read; everything or destroying for good is admin.
fn level(action: &str) -> Level {
    match action.split_once(':').map_or(action, |(_, permission)| permission) {
        "get" | "list" | "decrypt" | "encrypt" | "unwrapkey" | "wrapkey" | "verify" | "sign" | "listissuers"
        | "getissuers" | "listsas" | "getsas" | "getrotationpolicy" => Level::Read,
        "all" | "*" | "purge" => Level::Admin,
        _ => Level::Write,
    }
}

/// A storage account: its network, and whether its containers may be opened to everybody. Accounts made since August 2023 say no
/// where they say nothing; older ones answer with what they have.
pub(super) fn storage_account(body: &Body<'_, '_>) -> Effects {
    let mut effects = switches::network_acls(body);
    if let Some(allowed) = body.word("allowBlobPublicAccess", "false", &mut effects)
        && allowed.eq_ignore_ascii_case("true")
    {
        effects.grants.push(anonymous(&body.id, "allowBlobPublicAccess", "attribute", "allowBlobPublicAccess"));
    }
    effects
}

/// A container: `Blob` lets everybody read, `Container` lets everybody list as well.
pub(super) fn container(body: &Body<'_, '_>) -> Effects {
    let mut effects = Effects::none();
    if let Some(access) = body.word("publicAccess", "None", &mut effects)
        && !access.is_empty()
        && !access.eq_ignore_ascii_case("none")
    {
        effects.grants.push(anonymous(&body.id, &access, "container", "publicAccess"));
    }
    effects
}

fn anonymous(resource: &str, action: &str, via: &str, part: &str) -> Grant {
    Grant {
        resource: resource.to_owned(),
        audience: Audience::Public,
        principal: ANONYMOUS.to_owned(),
        account: None,
        actions: vec![action.to_owned()],
        level: Level::Read,
        via: via.to_owned(),
        part: Some(part.to_owned()),
    }
}
