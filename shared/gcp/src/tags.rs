//! How the labels of a resource are read: by the `get` of its kind. Labels are what policies call tags; the tags of the resource
//! manager are another thing, and are not read.

use onus_core::tags::of_object;
use onus_core::{Call, ChangeSummary, Read, Resource, TagSource};
use serde_json::{Map, Value};

/// A kind whose labels can be read.
struct Labelled {
    /// The asset type.
    kind: &'static str,
    /// The API and its method.
    method: (&'static str, &'static str),
    /// The full asset name: `{…}` stands for one segment, `{=…}` for the rest of the name from the segment before it on.
    name: &'static str,
    /// Takes the labels out of the answer.
    keep: fn(Value) -> Value,
}

const fn labelled(kind: &'static str, api: &'static str, method: &'static str, name: &'static str) -> Labelled {
    Labelled { kind, method: (api, method), name, keep: |answer| member(&answer, "labels") }
}

const LABELLED: &[Labelled] = &[
    labelled(
        "bigquery.googleapis.com/Dataset",
        "bigquery",
        "datasets.get",
        "//bigquery.googleapis.com/projects/{projectId}/datasets/{datasetId}",
    ),
    labelled(
        "bigquery.googleapis.com/Table",
        "bigquery",
        "tables.get",
        "//bigquery.googleapis.com/projects/{projectId}/datasets/{datasetId}/tables/{tableId}",
    ),
    labelled(
        "cloudkms.googleapis.com/CryptoKey",
        "cloudkms",
        "projects.locations.keyRings.cryptoKeys.get",
        "//cloudkms.googleapis.com/{=name}",
    ),
    labelled(
        "cloudresourcemanager.googleapis.com/Project",
        "cloudresourcemanager",
        "projects.get",
        "//cloudresourcemanager.googleapis.com/{=name}",
    ),
    labelled(
        "compute.googleapis.com/Disk",
        "compute",
        "disks.get",
        "//compute.googleapis.com/projects/{project}/zones/{zone}/disks/{disk}",
    ),
    labelled(
        "compute.googleapis.com/Image",
        "compute",
        "images.get",
        "//compute.googleapis.com/projects/{project}/global/images/{image}",
    ),
    labelled(
        "compute.googleapis.com/Instance",
        "compute",
        "instances.get",
        "//compute.googleapis.com/projects/{project}/zones/{zone}/instances/{instance}",
    ),
    labelled(
        "compute.googleapis.com/Snapshot",
        "compute",
        "snapshots.get",
        "//compute.googleapis.com/projects/{project}/global/snapshots/{snapshot}",
    ),
    Labelled {
        keep: |answer| member(&answer, "resourceLabels"),
        ..labelled(
            "container.googleapis.com/Cluster",
            "container",
            "projects.locations.clusters.get",
            "//container.googleapis.com/{=name}",
        )
    },
    labelled("pubsub.googleapis.com/Topic", "pubsub", "projects.topics.get", "//pubsub.googleapis.com/{=topic}"),
    labelled(
        "secretmanager.googleapis.com/Secret",
        "secretmanager",
        "projects.secrets.get",
        "//secretmanager.googleapis.com/{=name}",
    ),
    Labelled {
        keep: |answer| match answer.get("settings") {
            Some(settings) => member(settings, "userLabels"),
            None => Value::Null,
        },
        ..labelled(
            "sqladmin.googleapis.com/Instance",
            "sqladmin",
            "instances.get",
            "//cloudsql.googleapis.com/projects/{project}/instances/{instance}",
        )
    },
    labelled("storage.googleapis.com/Bucket", "storage", "buckets.get", "//storage.googleapis.com/{bucket}"),
];

/// Kinds that have no labels. Sorted.
const UNLABELLED: &[&str] = &[
    "cloudresourcemanager.googleapis.com/Folder",
    "cloudresourcemanager.googleapis.com/Organization",
    "compute.googleapis.com/Firewall",
    "compute.googleapis.com/FirewallPolicy",
    "compute.googleapis.com/Network",
    "compute.googleapis.com/Route",
    "compute.googleapis.com/Subnetwork",
    "iam.googleapis.com/Role",
    "iam.googleapis.com/ServiceAccount",
    "iam.googleapis.com/ServiceAccountKey",
    "logging.googleapis.com/LogBucket",
    "logging.googleapis.com/LogSink",
    "orgpolicy.googleapis.com/Policy",
    "serviceusage.googleapis.com/Service",
];

/// The methods that labels are read with, `api:method`.
pub fn operations() -> impl Iterator<Item = String> {
    LABELLED.iter().map(|row| format!("{}:{}", row.method.0, row.method.1))
}

/// How the labels of a resource are read; `None` when its kind is not known or its name has another form.
pub fn tag_source(_: &ChangeSummary, resource: &Resource<'_>) -> Option<TagSource> {
    if UNLABELLED.contains(&resource.kind.as_ref()) {
        return Some(TagSource::Untagged);
    }
    let row = LABELLED.iter().find(|row| row.kind == resource.kind)?;
    let parameters = parameters(row.name, &resource.id)?;
    let call = Call::gcp(row.method.0, row.method.1, Value::Object(parameters));
    Some(TagSource::Read(Read::new("tags", call).keep(row.keep)))
}

/// Reads the parameters of a call out of a full asset name; `None` when the name has another form.
fn parameters(pattern: &str, id: &str) -> Option<Map<String, Value>> {
    let mut parameters = Map::new();
    let plain = |segment: &str| !segment.is_empty() && segment != "." && segment != "..";
    if let Some((start, name)) = pattern.split_once("{=") {
        let rest = id.strip_prefix(start)?;
        let whole = rest.starts_with("projects/") && rest.split('/').count() >= 2 && rest.split('/').all(plain);
        parameters.insert(name.trim_end_matches('}').to_owned(), Value::from(rest));
        return whole.then_some(parameters);
    }
    let (wanted, got): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), id.split('/').collect());
    for (want, have) in wanted.iter().zip(&got) {
        match want.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) if plain(have) => {
                parameters.insert(name.to_owned(), Value::from(*have));
            }
            None if want == have => {}
            _ => return None,
        }
    }
    (wanted.len() == got.len()).then_some(parameters)
}

/// A member that holds labels; it is left out where there are none. An answer that is no object is not understood.
fn member(answer: &Value, name: &str) -> Value {
    if answer.is_object() { of_object(answer.get(name)) } else { Value::Null }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_call_is_read_out_of_the_name() {
        let cases = [
            ("storage.googleapis.com/Bucket", "//storage.googleapis.com/logs", Some(json!({ "bucket": "logs" }))),
            ("storage.googleapis.com/Bucket", "//storage.googleapis.com/logs/o", None),
            ("storage.googleapis.com/Bucket", "//storage.googleapis.com/..", None),
            ("storage.googleapis.com/Bucket", "logs", None),
            (
                "compute.googleapis.com/Instance",
                "//compute.googleapis.com/projects/p/zones/z/instances/i",
                Some(json!({ "project": "p", "zone": "z", "instance": "i" })),
            ),
            ("compute.googleapis.com/Instance", "//compute.googleapis.com/projects/p/zones/z/disks/i", None),
            (
                "cloudresourcemanager.googleapis.com/Project",
                "//cloudresourcemanager.googleapis.com/projects/p",
                Some(json!({ "name": "projects/p" })),
            ),
            ("cloudresourcemanager.googleapis.com/Project", "//cloudresourcemanager.googleapis.com/folders/1", None),
            (
                "pubsub.googleapis.com/Topic",
                "//pubsub.googleapis.com/projects/p/topics/t",
                Some(json!({ "topic": "projects/p/topics/t" })),
            ),
            ("pubsub.googleapis.com/Topic", "//pubsub.googleapis.com/projects/../topics/t", None),
        ];
        let mut wrong = Vec::new();
        for (kind, id, expected) in cases {
            let row = LABELLED.iter().find(|row| row.kind == kind).expect("a known kind");
            let got = parameters(row.name, id).map(Value::Object);
            if got != expected {
                wrong.push(format!("{id}: {got:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn labels_are_taken_from_where_each_kind_has_them() {
        let row = |kind| LABELLED.iter().find(|row| row.kind == kind).expect("a known kind");
        let env = json!({ "env": "dev" });
        let sql = row("sqladmin.googleapis.com/Instance");
        assert_eq!((sql.keep)(json!({ "settings": { "userLabels": env } })), env);
        assert_eq!((sql.keep)(json!({})), Value::Null);
        let bucket = row("storage.googleapis.com/Bucket");
        assert_eq!((bucket.keep)(json!({ "labels": env })), env);
        assert_eq!((bucket.keep)(json!({})), json!({}));
        assert_eq!((bucket.keep)(json!("x")), Value::Null);
        assert_eq!((row("container.googleapis.com/Cluster").keep)(json!({ "resourceLabels": env })), env);
    }

    #[test]
    fn the_tables_are_sorted_and_name_each_kind_once() {
        let kinds: Vec<&str> = LABELLED.iter().map(|row| row.kind).collect();
        for table in [&kinds[..], UNLABELLED] {
            assert!(table.windows(2).all(|pair| pair[0] < pair[1]), "{table:?}");
        }
        assert!(kinds.iter().all(|kind| !UNLABELLED.contains(kind)));
    }
}
