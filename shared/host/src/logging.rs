//! Logs as lines of JSON on standard output, which is what Lambda collects.

use tracing_subscriber::EnvFilter;

use crate::environment::Environment;

/// Starts logging at the level of `ONUS_LOG`, `info` when it is not set. The SDK's own layers log warnings only: their
/// finer levels print headers. Call once per process; a second call changes nothing.
pub fn init_logging(environment: &Environment) {
    let level = environment.get("ONUS_LOG").unwrap_or("info");
    let quiet = "aws_config=warn,aws_smithy_runtime=warn,aws_runtime=warn,hyper=warn,hyper_util=warn,rustls=warn,lambda_runtime=warn,object_store=warn";
    let filter = EnvFilter::builder().parse_lossy(format!("{level},{quiet}"));
    let started = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_ansi(false)
        .with_env_filter(filter)
        .try_init();
    if let Err(error) = started {
        tracing::debug!(%error, "logging was started before");
    }
}
