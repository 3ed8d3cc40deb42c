//! The part of Cloud Storage's XML API that the ledger speaks, as a server on a port of its own: objects with generations, listing by
//! prefix. Source: <https://cloud.google.com/storage/docs/xml-api/overview>.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Objects by `bucket/name`.
type Objects = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// What one request asks for.
#[derive(Default)]
struct Asked {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    generation: Option<String>,
    body: Vec<u8>,
}

/// Starts it; it ends with the process. `http://127.0.0.1:<port>`.
pub(crate) fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let objects = Objects::default();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let objects = Arc::clone(&objects);
            std::thread::spawn(move || serve(stream, &objects));
        }
    });
    url
}

fn serve(mut stream: TcpStream, objects: &Objects) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    while let Some(asked) = read(&mut reader) {
        let (status, body) = answer(&asked, objects);
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nLast-Modified: Mon, 02 Nov 2026 10:00:00 GMT\r\nETag: \"1\"\r\nx-goog-generation: 1\r\n\r\n",
            body.len()
        );
        let sent = if asked.method == "HEAD" { &[][..] } else { &body };
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(sent)).is_err() {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let mut asked = Asked { method: words.next()?.to_owned(), ..Asked::default() };
    let target = words.next()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    asked.path = decoded(path.trim_start_matches('/'));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    asked.query = pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "x-goog-if-generation-match" => asked.generation = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    asked.body = vec![0; length];
    reader.read_exact(&mut asked.body).ok()?;
    Some(asked)
}

fn answer(asked: &Asked, objects: &Objects) -> (&'static str, Vec<u8>) {
    let mut objects = objects.lock().expect("unpoisoned");
    let there = objects.get(&asked.path);
    match asked.method.as_str() {
        "PUT" if asked.generation.as_deref() == Some("0") && there.is_some() => {
            ("412 Precondition Failed", b"<Error><Code>PreconditionFailed</Code></Error>".to_vec())
        }
        "PUT" => {
            objects.insert(asked.path.clone(), asked.body.clone());
            ("200 OK", Vec::new())
        }
        "GET" if asked.query.contains_key("list-type") => ("200 OK", listed(asked, &objects)),
        "GET" | "HEAD" => match there {
            Some(object) => ("200 OK", object.clone()),
            None => ("404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>".to_vec()),
        },
        _ => ("405 Method Not Allowed", Vec::new()),
    }
}

fn listed(asked: &Asked, objects: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let bucket = format!("{}/", asked.path.trim_end_matches('/'));
    let prefix = asked.query.get("prefix").map_or("", String::as_str);
    let listed = objects.iter().filter_map(|(path, object)| {
        let name = path.strip_prefix(&bucket).filter(|name| name.starts_with(prefix))?;
        let (size, at) = (object.len(), "2026-11-02T10:00:00.000Z");
        Some(format!("<Contents><Key>{name}</Key><Size>{size}</Size><LastModified>{at}</LastModified></Contents>"))
    });
    format!("<ListBucketResult>{}</ListBucketResult>", listed.collect::<String>()).into_bytes()
}

/// Percent-decoding of what a client of ours sends: ASCII.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at(2);
        plain.push(char::from(u8::from_str_radix(code, 16).expect("two hexadecimal digits")));
        plain += rest;
    }
    plain
}
