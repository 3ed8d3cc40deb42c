//! What integration tests stand on: a local AWS, the real function binaries, and the platform that runs them.
//!
//! Nothing here is skipped when it is missing: a test that needs the local AWS fails and names `make local`.

pub mod client;
pub mod cloudtrail;
pub mod lambda;
pub mod local_aws;
pub mod stage;
pub mod workspace;
