//! A function as an HTTP server, which is how the Azure Functions host and Cloud Run call one.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use tokio::net::TcpListener;

use crate::environment::{Environment, StartError};

/// The largest body that is taken, in bytes: more than a batch of Event Hubs or a message of Pub/Sub can be.
const LARGEST: usize = 64 * 1024 * 1024;

/// The port that a platform names.
///
/// # Errors
/// The variable is not set, or no port.
pub(crate) fn port(environment: &Environment, name: &'static str) -> Result<u16, StartError> {
    let text = environment.require(name)?;
    text.parse().map_err(|_| StartError::Malformed { name, value: text.to_owned(), expected: "a port" })
}

/// Serves until the platform asks to end, and then until what was begun is done.
///
/// # Errors
/// The port is taken.
pub(crate) async fn serve(router: Router, address: SocketAddr) -> Result<(), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    tracing::info!(%address, "listening");
    let router = router.layer(DefaultBodyLimit::max(LARGEST));
    axum::serve(listener, router).with_graceful_shutdown(asked_to_end()).await.map_err(failed)
}

/// Ends when the process gets SIGTERM, or SIGINT on a terminal.
async fn asked_to_end() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await; // nobody can interrupt
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(error) => {
                tracing::warn!(%error, "SIGTERM cannot be waited for, and will end the process at once");
                std::future::pending::<()>().await;
            }
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
    tracing::info!("asked to end: what was begun is done first");
}
