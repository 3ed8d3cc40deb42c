//! BigQuery datasets.

use onus_core::{Call, Effects, Json, Read};
use onus_sources::gcp::dataset_grants;
use serde_json::{Value, json};

use super::ABSENT;
use super::answer::{hidden, list, set, without};
use super::asset::Asset;
use super::reader::Reader;

/// `bigquery.googleapis.com/Dataset`.
pub(crate) const DATASET_KIND: &str = "bigquery.googleapis.com/Dataset";
/// Image key of a dataset: `datasets.get` without links and dates, its access entries in a fixed order; `null` when there is
/// none.
pub(crate) const DATASET: &str = "dataset";
/// The version of the access list's schema that keeps conditions.
pub(crate) const VERSION: u8 = 3;

/// Parameters that name a dataset.
pub(crate) fn ids(asset: &Asset<'_>) -> Option<Value> {
    let dataset = asset.segment("datasets").or_else(|| asset.name())?;
    Some(json!({ "projectId": asset.project()?, "datasetId": dataset, "accessPolicyVersion": VERSION }))
}

/// Reads a dataset.
pub(crate) fn dataset(ids: &Value) -> Read {
    Read::new(DATASET, Call::gcp("bigquery", "datasets.get", ids.clone())).absent(ABSENT).keep(|answer| {
        let access = set(list(&answer, "access").iter().cloned());
        let dropped = ["kind", "id", "selfLink", "creationTime", "lastModifiedTime", "access"];
        let mut kept = hidden(without(answer, &dropped), &["etag"]);
        if let Value::Object(members) = &mut kept {
            members.insert("access".to_owned(), access);
        }
        kept
    })
}

/// Reads datasets.
pub(crate) static DATASET_READER: Reader = Reader {
    kind: DATASET_KIND,
    operations: &["bigquery:datasets.get"],
    keys: &[DATASET],
    reads: |asset| ids(asset).iter().map(dataset).collect(),
    effects: |image, owner| Effects {
        grants: dataset_grants(&Json::from_value(image.get(DATASET)), owner),
        ..Effects::none()
    },
};
