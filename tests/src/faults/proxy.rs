//! A proxy before the local AWS that counts the calls of a function and spoils one of them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::Fault;

/// How late a late answer comes.
const LATE: Duration = Duration::from_millis(1500);

/// One call that went through.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `sqs SetQueueAttributes`, `s3 PUT receipts/…/respond.json`.
    pub name: String,
    /// Whether the service did its work and said so, whether or not the function heard of it.
    pub served: bool,
}

#[derive(Debug, Default)]
struct State {
    /// Whether calls are counted.
    armed: bool,
    /// Which call is spoilt, and how.
    spoilt: Option<(usize, Fault)>,
    seen: Vec<Seen>,
    /// The process to kill.
    victim: u32,
}

/// A running proxy. Ends with the process.
#[derive(Debug)]
pub struct Proxy {
    /// What `AWS_ENDPOINT_URL` takes.
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    /// Starts one before a server.
    pub fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let state = Arc::new(Mutex::new(State::default()));
        let upstream = upstream.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, upstream) = (Arc::clone(&shared), upstream.clone());
                std::thread::spawn(move || serve(stream, &upstream, &state));
            }
        });
        Self { url, state }
    }

    /// Names the process that a killing fault kills.
    pub fn victim(&self, id: u32) {
        self.state.lock().expect("unpoisoned").victim = id;
    }

    /// From now on calls are counted, and this one is spoilt.
    pub fn arm(&self, spoilt: Option<(usize, Fault)>) {
        let mut state = self.state.lock().expect("unpoisoned");
        (state.armed, state.spoilt, state.seen) = (true, spoilt, Vec::new());
    }

    /// Stops counting; what was counted.
    pub fn disarm(&self) -> Vec<Seen> {
        let mut state = self.state.lock().expect("unpoisoned");
        state.armed = false;
        std::mem::take(&mut state.seen)
    }
}

/// A request as it came.
struct Request {
    head: String,
    body: Vec<u8>,
}

fn serve(stream: TcpStream, upstream: &str, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    let Some(request) = read(&mut reader) else { return };
    let mut stream = reader.into_inner();
    let (index, fault, victim) = {
        let mut state = state.lock().expect("unpoisoned");
        let index = state.armed.then(|| {
            state.seen.push(Seen { name: name(&request), served: false });
            state.seen.len() - 1
        });
        let fault = state.spoilt.filter(|(call, _)| Some(*call) == index).map(|(_, fault)| fault);
        (index, fault, state.victim)
    };
    match fault {
        Some(Fault::Throttled) => return answer(&mut stream, &request, "503 Service Unavailable", "SlowDown"),
        Some(Fault::Failed) => return answer(&mut stream, &request, "500 Internal Server Error", "InternalError"),
        Some(Fault::CutBefore) => return,
        Some(Fault::KilledBefore) => return kill(victim),
        _ => {}
    }
    let response = forward(upstream, &request);
    let status = response.get(..12).map(String::from_utf8_lossy).unwrap_or_default().into_owned();
    if let Some(index) = index
        && let Some(seen) = state.lock().expect("unpoisoned").seen.get_mut(index)
    {
        seen.served = status.contains(" 2");
    }
    match fault {
        Some(Fault::CutAfter) => return,
        Some(Fault::KilledAfter) => return kill(victim),
        Some(Fault::Delayed) => std::thread::sleep(LATE),
        _ => {}
    }
    let _ = stream.write_all(&response); // the function may be gone
}

/// Kills a process as the platform does, without a chance to tidy up.
fn kill(process: u32) {
    let killed = Command::new("kill").args(["-9", &process.to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()), "process {process} is there to be killed");
}

/// Reads one request. `None` when the connection closed.
fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let lower = line.trim().to_ascii_lowercase();
        if lower.is_empty() {
            break;
        }
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if !lower.starts_with("connection:") {
            head.push_str(&line);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { head, body })
}

/// One connection for each request: the answer ends where it closes.
fn forward(upstream: &str, request: &Request) -> Vec<u8> {
    let mut response = Vec::new();
    let mut upstream = TcpStream::connect(upstream).expect("the local AWS runs");
    let head = format!("{}Connection: close\r\n\r\n", request.head);
    upstream.write_all(head.as_bytes()).expect("it takes the request");
    upstream.write_all(&request.body).expect("it takes the body");
    upstream.read_to_end(&mut response).expect("it answers");
    response
}

/// An error in the service's own protocol.
fn answer(stream: &mut TcpStream, request: &Request, status: &str, code: &str) {
    let json = request.head.to_ascii_lowercase().contains("application/x-amz-json");
    let (kind, body) = if json {
        ("application/x-amz-json-1.0", format!(r#"{{"__type":"{code}","message":"spoilt"}}"#))
    } else {
        ("application/xml", format!("<Error><Code>{code}</Code><Message>spoilt</Message></Error>"))
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\n");
    let _ = stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
}

/// What a request asks for, without the ids that differ from run to run.
fn name(request: &Request) -> String {
    let header = |name: &str| {
        let mut lines = request.head.lines();
        lines
            .find_map(|line| line.to_ascii_lowercase().starts_with(name).then(|| line.split_once(':'))?)
            .map(|(_, value)| value.trim())
    };
    if let Some(target) = header("x-amz-target:") {
        let (service, operation) = target.split_once('.').unwrap_or((target, ""));
        let service = service.to_ascii_lowercase().replace("amazon", "").replace("aws", "");
        return format!("{service} {operation}");
    }
    let body = String::from_utf8_lossy(&request.body);
    if let Some(action) = body.split('&').find_map(|pair| pair.strip_prefix("Action=")) {
        let host = header("authorization:").unwrap_or_default();
        let service = host.split('/').nth(3).unwrap_or("query");
        return format!("{service} {action}");
    }
    let line = request.head.lines().next().unwrap_or_default();
    let mut words = line.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let prefix = path.split("prefix=").nth(1).map(|rest| rest.split('&').next().unwrap_or_default());
    let shown =
        prefix.map_or_else(|| path.trim_start_matches("/onus-ledger/").to_owned(), |prefix| format!("list {prefix}"));
    let shown: Vec<String> = shown.replace("%2F", "/").split('/').map(anonymous).collect();
    format!("s3 {method} {}", shown.join("/"))
}

/// A segment, with an ellipsis for each id in it.
fn anonymous(segment: &str) -> String {
    let is_id = |part: &str| part.len() >= 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (stem, ending) =
        segment.split_once('.').map_or((segment, String::new()), |(stem, end)| (stem, format!(".{end}")));
    let parts: Vec<&str> = stem.split('-').map(|part| if is_id(part) { "…" } else { part }).collect();
    parts.join("-") + &ending
}
