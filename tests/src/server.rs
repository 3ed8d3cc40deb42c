//! A server of `tests/local/serve.py` for the time of one test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::workspace;

/// A running server; ends when dropped, and when the test process dies.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Where it listens, as many as `serve.py` says for its kind.
    pub(crate) urls: Vec<String>,
}

impl Server {
    /// Starts one and waits until it answers.
    ///
    /// # Panics
    /// It does not start.
    pub(crate) fn start(kind: &str) -> Self {
        let mut child = Command::new(workspace::python())
            .arg(workspace::root().join("tests/local/serve.py"))
            .arg(kind)
            .stdin(Stdio::piped()) // closes when this process ends, and the server with it
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server can be started");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("standard output is piped"))
            .read_line(&mut line)
            .expect("the server says where it listens");
        assert!(line.starts_with("http://"), "`{kind}` did not start");
        Self { child, urls: line.split_whitespace().map(str::to_owned).collect() }
    }

    /// Its first URL.
    pub(crate) fn url(&self) -> String {
        self.urls.first().expect("a server listens somewhere").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait(); // it was asked to end; nothing is left to do when that fails
    }
}
