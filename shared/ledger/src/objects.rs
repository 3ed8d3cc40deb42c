//! Objects that somebody else wrote: logs to audit, rules to load. Read only; for what Onus itself keeps see
//! [`ObjectLedger`](crate::ObjectLedger).

use std::sync::Arc;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};

use crate::open::{OpenError, Options};
use crate::stores::Bucket;

/// What the URL of an object (`s3://bucket/key`) or of a prefix (`s3://bucket/prefix/`) names.
#[derive(Debug)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    root: String,
    at: Path,
    folder: bool,
}

impl Objects {
    /// Opens the bucket of a URL. No request is sent yet.
    ///
    /// # Errors
    /// The URL names no bucket, or the store rejects its settings.
    pub fn open(url: &str, options: &Options) -> Result<Self, OpenError> {
        match Bucket::open(url, options)? {
            Some(Bucket { store, root, path, folder }) => Ok(Self { store, root, at: path, folder }),
            None => Err(OpenError::UnknownScheme { url: url.to_owned() }),
        }
    }

    /// The object itself, when the URL names one, else every object below the prefix, sorted. Empty when there is none.
    ///
    /// # Errors
    /// The store failed or refused.
    pub async fn paths(&self) -> Result<Vec<Path>, Error> {
        if !self.folder {
            match self.store.head(&self.at).await {
                Ok(_) => return Ok(vec![self.at.clone()]),
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let mut paths: Vec<Path> =
            self.store.list(Some(&self.at)).map_ok(|object| object.location).try_collect().await?;
        paths.sort();
        Ok(paths)
    }

    /// One object's content.
    ///
    /// # Errors
    /// The store failed or refused.
    pub async fn read(&self, path: &Path) -> Result<Vec<u8>, Error> {
        Ok(self.store.get(path).await?.bytes().await?.into())
    }

    /// An object's whole URL.
    pub fn url(&self, path: &Path) -> String {
        format!("{}/{path}", self.root)
    }

    /// An object's path below the URL that was opened.
    pub fn below(&self, path: &Path) -> String {
        path.prefix_match(&self.at)
            .map_or_else(String::new, |parts| parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/"))
    }
}
