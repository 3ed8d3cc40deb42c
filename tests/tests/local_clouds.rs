//! The local clouds are what they claim to be: the providers' own clients find there what they put there.

use onus_tests::local_azure::Azurite;
use serde_json::json;

#[test]
fn azurite_keeps_blobs_and_messages() {
    let azurite = Azurite::start();
    azurite.create_container("ledger");
    let put = json!({ "container": "ledger", "name": "claims/a", "text": "first" });
    azurite.client.call("blob", "put", put);
    assert_eq!(azurite.list("ledger", "claims/"), ["claims/a"]);
    assert_eq!(azurite.list("ledger", "receipts/"), [""; 0]);
    assert_eq!(azurite.get("ledger", "claims/a"), "first");
    let missing = azurite.client.ask("blob", "get", json!({ "container": "ledger", "name": "claims/b" }));
    assert_eq!(missing, Err("BlobNotFound".to_owned()));

    azurite.create_queue("responses");
    for text in ["one", "two"] {
        azurite.client.call("queue", "send", json!({ "queue": "responses", "text": text }));
    }
    assert_eq!(azurite.messages("responses"), ["one", "two"]);
    assert_eq!(azurite.messages("responses"), [""; 0], "a message is taken once");
}
