//! The promises of the port, on every store that needs no server; S3 where `ONUS_TEST_S3` names an endpoint with a bucket `ledger`.
#![allow(clippy::expect_used, reason = "a test file is a test from top to bottom")]

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
    if let Some(ledger) = s3() {
        all.push(("s3", ledger));
    }
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
    let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let run = std::process::id();
    Some(open(&format!("s3://ledger/run-{run}/onus"), &Options { variables, ..Options::default() }).expect("s3 opens"))
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
    for url in ["", "ledger", "ftp://x", "memory://x", "file://", "https://example.com/x"] {
        if let Ok(_) | Err(OpenError::Store { .. }) = open(url, &none) {
            wrong.push(url);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
