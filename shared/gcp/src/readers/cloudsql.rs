//! Cloud SQL instances.

use onus_core::{Call, Json, Read};
use onus_sources::gcp::sql_openings;
use serde_json::{Value, json};

use super::ABSENT;
use super::answer::{elements, hidden, only, put, set};
use super::asset::Asset;
use super::reader::Reader;

/// `sqladmin.googleapis.com/Instance`.
pub(crate) const INSTANCE_KIND: &str = "sqladmin.googleapis.com/Instance";
/// Image key of an instance: what `instances.get` answers of its settings and of what it is; `null` when there is none.
pub(crate) const INSTANCE: &str = "sqlInstance";

/// Members that say what an instance is and how it is set. Left out: what it is doing, its certificates and its sizes.
const KEPT: [&str; 10] = [
    "name",
    "project",
    "region",
    "backendType",
    "databaseVersion",
    "instanceType",
    "masterInstanceName",
    "diskEncryptionConfiguration",
    "ipAddresses",
    "settings",
];

/// Parameters that name an instance.
pub(crate) fn ids(asset: &Asset<'_>) -> Option<Value> {
    let instance = asset.segment("instances").or_else(|| asset.name())?;
    Some(json!({ "project": asset.project()?, "instance": instance }))
}

/// Reads an instance. Each change of settings moves `settings.settingsVersion`, and a disk may grow by itself.
pub(crate) fn instance(ids: &Value) -> Read {
    Read::new(INSTANCE, Call::gcp("sqladmin", "instances.get", ids.clone())).absent(ABSENT).keep(|answer| {
        let mut kept = only(answer, &KEPT);
        if let Some(settings) = kept.get_mut("settings") {
            *settings = hidden(settings.take(), &["settingsVersion", "dataDiskSizeGb"]);
            let networks = settings.pointer("/ipConfiguration/authorizedNetworks").map_or(&[][..], elements).iter();
            let networks = set(networks.map(|entry| only(entry.clone(), &["value", "name", "expirationTime"])));
            put(settings, &["ipConfiguration", "authorizedNetworks"], networks);
        }
        kept
    })
}

/// Reads Cloud SQL instances.
pub(crate) static INSTANCE_READER: Reader = Reader {
    kind: INSTANCE_KIND,
    operations: &["sqladmin:instances.get"],
    keys: &[INSTANCE],
    reads: |asset| ids(asset).iter().map(instance).collect(),
    effects: |image, owner| sql_openings(&Json::from_value(image.get(INSTANCE)), owner.resource),
};
