//! What integration tests stand on: a local AWS, the real function binaries, and the platform that runs them.
//!
//! Nothing here is skipped when it is missing: a test that needs the local AWS fails and names `make local`.

// INVARIANT: only tests link this package; a broken set-up has to fail the test that met it.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, clippy::indexing_slicing)]

pub mod lambda;
pub mod local_aws;
pub mod workspace;
