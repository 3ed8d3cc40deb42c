//! ARM resource ids, checked before anything is sent to them.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands in a path segment as it is: RFC 3986's unreserved characters, and those that names in ids are written with.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'(')
    .remove(b')')
    .remove(b'$')
    .remove(b'@')
    .remove(b',')
    .remove(b'!');

/// Longer than any id: ARM's names and groups add up to far less.
const LONGEST: usize = 2_048;

/// Why a text is no id that a request may be sent to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no resource id: {problem}", id.escape_debug())]
pub struct BadId {
    id: String,
    problem: &'static str,
}

/// A resource's id: `/subscriptions/…/resourceGroups/…/providers/Microsoft.Storage/storageAccounts/logs`.
///
/// Ids come out of logs, so whoever can name a resource can write them. One that parses is an absolute path of whole
/// segments: no `.` or `..`, no query, no fragment, no escape, no other host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceId(String);

impl ResourceId {
    /// Checks an id.
    ///
    /// # Errors
    /// It is empty, too long, not absolute, or holds a segment or character that no id has.
    pub fn parse(id: &str) -> Result<Self, BadId> {
        let bad = |problem| Err(BadId { id: id.chars().take(200).collect(), problem });
        if id.len() > LONGEST {
            return bad("it is too long");
        }
        let Some(path) = id.strip_prefix('/') else { return bad("it does not start with `/`") };
        if path.chars().any(|c| c.is_control() || matches!(c, '\\' | '?' | '#' | '%' | '<' | '>' | '"')) {
            return bad("it holds a character that ids do not have");
        }
        for segment in path.split('/') {
            match segment.trim() {
                "" => return bad("it holds an empty segment"),
                "." | ".." => return bad("it holds a segment of dots"),
                _ => {}
            }
        }
        Ok(Self(id.to_owned()))
    }

    /// The id as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of a request, escaped where needed.
    pub fn path(&self) -> String {
        let segments = self.0.split('/').map(|segment| utf8_percent_encode(segment, SEGMENT).to_string());
        segments.collect::<Vec<_>>().join("/")
    }

    /// The ARM type, in the case that the id is written in: `Microsoft.Network/networkSecurityGroups/securityRules`. That of
    /// the last `providers` part, because a role assignment or a diagnostic setting stands below the resource it is about.
    /// Empty for what has no provider: a subscription, a resource group.
    pub fn kind(&self) -> String {
        let segments: Vec<&str> = self.0.split('/').skip(1).collect();
        let Some(last) = segments.iter().rposition(|segment| segment.eq_ignore_ascii_case("providers")) else {
            return String::new();
        };
        let mut rest = segments.into_iter().skip(last + 1);
        let Some(namespace) = rest.next() else { return String::new() };
        let types = rest.step_by(2);
        std::iter::once(namespace).chain(types).collect::<Vec<_>>().join("/")
    }

    /// The resource of an ARM type that this one is, or is part of: the beginning of its id. `None` when it is neither.
    pub fn cut_to(&self, kind: &str) -> Option<Self> {
        let ends = self.0.char_indices().filter(|(_, c)| *c == '/').map(|(index, _)| index).chain([self.0.len()]);
        let begins = ends.filter_map(|end| Self::parse(self.0.get(..end)?).ok());
        begins.rev().find(|id| id.is_of(kind))
    }

    /// Whether this is a resource of an ARM type, whatever the case, and not a whole collection of them.
    pub fn is_of(&self, kind: &str) -> bool {
        let names_and_types = self.0.split('/').rev().take_while(|segment| !segment.eq_ignore_ascii_case("providers"));
        names_and_types.count() % 2 == 1 && self.kind().eq_ignore_ascii_case(kind)
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GROUP: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/web";

    #[test]
    fn the_type_is_that_of_the_last_provider() {
        let cases = [
            ("/providers/microsoft.storage/storageaccounts/logs", "microsoft.storage/storageaccounts"),
            (
                "/providers/Microsoft.Network/networkSecurityGroups/web/securityRules/ssh",
                "Microsoft.Network/networkSecurityGroups/securityRules",
            ),
            (
                "/providers/microsoft.storage/storageaccounts/logs/providers/Microsoft.Authorization/roleAssignments/1",
                "Microsoft.Authorization/roleAssignments",
            ),
            ("", ""),
        ];
        for (rest, kind) in cases {
            let id = ResourceId::parse(&format!("{GROUP}{rest}")).unwrap();
            assert_eq!(id.kind(), kind);
            assert!(kind.is_empty() || id.is_of(&kind.to_uppercase()), "{id}");
        }
        let collection =
            ResourceId::parse(&format!("{GROUP}/providers/microsoft.sql/servers/db/firewallrules")).unwrap();
        assert!(!collection.is_of("Microsoft.Sql/servers/firewallRules"), "a collection is no resource");
    }

    #[test]
    fn names_are_escaped_and_dots_queries_and_hosts_are_refused() {
        let id = ResourceId::parse("/subscriptions/1/resourceGroups/my group (old)").unwrap();
        assert_eq!(id.path(), "/subscriptions/1/resourceGroups/my%20group%20(old)");
        let bad = [
            "",
            "subscriptions/1",
            "/",
            "//management.example/subscriptions/1",
            "https://management.example/subscriptions/1",
            "/subscriptions/1/../2",
            "/subscriptions/1/.",
            "/subscriptions/1/ .. ",
            "/subscriptions/1/%2e%2e/2",
            "/subscriptions/1?api-version=1",
            "/subscriptions/1#top",
            "/subscriptions\\1",
            "/subscriptions/1\r\nX: y",
            "/subscriptions/1/",
        ];
        let taken: Vec<&str> = bad.into_iter().filter(|id| ResourceId::parse(id).is_ok()).collect();
        assert!(taken.is_empty(), "taken for ids: {taken:?}");
    }

    proptest! {
        #[test]
        fn a_path_never_leaves_its_place(text in ".{0,60}") {
            if let Ok(id) = ResourceId::parse(&text) {
                let path = id.path();
                prop_assert!(path.starts_with('/') && !path.starts_with("//"));
                prop_assert!(!path.contains(['?', '#', '\\', ' ']) && path.is_ascii());
                prop_assert!(path.split('/').all(|segment| segment != ".." && segment != "."));
            }
        }
    }
}
