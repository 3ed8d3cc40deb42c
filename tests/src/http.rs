//! Just enough HTTP to speak to the servers that tests play: one request a connection, JSON both ways.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// How long an answer may take.
const DEADLINE: Duration = Duration::from_mins(1);

/// A server without TLS.
#[derive(Debug)]
pub struct Http {
    authority: String,
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The header lines, as they came.
    pub head: String,
    /// The body as JSON; a text where it is none, null where it is empty.
    pub body: Value,
}

impl Http {
    /// A server by its URL, which has no path.
    ///
    /// # Panics
    /// The URL is not `http://`.
    pub fn new(url: &str) -> Self {
        let authority = url.trim_end_matches('/').strip_prefix("http://").expect("no TLS");
        Self { authority: authority.to_owned() }
    }

    /// Sends a request and takes whatever comes back.
    ///
    /// # Panics
    /// Nothing does.
    pub fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Reply {
        let mut stream = TcpStream::connect(&self.authority).expect("the server listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a deadline is no zero");
        let body = body.map(Value::to_string).unwrap_or_default();
        let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.authority,
            headers.concat(),
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("the server reads");
        let mut text = Vec::new();
        stream.read_to_end(&mut text).expect("the server answers within a minute");
        reply(&String::from_utf8_lossy(&text)).unwrap_or_else(|| panic!("{method} {target}: no HTTP came back"))
    }

    /// Sends a request that has to succeed; its body.
    ///
    /// # Panics
    /// It does not.
    pub fn call(&self, method: &str, target: &str, body: Option<&Value>) -> Value {
        let reply = self.send(method, target, &[], body);
        assert!((200..300).contains(&reply.status), "{method} {target}: {reply:?}");
        reply.body
    }
}

fn reply(text: &str) -> Option<Reply> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { unchunked(body)? } else { body.to_owned() };
    let json = serde_json::from_str(&body);
    let body = json.unwrap_or(if body.is_empty() { Value::Null } else { Value::String(body) });
    Some(Reply { status, head: head.to_owned(), body })
}

fn unchunked(mut rest: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n")?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body += after.get(..size)?;
        rest = after.get(size + 2..)?;
    }
}
