//! BigQuery datasets: takes public entries out of a dataset's access list.

use std::collections::BTreeSet;

use onus_core::{Call, Finding, Image, PlanError, Read, Remediation, Safety, Spec, Step, live};
use serde_json::{Map, Value, json};

use super::bindings::is_public;
use super::{Write, incomplete, is_open, unless_read, unreadable};
use crate::readers::answer::{list, set, text, with};
use crate::readers::asset::Asset;
use crate::readers::bigquery::{DATASET, DATASET_KIND, dataset, ids};

/// See the [module docs](self).
pub(crate) struct RemovePublicAccess;

static SPEC: Spec = Spec {
    id: "gcp.bigquery.remove_public_access",
    title: "Takes the public entries that the change added out of the dataset's access list",
    safety: Safety::NeedsApproval,
    kind: DATASET_KIND,
    reads: &["bigquery:datasets.get"],
    writes: &["bigquery:datasets.patch"],
    undo: &["bigquery:datasets.patch"],
    caveat: "Tables and views that have policies of their own stay public. Whoever queried the dataset keeps the results. \
             Where the record does not tell which entries were added, every public entry leaves.",
};

impl Remediation for RemovePublicAccess {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, dataset(&dataset_ids(finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        Write::steps(write(finding, image))
    }

    fn leaves(&self, finding: &Finding, image: &Image) -> Option<Image> {
        Write::leaves(write(finding, image), image)
    }
}

fn write(finding: &Finding, image: &Image) -> Result<Option<Write>, PlanError> {
    let ids = dataset_ids(finding)?;
    let added = added(finding)?;
    let live_dataset = image.get(DATASET);
    let entries = list(live_dataset, "access");
    let is_bad = |entry: &&Value| {
        let grant = (role(text(entry, "role")), member(entry));
        is_public(grant.1) && added.as_ref().is_none_or(|added| added.contains(&grant))
    };
    let (bad, good): (Vec<&Value>, Vec<&Value>) = entries.iter().partition(is_bad);
    if bad.is_empty() {
        return Ok(None);
    }
    let etag = live_dataset.get("~etag").cloned();
    let etag = etag.ok_or_else(|| unreadable(&SPEC, DATASET, &"has no etag, so that a write could lose a change"))?;
    let gone: Vec<String> =
        bad.iter().map(|entry| format!("{:?} out of {:?}", member(entry), text(entry, "role"))).collect();
    let unknown =
        if added.is_none() { " (the record leaves out who was added: every public entry counts)" } else { "" };
    let left = with(live_dataset, "access", set(good.iter().copied().cloned()));
    let step = Step {
        title: format!("take {}{unknown}", gone.join(", ")),
        call: patch(&ids, &good, etag),
        inverse: Some(patch(&ids, &entries.iter().collect::<Vec<_>>(), live(&[DATASET, "~etag"]))),
    };
    Ok(Some(Write { step, key: DATASET, left }))
}

fn dataset_ids(finding: &Finding) -> Result<Value, PlanError> {
    let asset = Asset::of_finding(finding, DATASET_KIND);
    asset.as_ref().and_then(ids).ok_or_else(|| incomplete(&SPEC, "the dataset"))
}

/// The public grants that the change added, role and member; `None` when the record does not tell.
fn added(finding: &Finding) -> Result<Option<BTreeSet<(&str, &str)>>, PlanError> {
    if finding.from_state {
        return Ok(None);
    }
    let open = finding.effects.grants.iter().filter(|grant| is_open(grant.audience));
    let added: BTreeSet<(&str, &str)> =
        open.flat_map(|grant| grant.actions.iter().map(|named| (role(named), grant.principal.as_str()))).collect();
    if added.is_empty() { Err(incomplete(&SPEC, "a public entry that was added")) } else { Ok(Some(added)) }
}

/// The predefined role that an access list's old word stands for
/// (<https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets>, `access[].role`).
fn role(named: &str) -> &str {
    match named {
        "READER" => "roles/bigquery.dataViewer",
        "WRITER" => "roles/bigquery.dataEditor",
        "OWNER" => "roles/bigquery.dataOwner",
        other => other,
    }
}

/// Whom an entry lets in, as a policy's member, where it may be everyone; empty for others.
fn member(entry: &Value) -> &str {
    match (text(entry, "iamMember"), text(entry, "specialGroup")) {
        ("", special) => special,
        (member, _) => member,
    }
}

/// Sets the access list and nothing else, if the dataset is still what was read.
fn patch(ids: &Value, access: &[&Value], etag: Value) -> Call {
    let mut parameters: Map<String, Value> = ids.as_object().cloned().unwrap_or_default();
    parameters.insert("updateMode".to_owned(), json!("UPDATE_ACL"));
    parameters.insert("If-Match".to_owned(), etag);
    parameters.insert("body".to_owned(), json!({ "access": access }));
    Call::gcp("bigquery", "datasets.patch", Value::Object(parameters))
}
