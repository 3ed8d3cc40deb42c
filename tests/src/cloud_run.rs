//! Cloud Run: a function's real binary as a service, and requests to it.
//!
//! Source: "Container runtime contract" (<https://cloud.google.com/run/docs/container-contract>): the service listens on `PORT`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a service may take to listen. Cloud Run gives it four minutes.
const START: Duration = Duration::from_secs(30);

/// How long a request may take.
const ANSWER: Duration = Duration::from_mins(2);

/// What was answered to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// One running service; ends when dropped.
#[derive(Debug)]
pub struct Service {
    child: Child,
    url: String,
}

impl Service {
    /// Starts a binary with only the given environment and a free port, and waits until it listens.
    ///
    /// # Panics
    /// It does not.
    pub fn start(binary: &std::path::Path, env: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let mut child = Command::new(binary)
            .env_clear()
            .env("PORT", port.to_string())
            .env("K_SERVICE", "onus-test")
            .envs(env)
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start `{}`: {error}", binary.display()));
        let since = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(since.elapsed() < START, "`{}` does not listen", binary.display());
            assert!(child.try_wait().expect("its status").is_none(), "`{}` ended at its start", binary.display());
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, url: format!("http://127.0.0.1:{port}") }
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Pushes a body with a token, as Pub/Sub does.
    ///
    /// # Panics
    /// There is no answer within two minutes.
    pub fn push(&self, token: &str, body: &str) -> Answer {
        let authorization = format!("Bearer {token}");
        ask(&self.url, "POST", "/", &[("Authorization", &authorization), ("Content-Type", "application/json")], body)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended by itself
        let _ = self.child.wait();
    }
}

/// Sends one HTTP request to a server of this machine.
///
/// # Panics
/// There is no answer.
pub fn ask(url: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap_or_else(|error| panic!("cannot reach `{url}`: {error}"));
    stream.set_read_timeout(Some(ANSWER)).expect("a timeout can be set");
    let lines: String = headers.iter().flat_map(|(name, value)| [name, ": ", value, "\r\n"]).collect();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{lines}\r\n"
    );
    stream.write_all((head + body).as_bytes()).expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, body: body.to_owned() }
}
