//! The operations that readers and remediations use: what Azure Resource Manager (ARM) is sent for each, and what the
//! identity that sends it must be allowed.
//!
//! Before editing one: every entry is read by the caller (the request), by the roles (the RBAC actions) and by the test
//! fakes. An operation that no entry names cannot be sent at all.

mod id;
mod table;

use std::fmt;

pub use id::{BadId, ResourceId};
pub use table::{API_VERSIONS, ApiVersion, OPERATIONS};

/// What is done to the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads it.
    Get,
    /// Makes or replaces it: what the body leaves out goes back to its default.
    Put,
    /// Changes the members that the body names.
    Patch,
    /// Removes it.
    Delete,
}

impl Method {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    /// Whether the method changes nothing.
    pub const fn is_read(self) -> bool {
        matches!(self, Method::Get)
    }

    /// Whether a request of this method carries a body. One without its body, or with one it does not take, is refused
    /// before it is sent.
    pub const fn has_body(self) -> bool {
        matches!(self, Method::Put | Method::Patch)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One operation of a resource provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// The resource provider whose specification publishes it: `Microsoft.Storage`.
    pub provider: &'static str,
    /// Its `operationId` there: `StorageAccounts_Update`.
    pub name: &'static str,
    /// What is done.
    pub method: Method,
    /// The ARM type of the resource whose id the call names; empty where the operation reads below any resource.
    pub on: &'static str,
    /// The path below that id: empty for the resource itself, `/firewallRules` for the list of its children.
    pub below: &'static str,
    /// Whether the answer is a list in pages (`value`, `nextLink`).
    pub paged: bool,
    /// Whether the provider may answer before it is done, so that the end has to be waited for.
    pub long_running: bool,
    /// The RBAC actions that sending it takes, the reads that waiting for its end takes among them.
    pub actions: &'static [&'static str],
}

impl Operation {
    /// `Microsoft.Storage:StorageAccounts_Update`, as specifications of remediations name it.
    pub fn call_name(&self) -> String {
        format!("{}:{}", self.provider, self.name)
    }

    /// The version of the provider's API that the request names.
    pub fn api_version(&self) -> &'static str {
        let of_ours = API_VERSIONS.iter().filter(|known| known.is_of(self));
        of_ours.max_by_key(|known| known.operations.len()).map_or("", |known| known.version)
    }
}

impl ApiVersion {
    /// Whether this version, or one that is for fewer operations, is spoken for an operation.
    fn is_of(&self, operation: &Operation) -> bool {
        self.provider == operation.provider && operation.name.starts_with(self.operations)
    }
}

/// The operation of a call; `None` when the table does not hold it. Both names are compared as they are written: they come
/// from our own code, or from a rule that spells them as the specification does.
pub fn operation(provider: &str, name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|known| known.provider == provider && known.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_hold_nothing_twice() {
        let names: Vec<_> = OPERATIONS.iter().map(|one| (one.provider, one.name)).collect();
        assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
        let providers: Vec<_> = API_VERSIONS.iter().map(|one| (one.provider, one.operations)).collect();
        assert!(providers.is_sorted_by(|one, next| one < next), "{providers:?}");
    }

    #[test]
    fn locks_have_a_version_of_their_own() {
        let version = |name| operation("Microsoft.Authorization", name).map(Operation::api_version);
        assert_eq!(version("ManagementLocks_GetByScope"), Some("2020-05-01"));
        assert_eq!(version("RoleAssignments_GetById"), Some("2022-04-01"));
    }

    #[test]
    fn every_entry_is_whole() {
        let mut wrong = Vec::new();
        for one in OPERATIONS {
            let write = |action: &str| action.ends_with("/write") || action.ends_with("/delete");
            if one.api_version().is_empty() {
                wrong.push(format!("{}: no api-version", one.call_name()));
            }
            if one.actions.is_empty() || one.method.is_read() == one.actions.iter().any(|action| write(action)) {
                wrong.push(format!("{}: {} takes {:?}", one.call_name(), one.method, one.actions));
            }
            if one.on.is_empty() && one.below.is_empty() || !one.below.is_empty() && !one.below.starts_with('/') {
                wrong.push(format!("{}: on `{}`, below `{}`", one.call_name(), one.on, one.below));
            }
            if one.method.is_read() && one.long_running || one.paged && !one.method.is_read() {
                wrong.push(format!("{}: {} cannot be long-running or paged", one.call_name(), one.method));
            }
        }
        let unused = API_VERSIONS.iter().filter(|known| !OPERATIONS.iter().any(|one| known.is_of(one)));
        wrong.extend(unused.map(|known| format!("{}: nobody uses its version", known.provider)));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
