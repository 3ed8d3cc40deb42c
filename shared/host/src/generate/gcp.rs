//! Google Cloud: custom roles that hold exactly what the functions send, and the filter of the log sink that brings what rules watch.

use std::collections::{BTreeMap, BTreeSet};

use onus_core::Remediation;
use onus_gcp::permissions::iam_permissions;
use onus_rules::{Catalog, Status};
use serde_json::{Value, json};

/// What a sweep of the audit logs sends.
pub const SWEPT: &str = "logging:entries.list";

/// The longest filter that a sink takes, in characters (<https://cloud.google.com/logging/quotas>).
pub const LONGEST_FILTER: usize = 20_000;

/// Services and actions that were called otherwise before, or are by other clients. Decoding gives them one name; the filter sees the log's.
const ALSO: [(&str, &str); 9] = [
    ("cloudsql", "sqladmin"),
    ("InsertDataset", "datasetservice.insert"),
    ("UpdateDataset", "datasetservice.update"),
    ("PatchDataset", "datasetservice.patch"),
    ("DeleteDataset", "datasetservice.delete"),
    ("InsertTable", "tableservice.insert"),
    ("UpdateTable", "tableservice.update"),
    ("DeleteTable", "tableservice.delete"),
    ("InsertJob", "jobservice.insert"),
];

/// What `gcp-audit` reads: the audit logs, every state reader's and lister's methods, and labels. Nothing in it writes.
pub fn audit_permissions() -> BTreeSet<&'static str> {
    let read = onus_gcp::state_readers().iter().flat_map(|reader| reader.operations());
    let listed = onus_gcp::listers().iter().flat_map(|lister| lister.operations());
    let methods = read.chain(listed).chain(&[SWEPT]).map(ToString::to_string);
    permissions(methods.chain(onus_gcp::tags::operations()))
}

/// What `gcp-respond` reads and writes: labels, and the methods of every remediation that some rule names, undo included.
pub fn respond_permissions(catalog: &Catalog) -> BTreeSet<&'static str> {
    let live = catalog.rules().filter(|rule| rule.status != Status::Deprecated);
    let specs = live.filter_map(|rule| rule.remedy.as_deref().and_then(onus_gcp::remediation)).map(Remediation::spec);
    let methods = specs.flat_map(|spec| spec.reads.iter().chain(spec.writes).chain(spec.undo)).map(ToString::to_string);
    permissions(methods.chain(onus_gcp::tags::operations()))
}

/// The IAM permissions of methods written `api:method`, each once, sorted.
fn permissions(methods: impl Iterator<Item = String>) -> BTreeSet<&'static str> {
    methods
        .flat_map(|name| name.split_once(':').map_or(&[][..], |(api, method)| iam_permissions(api, method)))
        .copied()
        .collect()
}

/// A role as `infra/gcp/roles.tf` reads it.
pub(super) fn role(title: &str, permissions: &BTreeSet<&'static str>) -> Value {
    json!({ "title": title, "permissions": permissions })
}

/// A filter that lets through every entry some rule watches. It may let through more, never less: `:` finds a name within the log's longer
/// one, in any case (<https://cloud.google.com/logging/docs/view/logging-query-language#comparisons>).
pub fn filter(catalog: &Catalog) -> String {
    let mut services: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let watched = catalog.watched();
    for watched in watched.iter().filter(|watched| watched.source == "gcp.audit") {
        services.entry(watched.service).or_default().insert(watched.action);
    }
    let every = services.contains_key("*");
    let one = |(service, actions): (&&str, &BTreeSet<&str>)| {
        let service = any("protoPayload.serviceName", std::iter::once(*service));
        if actions.contains("*") {
            return format!("  {service}");
        }
        format!("  ({service} AND {})", any("protoPayload.methodName", actions.iter().copied()))
    };
    let services: Vec<String> = services.iter().map(one).collect();
    let log = "logName:\"cloudaudit.googleapis.com\"";
    if every { format!("{log}\n") } else { format!("{log} AND (\n{}\n)\n", services.join(" OR\n")) }
}

/// `field:"name"`, or `field:("one" OR "two")`, with what a name is called elsewhere.
fn any<'a>(field: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names = names.flat_map(|name| {
        std::iter::once(name).chain(ALSO.iter().filter(move |(now, _)| *now == name).map(|(_, then)| *then))
    });
    let quoted: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    if quoted.len() == 1 {
        format!("{field}:{}", quoted.concat())
    } else {
        format!("{field}:({})", quoted.join(" OR "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audit_role_only_reads() {
        let reads = ["get", "list", "getIamPolicy", "listTagBindings", "listEffectiveTags"];
        let is_read = |permission: &&str| permission.rsplit('.').next().is_some_and(|verb| reads.contains(&verb));
        let wrong: Vec<_> = audit_permissions().into_iter().filter(|permission| !is_read(permission)).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        assert!(!audit_permissions().is_empty());
    }

    #[test]
    fn the_respond_role_holds_all_that_a_remediation_sends() {
        let granted = respond_permissions(Catalog::embedded());
        let mut missing = Vec::new();
        for id in
            Catalog::embedded().rules().filter_map(|rule| rule.remedy.as_deref()).filter(|id| id.starts_with("gcp."))
        {
            let spec = onus_gcp::remediation(id).unwrap_or_else(|| panic!("there is no remediation `{id}`")).spec();
            for method in spec.reads.iter().chain(spec.writes).chain(spec.undo) {
                let needed = permissions(std::iter::once((*method).to_owned()));
                if needed.is_empty() || !needed.is_subset(&granted) {
                    missing.push(*method);
                }
            }
        }
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn a_sink_takes_the_filter_and_it_names_what_is_watched() {
        let filter = filter(Catalog::embedded());
        assert!(filter.len() < LONGEST_FILTER, "{} characters: split the sink in two", filter.len());
        let mut missing = Vec::new();
        let watched = Catalog::embedded().watched();
        for watched in watched.iter().filter(|watched| watched.source == "gcp.audit") {
            let line = |line: &&str| {
                line.contains(&format!("\"{}\"", watched.service)) && line.contains(&format!("\"{}\"", watched.action))
            };
            if !filter.lines().any(|text| line(&text)) {
                missing.push(format!("{}:{}", watched.service, watched.action));
            }
        }
        assert!(missing.is_empty(), "{missing:?}");
    }

    /// Every record of the repository that a rule fires on has to pass the filter.
    #[test]
    fn names_of_the_log_hold_the_names_that_rules_watch() {
        for (now, then) in ALSO {
            assert!(any("f", std::iter::once(now)).contains(then), "{now}");
        }
    }
}
