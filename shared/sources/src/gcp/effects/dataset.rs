//! Who may read or change a `BigQuery` dataset.
//!
//! Shapes: `Dataset.access` of the API (<https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets>), `BigQueryAuditMetadata`
//! (<https://cloud.google.com/bigquery/docs/reference/auditlogs/rest/Shared.Types/BigQueryAuditMetadata>), and the older `AuditData`.

use std::borrow::Cow;

use onus_core::{Effects, Grant, Json};

use super::policy::{self, Owner, policy_grants};
use super::seen::Seen;

/// What the access list of a dataset grants, as `datasets.get` answers it in `access`: `via` is `access`, and `part` the kind of the
/// entry, a colon and its value (`specialGroup:allAuthenticatedUsers`, `userByEmail:ann@example.com`), then a blank and the role.
///
/// Special groups of the project (`projectOwners`, …) are its own people and no grants; authorised views, routines and datasets read for
/// whoever may read them and are none either.
pub fn dataset_grants(dataset: &Json<'_>, owner: Owner<'_>) -> Vec<Grant> {
    entries(dataset.get_ci("access"), owner)
}

/// Members of an entry that name somebody: as the API spells them, and as the older log does.
const KINDS: [(&str, &str); 9] = [
    ("userByEmail", "user:"),
    ("userEmail", "user:"),
    ("groupByEmail", "group:"),
    ("groupEmail", "group:"),
    ("domain", "domain:"),
    ("iamMember", ""),
    ("specialGroup", ""),
    ("viewName", "-"),
    ("view", "-"),
];

fn entries(access: &Json<'_>, owner: Owner<'_>) -> Vec<Grant> {
    access
        .each()
        .iter()
        .filter_map(|entry| {
            let role = entry.get_ci("role").as_str().unwrap_or("READER");
            let (kind, prefix, value) = KINDS.iter().find_map(|(kind, prefix)| {
                entry.get_ci(kind).as_str().filter(|value| !value.is_empty()).map(|value| (*kind, *prefix, value))
            })?;
            let member = match (kind, value) {
                ("specialGroup", value) => match value.replace('_', "").to_ascii_lowercase().as_str() {
                    "allauthenticatedusers" => Cow::Borrowed("allAuthenticatedUsers"),
                    "allusers" => Cow::Borrowed("allUsers"),
                    _ => return None,
                },
                ("userByEmail" | "userEmail", address) if address.ends_with(".gserviceaccount.com") => {
                    Cow::Owned(format!("serviceAccount:{address}"))
                }
                (_, value) if prefix != "-" => Cow::Owned(format!("{prefix}{value}")),
                _ => return None,
            };
            owner.grant(role, &member, "access", format!("{kind}:{value} {role}"))
        })
        .collect()
}

/// `InsertDataset`, `UpdateDataset`, `PatchDataset`: the log's comparison where there is one, else the list that the call set.
///
/// An update that names no access list leaves the old one as it is.
pub(super) fn written(seen: &Seen<'_, '_>) -> Effects {
    if policy::deltas(seen).is_some() {
        return policy::compared(seen);
    }
    let owner = seen.owner();
    for member in ["datasetCreation", "datasetChange"] {
        let acl = seen.metadata().get_ci(member).get_ci("dataset").get_ci("acl");
        if !acl.is_null() {
            return Effects { grants: policy_grants(acl.get_ci("policy"), owner), ..Effects::none() };
        }
    }
    let data = seen.service_data();
    for member in ["datasetInsertRequest", "datasetUpdateRequest", "datasetInsertResponse", "datasetUpdateResponse"] {
        let list = data.get_ci(member).get_ci("resource").get_ci("acl").get_ci("entries");
        if !list.is_null() {
            return Effects { grants: entries(list, owner), ..Effects::none() };
        }
    }
    let request = seen.request();
    for body in [request, request.get_ci("dataset"), request.get_ci("resource")] {
        if !body.get_ci("access").is_null() {
            return Effects { grants: dataset_grants(body, owner), ..Effects::none() };
        }
    }
    let told =
        [request, seen.metadata(), data].iter().any(|body| body.members().iter().any(|(name, _)| name != "@type"));
    if told { Effects::none() } else { Effects::unknown("request", "is not part of the record") }
}
