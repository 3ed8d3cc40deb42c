//! Object stores in the cloud, each with conditional creates, all over [one transport](crate::transport).

#[cfg(feature = "azblob")]
mod azblob;
#[cfg(feature = "gs")]
mod gs;
#[cfg(feature = "s3")]
mod s3;

use std::sync::Arc;

#[cfg(any(feature = "azblob", feature = "gs"))]
use object_store::ClientOptions;
use object_store::ObjectStore;
use object_store::path::Path;

use crate::open::{OpenError, Options};

/// Opens one bucket, or container.
type Open = fn(&str, &Options) -> object_store::Result<Arc<dyn ObjectStore>>;

/// The schemes of URLs that name a bucket, in the order in which messages list them, and how each is opened; `None` where this
/// build cannot.
const STORES: [(&str, Option<Open>); 3] = [
    #[cfg(feature = "s3")]
    ("s3", Some(s3::open)),
    #[cfg(not(feature = "s3"))]
    ("s3", None),
    #[cfg(feature = "azblob")]
    ("azblob", Some(azblob::open)),
    #[cfg(not(feature = "azblob"))]
    ("azblob", None),
    #[cfg(feature = "gs")]
    ("gs", Some(gs::open)),
    #[cfg(not(feature = "gs"))]
    ("gs", None),
];

/// A bucket that a URL names.
pub(crate) struct Bucket {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// `s3://bucket`: what stands before a path in its URLs.
    pub(crate) root: String,
    /// The path in the URL.
    pub(crate) path: Path,
    /// Whether the path can only be a prefix: it is empty or ends with `/`.
    pub(crate) folder: bool,
}

impl Bucket {
    /// Opens the bucket of a URL; `None` when its scheme names no bucket. No request is sent yet.
    pub(crate) fn open(url: &str, options: &Options) -> Result<Option<Self>, OpenError> {
        let malformed = |problem: &str| OpenError::Malformed { url: url.to_owned(), problem: problem.to_owned() };
        let Some((scheme, rest)) = url.split_once("://") else { return Ok(None) };
        let Some((scheme, open)) = STORES.iter().find(|(known, _)| *known == scheme) else { return Ok(None) };
        let open = open.ok_or_else(|| OpenError::NotBuilt { url: url.to_owned(), scheme })?;
        let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
        if name.is_empty() {
            return Err(malformed("no bucket is named"));
        }
        let folder = path.is_empty() || path.ends_with('/');
        let path = Path::parse(path.trim_end_matches('/')).map_err(|error| malformed(&error.to_string()))?;
        let failed = |source: object_store::Error| OpenError::Store { url: url.to_owned(), source: source.into() };
        Ok(Some(Self { store: open(name, options).map_err(failed)?, root: format!("{scheme}://{name}"), path, folder }))
    }
}

/// How often and how long a store tries again.
#[cfg(feature = "buckets")]
fn retry() -> object_store::RetryConfig {
    // Four attempts after the first, in twenty seconds all together: well inside a function's time.
    let (max_retries, retry_timeout) = (4, std::time::Duration::from_secs(20));
    object_store::RetryConfig { max_retries, retry_timeout, ..object_store::RetryConfig::default() }
}

/// Plain HTTP to this machine, for emulators; everywhere else only TLS.
#[cfg(any(feature = "azblob", feature = "gs"))]
fn client_for(endpoint: Option<&str>) -> ClientOptions {
    let host = endpoint.and_then(|url| url.strip_prefix("http://")).map(|rest| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority.rsplit_once(':').map_or(authority, |(host, _)| host).to_owned()
    });
    ClientOptions::new()
        .with_allow_http(host.is_some_and(|host| matches!(host.as_str(), "127.0.0.1" | "localhost" | "[::1]")))
}
