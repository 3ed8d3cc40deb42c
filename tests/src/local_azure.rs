//! A local Azure for the time of one test: Storage by Azurite, Azure Resource Manager by `tests/azure`.

use serde_json::{Value, json};

use crate::client::Client;
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
