//! Which members of a live policy a change added, and what is left without them. Plain functions over policies; nothing here
//! knows a service.

use std::collections::BTreeSet;

use onus_core::Grant;
use serde_json::Value;

use crate::readers::answer::{list, text};

/// What a change added to a policy.
pub(crate) enum Delta {
    /// These grants, as `part` names them: role, blank, member, and ` if ` with the condition's expression.
    Parts(BTreeSet<String>),
    /// Nobody knows: the record leaves it out. Every public member of the live policy counts.
    Public,
}

impl Delta {
    /// The parts of grants that a binding holds.
    pub(crate) fn of<'g>(grants: impl IntoIterator<Item = &'g Grant>) -> Self {
        let bound = grants.into_iter().filter(|grant| grant.via == "binding");
        Self::Parts(bound.filter_map(|grant| grant.part.clone()).collect())
    }

    /// Whether no grant is known to be the change's.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Parts(parts) if parts.is_empty())
    }

    fn added(&self, role: &str, member: &str, condition: &str) -> bool {
        match self {
            Self::Parts(parts) => parts.contains(&part(role, member, condition)),
            Self::Public => is_public(member),
        }
    }
}

/// How a member of a binding is named in a grant's `part`.
fn part(role: &str, member: &str, condition: &str) -> String {
    if condition.is_empty() { format!("{role} {member}") } else { format!("{role} {member} if {condition}") }
}

/// Everyone, and everyone with a Google account (<https://cloud.google.com/iam/docs/principal-identifiers>).
pub(crate) fn is_public(member: &str) -> bool {
    ["allUsers", "allAuthenticatedUsers", "principalSet://goog/public:all"].contains(&member)
}

/// A policy without what a change added.
pub(crate) struct Healed {
    /// What was taken out, for people: `"allUsers" out of "roles/storage.objectViewer"`.
    pub(crate) phrases: Vec<String>,
    /// The bindings that are left, whole.
    pub(crate) bindings: Vec<Value>,
}

/// Takes the members that a change added out of the bindings of a live policy. A binding that names nobody else leaves; all
/// others stand as they are, conditions included. `None` when there is nothing to take.
pub(crate) fn heal(policy: &Value, delta: &Delta) -> Option<Healed> {
    let mut healed = Healed { phrases: Vec::new(), bindings: Vec::new() };
    for binding in list(policy, "bindings") {
        let role = text(binding, "role");
        let condition = binding.get("condition").map_or("", |condition| text(condition, "expression"));
        let (bad, good): (Vec<&Value>, Vec<&Value>) = list(binding, "members")
            .iter()
            .partition(|member| member.as_str().is_some_and(|member| delta.added(role, member, condition)));
        let suffix = if condition.is_empty() { String::new() } else { format!(" if {condition:?}") };
        healed.phrases.extend(bad.iter().map(|member| format!("{member} out of {role:?}{suffix}")));
        if bad.is_empty() {
            healed.bindings.push(binding.clone());
        } else if let (false, Some(members)) = (good.is_empty(), binding.as_object()) {
            let mut narrowed = members.clone();
            narrowed.insert("members".to_owned(), Value::Array(good.into_iter().cloned().collect()));
            healed.bindings.push(Value::Object(narrowed));
        }
    }
    (!healed.phrases.is_empty()).then_some(healed)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::subsequence;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_members_that_were_added_leave_and_conditions_tell_bindings_apart() {
        let condition =
            json!({ "title": "until May", "expression": "request.time < timestamp('2026-05-01T00:00:00Z')" });
        let policy = json!({ "bindings": [
            { "role": "roles/viewer", "members": ["allUsers", "user:ann@example.com"], "condition": condition },
            { "role": "roles/viewer", "members": ["allUsers", "user:bob@example.com"] },
            { "role": "roles/editor", "members": ["allUsers"] },
        ] });
        let parts = Delta::Parts(["roles/viewer allUsers", "roles/editor allUsers"].map(str::to_owned).into());
        let healed = heal(&policy, &parts).unwrap();
        assert_eq!(healed.phrases, [r#""allUsers" out of "roles/viewer""#, r#""allUsers" out of "roles/editor""#]);
        assert_eq!(
            healed.bindings,
            [policy["bindings"][0].clone(), json!({ "role": "roles/viewer", "members": ["user:bob@example.com"] })]
        );
        let all = heal(&policy, &Delta::Public).unwrap();
        assert_eq!(all.phrases.len(), 3);
        assert!(all.phrases[0].ends_with(r#"if "request.time < timestamp('2026-05-01T00:00:00Z')""#));
        assert!(heal(&json!({ "bindings": all.bindings }), &Delta::Public).is_none());
    }

    /// Policies of a few roles, members and conditions, so that they meet often.
    fn policies() -> impl Strategy<Value = Value> {
        let members =
            subsequence(vec!["allUsers", "allAuthenticatedUsers", "user:a@x.example", "group:b@y.example"], 1..=4);
        let binding = (0..3u8, members, 0..3u8).prop_map(|(role, members, condition)| {
            let mut binding = json!({ "role": format!("roles/{role}"), "members": members });
            if condition > 0 {
                binding["condition"] = json!({ "title": "t", "expression": format!("c{condition}") });
            }
            binding
        });
        vec(binding, 0..6).prop_map(|bindings| json!({ "bindings": bindings }))
    }

    /// Who has what, under which condition, as often as it is said.
    fn grants(bindings: &[Value]) -> Vec<String> {
        let mut grants: Vec<String> = bindings
            .iter()
            .flat_map(|binding| {
                let condition = binding.get("condition").map_or("", |condition| text(condition, "expression"));
                let members = list(binding, "members").iter().filter_map(Value::as_str);
                members.map(|member| part(text(binding, "role"), member, condition)).collect::<Vec<_>>()
            })
            .collect();
        grants.sort();
        grants
    }

    proptest! {
        #[test]
        fn exactly_what_was_added_leaves(policy in policies(), picks in vec(any::<prop::sample::Index>(), 0..4)) {
            let before = grants(list(&policy, "bindings"));
            let picked = picks.iter().filter(|_| !before.is_empty()).map(|pick| pick.get(&before).clone());
            let added: BTreeSet<String> = picked.collect();
            let kept: Vec<String> = before.iter().filter(|grant| !added.contains(*grant)).cloned().collect();
            match heal(&policy, &Delta::Parts(added.clone())) {
                None => prop_assert!(added.is_empty()),
                Some(healed) => {
                    prop_assert_eq!(grants(&healed.bindings), kept);
                    prop_assert!(healed.bindings.iter().all(|binding| !list(binding, "members").is_empty()));
                    let left = json!({ "bindings": healed.bindings });
                    prop_assert!(heal(&left, &Delta::Parts(added)).is_none());
                }
            }
        }
    }
}
