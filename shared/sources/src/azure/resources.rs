//! ARM resource ids to resources.
//!
//! An id is a path of types and names: `/subscriptions/<id>/resourceGroups/<name>/providers/<namespace>/<type>/<name>/…`. A
//! second `providers` part is a resource laid on another one (a role assignment, a diagnostic setting). So an id names a chain,
//! innermost first: a security rule, its group; a diagnostic setting, what it observes.
//!
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules> and
//! <https://learn.microsoft.com/azure/azure-resource-manager/management/extension-resource-types>.

use onus_core::Resource;

use super::kinds::{self, RESOURCE_GROUP, SUBSCRIPTION};

/// More parts than any id has. Beyond, an id names one resource of no kind.
const PARTS: usize = 40;

/// The resources that an id names, innermost first; ids in lower case, kinds as Microsoft spells them. A resource outside of any
/// group is followed by its subscription, a role assignment, lock or policy of a group by the group. Empty for text that is no id.
pub fn of(id: &str) -> Vec<Resource<'static>> {
    let id = id.trim().trim_end_matches('/').to_ascii_lowercase();
    if !id.starts_with('/') {
        return Vec::new();
    }
    let parts: Vec<(usize, &str)> = parts(&id);
    if parts.len() > PARTS {
        let name = parts.last().map(|(_, name)| (*name).to_owned()).unwrap_or_default();
        return vec![Resource::new("", id.clone(), name)];
    }
    chain(&id, &parts)
}

/// The subscription of an id; empty where it is in none.
pub fn subscription(id: &str) -> &str {
    let mut segments = id.trim_start().trim_start_matches('/').split('/');
    match segments.next() {
        Some(first) if first.eq_ignore_ascii_case("subscriptions") => segments.next().unwrap_or_default(),
        _ => "",
    }
}

/// What a role assignment, a lock or a diagnostic setting is laid on: the id before the last `providers` part.
/// `/` for the whole tenant.
pub fn scope(id: &str) -> &str {
    let lower = id.to_ascii_lowercase();
    match lower.rfind("/providers/") {
        Some(0) => "/",
        Some(at) => id.get(..at).unwrap_or(id),
        None => id,
    }
}

/// The segments and where each ends.
fn parts(id: &str) -> Vec<(usize, &str)> {
    let mut end = 0;
    let mut parts = Vec::new();
    for segment in id.split('/') {
        end += segment.len();
        if !segment.is_empty() {
            parts.push((end, segment));
            if parts.len() > PARTS {
                break;
            }
        }
        end += 1;
    }
    parts
}

fn chain(id: &str, parts: &[(usize, &str)]) -> Vec<Resource<'static>> {
    let mut found: Vec<Resource<'static>> = Vec::new();
    let upto = |end: usize| id.get(..end).unwrap_or(id).to_owned();
    let mut add = |kind: &str, name: &str, end| {
        found.push(Resource::new(kinds::spelled(kind), upto(end), name.to_owned()));
    };
    let mut rest = parts.iter();
    let mut namespace: Option<&str> = None;
    let mut kind = String::new();
    let mut laid_on_group = true;
    while let Some((_, key)) = rest.next() {
        let Some((end, value)) = rest.next() else { break };
        match (*key, namespace) {
            ("providers", _) => {
                laid_on_group =
                    namespace.is_none() && matches!(*value, "microsoft.authorization" | "microsoft.insights");
                namespace = Some(value);
                (*value).clone_into(&mut kind);
            }
            ("subscriptions", None) => add(SUBSCRIPTION, value, *end),
            ("resourcegroups", None) => add(RESOURCE_GROUP, value, *end),
            (_, None) => {}
            (part, Some(_)) => {
                kind = format!("{kind}/{part}");
                add(&kind, value, *end);
            }
        }
    }
    let grouped = found.iter().any(|resource| resource.kind == RESOURCE_GROUP);
    let placed = found.iter().any(|resource| resource.kind != RESOURCE_GROUP && resource.kind != SUBSCRIPTION);
    found.retain(|resource| {
        let place =
            resource.kind == SUBSCRIPTION && grouped || resource.kind == RESOURCE_GROUP && placed && !laid_on_group;
        !place
    });
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SUB: &str = "/SUBSCRIPTIONS/00000000-0000-0000-0000-000000000001";

    #[test]
    fn an_id_names_a_chain_of_resources() {
        let cases: [(&str, &[&str]); 11] = [
            (
                "/RESOURCEGROUPS/WEB/PROVIDERS/MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/FRONT/SECURITYRULES/SSH",
                &[
                    "Microsoft.Network/networkSecurityGroups/securityRules ssh",
                    "Microsoft.Network/networkSecurityGroups front",
                ],
            ),
            (
                "/resourceGroups/web/providers/Microsoft.Storage/storageAccounts/logs/blobServices/default/containers/c/",
                &[
                    "Microsoft.Storage/storageAccounts/blobServices/containers c",
                    "Microsoft.Storage/storageAccounts/blobServices default",
                    "Microsoft.Storage/storageAccounts logs",
                ],
            ),
            (
                "/resourceGroups/web/providers/Microsoft.Storage/storageAccounts/logs/providers/Microsoft.Insights/diagnosticSettings/d",
                &["Microsoft.Insights/diagnosticSettings d", "Microsoft.Storage/storageAccounts logs"],
            ),
            (
                "/resourceGroups/web/providers/Microsoft.Authorization/roleAssignments/r",
                &["Microsoft.Authorization/roleAssignments r", "Microsoft.Resources/subscriptions/resourceGroups web"],
            ),
            (
                "/providers/Microsoft.Authorization/roleAssignments/r",
                &[
                    "Microsoft.Authorization/roleAssignments r",
                    "Microsoft.Resources/subscriptions 00000000-0000-0000-0000-000000000001",
                ],
            ),
            (
                "/providers/Microsoft.Security/pricings/VirtualMachines",
                &[
                    "Microsoft.Security/pricings virtualmachines",
                    "Microsoft.Resources/subscriptions 00000000-0000-0000-0000-000000000001",
                ],
            ),
            ("/resourceGroups/web", &["Microsoft.Resources/subscriptions/resourceGroups web"]),
            ("", &["Microsoft.Resources/subscriptions 00000000-0000-0000-0000-000000000001"]),
            ("/resourceGroups/web/providers/CONTOSO.THINGS/BOXES/B", &["contoso.things/boxes b"]),
            ("/resourceGroups/web/providers/Microsoft.Sql/servers/db/firewallRules", &["Microsoft.Sql/servers db"]),
            (
                "/providers/Microsoft.Authorization",
                &["Microsoft.Resources/subscriptions 00000000-0000-0000-0000-000000000001"],
            ),
        ];
        let mut wrong = Vec::new();
        for (rest, expected) in cases {
            let resources = of(&format!("{SUB}{rest}"));
            let got: Vec<String> = resources.iter().map(|r| format!("{} {}", r.kind, r.name)).collect();
            let ids_are_prefixes = resources.windows(2).all(|pair| pair[0].id.starts_with(&*pair[1].id));
            if got != expected || !ids_are_prefixes {
                wrong.push(format!("{rest}\n  expected {expected:?}\n  got      {got:?}"));
            }
        }
        assert!(wrong.is_empty(), "{} ids are read otherwise:\n{}", wrong.len(), wrong.join("\n"));
        assert_eq!(of("/providers/Microsoft.Authorization/roleAssignments/r").len(), 1);
        assert_eq!(of("nothing of the kind"), []);
    }

    #[test]
    fn subscriptions_and_scopes_are_told_from_the_id() {
        let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Authorization/roleAssignments/r";
        assert_eq!((subscription(id), scope(id)), ("s", "/subscriptions/s/resourceGroups/g"));
        assert_eq!((subscription("/providers/x/y/z"), scope("/providers/x/y/z")), ("", "/"));
        assert_eq!(scope("/subscriptions/s"), "/subscriptions/s");
    }

    #[test]
    fn an_endless_id_is_one_resource() {
        let id = format!("/subscriptions/s/providers/p{}", "/a/b".repeat(100_000));
        assert_eq!(of(&id).len(), 1);
    }

    proptest! {
        #[test]
        fn no_text_panics(id in "(/[a-zA-Z.é]{0,4}){0,50}|.*") {
            let _ = (of(&id), scope(&id), subscription(&id));
        }
    }
}
