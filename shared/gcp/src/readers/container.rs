//! Google Kubernetes Engine clusters.

use onus_core::{Call, Read};
use serde_json::{Value, json};

use super::ABSENT;
use super::answer::{list, only, put};
use super::asset::Asset;
use super::reader::{Reader, nothing};

/// Image key of a cluster: the members of `clusters.get` that say how it is hardened and who reaches its control plane; `null`
/// when there is none.
const CLUSTER: &str = "cluster";

/// Left out: what the cluster is doing, how many nodes it has, which version it runs, and its certificates.
const KEPT: [&str; 24] = [
    "name",
    "location",
    "network",
    "subnetwork",
    "autopilot",
    "addonsConfig",
    "authenticatorGroupsConfig",
    "binaryAuthorization",
    "controlPlaneEndpointsConfig",
    "databaseEncryption",
    "enableK8sBetaApis",
    "legacyAbac",
    "loggingConfig",
    "loggingService",
    "masterAuthorizedNetworksConfig",
    "monitoringService",
    "networkConfig",
    "networkPolicy",
    "privateClusterConfig",
    "rbacBindingConfig",
    "releaseChannel",
    "securityPostureConfig",
    "shieldedNodes",
    "workloadIdentityConfig",
];

/// Reads clusters.
pub(crate) static CLUSTER_READER: Reader = Reader {
    kind: "container.googleapis.com/Cluster",
    operations: &["container:projects.locations.clusters.get"],
    keys: &[CLUSTER],
    reads: |asset| cluster(asset).into_iter().collect(),
    effects: nothing,
};

/// A cluster of a zone is read by the zone as its location.
fn cluster(asset: &Asset<'_>) -> Option<Read> {
    let (project, location, name) = (asset.project()?, asset.location()?, asset.segment("clusters")?);
    let name = format!("projects/{project}/locations/{location}/clusters/{name}");
    let call = Call::gcp("container", "projects.locations.clusters.get", json!({ "name": name }));
    Some(Read::new(CLUSTER, call).absent(ABSENT).keep(kept))
}

fn kept(answer: Value) -> Value {
    let login = answer.get("masterAuth").map(|auth| only(auth.clone(), &["username", "clientCertificateConfig"]));
    let config = ["serviceAccount", "oauthScopes", "shieldedInstanceConfig", "workloadMetadataConfig"];
    let pools = list(&answer, "nodePools").iter().map(|pool| {
        let mut kept = only(pool.clone(), &["name", "management"]);
        put(&mut kept, &["config"], pool.get("config").map_or(Value::Null, |all| only(all.clone(), &config)));
        kept
    });
    let pools = pools.collect();
    let mut kept = only(answer, &KEPT);
    put(&mut kept, &["masterAuth"], login.unwrap_or_default());
    put(&mut kept, &["nodePools"], Value::Array(pools));
    kept
}
