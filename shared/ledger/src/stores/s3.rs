//! `s3://BUCKET/PREFIX`.

use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum, S3ConditionalPut};
use object_store::{ClientOptions, ObjectStore};

use super::retry;
use crate::open::Options;
use crate::transport::Connector;

/// An S3 bucket. It is addressed by path where `AWS_ENDPOINT_URL` names another endpoint. A setting that is malformed, or root
/// certificates that cannot be read, are errors.
pub(super) fn open(bucket: &str, options: &Options) -> object_store::Result<Arc<dyn ObjectStore>> {
    let mut builder = AmazonS3Builder::new();
    let mut allow_http = false;
    for (name, value) in options.variables.iter().filter(|(name, _)| name.starts_with("AWS_")) {
        if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
            let endpoint = matches!(key, AmazonS3ConfigKey::Endpoint | AmazonS3ConfigKey::S3Endpoint);
            allow_http |= endpoint && value.starts_with("http://");
            builder = builder.with_config(key, value);
        }
    }
    if let Some(credentials) = &options.credentials {
        builder = builder.with_credentials(Arc::clone(credentials));
    }
    let store = builder
        .with_bucket_name(bucket)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        // A bucket with Object Lock accepts no object without one.
        .with_checksum_algorithm(Checksum::SHA256)
        .with_client_options(ClientOptions::new().with_allow_http(allow_http))
        .with_retry(retry())
        .with_http_connector(Connector)
        .build()?;
    Ok(Arc::new(store))
}
