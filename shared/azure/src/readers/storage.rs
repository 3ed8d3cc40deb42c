//! Storage accounts, Data Lake Storage among them (`isHnsEnabled`), their blob service and their containers.

use onus_core::{Effects, Image, Read};
use serde_json::{Value, json};

use super::arm::{ArmReader, effects_of, keep, no_effects, or_default, read, settled_rules};
use crate::operations::ResourceId;

/// The ARM type of an account.
pub(crate) const ACCOUNT_KIND: &str = "Microsoft.Storage/storageAccounts";
/// The ARM type of a blob container.
pub(crate) const CONTAINER_KIND: &str = "Microsoft.Storage/storageAccounts/blobServices/containers";
/// Image key of an account.
pub(crate) const ACCOUNT: &str = "storageAccount";
/// Image key of a container.
pub(crate) const CONTAINER: &str = "blobContainer";
/// Image key of an account's blob service: soft delete, versions, change feed.
const BLOB_SERVICE: &str = "blobService";

/// Reads an account.
pub(crate) fn account(id: &ResourceId) -> Read {
    read(ACCOUNT, "Microsoft.Storage:StorageAccounts_GetProperties", id, |answer| {
        let mut kept = keep(
            &answer,
            &[
                "kind",
                "properties.allowBlobPublicAccess",
                "properties.allowCrossTenantReplication",
                "properties.allowSharedKeyAccess",
                "properties.allowedCopyScope",
                "properties.defaultToOAuthAuthentication",
                "properties.encryption.keySource",
                "properties.encryption.keyvaultproperties.keyname",
                "properties.encryption.keyvaultproperties.keyvaulturi",
                "properties.encryption.requireInfrastructureEncryption",
                "properties.immutableStorageWithVersioning",
                "properties.isHnsEnabled",
                "properties.isLocalUserEnabled",
                "properties.isNfsV3Enabled",
                "properties.isSftpEnabled",
                "properties.minimumTlsVersion",
                "properties.networkAcls",
                "properties.publicNetworkAccess",
                "properties.sasPolicy",
                "properties.supportsHttpsTrafficOnly",
            ],
        );
        settled_rules(&mut kept);
        kept
    })
}

/// Reads a container.
pub(crate) fn container(id: &ResourceId) -> Read {
    read(CONTAINER, "Microsoft.Storage:BlobContainers_Get", id, |answer| {
        let mut kept = keep(
            &answer,
            &[
                "properties.defaultEncryptionScope",
                "properties.denyEncryptionScopeOverride",
                "properties.hasImmutabilityPolicy",
                "properties.hasLegalHold",
                "properties.publicAccess",
            ],
        );
        or_default(&mut kept, "publicAccess", json!("None"));
        kept
    })
}

/// Accounts.
pub(crate) static ACCOUNTS: ArmReader = ArmReader {
    kind: ACCOUNT_KIND,
    operations: &["Microsoft.Storage:StorageAccounts_GetProperties"],
    reads: |id, _| vec![account(id)],
    effects: |id, image| effects_of(ACCOUNT_KIND, id.as_str(), image.get(ACCOUNT)),
};

/// Containers, each with its account: a container is only as open as the account allows.
pub(crate) static CONTAINERS: ArmReader = ArmReader {
    kind: CONTAINER_KIND,
    operations: &["Microsoft.Storage:BlobContainers_Get", "Microsoft.Storage:StorageAccounts_GetProperties"],
    reads: |id, _| std::iter::once(container(id)).chain(id.cut_to(ACCOUNT_KIND).as_ref().map(account)).collect(),
    effects: |id, image| {
        let account = image.get(ACCOUNT).pointer("/properties/allowBlobPublicAccess");
        // An account that forbids it makes what its containers say void.
        if account == Some(&Value::Bool(false)) {
            return Effects::none();
        }
        effects_of(CONTAINER_KIND, id.as_str(), image.get(CONTAINER))
    },
};

/// Blob services.
pub(crate) static BLOB_SERVICES: ArmReader = ArmReader {
    kind: "Microsoft.Storage/storageAccounts/blobServices",
    operations: &["Microsoft.Storage:BlobServices_GetServiceProperties"],
    reads: |id, _: &Image| {
        vec![read(BLOB_SERVICE, "Microsoft.Storage:BlobServices_GetServiceProperties", id, |answer: Value| {
            keep(
                &answer,
                &[
                    "properties.changeFeed",
                    "properties.containerDeleteRetentionPolicy",
                    "properties.cors",
                    "properties.deleteRetentionPolicy",
                    "properties.isVersioningEnabled",
                    "properties.restorePolicy.enabled",
                ],
            )
        })]
    },
    effects: no_effects,
};
