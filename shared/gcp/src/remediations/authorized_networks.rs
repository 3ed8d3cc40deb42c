//! Cloud SQL instances: takes the networks through which the internet may connect out of the authorised ones.

use onus_core::{Call, Finding, Image, PlanError, Read, Remediation, Safety, Spec, Step, address, live};
use serde_json::{Map, Value, json};

use super::networks::exposing;
use super::{Write, incomplete, unless_read, unreadable};
use crate::readers::answer::{elements, put, set, text};
use crate::readers::asset::Asset;
use crate::readers::cloudsql::{self, INSTANCE, INSTANCE_KIND};

/// See the [module docs](self).
pub(crate) struct RemoveNetworks;

static SPEC: Spec = Spec {
    id: "gcp.sql.remove_authorized_networks",
    title: "Takes the networks that let the internet in out of the instance's authorised networks",
    safety: Safety::Automatic,
    kind: INSTANCE_KIND,
    reads: &["sqladmin:instances.get"],
    writes: &["sqladmin:instances.patch"],
    undo: &["sqladmin:instances.patch"],
    caveat: "Clients that connected through such a network and come from no other authorised one are cut off. Connections \
             through the Auth Proxy and private addresses go on.",
};

const NETWORKS: &str = "/settings/ipConfiguration/authorizedNetworks";

impl Remediation for RemoveNetworks {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, cloudsql::instance(&ids(finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        Write::steps(write(finding, image))
    }

    fn leaves(&self, finding: &Finding, image: &Image) -> Option<Image> {
        Write::leaves(write(finding, image), image)
    }
}

fn write(finding: &Finding, image: &Image) -> Result<Option<Write>, PlanError> {
    let ids = ids(finding)?;
    let instance = image.get(INSTANCE);
    if instance.pointer("/settings/ipConfiguration/ipv4Enabled") == Some(&Value::Bool(false)) {
        return Ok(None);
    }
    let authorized = instance.pointer(NETWORKS).map_or(&[][..], elements);
    let bad = exposing(finding);
    let (mut open, mut good) = (Vec::new(), Vec::new());
    for entry in authorized {
        let value = text(entry, "value");
        let network = address::parse(value)
            .ok_or_else(|| unreadable(&SPEC, "authorizedNetworks", &format!("holds {value:?}, which is no network")))?;
        if bad.contains(&network) { open.push(value) } else { good.push(entry.clone()) }
    }
    if open.is_empty() {
        return Ok(None);
    }
    let version = instance.pointer("/settings/~0settingsVersion").cloned();
    let version = version.ok_or_else(|| unreadable(&SPEC, INSTANCE, &"has no settingsVersion"))?;
    let mut left = instance.clone();
    put(&mut left, &["settings", "ipConfiguration", "authorizedNetworks"], set(good.iter().cloned()));
    let step = Step {
        title: format!("take {} out of the authorised networks ({} stay)", open.join(", "), good.len()),
        call: patch(&ids, &good, &version),
        inverse: Some(patch(&ids, authorized, &live(&[INSTANCE, "settings", "~settingsVersion"]))),
    };
    Ok(Some(Write { step, key: INSTANCE, left }))
}

fn ids(finding: &Finding) -> Result<Value, PlanError> {
    let asset = Asset::of_finding(finding, INSTANCE_KIND);
    asset.as_ref().and_then(cloudsql::ids).ok_or_else(|| incomplete(&SPEC, "the instance"))
}

fn patch(ids: &Value, networks: &[Value], version: &Value) -> Call {
    let settings = json!({ "settingsVersion": version, "ipConfiguration": { "authorizedNetworks": networks } });
    let mut parameters: Map<String, Value> = ids.as_object().cloned().unwrap_or_default();
    parameters.insert("body".to_owned(), json!({ "settings": settings }));
    Call::gcp("sqladmin", "instances.patch", Value::Object(parameters))
}
