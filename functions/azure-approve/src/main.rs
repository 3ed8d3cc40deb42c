//! Azure entry point. Approval links lead to a page that answers.

use onus_host::approvals::ApproveServer;
use onus_host::{Environment, azure};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let environment = Environment::of_process(); // the only place that reads the environment
    onus_host::init_logging(&environment);
    let server = ApproveServer::start(&environment).await?; // the key and the ledger load once per cold start
    Ok(server.serve(azure::address(&environment)?).await?) // until the platform asks to end
}
