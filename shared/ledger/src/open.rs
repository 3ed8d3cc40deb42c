//! From a URL to a ledger.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path;
use onus_core::Ledger;

use crate::entry::ObjectLedger;
use crate::stores::Bucket;

/// How a bucket is written down, for messages and documentation.
pub const BUCKETS: &str = "`s3://BUCKET/PREFIX`, `azblob://CONTAINER/PREFIX` or `gs://BUCKET/PREFIX`";

/// What a URL does not say.
#[derive(Clone, Default)]
pub struct Options {
    /// Environment variables, as the rim read them. A store looks at its own cloud's only: S3 at `AWS_…` (region, keys, session token,
    /// container and web identity credentials, `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_S3`), Azure at `AZURE_…` and `IDENTITY_ENDPOINT`,
    /// Google Cloud at `GOOGLE_APPLICATION_CREDENTIALS`, `STORAGE_EMULATOR_HOST` and `ONUS_GCP_ENDPOINT`.
    pub variables: Vec<(String, String)>,
    /// Credentials that the rim resolved itself (a profile, single sign-on). They win over the variables.
    #[cfg(feature = "s3")]
    pub credentials: Option<object_store::aws::AwsCredentialProvider>,
}

impl Options {
    /// The environment's variables, and nothing resolved beforehand.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            variables: variables.into_iter().collect(),
            #[cfg(feature = "s3")]
            credentials: None,
        }
    }
}

/// Why a ledger could not be opened. Retrying does not help: the URL, the options or the folder must change.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names no store that this build knows.
    #[error("cannot open `{url}`: expected `file://FOLDER`, `memory://`, {BUCKETS}")]
    UnknownScheme {
        /// The URL as given.
        url: String,
    },
    /// This build was made without the store.
    #[error("cannot open `{url}`: this build has no support for `{scheme}`")]
    NotBuilt {
        /// The URL as given.
        url: String,
        /// `file`, `s3`, `azblob` or `gs`.
        scheme: &'static str,
    },
    /// The folder or bucket in the URL is missing or malformed.
    #[error("cannot open `{url}`: {problem}")]
    Malformed {
        /// The URL as given.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The store did not accept its settings, or the folder cannot be made.
    #[error("cannot open `{url}`")]
    Store {
        /// The URL as given.
        url: String,
        /// The store's own error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Opens a ledger.
///
/// `file:///var/lib/onus` or `file://./ledger` is a folder, made when it is not there; `memory://` lives as long as the
/// value; `s3://bucket/prefix`, `azblob://container/prefix` and `gs://bucket/prefix` are buckets. No request is sent yet.
///
/// # Errors
/// The URL is not one of these, or its store rejects its settings.
pub fn open(url: &str, options: &Options) -> Result<Arc<dyn Ledger>, OpenError> {
    let (store, prefix) = match url.split_once("://") {
        Some(("memory", "")) => (Arc::new(InMemory::new()) as Arc<dyn ObjectStore>, Path::default()),
        Some(("file", folder)) => (local(url, folder)?, Path::default()),
        _ => match Bucket::open(url, options)? {
            Some(bucket) => (bucket.store, bucket.path),
            None => return Err(OpenError::UnknownScheme { url: url.to_owned() }),
        },
    };
    Ok(Arc::new(ObjectLedger::new(store, prefix)))
}

#[cfg(feature = "fs")]
fn local(url: &str, folder: &str) -> Result<Arc<dyn ObjectStore>, OpenError> {
    if folder.is_empty() {
        return Err(OpenError::Malformed { url: url.to_owned(), problem: "no folder is named".to_owned() });
    }
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| OpenError::Store { url: url.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(|error| failed(error.into()))?;
    let store = object_store::local::LocalFileSystem::new_with_prefix(folder).map_err(|error| failed(error.into()))?;
    // A claim that a power cut forgets would be made twice.
    Ok(Arc::new(store.with_fsync(true)))
}

#[cfg(not(feature = "fs"))]
fn local(url: &str, _folder: &str) -> Result<Arc<dyn ObjectStore>, OpenError> {
    Err(OpenError::NotBuilt { url: url.to_owned(), scheme: "file" })
}
