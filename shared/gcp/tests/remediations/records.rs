//! Remediations of changes as Cloud Audit Logs write them: the repository's own records, decoded, with the effects derived.

use onus_core::{Change, Finding, FindingId};
use onus_sources::Decoded;
use onus_sources::gcp::audit::decode;
use serde_json::{Value, json};

use super::EVENTS;
use super::cases::{Has, database, rule, sink, world};
use super::findings::finding;
use onus_core::proof::Case;

/// The text of a record under `events/gcp`.
fn record(path: &str) -> String {
    let path = format!("{EVENTS}/gcp/{path}.json");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The finding that a rule would make of a change.
fn found(change: &Change<'_>) -> Finding {
    let mut found = finding(&change.operation(), "", "", change.request.json().to_value());
    found.id = FindingId::of(change.cloud, &change.uid, "gcp.test");
    found.response = change.response.json().to_value();
    found.effects = change.effects().clone();
    found.change = change.summary();
    found
}

fn case(remediation: &'static str, path: &'static str, thing: &'static str, live: Value, healed: Value) -> Case {
    let text = record(path);
    let Ok(Decoded::Change(change)) = decode(&text) else { panic!("{path} decodes to no change") };
    Case {
        name: path,
        remediation,
        finding: found(&change),
        world: world([(thing, live)]),
        healed: vec![(thing, healed)],
    }
}

fn policy(members: &[&str], role: &str) -> Value {
    let own = json!({ "role": "roles/owner", "members": ["user:dana@example.com"] });
    let mut bindings = vec![own];
    if !members.is_empty() {
        bindings.push(json!({ "role": role, "members": members }));
    }
    json!({ "bindings": bindings })
}

/// Every one.
pub(crate) fn all() -> Vec<Case> {
    let viewer = "roles/storage.objectViewer";
    let key = "projects/example-project/serviceAccounts/app@example-project.iam.gserviceaccount.com/keys/0123456789abcdef0123456789abcdef01234567";
    let key: &'static str = format!("key/{key}").leak();
    let bucket = |prevention: &str| json!({ "iamConfiguration": { "publicAccessPrevention": prevention } });
    let office = json!({ "value": "192.0.2.0/24", "name": "office" });
    let owners = json!({ "role": "OWNER", "specialGroup": "projectOwners" });
    let public = json!({ "role": "READER", "specialGroup": "allAuthenticatedUsers" });
    let ranges = |ranges: &[&str]| rule(&json!({ "sourceRanges": ranges }));
    let everyone = json!({ "bindings": [{ "role": "roles/owner", "members": ["user:dana@example.com", "user:eve@example.org"] }] });
    let mut lifted = case(
        "gcp.storage.enforce_public_access_prevention",
        "storage/buckets_update",
        "bucket/example-reports",
        bucket("inherited"),
        bucket("enforced"),
    );
    lifted.finding = lifted.finding.decided_by_state();
    vec![
        case(
            "gcp.storage.remove_public_members",
            "storage/set_iam_permissions",
            "bucket-policy/example-reports",
            policy(&["allUsers", "group:press@example.com"], viewer),
            policy(&["group:press@example.com"], viewer),
        ),
        lifted,
        case(
            "gcp.compute.narrow_firewall",
            "compute/firewalls_insert",
            "firewall/example-project/example-ssh",
            ranges(&["0.0.0.0/0", "192.0.2.0/24"]),
            ranges(&["192.0.2.0/24"]),
        ),
        case(
            "gcp.sql.remove_authorized_networks",
            "cloudsql/instances_update",
            "sql/example-project/example-db",
            database(&json!([{ "value": "0.0.0.0/0", "name": "everywhere" }, office])),
            database(&json!([office])),
        ),
        case(
            "gcp.resourcemanager.remove_members",
            "cloudresourcemanager/set_iam_policy",
            "project-policy/example-project",
            everyone,
            policy(&[], ""),
        ),
        case(
            "gcp.iam.disable_service_account_key",
            "iam/create_service_account_key",
            key,
            json!({ "name": key, "keyType": "USER_MANAGED" }),
            json!({ "name": key, "keyType": "USER_MANAGED", "disabled": true }),
        ),
        case(
            "gcp.bigquery.remove_public_access",
            "bigquery/update_dataset",
            "dataset/example-project/example_sales",
            json!({ "access": [owners, public] }),
            json!({ "access": [owners] }),
        ),
        case(
            "gcp.logging.restore_sink",
            "logging/update_sink",
            "sink/projects/example-project/sinks/example-audit",
            sink(Some(true), "serviceAccount:service-1@gcp-sa-logging.iam.gserviceaccount.com"),
            sink(Some(false), "serviceAccount:service-1@gcp-sa-logging.iam.gserviceaccount.com"),
        ),
    ]
}
