//! A local AWS for the time of one test binary.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::workspace;

/// The account that both servers play.
pub const ACCOUNT: &str = "123456789012";

/// The region that tests work in.
pub const REGION: &str = "us-east-1";

/// A running server; ends when dropped, and when the test process dies.
#[derive(Debug)]
pub struct LocalAws {
    child: Child,
    /// What `AWS_ENDPOINT_URL` takes.
    pub url: String,
}

impl LocalAws {
    /// moto: the widest set of APIs. No permissions are enforced.
    pub fn moto() -> Self {
        Self::start(&["moto"])
    }

    /// ministack: the closest to AWS in what it refuses. No permissions are enforced.
    pub fn ministack() -> Self {
        Self::start(&["ministack"])
    }

    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(workspace::python())
            .arg(workspace::root().join("tests/local/serve.py"))
            .args(arguments)
            .stdin(Stdio::piped()) // closes when this process ends, and the server with it
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server can be started");
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("standard output is piped"))
            .read_line(&mut url)
            .expect("the server says where it listens");
        assert!(url.starts_with("http://"), "{arguments:?} did not start");
        Self { child, url: url.trim().to_owned() }
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

impl Drop for LocalAws {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait(); // it was asked to end; nothing is left to do when that fails
    }
}
