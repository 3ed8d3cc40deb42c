//! What integration tests stand on: local clouds, the real function binaries, and the platform that runs them.
//!
//! Nothing here is skipped when it is missing: a test that needs a local cloud fails and names `make local`.

mod server;

pub mod client;
pub mod cloud_run;
pub mod cloudtrail;
pub mod command_line;
pub mod faults;
pub mod http;
pub mod lambda;
pub mod links;
pub mod local_aws;
pub mod local_azure;
pub mod local_gcp;
pub mod simulation;
pub mod stage;
pub mod workspace;
