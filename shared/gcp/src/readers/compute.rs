//! Compute Engine: firewall rules, images, and what decides on encryption in transit.

use onus_core::{Call, Json, Read};
use onus_sources::gcp::firewall_openings;
use serde_json::{Value, json};

use super::ABSENT;
use super::answer::{elements, put, set, without};
use super::asset::Asset;
use super::policy::{self, POLICY, VERSION};
use super::reader::{Reader, by_policy, nothing};

/// `compute.googleapis.com/Firewall`.
pub(crate) const FIREWALL_KIND: &str = "compute.googleapis.com/Firewall";
/// Image key of a firewall rule: `firewalls.get` without id, link and date; `null` when there is none.
pub(crate) const FIREWALL: &str = "firewall";

/// Parameters that name a firewall rule.
pub(crate) fn firewall_ids(asset: &Asset<'_>) -> Option<Value> {
    let firewall = asset.segment("firewalls").or_else(|| asset.name())?;
    Some(json!({ "project": asset.project()?, "firewall": firewall }))
}

/// Reads a firewall rule.
pub(crate) fn firewall(ids: &Value) -> Read {
    Read::new(FIREWALL, Call::gcp("compute", "firewalls.get", ids.clone())).absent(ABSENT).keep(|answer| {
        let mut kept = without(answer, &["kind", "id", "selfLink", "creationTimestamp"]);
        for name in ["sourceRanges", "destinationRanges", "sourceTags", "targetTags"] {
            if let Some(list @ Value::Array(_)) = kept.get_mut(name) {
                *list = set(elements(list).to_vec());
            }
        }
        // The API always tells; a record or an older rule may not.
        if kept.get("disabled").is_none() {
            put(&mut kept, &["disabled"], Value::Bool(false));
        }
        kept
    })
}

/// Reads firewall rules.
pub(crate) static FIREWALL_READER: Reader = Reader {
    kind: FIREWALL_KIND,
    operations: &["compute:firewalls.get"],
    keys: &[FIREWALL],
    reads: |asset| firewall_ids(asset).iter().map(firewall).collect(),
    effects: |image, owner| match image.get(FIREWALL) {
        Value::Null => onus_core::Effects::none(),
        rule => firewall_openings(&Json::from_value(rule), owner.resource),
    },
};

/// Reads images: with whom they are shared.
pub(crate) static IMAGE_READER: Reader = Reader {
    kind: "compute.googleapis.com/Image",
    operations: &["compute:images.getIamPolicy"],
    keys: &[POLICY],
    reads: |asset| image_policy(asset).into_iter().collect(),
    effects: by_policy,
};

fn image_policy(asset: &Asset<'_>) -> Option<Read> {
    let (project, image) = (asset.project()?, asset.segment("images")?);
    let parameters = json!({ "project": project, "resource": image, "optionsRequestedPolicyVersion": VERSION });
    let call = Call::gcp("compute", "images.getIamPolicy", parameters);
    Some(Read::new(POLICY, call).absent(ABSENT).keep(policy::kept))
}

/// Image key of a TLS policy: `sslPolicies.get` without id, link and date; `null` when there is none.
const SSL_POLICY: &str = "sslPolicy";
/// Image key of an HTTPS proxy: `targetHttpsProxies.get`, likewise.
const HTTPS_PROXY: &str = "targetHttpsProxy";
/// Image key of a subnetwork: `subnetworks.get`, likewise.
const SUBNETWORK: &str = "subnetwork";

/// Reads TLS policies of load balancers that are global.
pub(crate) static SSL_POLICY_READER: Reader = Reader {
    kind: "compute.googleapis.com/SslPolicy",
    operations: &["compute:sslPolicies.get"],
    keys: &[SSL_POLICY],
    reads: |asset| global(asset, SSL_POLICY, "sslPolicies", "sslPolicy").into_iter().collect(),
    effects: nothing,
};

/// Reads HTTPS proxies that are global: which TLS policy they have.
pub(crate) static HTTPS_PROXY_READER: Reader = Reader {
    kind: "compute.googleapis.com/TargetHttpsProxy",
    operations: &["compute:targetHttpsProxies.get"],
    keys: &[HTTPS_PROXY],
    reads: |asset| global(asset, HTTPS_PROXY, "targetHttpsProxies", "targetHttpsProxy").into_iter().collect(),
    effects: nothing,
};

/// Reads subnetworks: whether they log flows.
pub(crate) static SUBNETWORK_READER: Reader = Reader {
    kind: "compute.googleapis.com/Subnetwork",
    operations: &["compute:subnetworks.get"],
    keys: &[SUBNETWORK],
    reads: |asset| subnetwork(asset).into_iter().collect(),
    effects: nothing,
};

/// Reads a thing of a project that is in no region; `None` for one that is in a region, which other methods read.
fn global(asset: &Asset<'_>, key: &str, collection: &str, parameter: &str) -> Option<Read> {
    let (project, name) = (asset.project()?, asset.segment(collection)?);
    let call = Call::gcp("compute", &format!("{collection}.get"), json!({ "project": project, parameter: name }));
    asset.location().is_none().then(|| plain(key, call))
}

fn subnetwork(asset: &Asset<'_>) -> Option<Read> {
    let (project, region, name) = (asset.project()?, asset.segment("regions")?, asset.segment("subnetworks")?);
    let parameters = json!({ "project": project, "region": region, "subnetwork": name });
    Some(plain(SUBNETWORK, Call::gcp("compute", "subnetworks.get", parameters)))
}

fn plain(key: &str, call: Call) -> Read {
    Read::new(key, call)
        .absent(ABSENT)
        .keep(|answer| without(answer, &["kind", "id", "selfLink", "creationTimestamp", "fingerprint"]))
}
