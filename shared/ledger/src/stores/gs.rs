//! `gs://BUCKET/PREFIX`: Google Cloud Storage. A create is `x-goog-if-generation-match: 0`
//! (<https://cloud.google.com/storage/docs/request-preconditions>).

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};

use super::{client_for, retry};
use crate::open::Options;
use crate::transport::Connector;

/// Where another endpoint than Google's is named: by Onus for all APIs, and by Google's own clients for Cloud Storage alone, which wins.
const ENDPOINTS: [&str; 2] = ["STORAGE_EMULATOR_HOST", "ONUS_GCP_ENDPOINT"];

/// A bucket. Credentials: `GOOGLE_APPLICATION_CREDENTIALS`, else the metadata server's, which `GCE_METADATA_HOST` may redirect. An
/// emulator named by `STORAGE_EMULATOR_HOST` is asked with a token that means nothing.
pub(super) fn open(bucket: &str, options: &Options) -> object_store::Result<Arc<dyn ObjectStore>> {
    let set = |wanted: &str| {
        let found = options.variables.iter().find(|(name, value)| name == wanted && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    };
    let mut builder = GoogleCloudStorageBuilder::new();
    if let Some(file) = set("GOOGLE_APPLICATION_CREDENTIALS") {
        builder = builder.with_config(GoogleConfigKey::ApplicationCredentials, file);
    }
    let endpoint = ENDPOINTS.iter().find_map(|name| set(name)).map(|url| url.trim_end_matches('/'));
    if let Some(url) = endpoint {
        builder = builder.with_base_url(url);
    }
    if set("STORAGE_EMULATOR_HOST").is_some() {
        builder = builder.with_bearer_token("emulator");
    }
    let store = builder
        .with_bucket_name(bucket)
        .with_client_options(client_for(endpoint))
        .with_retry(retry())
        .with_http_connector(Connector)
        .build()?;
    Ok(Arc::new(store))
}
