//! The promises of the port, on every store that needs no server, and on a Cloud Storage of a few lines; on S3 where `ONUS_TEST_S3` names an
//! endpoint with a bucket `ledger`. Azure Blob is in `tests/tests/ledgers.rs`, which starts a server.
#![allow(clippy::expect_used, reason = "a test file is a test from top to bottom")]

#[cfg(feature = "gs")]
mod gcs;

use std::sync::Arc;

use onus_core::{Created, Ledger};
use onus_ledger::{OpenError, Options, open};

type Named = (&'static str, Arc<dyn Ledger>);

/// Every ledger to test, by name. The folder lives as long as the guard.
fn ledgers() -> (Vec<Named>, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("file://{}/not/there/yet", folder.path().display());
    let none = Options::default();
    let mut all = vec![
        ("memory", open("memory://", &none).expect("memory opens")),
        ("folder", open(&url, &none).expect("a folder opens")),
    ];
    all.extend(s3().map(|ledger| ("s3", ledger)));
    #[cfg(feature = "gs")]
    all.push(("gs", bucket("gs", &[("STORAGE_EMULATOR_HOST", &gcs::start())])));
    (all, folder)
}

#[cfg(not(feature = "s3"))]
fn s3() -> Option<Arc<dyn Ledger>> {
    None
}

#[cfg(feature = "s3")]
fn s3() -> Option<Arc<dyn Ledger>> {
    let endpoint = std::env::var("ONUS_TEST_S3").ok()?;
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("AWS_REGION", "us-east-1"),
    ];
    Some(bucket("s3", &variables))
}

/// A ledger of its own in the bucket `ledger`.
#[cfg(any(feature = "s3", feature = "gs"))]
fn bucket(scheme: &str, variables: &[(&str, &str)]) -> Arc<dyn Ledger> {
    static OPENED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let opened = OPENED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let url = format!("{scheme}://ledger/run-{}-{opened}/onus", std::process::id());
    open(&url, &Options::of(variables)).expect("it opens")
}

#[tokio::test]
async fn the_first_create_wins_and_nothing_is_overwritten() {
    let (ledgers, _folder) = ledgers();
    for (name, ledger) in ledgers {
        assert_eq!(ledger.read("claims/a").await.expect(name), None, "{name}");
        assert_eq!(ledger.create("claims/a", b"one".to_vec()).await.expect(name), Created::New, "{name}");
        assert_eq!(ledger.create("claims/a", b"two".to_vec()).await.expect(name), Created::Existed, "{name}");
        assert_eq!(ledger.read("claims/a").await.expect(name).as_deref(), Some(&b"one"[..]), "{name}");
    }
}

#[tokio::test]
async fn of_many_creators_at_once_exactly_one_is_told_new() {
    let (ledgers, _folder) = ledgers();
    for (name, ledger) in ledgers {
        let creates = (0..16).map(|n: u8| {
            let ledger = Arc::clone(&ledger);
            tokio::spawn(async move { ledger.create("claims/contended", vec![n]).await })
        });
        let mut new = 0;
        for create in creates.collect::<Vec<_>>() {
            let answer = create.await.expect("the task ends").expect(name);
            new += usize::from(answer == Created::New);
        }
        assert_eq!(new, 1, "{name}");
    }
}

#[tokio::test]
async fn lists_whole_segments_sorted() {
    let (ledgers, _folder) = ledgers();
    for (name, ledger) in ledgers {
        for key in ["days/2026-11-02/b", "days/2026-11-02/a", "days/2026-11-020/c", "days/2026-11-03/d"] {
            ledger.create(key, Vec::new()).await.expect(name);
        }
        let keys = ledger.list("days/2026-11-02").await.expect(name);
        assert_eq!(keys, ["days/2026-11-02/a", "days/2026-11-02/b"], "{name}");
        assert!(ledger.list("nothing/here").await.expect(name).is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_key_that_could_leave_the_prefix_is_refused() {
    let (ledgers, _folder) = ledgers();
    let mut wrong = Vec::new();
    for (name, ledger) in ledgers {
        for key in ["", "/", "a//b", "../a", "a/../b", "a/.", "a b", "a\\b", "a\0", "é", "a?x=1", "a#1"] {
            match ledger.create(key, Vec::new()).await {
                Err(error) if !error.retryable => {}
                other => wrong.push(format!("{name}: {key:?} gave {other:?}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_url_that_names_no_store_is_refused_with_what_was_expected() {
    let none = Options::default();
    let mut wrong = Vec::new();
    for url in
        ["", "ledger", "ftp://x", "memory://x", "file://", "https://example.com/x", "s3://", "azblob:///x", "gs://"]
    {
        if let Ok(_) | Err(OpenError::Store { .. }) = open(url, &none) {
            wrong.push(url);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// What was sent in the clear could be read, and a claim forged, on the way.
#[cfg(all(feature = "azblob", feature = "gs"))]
#[tokio::test]
async fn plain_http_is_for_this_machine_only() {
    let azure = [
        ("AZURE_STORAGE_ENDPOINT", "http://192.0.2.1/x"),
        ("AZURE_STORAGE_ACCOUNT_NAME", "x"),
        ("AZURE_STORAGE_ACCOUNT_KEY", "a2V5"),
    ];
    let google = [("STORAGE_EMULATOR_HOST", "http://127.0.0.1.example.com:80")];
    for (name, ledger) in [("azblob", bucket("azblob", &azure)), ("gs", bucket("gs", &google))] {
        let error = ledger.create("claims/a", Vec::new()).await.expect_err(name);
        let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
        let told: String = causes.map(ToString::to_string).collect();
        assert!(told.contains("scheme"), "{name}: {told}");
    }
}
