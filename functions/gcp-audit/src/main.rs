//! Google Cloud entry point. What Pub/Sub and Eventarc push becomes findings.

use onus_host::Environment;
use onus_host::gcp::AuditFunction;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let environment = Environment::of_process(); // the only place that reads the environment
    onus_host::init_logging(&environment);
    let function = AuditFunction::start(&environment).await?; // clients and rules load once per cold start
    Ok(function.serve(&environment).await?) // until the platform asks to end
}
