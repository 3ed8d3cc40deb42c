//! Sends one call to Google Cloud, or to what `ONUS_GCP_ENDPOINT` names, and prints the answer.
//!
//! ```text
//! cargo run -p onus-gcp --features caller --example call -- storage:buckets.get '{"bucket": "example-reports"}'
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used)]

use onus_core::{Call, Caller};
use onus_gcp::caller::{Endpoint, GcpCaller, credentials, http_client};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (name, parameters) = (arguments.next().expect("api:method"), arguments.next().unwrap_or("{}".to_owned()));
    let (api, method) = name.split_once(':').expect("api:method");
    let call = Call::gcp(api, method, serde_json::from_str(&parameters).expect("parameters are JSON"));
    let endpoint = Endpoint::new(std::env::var("ONUS_GCP_ENDPOINT").ok().as_deref()).expect("a safe endpoint");
    let caller = GcpCaller::new(http_client().expect("a client"), credentials().expect("credentials"), endpoint);
    match caller.call(&call).await {
        Ok(answer) => println!("{answer:#}"),
        Err(error) => {
            eprintln!("{:?} (retryable: {}): {error}", error.kind, error.is_retryable());
            std::process::exit(1);
        }
    }
}
