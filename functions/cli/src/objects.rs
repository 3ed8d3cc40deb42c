//! Logs in object stores: `s3://bucket/key` or `s3://bucket/prefix/`.

use anyhow::Context;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

/// Fetches the object, or every object below the prefix, one at a time, and hands on its URL and content.
///
/// # Errors
/// The URL names no bucket, the store refuses, or nothing is there. An error of `visit` ends the walk.
pub(crate) fn each(url: &str, visit: &mut dyn FnMut(&str, Vec<u8>) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let rest = url.strip_prefix("s3://").with_context(|| format!("cannot read `{url}`: expected `s3://BUCKET/KEY`"))?;
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    let options = onus_ledger::Options { variables: std::env::vars().collect(), ..onus_ledger::Options::default() };
    let store = onus_ledger::transport::s3(bucket, &options).with_context(|| format!("cannot open `{url}`"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let at = Path::parse(key.trim_end_matches('/')).with_context(|| format!("cannot read `{url}`"))?;
    let fetch = |path: &Path| {
        runtime
            .block_on(async { store.get(path).await?.bytes().await })
            .map(Vec::from)
            .with_context(|| format!("cannot read `s3://{bucket}/{path}`"))
    };
    let whole = key.is_empty() || key.ends_with('/');
    if !whole && runtime.block_on(store.head(&at)).is_ok() {
        return visit(url, fetch(&at)?);
    }
    let mut paths: Vec<Path> = runtime
        .block_on(store.list(Some(&at)).map_ok(|object| object.location).try_collect())
        .with_context(|| format!("cannot list `{url}`"))?;
    anyhow::ensure!(!paths.is_empty(), "`{url}` holds no object");
    paths.sort();
    for path in &paths {
        visit(&format!("s3://{bucket}/{path}"), fetch(path)?)?;
    }
    Ok(())
}
