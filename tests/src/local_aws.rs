//! A local AWS for the time of one test binary.

use crate::server::Server;

/// The account that both servers play.
pub const ACCOUNT: &str = "123456789012";

/// The region that tests work in.
pub const REGION: &str = "us-east-1";

/// A running server; ends when dropped, and when the test process dies.
#[derive(Debug)]
pub struct LocalAws {
    /// What `AWS_ENDPOINT_URL` takes.
    pub url: String,
    _server: Server,
}

impl LocalAws {
    /// moto: the widest set of APIs. No permissions are enforced.
    pub fn moto() -> Self {
        Self::start("moto")
    }

    /// ministack: the closest to AWS in what it refuses. No permissions are enforced.
    pub fn ministack() -> Self {
        Self::start("ministack")
    }

    fn start(kind: &str) -> Self {
        let server = Server::start(kind);
        Self { url: server.url(), _server: server }
    }

    /// The environment that a function or a client needs to reach it.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.url.clone()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_REGION", REGION.to_owned()),
        ]
    }
}
