//! From a URL to a ledger.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path;
use onus_core::Ledger;

use crate::entry::ObjectLedger;

/// How a bucket is written down, for messages and documentation.
pub const BUCKETS: &str = "`s3://BUCKET/PREFIX`";

/// What a URL does not say.
#[derive(Clone, Default)]
pub struct Options {
    /// Environment variables, as the rim read them. Only `AWS_…` is looked at: region, keys, session token, container and
    /// web identity credentials, `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_S3`.
    pub variables: Vec<(String, String)>,
    /// Credentials that the rim resolved itself (a profile, single sign-on). They win over the variables.
    #[cfg(feature = "s3")]
    pub credentials: Option<object_store::aws::AwsCredentialProvider>,
}

impl Options {
    /// The environment's variables, and nothing resolved beforehand.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: variables.into_iter().collect(), ..Self::default() }
    }
}

/// Why a ledger could not be opened. Retrying does not help: the URL, the options or the folder must change.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names no store that this build knows.
    #[error("cannot open ledger `{url}`: expected `file://FOLDER`, `memory://` or `s3://BUCKET/PREFIX`")]
    UnknownScheme {
        /// The URL as given.
        url: String,
    },
    /// This build was made without the store.
    #[error("cannot open ledger `{url}`: this build has no support for `{scheme}`")]
    NotBuilt {
        /// The URL as given.
        url: String,
        /// `file` or `s3`.
        scheme: &'static str,
    },
    /// The folder or bucket in the URL is missing or malformed.
    #[error("cannot open ledger `{url}`: {problem}")]
    Malformed {
        /// The URL as given.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The store did not accept its settings, or the folder cannot be made.
    #[error("cannot open ledger `{url}`")]
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
/// value; `s3://bucket/prefix` is a bucket, addressed by path where `AWS_ENDPOINT_URL` names another endpoint. No request
/// is sent yet.
///
/// # Errors
/// The URL is not one of these, or its store rejects its settings.
pub fn open(url: &str, options: &Options) -> Result<Arc<dyn Ledger>, OpenError> {
    let (store, prefix) = match url.split_once("://") {
        Some(("memory", "")) => (Arc::new(InMemory::new()) as Arc<dyn ObjectStore>, Path::default()),
        Some(("file", folder)) => (local(url, folder)?, Path::default()),
        Some(("s3", rest)) => bucket(url, rest, options)?,
        _ => return Err(OpenError::UnknownScheme { url: url.to_owned() }),
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

/// The bucket of an `s3://` URL, and the path in it.
#[cfg(feature = "s3")]
pub(crate) fn bucket(url: &str, rest: &str, options: &Options) -> Result<(Arc<dyn ObjectStore>, Path), OpenError> {
    let malformed = |problem: &str| OpenError::Malformed { url: url.to_owned(), problem: problem.to_owned() };
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(malformed("no bucket is named"));
    }
    let prefix = Path::parse(prefix.trim_end_matches('/')).map_err(|error| malformed(&error.to_string()))?;
    let store = crate::transport::s3(bucket, options)
        .map_err(|source| OpenError::Store { url: url.to_owned(), source: source.into() })?;
    Ok((store, prefix))
}

#[cfg(not(feature = "s3"))]
fn bucket(url: &str, _rest: &str, _options: &Options) -> Result<(Arc<dyn ObjectStore>, Path), OpenError> {
    Err(OpenError::NotBuilt { url: url.to_owned(), scheme: "s3" })
}
