//! A local Azure for the time of one test: Storage by Azurite, Azure Resource Manager by `tests/azure`.

use serde_json::{Value, json};

use crate::client::Client;
use crate::http::Http;
use crate::server::Server;

/// Azurite: Blob and Queue Storage.
#[derive(Debug)]
pub struct Azurite {
    /// Blob Storage, without the account: `http://127.0.0.1:<port>`.
    pub blob: String,
    /// Queue Storage, without the account.
    pub queue: String,
    /// Microsoft's own client of both; `tests/azure/client.py` lists its operations.
    pub client: Client,
    _server: Server,
}

/// The only account that Azurite knows without being told, as Microsoft documents it.
pub const STORAGE_ACCOUNT: &str = "devstoreaccount1";

/// The account's key, which is public.
pub const STORAGE_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

impl Azurite {
    /// Starts it, empty. What is stored is held in memory.
    pub fn start() -> Self {
        let server = Server::start("azurite");
        let [blob, queue] = server.urls.as_slice() else { panic!("Azurite has two addresses: {:?}", server.urls) };
        let client = Client::start("tests/azure/client.py", &["storage", blob, queue]);
        Self { blob: blob.clone(), queue: queue.clone(), client, _server: server }
    }

    /// Makes a container.
    pub fn create_container(&self, container: &str) {
        self.client.call("blob", "create_container", json!({ "container": container }));
    }

    /// Makes a queue.
    pub fn create_queue(&self, queue: &str) {
        self.client.call("queue", "create", json!({ "queue": queue }));
    }

    /// A queue's URL, signed for who adds and takes messages: Azurite takes tokens over TLS only.
    pub fn signed_queue(&self, queue: &str) -> String {
        let url = self.client.call("queue", "signed", json!({ "queue": queue }));
        url.as_str().expect("a text").to_owned()
    }

    /// Takes every message of a queue.
    pub fn messages(&self, queue: &str) -> Vec<String> {
        let taken = self.client.call("queue", "take", json!({ "queue": queue }));
        texts(&taken)
    }

    /// The names of the blobs below a prefix.
    pub fn list(&self, container: &str, prefix: &str) -> Vec<String> {
        texts(&self.client.call("blob", "list", json!({ "container": container, "prefix": prefix })))
    }

    /// The text of a blob.
    pub fn get(&self, container: &str, name: &str) -> String {
        let text = self.client.call("blob", "get", json!({ "container": container, "name": name }));
        text.as_str().expect("a text").to_owned()
    }

    /// What Microsoft's clients take to reach it.
    pub fn connection_string(&self) -> String {
        let (blob, queue) = (&self.blob, &self.queue);
        format!(
            "DefaultEndpointsProtocol=http;AccountName={STORAGE_ACCOUNT};AccountKey={STORAGE_KEY};\
             BlobEndpoint={blob}/{STORAGE_ACCOUNT};QueueEndpoint={queue}/{STORAGE_ACCOUNT};"
        )
    }
}

fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    items.map(|item| item.as_str().expect("a text").to_owned()).collect()
}

/// The subscription that tests work in.
pub const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";

/// Its only resource group, in `westeurope`.
pub const GROUP: &str = "shop";

/// Azure Resource Manager, as `tests/azure` plays it.
#[derive(Debug)]
pub struct LocalAzure {
    /// What `ONUS_ARM_ENDPOINT` takes.
    pub url: String,
    /// Microsoft's own clients, as a subscription's owner; `tests/azure/client.py` tells how to name their methods.
    pub client: Client,
    http: Http,
    _server: Server,
}

/// Somebody who may send requests.
#[derive(Debug)]
pub struct Identity {
    /// A token for Azure Resource Manager.
    pub token: String,
    /// What `IDENTITY_HEADER` takes.
    pub header: String,
    /// Its object id.
    pub object_id: String,
}

impl LocalAzure {
    /// Starts it with a subscription and a resource group and nothing else.
    pub fn start() -> Self {
        let server = Server::start("arm");
        let url = server.url();
        let client = Client::start("tests/azure/client.py", &["arm", &url, "owner-token", SUBSCRIPTION]);
        Self { http: Http::new(&url), url, client, _server: server }
    }

    /// The environment that a function needs to reach it as an identity of its own, which may do everything.
    pub fn env(&self, name: &str) -> Vec<(&'static str, String)> {
        let identity = self.identity(name, None);
        vec![
            ("ONUS_ARM_ENDPOINT", self.url.clone()),
            ("IDENTITY_ENDPOINT", format!("{}/msi/token", self.url)),
            ("IDENTITY_HEADER", identity.header),
        ]
    }

    /// Makes an identity known. `actions` are patterns of Azure's actions that it may do; `None` is everything.
    pub fn identity(&self, name: &str, actions: Option<&[&str]>) -> Identity {
        let asked = json!({ "name": name, "kind": "ServicePrincipal", "actions": actions });
        let made = self.http.call("POST", "/-/identity", Some(&asked));
        let text = |field: &str| made[field].as_str().expect("a text").to_owned();
        Identity { token: text("token"), header: text("header"), object_id: text("object_id") }
    }

    /// Lays a resource without asking anything, as if it had always been there.
    pub fn seed(&self, id: &str, body: &Value) {
        self.http.call("POST", "/-/seed", Some(&json!([{ "id": id, "body": body }])));
    }

    /// Turns switches that `tests/azure/arm.py` lists; they stay until they are turned back.
    pub fn switch(&self, switches: &Value) {
        self.http.call("POST", "/-/switch", Some(switches));
    }

    /// Every request so far, as `{"method", "path", "query", "headers", "body"}`, without those of this type.
    pub fn requests(&self) -> Vec<Value> {
        list(self.http.call("GET", "/-/requests", None))
    }

    /// The Activity Log's records so far, oldest first, in the shape `event_hub` or `event_grid`.
    pub fn records(&self, shape: &str) -> Vec<Value> {
        list(self.http.call("GET", &format!("/-/records?shape={shape}"), None))
    }

    /// Names the kinds whose providers log no request body: `["Microsoft.Sql/servers"]`.
    pub fn log_without_body(&self, kinds: &[&str]) {
        self.http.call("POST", "/-/without_body", Some(&json!(kinds)));
    }

    /// Forgets everything but the subscription and its group.
    pub fn reset(&self) {
        self.http.call("POST", "/-/reset", None);
    }
}

/// The id of something in [`GROUP`]: `resource_id("Microsoft.Sql/servers/orders")`.
pub fn resource_id(rest: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/{rest}")
}

fn list(value: Value) -> Vec<Value> {
    let Value::Array(items) = value else { panic!("not a list: {value}") };
    items
}
