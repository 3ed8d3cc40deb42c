//! A baseline of the project, as it is recorded at install: listed and read with the caller that the functions send with.

use std::sync::Arc;

use google_cloud_auth::credentials::{CacheableResource, Credentials, CredentialsProvider, EntityTag};
use google_cloud_auth::errors::CredentialsError;
use http::{Extensions, HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use onus_core::{Clock, Cloud};
use onus_gcp::caller::{Endpoint, GcpCaller, http_client};
use onus_pipeline::{Baseline, Records};
use onus_tests::local_gcp::{LocalGcp, PROJECT};

/// The night before the changes that are played.
struct Night;

impl Clock for Night {
    fn now(&self) -> Timestamp {
        "2026-01-31T02:00:00Z".parse().expect("a moment")
    }
}

/// A person who may read everything.
#[derive(Debug)]
struct Reader;

impl CredentialsProvider for Reader {
    async fn headers(&self, _: Extensions) -> Result<CacheableResource<HeaderMap>, CredentialsError> {
        let token = HeaderValue::from_static("Bearer reader");
        let data = [(header::AUTHORIZATION, token)].into_iter().collect();
        Ok(CacheableResource::New { entity_tag: EntityTag::new(), data })
    }

    async fn universe_domain(&self) -> Option<String> {
        None
    }
}

/// Records what is there now, and puts it into the ledger's bucket.
pub fn record(gcp: &LocalGcp, ledger: &str) {
    let endpoint = Endpoint::new(Some(&gcp.url)).expect("an endpoint");
    let caller = GcpCaller::new(http_client().expect("a client"), Credentials::from(Reader), endpoint);
    let memory = onus_ledger::open("memory://", &onus_ledger::Options::default()).expect("a ledger");
    let baseline = Baseline {
        records: Records::new(Arc::clone(&memory)),
        caller: Arc::new(caller),
        listers: onus_gcp::listers().to_vec(),
        readers: onus_gcp::state_reader,
        clock: Arc::new(Night),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let recorded = baseline.record(Cloud::Gcp, PROJECT, "").await.expect("recorded");
        let failed: Vec<&String> = recorded.iter().flat_map(|kind| &kind.failed).collect();
        assert!(failed.is_empty(), "not read: {failed:?}");
        for key in memory.list("states").await.expect("keys") {
            let entry = memory.read(&key).await.expect("reads").expect("is there");
            gcp.put_object(ledger, &key, &String::from_utf8(entry).expect("JSON"));
        }
    });
}
