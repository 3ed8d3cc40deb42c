//! Sends one call to Azure Resource Manager, or to what `ONUS_ARM_ENDPOINT` names, as the managed identity of this machine, and
//! prints the answer.
//!
//! ```text
//! cargo run -p onus-azure --features caller --example call -- Microsoft.KeyVault:Vaults_Get '{"id": "/subscriptions/…/vaults/kv"}'
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used)]

use onus_azure::caller::{ArmCaller, Endpoint, PUBLIC, managed_identity};
use onus_core::{Call, Caller};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (name, parameters) =
        (arguments.next().expect("Provider:Operation"), arguments.next().unwrap_or("{}".to_owned()));
    let (provider, operation) = name.split_once(':').expect("Provider:Operation");
    let call = Call::azure(provider, operation, serde_json::from_str(&parameters).expect("parameters are JSON"));
    let endpoint = std::env::var("ONUS_ARM_ENDPOINT").unwrap_or(PUBLIC.to_owned());
    let endpoint = Endpoint::parse(&endpoint).expect("an endpoint");
    let caller = ArmCaller::new(endpoint, managed_identity(None).expect("an identity")).expect("a caller");
    match caller.call(&call).await {
        Ok(answer) => println!("{answer:#}"),
        Err(error) => {
            eprintln!("{:?} (retryable: {}): {error}", error.kind, error.is_retryable());
            std::process::exit(1);
        }
    }
}
