//! Built-in roles of Azure RBAC: what their ids stand for and how much they allow.
//!
//! Ids are the same in every tenant: <https://learn.microsoft.com/azure/role-based-access-control/built-in-roles>, against whose published text each
//! was compared.

use onus_core::Level;

/// A built-in role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role {
    /// The last part of its definition's id.
    pub id: &'static str,
    /// Its name in the portal.
    pub name: &'static str,
    /// How much it allows at most: `admin` for those that can hand out access, take everything, or run code as others.
    pub level: Level,
}

const fn role(id: &'static str, name: &'static str, level: Level) -> Role {
    Role { id, name, level }
}

/// The roles that matter when they are given away, and the common harmless ones.
pub static ROLES: &[Role] = &[
    role("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", Level::Admin),
    role("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator", Level::Admin),
    role("f58310d9-a9f6-439a-9e8d-f62e7b41a168", "Role Based Access Control Administrator", Level::Admin),
    role("8b54135c-b56d-4d72-a534-26097cfdc8d8", "Key Vault Data Access Administrator", Level::Admin),
    role("00482a5a-887f-4fb3-b363-3b7fe8e74483", "Key Vault Administrator", Level::Admin),
    role("b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "Storage Blob Data Owner", Level::Admin),
    role("0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8", "Azure Kubernetes Service Cluster Admin Role", Level::Admin),
    role("b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b", "Azure Kubernetes Service RBAC Cluster Admin", Level::Admin),
    role("1c0163c0-47e6-4577-8991-ea5c82e286e4", "Virtual Machine Administrator Login", Level::Admin),
    role("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor", Level::Write),
    role("9980e02c-c2be-4d73-94e8-173b1dc7cf3c", "Virtual Machine Contributor", Level::Write),
    role("17d1049b-9a84-46fb-8f53-869881c3d3ab", "Storage Account Contributor", Level::Write),
    role("ba92f5b4-2d11-453d-a403-e96b0029c9fe", "Storage Blob Data Contributor", Level::Write),
    role("81a9662b-bebf-436f-a333-f67b29880f12", "Storage Account Key Operator Service Role", Level::Write),
    role("f25e0fa2-a7c8-4377-a976-54943a77a395", "Key Vault Contributor", Level::Write),
    role("b86a8fe4-44ce-4948-aee5-eccb2c155cd7", "Key Vault Secrets Officer", Level::Write),
    role("14b46e9e-c2b7-41b4-b07b-48a6ebf60603", "Key Vault Crypto Officer", Level::Write),
    role("a4417e6f-fecd-4de8-b567-7b0420556985", "Key Vault Certificates Officer", Level::Write),
    role("4d97b98b-1d4f-4787-a291-c67834d212e7", "Network Contributor", Level::Write),
    role("fb1c8493-542b-48eb-b624-b4c8fea62acd", "Security Admin", Level::Write),
    role("e40ec5ca-96e0-45a2-b4ff-59039f2c2b59", "Managed Identity Contributor", Level::Write),
    role("f1a07417-d97a-45cb-824c-7a7467783830", "Managed Identity Operator", Level::Write),
    role("ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8", "Azure Kubernetes Service Contributor Role", Level::Write),
    role("92aaf0da-9dab-42b6-94a3-d43ce8d16293", "Log Analytics Contributor", Level::Write),
    role("36243c78-bf99-498c-9df9-86d9f8d28608", "Resource Policy Contributor", Level::Write),
    role("749f88d5-cbae-40b8-bcfc-e573ddc772fa", "Monitoring Contributor", Level::Write),
    role("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", Level::Read),
    role("43d0d8ad-25c7-4714-9337-8ba259a9fe05", "Monitoring Reader", Level::Read),
    role("39bc4728-0917-49c7-9d2c-d95423bc2eb4", "Security Reader", Level::Read),
    role("73c42c96-874c-492b-b04d-ab87d138a893", "Log Analytics Reader", Level::Read),
    role("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", "Storage Blob Data Reader", Level::Read),
    role("4633458b-17de-408a-b874-0445c86b69e6", "Key Vault Secrets User", Level::Read),
    role("21090545-7ca7-4776-b22c-e363652d74d2", "Key Vault Reader", Level::Read),
    role("7f951dda-4ed3-4680-a7ca-43fe172d538d", "AcrPull", Level::Read),
];

/// The role that elevating one's access gives at the root of the tenant.
pub(super) const USER_ACCESS_ADMINISTRATOR: &str = "User Access Administrator";

/// The built-in role of a definition's id, written with or without the path before it, with or without hyphens.
pub fn role_of(definition: &str) -> Option<&'static Role> {
    let last = definition.rsplit('/').next().unwrap_or_default().trim();
    let plain =
        |id: &str| id.bytes().filter(|byte| *byte != b'-').map(|byte| byte.to_ascii_lowercase()).collect::<Vec<_>>();
    let last = plain(last);
    ROLES.iter().find(|role| plain(role.id) == last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_known_by_its_definition() {
        let owner = "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Authorization/roleDefinitions/8E3AF657-A8FF-443C-A75C-2FE8C4BCB635";
        assert_eq!(role_of(owner).map(|role| role.name), Some("Owner"));
        assert_eq!(role_of("8e3af657a8ff443ca75c2fe8c4bcb635").map(|role| role.name), Some("Owner"));
        assert_eq!(role_of("00000000-0000-0000-0000-000000000000"), None);
        assert_eq!(role_of(""), None);
    }

    #[test]
    fn ids_are_unique_and_whole() {
        let mut seen = std::collections::BTreeSet::new();
        for role in ROLES {
            assert!(role.id.len() == 36 && seen.insert(role.id), "{}", role.name);
        }
    }
}
