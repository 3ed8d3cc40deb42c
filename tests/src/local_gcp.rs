//! A local Google Cloud for the time of one test: `tests/gcp`.

use serde_json::Value;

use crate::client::Client;
use crate::cloud_run::{Answer, ask};
use crate::server::Server;

/// The project that tests work in, where one is enough.
pub const PROJECT: &str = "example-project";

/// Whom Google's own client acts as.
pub const PERSON: &str = "test@example.com";

/// Google's APIs, its metadata server, and the keys that it signs push requests with.
#[derive(Debug)]
pub struct LocalGcp {
    /// Where everything is.
    pub url: String,
    /// Google's own client.
    pub client: Client,
    _server: Server,
}

impl LocalGcp {
    /// Starts it, empty.
    pub fn start() -> Self {
        let server = Server::start("gcp");
        let url = server.url();
        Self { client: Client::start("tests/gcp/client.py", &[&url]), url, _server: server }
    }

    /// What Google's own libraries and Onus take to reach it.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        vec![
            ("ONUS_GCP_ENDPOINT", self.url.clone()),
            ("GCE_METADATA_HOST", self.url.trim_start_matches("http://").to_owned()),
            ("ONUS_PUSH_KEYS", format!("{}/oauth2/v3/certs", self.url)),
        ]
    }

    /// A token as Google signs it for a push request.
    ///
    /// # Panics
    /// The server died.
    pub fn push_token(&self, audience: &str, email: &str) -> String {
        let answer = self.told(&format!("/-/token?audience={audience}&email={email}"));
        answer["token"].as_str().expect("a token").to_owned()
    }

    /// The messages of a topic, as they were published.
    ///
    /// # Panics
    /// The server died.
    pub fn messages(&self, topic: &str) -> Vec<Value> {
        self.told(&format!("/-/messages?topic={topic}")).as_array().expect("a list").clone()
    }

    /// Every request to an API so far.
    ///
    /// # Panics
    /// The server died.
    pub fn requests(&self) -> Vec<Value> {
        self.told("/-/requests").as_array().expect("a list").clone()
    }

    /// The audit log so far.
    ///
    /// # Panics
    /// The server died.
    pub fn log(&self) -> Vec<Value> {
        self.told("/-/log").as_array().expect("a list").clone()
    }

    /// Holds somebody to permissions. Who is not held may do everything.
    ///
    /// # Panics
    /// The server died.
    pub fn hold(&self, email: &str, permissions: &[&str]) {
        let body = serde_json::json!({ "email": email, "permissions": permissions }).to_string();
        let answer = ask(&self.url, "POST", "/-/identity", &[], &body);
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    fn told(&self, path: &str) -> Value {
        let answer = ask(&self.url, "GET", path, &[], "");
        assert_eq!(answer.status, 200, "{answer:?}");
        serde_json::from_str(&answer.body).expect("JSON")
    }

    /// Puts an object, as the command line does.
    ///
    /// # Panics
    /// It cannot be put.
    pub fn put_object(&self, bucket: &str, name: &str, body: &str) {
        let answer = ask(&self.url, "PUT", &format!("/{bucket}/{name}"), &[], body);
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// The text of an object.
    ///
    /// # Panics
    /// It is not there.
    pub fn object(&self, bucket: &str, name: &str) -> String {
        let Answer { status, body } = ask(&self.url, "GET", &format!("/{bucket}/{name}"), &[], "");
        assert_eq!(status, 200, "{name}: {body}");
        body
    }

    /// The names of the objects below a prefix.
    ///
    /// # Panics
    /// The server died.
    pub fn objects(&self, bucket: &str, prefix: &str) -> Vec<String> {
        let listed = ask(&self.url, "GET", &format!("/{bucket}?list-type=2&prefix={prefix}"), &[], "").body;
        listed.split("<Key>").skip(1).filter_map(|rest| Some(rest.split_once("</Key>")?.0.to_owned())).collect()
    }
}
