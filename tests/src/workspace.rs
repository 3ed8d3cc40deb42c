//! Where things are in a checkout.

use std::path::PathBuf;

/// The root of the checkout.
///
/// # Panics
/// The package was moved to the file system's root.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in a checkout").to_owned()
}

/// Where the local AWS is installed: `ONUS_LOCAL`, or `.local` in the checkout.
pub fn local() -> PathBuf {
    std::env::var_os("ONUS_LOCAL").map_or_else(|| root().join(".local"), PathBuf::from)
}

/// The Python that has the local AWS and its clients.
///
/// # Panics
/// It is not installed.
pub fn python() -> PathBuf {
    let python = local().join("venv/bin/python");
    assert!(python.exists(), "`{}` is missing\nhint: run `make local`", python.display());
    python
}
