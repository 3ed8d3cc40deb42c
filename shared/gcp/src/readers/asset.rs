//! A resource's full name, and the names that calls take out of it.
//!
//! Cloud Asset Inventory names: `//compute.googleapis.com/projects/shop/global/firewalls/allow-ssh`
//! (<https://cloud.google.com/asset-inventory/docs/asset-names>).

use onus_core::{ChangeSummary, Finding, Resource};

/// The resource that a change is about, or a state reader is asked for.
pub(crate) struct Asset<'a> {
    change: &'a ChangeSummary,
    resource: &'a Resource<'a>,
}

impl<'a> Asset<'a> {
    /// A resource of a change.
    pub(crate) fn new(change: &'a ChangeSummary, resource: &'a Resource<'a>) -> Self {
        Self { change, resource }
    }

    /// The finding's first resource of a kind.
    pub(crate) fn of_finding(finding: &'a Finding, kind: &str) -> Option<Self> {
        let change = &finding.change;
        change.resources.iter().find(|resource| resource.kind == kind).map(|resource| Self { change, resource })
    }

    /// The name below the host: `projects/shop/global/firewalls/allow-ssh`.
    pub(crate) fn path(&self) -> &'a str {
        path(&self.resource.id)
    }

    /// What follows a collection's word in the name: `allow-ssh` after `firewalls`. Empty and the placeholders `-` and `_` count
    /// as absent.
    pub(crate) fn segment(&self, collection: &str) -> Option<&'a str> {
        segment(self.path(), collection)
    }

    /// The project it lives in: the name's, else the one the change happened in.
    pub(crate) fn project(&self) -> Option<&'a str> {
        let account = Some(self.change.account.as_str()).filter(|account| !account.is_empty());
        self.segment("projects").or(account)
    }

    /// Where it lives: a region, or a zone.
    pub(crate) fn location(&self) -> Option<&'a str> {
        self.segment("locations").or_else(|| self.segment("zones")).or_else(|| self.segment("regions"))
    }

    /// The short name; empty counts as absent.
    pub(crate) fn name(&self) -> Option<&'a str> {
        Some(self.resource.name.as_ref()).filter(|name| !name.is_empty())
    }
}

/// A full name without `//` and host; a name without them as it is.
pub(crate) fn path(id: &str) -> &str {
    id.strip_prefix("//").and_then(|rest| rest.split_once('/')).map_or(id, |(_, path)| path)
}

/// What follows a collection's word in a path.
pub(crate) fn segment<'p>(path: &'p str, collection: &str) -> Option<&'p str> {
    let mut parts = path.split('/');
    parts.find(|part| *part == collection)?;
    parts.next().filter(|part| !matches!(*part, "" | "-" | "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_by_their_collections() {
        let id = "//compute.googleapis.com/projects/shop/global/firewalls/allow-ssh";
        assert_eq!(path(id), "projects/shop/global/firewalls/allow-ssh");
        assert_eq!(segment(path(id), "firewalls"), Some("allow-ssh"));
        assert_eq!(segment(path(id), "projects"), Some("shop"));
        assert_eq!(segment(path(id), "zones"), None);
        assert_eq!(segment("projects/-/serviceAccounts/1", "projects"), None);
        assert_eq!(segment("projects", "projects"), None);
        assert_eq!(path("allow-ssh"), "allow-ssh");
    }
}
