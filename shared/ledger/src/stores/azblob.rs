//! `azblob://CONTAINER/PREFIX`: Azure Blob Storage. A create is `If-None-Match: *`
//! (<https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations>).

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};

use super::{client_for, retry};
use crate::open::Options;
use crate::transport::Connector;

/// A container of the account `AZURE_STORAGE_ACCOUNT_NAME`. `AZURE_STORAGE_ENDPOINT` names another endpoint (the account is part of its path on
/// an emulator). Credentials: a managed identity (`IDENTITY_ENDPOINT`, of `AZURE_CLIENT_ID` where it is set), a workload identity,
/// a service principal, or `AZURE_STORAGE_ACCOUNT_KEY`.
pub(super) fn open(container: &str, options: &Options) -> object_store::Result<Arc<dyn ObjectStore>> {
    let mut builder = MicrosoftAzureBuilder::new();
    let mut endpoint = None;
    for (name, value) in &options.variables {
        let known = name.starts_with("AZURE_") || name == "IDENTITY_ENDPOINT";
        if let (true, false, Ok(key)) = (known, value.is_empty(), name.to_ascii_lowercase().parse::<AzureConfigKey>()) {
            if matches!(key, AzureConfigKey::Client(_) | AzureConfigKey::UseEmulator | AzureConfigKey::SkipSignature) {
                continue; // the client is fixed here, and no setting turns signatures off
            }
            if matches!(key, AzureConfigKey::Endpoint) {
                endpoint = Some(value.as_str());
            }
            builder = builder.with_config(key, value);
        }
    }
    let store = builder
        .with_container_name(container)
        .with_client_options(client_for(endpoint))
        .with_retry(retry())
        .with_http_connector(Connector)
        .build()?;
    Ok(Arc::new(store))
}
