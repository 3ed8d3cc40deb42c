//! The audit logs, asked for what the sink may have missed.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use onus_core::{Call, Caller};
use serde_json::{Value, json};

use crate::sweep::{Lookup, LookupError, LookupPage};

/// The Admin Activity and System Event logs of one project. Data Access logs take a permission that reads what people read, and no rule
/// with a response needs them.
pub(super) struct AuditLogs {
    pub(super) caller: Arc<dyn Caller>,
    pub(super) project: String,
}

#[async_trait]
impl Lookup for AuditLogs {
    async fn page(&self, from: Timestamp, to: Timestamp, next: Option<String>) -> Result<LookupPage, LookupError> {
        let logs =
            r#"log_id("cloudaudit.googleapis.com/activity") OR log_id("cloudaudit.googleapis.com/system_event")"#;
        let body = json!({
            "resourceNames": [format!("projects/{}", self.project)],
            "filter": format!("({logs}) AND timestamp>=\"{from}\" AND timestamp<=\"{to}\""),
            "orderBy": "timestamp desc",
            "pageSize": 1000,
            "pageToken": next.unwrap_or_default(),
        });
        let answer = self.caller.call(&Call::gcp("logging", "entries.list", json!({ "body": body }))).await;
        let answer = answer.map_err(|error| LookupError { from, to, source: error.into() })?;
        let records = answer.get("entries").and_then(Value::as_array).into_iter().flatten().map(Value::to_string);
        let next = answer.get("nextPageToken").and_then(Value::as_str).filter(|token| !token.is_empty());
        Ok(LookupPage { records: records.collect(), next: next.map(str::to_owned) })
    }
}

#[cfg(test)]
mod tests {
    use onus_core::CallError;

    use super::*;

    /// Two pages, the first of them empty, as the service may answer.
    struct Log;

    #[async_trait]
    impl Caller for Log {
        async fn call(&self, call: &Call) -> Result<Value, CallError> {
            assert_eq!(call.name(), crate::generate::gcp::SWEPT);
            onus_gcp::request::write(call).unwrap_or_else(|error| panic!("{error}: {call}"));
            Ok(match call.parameters["body"]["pageToken"].as_str().unwrap() {
                "" => json!({ "nextPageToken": "2" }),
                _ => json!({ "entries": [call.parameters["body"]["filter"]], "nextPageToken": "" }),
            })
        }
    }

    #[tokio::test]
    async fn pages_are_followed_by_their_token_and_may_be_empty() {
        let log = AuditLogs { caller: Arc::new(Log), project: "shop".to_owned() };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (from, to) = (at("2026-01-31T11:00:00Z"), at("2026-01-31T11:15:00Z"));
        let first = log.page(from, to, None).await.unwrap();
        assert_eq!(first, LookupPage { records: Vec::new(), next: Some("2".to_owned()) });
        let second = log.page(from, to, first.next).await.unwrap();
        assert_eq!(second.next, None);
        assert!(second.records[0].contains("timestamp>=\\\"2026-01-31T11:00:00Z\\\""), "{second:?}");
    }
}
