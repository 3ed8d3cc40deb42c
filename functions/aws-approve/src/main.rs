//! AWS entry point. Approval links lead to a page that answers.

use lambda_runtime::{Error, service_fn};
use onus_host::Environment;
use onus_host::lambda::ApproveFunction;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::of_process(); // the only place that reads the environment
    onus_host::init_logging(&environment);
    let function = &ApproveFunction::start(&environment).await?; // the key and the ledger load once per cold start
    lambda_runtime::run(service_fn(move |event| function.handle(event))).await
}
