//! Which RBAC actions a call needs. Roles are written from this.

use crate::operations::operation;

/// The RBAC actions that one call needs, sorted; empty for a call that the operations table does not hold, which cannot be
/// sent either.
///
/// `provider` and `name` as in [`onus_core::Call`]: `Microsoft.Storage`, `StorageAccounts_Update`. A role that holds them must
/// be assigned on the resource group or above: the address at which a long-running operation is followed is not below the
/// resource (<https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations>).
pub fn rbac_actions(provider: &str, name: &str) -> &'static [&'static str] {
    operation(provider, name).map_or(&[], |known| known.actions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::OPERATIONS;

    #[test]
    fn a_call_maps_to_the_actions_that_rbac_checks() {
        assert_eq!(
            rbac_actions("Microsoft.Authorization", "RoleAssignments_DeleteById"),
            ["Microsoft.Authorization/roleAssignments/delete"]
        );
        assert_eq!(
            rbac_actions("Microsoft.DBforPostgreSQL", "FirewallRules_Delete"),
            [
                "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules/delete",
                "Microsoft.DBforPostgreSQL/locations/azureAsyncOperation/read",
                "Microsoft.DBforPostgreSQL/locations/operationResults/read",
            ]
        );
        assert!(rbac_actions("Microsoft.Storage", "StorageAccounts_ListKeys").is_empty(), "nobody lists keys");
    }

    #[test]
    fn actions_are_sorted_and_never_wild() {
        for one in OPERATIONS {
            assert!(one.actions.is_sorted_by(|a, b| a < b), "{}: {:?}", one.call_name(), one.actions);
            assert!(one.actions.iter().all(|action| !action.contains('*')), "{}", one.call_name());
        }
    }
}
