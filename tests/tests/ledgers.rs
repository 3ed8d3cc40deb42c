//! The ledger's promises on stores that need a server.

use std::sync::Arc;

use onus_core::{Created, Ledger};
use onus_ledger::{Options, open};
use onus_tests::local_azure::{Azurite, STORAGE_ACCOUNT, STORAGE_KEY};

/// A ledger in the container `ledger` of a fresh Azurite.
fn azure_blob() -> (Azurite, Arc<dyn Ledger>) {
    let azurite = Azurite::start();
    azurite.create_container("ledger");
    let variables = [
        ("AZURE_STORAGE_ENDPOINT", format!("{}/{STORAGE_ACCOUNT}", azurite.blob)),
        ("AZURE_STORAGE_ACCOUNT_NAME", STORAGE_ACCOUNT.to_owned()),
        ("AZURE_STORAGE_ACCOUNT_KEY", STORAGE_KEY.to_owned()),
    ];
    let options = Options::of(variables.map(|(name, value)| (name.to_owned(), value)));
    let ledger = open("azblob://ledger/onus", &options).expect("Azure Blob opens");
    (azurite, ledger)
}

#[tokio::test]
async fn azure_blob_only_ever_creates() {
    let (azurite, ledger) = azure_blob();
    assert_eq!(ledger.create("claims/a", b"one".to_vec()).await.expect("creates"), Created::New);
    assert_eq!(ledger.create("claims/a", b"two".to_vec()).await.expect("answers"), Created::Existed);
    assert_eq!(ledger.read("claims/a").await.expect("reads").as_deref(), Some(&b"one"[..]));
    assert_eq!(ledger.read("claims/b").await.expect("reads"), None);
    assert_eq!(azurite.get("ledger", "onus/claims/a"), "one", "Microsoft's own client finds what was created");

    for key in ["days/2026-11-02/b", "days/2026-11-02/a", "days/2026-11-020/c"] {
        ledger.create(key, Vec::new()).await.expect("creates");
    }
    assert_eq!(ledger.list("days/2026-11-02").await.expect("lists"), ["days/2026-11-02/a", "days/2026-11-02/b"]);
}

#[tokio::test]
async fn of_many_creators_on_azure_blob_exactly_one_is_told_new() {
    let (_azurite, ledger) = azure_blob();
    let creates = (0..16).map(|n: u8| {
        let ledger = Arc::clone(&ledger);
        tokio::spawn(async move { ledger.create("claims/contended", vec![n]).await })
    });
    let mut new = 0;
    for create in creates.collect::<Vec<_>>() {
        new += usize::from(create.await.expect("the task ends").expect("answers") == Created::New);
    }
    assert_eq!(new, 1);
}
