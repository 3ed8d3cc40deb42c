//! `aws-approve`: the page behind approval links, as a function URL serves it.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_runtime::LambdaEvent;
use onus_pipeline::Records;
use serde::{Deserialize, Serialize};

use crate::SystemClock;
use crate::approvals::{ApprovalPage, HEADERS};
use crate::aws::Clients;
use crate::environment::{Environment, StartError};
use crate::failure::Failure;

/// Serves approval links. It can read the ledger and put down requests; it reaches nothing else.
pub struct ApproveFunction(ApprovalPage);

/// A request to a function URL, as far as it matters here (payload format 2.0,
/// <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlRequest {
    #[serde(default)]
    raw_query_string: String,
    request_context: UrlContext,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Debug, Deserialize)]
struct UrlContext {
    http: UrlHttp,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UrlHttp {
    method: String,
    #[serde(default)]
    source_ip: String,
}

/// What a function URL answers with.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlResponse {
    status_code: u16,
    headers: std::collections::BTreeMap<&'static str, &'static str>,
    body: String,
}

impl ApproveFunction {
    /// Reads the key and opens the ledger.
    ///
    /// # Errors
    /// The deployment is wrong, or has no key.
    pub async fn start(environment: &Environment) -> Result<Self, StartError> {
        let clients = Clients::open(environment).await?;
        let key = clients.approval_key(environment).await?;
        let key = key.ok_or(StartError::Missing { name: "ONUS_APPROVAL_KEY_SECRET" })?;
        clients.wiring.warm().await;
        let records = Records::new(Arc::clone(&clients.wiring.ledger));
        Ok(Self(ApprovalPage::new(key, records, Arc::new(SystemClock))))
    }

    /// Serves one request.
    ///
    /// # Errors
    /// The ledger failed; whoever asked may ask again.
    pub async fn handle(&self, event: LambdaEvent<UrlRequest>) -> Result<UrlResponse, Failure> {
        let UrlRequest { raw_query_string: query, request_context, body, is_base64_encoded } = event.payload;
        let body = body.unwrap_or_default();
        let form = if is_base64_encoded {
            // What is no base64 is no form: the page answers that there is no link in it.
            String::from_utf8(STANDARD.decode(body).unwrap_or_default()).unwrap_or_default()
        } else {
            body
        };
        let UrlHttp { method, source_ip } = request_context.http;
        let answered = self.0.respond(&method, &query, &form, &source_ip).await?;
        Ok(UrlResponse { status_code: answered.status, headers: HEADERS.into(), body: answered.html })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_is_read_as_lambda_sends_it() {
        let request: UrlRequest = serde_json::from_value(json!({
            "version": "2.0", "rawPath": "/", "rawQueryString": "t=v1.approve", "headers": { "accept": "text/html" },
            "requestContext": { "http": { "method": "GET", "path": "/", "sourceIp": "203.0.113.7" }, "stage": "$default" },
            "isBase64Encoded": false,
        }))
        .unwrap();
        assert_eq!((request.raw_query_string.as_str(), request.body), ("t=v1.approve", None));
        assert_eq!(request.request_context.http.source_ip, "203.0.113.7");
    }
}
