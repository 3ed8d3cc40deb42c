//! Logs and rules in object stores: `s3://bucket/key` or `s3://bucket/prefix/`, and so with `azblob` and `gs`.

use anyhow::Context;
use onus_ledger::{Objects, Options};

/// What is done with an object: its URL, its path below the URL asked for, and its content.
pub(crate) type Visit<'a> = dyn FnMut(&str, &str, Vec<u8>) -> anyhow::Result<()> + 'a;

/// Fetches the object, or every object below the prefix, and hands them on one at a time.
///
/// # Errors
/// The URL names no bucket, the store refuses, or nothing is there. An error of `visit` ends the walk.
pub(crate) fn each(url: &str, visit: &mut Visit<'_>) -> anyhow::Result<()> {
    let objects = Objects::open(url, &Options::of(std::env::vars()))?;
    let runtime = crate::ledger::runtime()?;
    let paths = runtime.block_on(objects.paths()).with_context(|| format!("cannot list `{url}`"))?;
    anyhow::ensure!(!paths.is_empty(), "`{url}` holds no object");
    for path in &paths {
        let name = objects.url(path);
        let content = runtime.block_on(objects.read(path)).with_context(|| format!("cannot read `{name}`"))?;
        visit(&name, &objects.below(path), content)?;
    }
    Ok(())
}
