//! Key vaults. What is in them is the data plane's, and never read.

use onus_core::Read;
use serde_json::json;

use super::arm::{ArmReader, effects_of, keep, or_default, read, settled_rules};
use crate::operations::ResourceId;

/// The ARM type.
pub(crate) const KIND: &str = "Microsoft.KeyVault/vaults";
/// Image key of a vault.
pub(crate) const VAULT: &str = "vault";

/// Reads a vault's settings.
pub(crate) fn vault(id: &ResourceId) -> Read {
    read(VAULT, "Microsoft.KeyVault:Vaults_Get", id, |answer| {
        let mut kept = keep(
            &answer,
            &[
                "properties.accessPolicies",
                "properties.enablePurgeProtection",
                "properties.enableRbacAuthorization",
                "properties.enableSoftDelete",
                "properties.enabledForDeployment",
                "properties.enabledForDiskEncryption",
                "properties.enabledForTemplateDeployment",
                "properties.networkAcls",
                "properties.publicNetworkAccess",
                "properties.softDeleteRetentionInDays",
                "properties.tenantId",
            ],
        );
        settled_rules(&mut kept);
        // A vault that was never given network rules lets every network in, which these say in so many words:
        // https://learn.microsoft.com/azure/key-vault/general/network-security
        let open = json!({ "bypass": "AzureServices", "defaultAction": "Allow" });
        or_default(&mut kept, "networkAcls", open);
        kept
    })
}

/// Vaults.
pub(crate) static VAULTS: ArmReader = ArmReader {
    kind: KIND,
    operations: &["Microsoft.KeyVault:Vaults_Get"],
    reads: |id, _| vec![vault(id)],
    effects: |id, image| effects_of(KIND, id.as_str(), image.get(VAULT)),
};
