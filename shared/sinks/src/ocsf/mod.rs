//! OCSF 1.5.0 Detection Finding (class 2004), profiles `cloud` and `host`.
//!
//! The schema: <https://schema.ocsf.io/1.5.0/classes/detection_finding?profiles=cloud,host>. What it has no place for (duty, effects,
//! plan, receipt) is in `unmapped`, in the words of `shared/README.md`. Times are milliseconds since 1970.

mod notice;

use serde::Serialize;
use serde_json::{Map, Value};

/// The version of the schema.
pub const VERSION: &str = "1.5.0";

/// The event. Members are the schema's; see there.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the schema documents its attributes")]
pub struct DetectionFinding {
    pub activity_id: u32,
    pub activity_name: &'static str,
    pub category_uid: u32,
    pub category_name: &'static str,
    pub class_uid: u32,
    pub class_name: &'static str,
    pub type_uid: u32,
    pub type_name: String,
    pub time: i64,
    pub severity_id: u8,
    pub severity: &'static str,
    pub status_id: u32,
    pub status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_detail: Option<String>,
    pub message: String,
    pub is_alert: bool,
    pub metadata: Metadata,
    pub finding_info: FindingInfo,
    pub cloud: CloudInfo,
    pub api: Api,
    pub actor: ActorInfo,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remediation: Option<Remediation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidences: Vec<Evidence>,
    pub unmapped: Map<String, Value>,
}

/// See the schema's `metadata`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the schema documents its attributes")]
pub struct Metadata {
    pub version: &'static str,
    pub product: Product,
    pub profiles: [&'static str; 2],
    pub uid: String,
    pub correlation_uid: String,
    pub original_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_uid: Option<String>,
}

/// See the schema's `product`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the schema documents its attributes")]
pub struct Product {
    pub name: &'static str,
    pub vendor_name: &'static str,
    pub version: &'static str,
}

/// See the schema's `finding_info`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the schema documents its attributes")]
pub struct FindingInfo {
    pub uid: String,
    pub title: String,
    pub desc: String,
    pub types: Vec<String>,
    pub analytic: Value,
    pub created_time: i64,
    pub first_seen_time: i64,
    pub modified_time: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attacks: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Value>,
}

/// See the schema's `cloud`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the schema documents its attributes")]
pub struct CloudInfo {
    pub provider: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// See the schema's `api`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the schema documents its attributes")]
pub struct Api {
    pub operation: String,
    pub service: Value,
    pub request: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Value>,
}

/// See the schema's `actor`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the schema documents its attributes")]
pub struct ActorInfo {
    pub user: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoked_by: Option<String>,
}

/// See the schema's `resource_details`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the schema documents its attributes")]
pub struct ResourceDetails {
    pub uid: String,
    pub name: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// See the schema's `remediation`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the schema documents its attributes")]
pub struct Remediation {
    pub desc: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
}

/// See the schema's `evidences`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the schema documents its attributes")]
pub struct Evidence {
    pub name: &'static str,
    pub data: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_endpoint: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_request: Option<Value>,
}
