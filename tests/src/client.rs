//! The providers' own clients, to prepare and read state with another tool than the one under test.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::workspace;

/// A provider's Python SDK in a process of its own.
#[derive(Debug)]
pub struct Client {
    child: Child,
    lines: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Client {
    /// boto3, on one server. Operations are named as in the service's API reference.
    ///
    /// # Panics
    /// Python cannot be started.
    pub fn new(url: &str) -> Self {
        Self::start("tests/local/client.py", &[url])
    }

    /// Starts a script that reads requests and writes answers, one JSON line each; `client.py` tells their shape.
    pub(crate) fn start(script: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(workspace::python())
            .arg(workspace::root().join(script))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the client can be started");
        let input = child.stdin.take().expect("standard input is piped");
        let output = BufReader::new(child.stdout.take().expect("standard output is piped"));
        Self { child, lines: Mutex::new((input, output)) }
    }

    /// Sends one request.
    ///
    /// # Errors
    /// The server refused; holds the error's code.
    ///
    /// # Panics
    /// The client died.
    pub fn ask(&self, service: &str, operation: &str, parameters: Value) -> Result<Value, String> {
        let mut lines = self.lines.lock().expect("no caller panicked");
        let call = json!({ "service": service, "operation": operation, "parameters": parameters });
        writeln!(lines.0, "{call}").expect("the client listens");
        let mut line = String::new();
        lines.1.read_line(&mut line).expect("the client answers");
        let mut reply: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the client died at {call}"));
        match reply.get_mut("ok") {
            Some(answer) => Ok(answer.take()),
            None => Err(reply["error"]["code"].as_str().unwrap_or_default().to_owned()),
        }
    }

    /// Sends one request that has to succeed.
    ///
    /// # Panics
    /// It does not.
    pub fn call(&self, service: &str, operation: &str, parameters: Value) -> Value {
        let answer = self.ask(service, operation, parameters.clone());
        answer.unwrap_or_else(|code| panic!("{service}:{operation} {parameters}: {code}"))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it holds nothing that has to be kept
        let _ = self.child.wait();
    }
}
