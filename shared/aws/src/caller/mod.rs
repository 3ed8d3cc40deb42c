//! Sends any call to AWS, on the SDK's own signing, credential, retry and HTTP layers.

mod config;

pub use config::{http_client, load_config};
