//! A baseline of the subscription, as it is recorded at install: listed and read with the caller that the functions send with, by an
//! identity that may do no more than that takes.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::time::{Duration, OffsetDateTime};
use jiff::Timestamp;
use onus_azure::caller::{ArmCaller, Endpoint};
use onus_azure::{listers, state_readers};
use onus_core::{Clock, Cloud};
use onus_pipeline::{Baseline, Records};
use onus_tests::local_azure::{LocalAzure, SUBSCRIPTION};

use crate::platform::actions;

/// Long before the changes that are played, which happen now.
struct Before;

impl Clock for Before {
    fn now(&self) -> Timestamp {
        "2026-01-31T02:00:00Z".parse().expect("a moment")
    }
}

#[derive(Debug)]
struct Token(String);

#[async_trait]
impl TokenCredential for Token {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        Ok(AccessToken::new(self.0.clone(), OffsetDateTime::now_utc() + Duration::hours(1)))
    }
}

/// Records what is there now; `put` takes each entry of the memory to the ledger.
pub fn record(azure: &LocalAzure, put: &dyn Fn(&str, &str)) {
    let reads = state_readers().iter().flat_map(|reader| reader.operations()).copied();
    let lists = listers().iter().flat_map(|lister| lister.operations()).copied();
    let allowed: Vec<&str> = actions(reads.chain(lists)).into_iter().collect();
    let token = azure.identity("baseline", Some(&allowed)).token;
    let endpoint = Endpoint::parse(&azure.url).expect("an endpoint");
    let caller = ArmCaller::new(endpoint, Arc::new(Token(token))).expect("a caller");
    let memory = onus_ledger::open("memory://", &onus_ledger::Options::default()).expect("a ledger");
    let baseline = Baseline {
        records: Records::new(Arc::clone(&memory)),
        caller: Arc::new(caller),
        listers: listers().to_vec(),
        readers: onus_azure::state_reader,
        clock: Arc::new(Before),
    };
    // One thing a page: a list that ends early would be half a memory.
    azure.switch(&serde_json::json!({ "page_size": 1 }));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let recorded = baseline.record(Cloud::Azure, SUBSCRIPTION, "").await.expect("recorded");
        let failed: Vec<&String> = recorded.iter().flat_map(|kind| &kind.failed).collect();
        assert!(failed.is_empty(), "not read: {failed:?}");
        for key in memory.list("states").await.expect("keys") {
            let entry = memory.read(&key).await.expect("reads").expect("is there");
            put(&key, std::str::from_utf8(&entry).expect("JSON"));
        }
    });
    azure.switch(&serde_json::json!({ "page_size": 1000 }));
}
