//! The Lambda Runtime API, so that a function's real binary runs here as it runs there.
//!
//! Source: "Using the Lambda runtime API for custom runtimes", AWS Lambda developer guide, version 2018-06-01.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// How long an invocation may take.
const DEADLINE: Duration = Duration::from_mins(1);

/// What a function answered to one invocation.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It returned.
    Returned(Value),
    /// It failed; Lambda would try again.
    Failed(Value),
}

/// One running function; ends when dropped.
#[derive(Debug)]
pub struct Function {
    child: Child,
    events: Sender<Value>,
    answers: Receiver<Answer>,
    polls: Receiver<()>,
}

impl Function {
    /// Starts a binary with only the given environment, and the Runtime API beside it.
    ///
    /// # Panics
    /// The binary cannot be started.
    pub fn start(binary: &std::path::Path, env: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (events, next) = channel();
        let (answer, answers) = channel();
        let (polled, polls) = channel();
        let platform = Arc::new(Platform { events: Mutex::new(next), answers: answer, polled });
        std::thread::spawn(move || accept(&listener, &platform));
        let child = Command::new(binary)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "onus-test")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .envs(env)
            .stdin(Stdio::null())
            // Metric lines, which would stand between those of the tests.
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start `{}`: {error}", binary.display()));
        Self { child, events, answers, polls }
    }

    /// Invokes it and waits for the answer.
    ///
    /// # Panics
    /// There is none within a minute.
    pub fn invoke(&self, event: &Value) -> Answer {
        self.events.send(event.clone()).expect("the runtime runs");
        self.answers.recv_timeout(DEADLINE).expect("the function answers within a minute")
    }

    /// Invokes it and waits for the answer, or `None` when it ended without one.
    ///
    /// # Panics
    /// It neither answers nor ends within a minute.
    pub fn try_invoke(&mut self, event: &Value) -> Option<Answer> {
        self.events.send(event.clone()).expect("the runtime runs");
        let until = Instant::now() + DEADLINE;
        while Instant::now() < until {
            match self.answers.recv_timeout(Duration::from_millis(10)) {
                Ok(answer) => return Some(answer),
                Err(_) if self.child.try_wait().expect("a child can be waited for").is_some() => return None,
                Err(_) => {}
            }
        }
        panic!("the function neither answers nor ends");
    }

    /// Waits until it has started and asks for its first event.
    ///
    /// # Panics
    /// It does not within a minute.
    pub fn settled(&self) {
        self.polls.recv_timeout(DEADLINE).expect("the function asks for an event within a minute");
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended by itself
        let _ = self.child.wait();
    }
}

/// What the Runtime API hands on.
struct Platform {
    events: Mutex<Receiver<Value>>,
    answers: Sender<Answer>,
    polled: Sender<()>,
}

/// Serves each of the function's connections until the listener's socket is gone.
fn accept(listener: &TcpListener, platform: &Arc<Platform>) {
    for stream in listener.incoming().flatten() {
        let platform = Arc::clone(platform);
        std::thread::spawn(move || serve(BufReader::new(stream), &platform));
    }
}

/// Answers the requests of one connection, until it closes or the test drops the channels.
fn serve(mut reader: BufReader<TcpStream>, platform: &Platform) {
    while let Some((line, body)) = request(&mut reader) {
        let stream = reader.get_mut();
        if line.contains("/invocation/next") {
            if platform.polled.send(()).is_err() {
                return;
            }
            let Ok(event) = platform.events.lock().expect("no connection panicked").recv() else { return };
            reply(stream, "200 OK", &invocation_headers(), &event.to_string());
            continue;
        }
        reply(stream, "202 Accepted", "", r#"{"status":"OK"}"#);
        let value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let answer = if line.contains("/response") { Answer::Returned(value) } else { Answer::Failed(value) };
        if platform.answers.send(answer).is_err() {
            return;
        }
    }
}

fn invocation_headers() -> String {
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + DEADLINE;
    format!(
        "Lambda-Runtime-Aws-Request-Id: 00000000-0000-4000-8000-{:012}\r\n\
         Lambda-Runtime-Deadline-Ms: {}\r\n\
         Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:onus-test\r\n",
        deadline.as_nanos() % 1_000_000_000_000,
        deadline.as_millis()
    )
}

/// Reads one HTTP request: its first line and its body. `None` when the connection closed.
fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut first = String::new();
    if reader.read_line(&mut first).ok()? == 0 {
        return None;
    }
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        chunked |= header.starts_with("transfer-encoding:") && header.contains("chunked");
    }
    let body = if chunked { chunks(reader)? } else { exactly(reader, length)? };
    Some((first, body))
}

fn exactly(reader: &mut BufReader<TcpStream>, length: usize) -> Option<Vec<u8>> {
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

fn chunks(reader: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        reader.read_line(&mut size).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        body.extend(exactly(reader, size)?);
        exactly(reader, 2)?; // the line end after each chunk
        if size == 0 {
            return Some(body);
        }
    }
}

fn reply(stream: &mut TcpStream, status: &str, headers: &str, body: &str) {
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{headers}");
    let text = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    let _ = stream.write_all(text.as_bytes()); // the function may be gone; its answer is then missing, which fails the test
}
