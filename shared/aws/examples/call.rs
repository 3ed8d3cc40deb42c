//! Sends one call to AWS, or to what `AWS_ENDPOINT_URL` names, and prints the answer.
//!
//! ```text
//! cargo run -p onus-aws --features caller --example call -- s3:GetBucketPolicy '{"Bucket": "amzn-s3-demo-bucket"}'
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Instant;

use onus_aws::caller::{AwsCaller, load_config};
use onus_core::{Call, Caller};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let start = Instant::now();
    let mut arguments = std::env::args().skip(1);
    let (name, parameters) =
        (arguments.next().expect("service:Operation"), arguments.next().unwrap_or("{}".to_owned()));
    let (service, operation) = name.split_once(':').expect("service:Operation");
    let call = Call::aws(service, operation, "", serde_json::from_str(&parameters).expect("parameters are JSON"));
    let caller = AwsCaller::new(&load_config().await);
    let loaded = start.elapsed();
    let answer = caller.call(&call).await;
    let first = start.elapsed();
    if std::env::var_os("TIMES").is_some() {
        let again = Instant::now();
        let _ = caller.call(&call).await;
        eprintln!("configuration {loaded:?}, first answer after {first:?}, second took {:?}", again.elapsed());
    }
    match answer {
        Ok(answer) => println!("{answer:#}"),
        Err(error) => {
            eprintln!("{:?} (retryable: {}): {error}", error.kind, error.is_retryable());
            std::process::exit(1);
        }
    }
}
