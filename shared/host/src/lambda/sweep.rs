//! `aws-sweep`: what `EventBridge` missed. Its delivery of `CloudTrail` is best effort; `LookupEvents` has every management
//! event of ninety days.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use jiff::Timestamp;
use lambda_runtime::LambdaEvent;
use onus_core::Cloud;
use serde_json::Value;

use crate::audit::PayloadAuditor;
use crate::aws::Clients;
use crate::environment::{Environment, StartError};
use crate::failure::Failure;
use crate::sweep::{Lookup, LookupError, LookupPage, Sweep, Swept};

/// Sweeps one region at each tick of a schedule.
pub struct SweepFunction(Sweep);

impl SweepFunction {
    /// Opens clients, rules and ledger.
    ///
    /// # Errors
    /// The deployment is wrong.
    pub async fn start(environment: &Environment) -> Result<Self, StartError> {
        let clients = Clients::open(environment).await?;
        clients.wiring.warm().await;
        let audit = PayloadAuditor::new(clients.auditor(environment).await?, clients.dead_letters(environment));
        let lookup = Arc::new(CloudTrail(aws_sdk_cloudtrail::Client::new(&clients.sdk)));
        Ok(Self(clients.wiring.sweep(Arc::new(audit), lookup, Cloud::Aws, &clients.region)))
    }

    /// Handles one tick of the schedule. What the schedule sends is not looked at.
    ///
    /// # Errors
    /// As [`Sweep::run`].
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Swept, Failure> {
        let deadline = i64::try_from(event.context.deadline).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        // A sweep is large: it holds an audit, a tick and a baseline.
        Box::pin(self.0.run(deadline.unwrap_or(Timestamp::MAX))).await
    }
}

/// Looks up with `CloudTrail`. Asks for calls that write only: a rule that watches reads is served by `EventBridge` alone.
struct CloudTrail(aws_sdk_cloudtrail::Client);

#[async_trait]
impl Lookup for CloudTrail {
    async fn page(&self, from: Timestamp, to: Timestamp, next: Option<String>) -> Result<LookupPage, LookupError> {
        let failed = |source| LookupError { from, to, source };
        let writes = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::ReadOnly)
            .attribute_value("false")
            .build()
            .map_err(|error| failed(error.into()))?;
        let answer = self
            .0
            .lookup_events()
            .lookup_attributes(writes)
            .start_time(DateTime::from_secs(from.as_second()))
            .end_time(DateTime::from_secs(to.as_second()))
            .set_next_token(next)
            .max_results(50)
            .send()
            .await
            .map_err(|error| failed(Box::new(error)))?;
        let records = answer.events.unwrap_or_default().into_iter().filter_map(|event| event.cloud_trail_event);
        Ok(LookupPage { records: records.collect(), next: answer.next_token })
    }
}
