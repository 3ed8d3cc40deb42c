//! The Activity Log, asked for what Event Grid may have missed.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use onus_core::{Call, Caller};
use serde_json::{Value, json};

use crate::sweep::{Lookup, LookupError, LookupPage};

/// The Activity Log of one subscription, which keeps ninety days. Directory logs are not in it: Event Hubs keep those for as long as they
/// are set to, and deliver them until they are taken.
pub(super) struct ActivityLog {
    pub(super) caller: Arc<dyn Caller>,
    pub(super) subscription: String,
}

#[async_trait]
impl Lookup for ActivityLog {
    /// One stretch is one page: the caller follows the service's own.
    async fn page(&self, from: Timestamp, to: Timestamp, _next: Option<String>) -> Result<LookupPage, LookupError> {
        let parameters = json!({
            "id": format!("/subscriptions/{}", self.subscription),
            "$filter": format!("eventTimestamp ge '{from}' and eventTimestamp le '{to}'"),
        });
        let call = Call::azure("Microsoft.Insights", "ActivityLogs_List", parameters);
        let answer = self.caller.call(&call).await;
        let answer = answer.map_err(|error| LookupError { from, to, source: error.into() })?;
        let records = answer.get("value").and_then(Value::as_array).into_iter().flatten().map(Value::to_string);
        Ok(LookupPage { records: records.collect(), next: None })
    }
}

#[cfg(test)]
mod tests {
    use onus_core::CallError;

    use super::*;

    struct Log;

    #[async_trait]
    impl Caller for Log {
        async fn call(&self, call: &Call) -> Result<Value, CallError> {
            assert_eq!(call.name(), crate::generate::azure::SWEPT);
            Ok(json!({ "value": [call.parameters] }))
        }
    }

    #[tokio::test]
    async fn a_stretch_is_asked_for_by_its_ends() {
        let log = ActivityLog { caller: Arc::new(Log), subscription: "s-1".to_owned() };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let page = log.page(at("2026-01-31T11:00:00Z"), at("2026-01-31T11:15:00Z"), None).await.unwrap();
        let asked: Vec<Value> = page.records.iter().map(|record| serde_json::from_str(record).unwrap()).collect();
        let filter = "eventTimestamp ge '2026-01-31T11:00:00Z' and eventTimestamp le '2026-01-31T11:15:00Z'";
        assert_eq!(asked, [json!({ "id": "/subscriptions/s-1", "$filter": filter })]);
        assert_eq!(page.next, None);
    }
}
