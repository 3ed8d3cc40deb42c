//! Virtual machines, Kubernetes clusters and container groups.

use onus_core::Image;
use serde_json::{Value, json};

use super::arm::{ArmReader, effects_of, elements, keep, no_effects, pick, read, tidy};

/// The ARM type of a Kubernetes cluster.
const CLUSTER_KIND: &str = "Microsoft.ContainerService/managedClusters";
/// Image key of a Kubernetes cluster.
const CLUSTER: &str = "managedCluster";
/// The ARM type of a container group.
const CONTAINERS_KIND: &str = "Microsoft.ContainerInstance/containerGroups";
/// Image key of a container group.
const CONTAINERS: &str = "containerGroup";

/// Virtual machines: how they are secured and logged in to, never their custom data.
pub(crate) static VIRTUAL_MACHINES: ArmReader = ArmReader {
    kind: "Microsoft.Compute/virtualMachines",
    operations: &["Microsoft.Compute:VirtualMachines_Get"],
    reads: |id, _: &Image| {
        vec![read("virtualMachine", "Microsoft.Compute:VirtualMachines_Get", id, |answer| {
            keep(
                &answer,
                &[
                    "identity.type",
                    "properties.diagnosticsProfile.bootDiagnostics.enabled",
                    "properties.networkProfile.networkInterfaces",
                    "properties.osProfile.allowExtensionOperations",
                    "properties.osProfile.linuxConfiguration.disablePasswordAuthentication",
                    "properties.osProfile.linuxConfiguration.patchSettings.patchMode",
                    "properties.osProfile.windowsConfiguration.enableAutomaticUpdates",
                    "properties.osProfile.windowsConfiguration.patchSettings.patchMode",
                    "properties.osProfile.windowsConfiguration.winRM",
                    "properties.securityProfile",
                    "properties.storageProfile.osDisk.encryptionSettings.enabled",
                    "properties.storageProfile.osDisk.managedDisk.diskEncryptionSet",
                    "properties.storageProfile.osDisk.managedDisk.securityProfile",
                    "properties.storageProfile.osDisk.osType",
                ],
            )
        })]
    },
    effects: no_effects,
};

/// Kubernetes clusters.
pub(crate) static MANAGED_CLUSTERS: ArmReader = ArmReader {
    kind: CLUSTER_KIND,
    operations: &["Microsoft.ContainerService:ManagedClusters_Get"],
    reads: |id, _: &Image| {
        vec![read(CLUSTER, "Microsoft.ContainerService:ManagedClusters_Get", id, |answer| {
            keep(
                &answer,
                &[
                    "identity.type",
                    "properties.aadProfile",
                    "properties.addonProfiles",
                    "properties.apiServerAccessProfile",
                    "properties.autoUpgradeProfile",
                    "properties.disableLocalAccounts",
                    "properties.enableRBAC",
                    "properties.networkProfile.networkPolicy",
                    "properties.networkProfile.outboundType",
                    "properties.oidcIssuerProfile.enabled",
                    "properties.publicNetworkAccess",
                    "properties.securityProfile",
                ],
            )
        })]
    },
    effects: |id, image| effects_of(CLUSTER_KIND, id.as_str(), image.get(CLUSTER)),
};

/// Container groups. The values of environment variables and the commands stay out: they may hold secrets, and images are kept.
/// A variable with a value in the clear has the member `value`, hidden.
pub(crate) static CONTAINER_GROUPS: ArmReader = ArmReader {
    kind: CONTAINERS_KIND,
    operations: &["Microsoft.ContainerInstance:ContainerGroups_Get"],
    reads: |id, _: &Image| {
        vec![read(CONTAINERS, "Microsoft.ContainerInstance:ContainerGroups_Get", id, |answer| {
            let mut kept = keep(
                &answer,
                &[
                    "identity.type",
                    "properties.encryptionProperties",
                    "properties.ipAddress.dnsNameLabel",
                    "properties.ipAddress.ports",
                    "properties.ipAddress.type",
                    "properties.osType",
                    "properties.sku",
                    "properties.subnetIds",
                ],
            );
            let containers = elements(answer.pointer("/properties/containers").unwrap_or(&Value::Null));
            let containers: Vec<Value> = containers.iter().map(container).collect();
            if let Some(Value::Object(properties)) = kept.get_mut("properties") {
                properties.insert("containers".to_owned(), tidy(&json!(containers)));
            }
            kept
        })]
    },
    effects: |id, image| effects_of(CONTAINERS_KIND, id.as_str(), image.get(CONTAINERS)),
};

fn container(answer: &Value) -> Value {
    let mut kept = pick(answer, &["name", "properties.image", "properties.ports", "properties.securityContext"]);
    let variables = elements(answer.pointer("/properties/environmentVariables").unwrap_or(&Value::Null)).iter();
    let variables = variables.map(|variable| {
        let in_the_clear = variable.get("value").is_some_and(|value| !value.is_null());
        if in_the_clear {
            json!({ "name": variable["name"], "value": "***" })
        } else {
            json!({ "name": variable["name"] })
        }
    });
    let variables: Vec<Value> = variables.collect();
    if let Some(Value::Object(properties)) = kept.get_mut("properties") {
        properties.insert("environmentVariables".to_owned(), json!(variables));
    }
    kept
}
