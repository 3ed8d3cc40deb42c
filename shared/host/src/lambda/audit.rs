//! `aws-audit`: a payload with records becomes findings.

use lambda_runtime::LambdaEvent;
use serde_json::value::RawValue;

use crate::audit::{Audited, PayloadAuditor};
use crate::aws::Clients;
use crate::environment::{Environment, StartError};
use crate::failure::Failure;

/// Audits what triggers bring: `EventBridge` events, `CloudWatch` Logs subscriptions, batches of SQS or SNS.
pub struct AuditFunction(PayloadAuditor);

impl AuditFunction {
    /// Opens clients, rules and ledger, and the connection that the first finding needs.
    ///
    /// # Errors
    /// The deployment is wrong.
    pub async fn start(environment: &Environment) -> Result<Self, StartError> {
        let clients = Clients::open(environment).await?;
        clients.wiring.warm().await;
        Ok(Self(PayloadAuditor::new(clients.auditor(environment).await?, clients.dead_letters(environment))))
    }

    /// Handles one invocation.
    ///
    /// # Errors
    /// Something failed that may succeed later. Trying the whole payload again does the rest.
    pub async fn handle(&self, event: LambdaEvent<Box<RawValue>>) -> Result<Audited, Failure> {
        self.0.audit(event.payload.get()).await
    }
}
