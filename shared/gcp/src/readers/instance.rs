//! Compute Engine instances.

use onus_core::{Call, Json, Read};
use onus_sources::gcp::instance_openings;
use serde_json::{Value, json};

use super::ABSENT;
use super::answer::{list, only, put, set, text};
use super::asset::Asset;
use super::reader::Reader;

/// Image key of an instance: the members of `instances.get` that say what it may do and who reaches it; `null` when there is
/// none.
const INSTANCE: &str = "instance";

/// What an instance is doing (its state, its last start) changes by itself and is left out.
const KEPT: [&str; 11] = [
    "name",
    "zone",
    "networkInterfaces",
    "serviceAccounts",
    "canIpForward",
    "shieldedInstanceConfig",
    "confidentialInstanceConfig",
    "deletionProtection",
    "labels",
    "disks",
    "metadata",
];

/// Metadata that are switches. Of all others only the keys are kept: start scripts hold secrets.
const SWITCHES: [&str; 4] = ["block-project-ssh-keys", "enable-oslogin", "enable-oslogin-2fa", "serial-port-enable"];

/// Reads instances.
pub(crate) static INSTANCE_READER: Reader = Reader {
    kind: "compute.googleapis.com/Instance",
    operations: &["compute:instances.get"],
    keys: &[INSTANCE],
    reads: |asset| instance(asset).into_iter().collect(),
    effects: |image, owner| instance_openings(&Json::from_value(image.get(INSTANCE)), owner.resource),
};

fn instance(asset: &Asset<'_>) -> Option<Read> {
    let (project, zone, name) = (asset.project()?, asset.segment("zones")?, asset.segment("instances")?);
    let parameters = json!({ "project": project, "zone": zone, "instance": name });
    Some(Read::new(INSTANCE, Call::gcp("compute", "instances.get", parameters)).absent(ABSENT).keep(kept))
}

fn kept(answer: Value) -> Value {
    let interface = ["name", "network", "subnetwork", "networkIP", "accessConfigs", "ipv6AccessConfigs"];
    let interfaces = list(&answer, "networkInterfaces").iter().map(|one| only(one.clone(), &interface)).collect();
    let disk = ["boot", "source", "diskEncryptionKey"];
    let disks = list(&answer, "disks").iter().map(|one| only(one.clone(), &disk)).collect();
    let items = answer.pointer("/metadata/items").and_then(Value::as_array);
    let metadata = set(items.into_iter().flatten().map(|item| {
        let members: &[&str] = if SWITCHES.contains(&text(item, "key")) { &["key", "value"] } else { &["key"] };
        only(item.clone(), members)
    }));
    let mut kept = only(answer, &KEPT);
    put(&mut kept, &["networkInterfaces"], Value::Array(interfaces));
    put(&mut kept, &["disks"], Value::Array(disks));
    put(&mut kept, &["metadata"], json!({ "items": metadata }));
    kept
}
