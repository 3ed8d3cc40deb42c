//! The members of a log entry, of its audit payload and of the envelopes around it, read in one pass and borrowed.
//!
//! Members: `LogEntry` (<https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry>) and `AuditLog`
//! (<https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog>). Tables and lakes write some names in lower
//! case; both are accepted.

use crate::text::{Members, Text};

/// The members of one JSON object that a log entry or one of its envelopes may have, each as the JSON text of its value.
#[derive(Debug, Default)]
pub(super) struct Record<'a> {
    pub(super) log_name: Option<&'a str>,
    pub(super) time: Option<&'a str>,
    pub(super) receive_time: Option<&'a str>,
    pub(super) insert_id: Option<&'a str>,
    pub(super) payload: Option<&'a str>,
    pub(super) resource: Option<&'a str>,
    pub(super) operation: Option<&'a str>,
    pub(super) split: Option<&'a str>,
    pub(super) outer: Outer<'a>,
}

/// Members that only envelopes and other entries have.
#[derive(Debug, Default)]
pub(super) struct Outer<'a> {
    /// The audit payload as a `BigQuery` sink's table names it.
    pub(super) table_payload: Option<&'a str>,
    /// Payloads that are no audit record.
    pub(super) other_payload: Option<&'a str>,
    /// A CloudEvent.
    pub(super) spec_version: Option<&'a str>,
    pub(super) kind: Option<&'a str>,
    pub(super) data: Option<&'a str>,
    pub(super) data_base64: Option<&'a str>,
    /// A Pub/Sub push or pulled message, and the message itself.
    pub(super) message: Option<&'a str>,
    pub(super) subscription: Option<&'a str>,
    pub(super) message_id: Option<&'a str>,
    pub(super) ack_id: Option<&'a str>,
    /// Batches inside other envelopes: an answer of `entries.list`, and of a pull.
    pub(super) entries: Option<&'a str>,
    /// A Security Command Center notification.
    pub(super) finding: Option<&'a str>,
}

impl<'a> Members<'a> for Record<'a> {
    fn place(&mut self, name: &str) -> Option<&mut Option<&'a str>> {
        Some(match name {
            "logName" | "logname" | "log_name" => &mut self.log_name,
            "timestamp" => &mut self.time,
            "receiveTimestamp" | "receivetimestamp" | "receive_timestamp" => &mut self.receive_time,
            "insertId" | "insertid" | "insert_id" => &mut self.insert_id,
            "protoPayload" | "protopayload" | "proto_payload" => &mut self.payload,
            "resource" => &mut self.resource,
            "operation" => &mut self.operation,
            "split" => &mut self.split,
            _ => return self.outer.place(name),
        })
    }
}

impl<'a> Record<'a> {
    /// Whether this is a log entry that says whose log it is or holds an audit payload.
    pub(super) fn is_entry(&self) -> bool {
        self.payload.is_some()
            || self.outer.table_payload.is_some()
            || (self.insert_id.is_some() && self.outer.other_payload.is_some())
            || (self.log_name.is_some() && self.resource.is_some())
    }

    /// A scalar member as text; empty when it is not there.
    pub(super) fn text(value: Option<&'a str>) -> Text<'a> {
        value.map(Text::of).unwrap_or_default()
    }
}

impl<'a> Members<'a> for Outer<'a> {
    fn place(&mut self, name: &str) -> Option<&mut Option<&'a str>> {
        Some(match name {
            "protopayload_auditlog" => &mut self.table_payload,
            "jsonPayload" | "jsonpayload" | "textPayload" | "textpayload" => &mut self.other_payload,
            "specversion" => &mut self.spec_version,
            "type" | "@type" => &mut self.kind,
            "data" => &mut self.data,
            "data_base64" => &mut self.data_base64,
            "message" => &mut self.message,
            "subscription" => &mut self.subscription,
            "messageId" | "message_id" => &mut self.message_id,
            "ackId" | "ack_id" => &mut self.ack_id,
            "entries" | "receivedMessages" | "received_messages" => &mut self.entries,
            "finding" => &mut self.finding,
            _ => return None,
        })
    }
}

/// The members of an audit payload.
#[derive(Debug, Default)]
pub(super) struct Payload<'a> {
    pub(super) kind: Option<&'a str>,
    pub(super) service_name: Option<&'a str>,
    pub(super) method_name: Option<&'a str>,
    pub(super) resource_name: Option<&'a str>,
    pub(super) location: Option<&'a str>,
    pub(super) status: Option<&'a str>,
    pub(super) authentication: Option<&'a str>,
    pub(super) authorization: Option<&'a str>,
    pub(super) request_metadata: Option<&'a str>,
    pub(super) request: Option<&'a str>,
    pub(super) response: Option<&'a str>,
    pub(super) metadata: Option<&'a str>,
    pub(super) service_data: Option<&'a str>,
}

impl<'a> Members<'a> for Payload<'a> {
    fn place(&mut self, name: &str) -> Option<&mut Option<&'a str>> {
        Some(match name {
            // Some collectors cannot store a name that starts with `@`.
            "@type" | "at_sign_type" => &mut self.kind,
            "serviceName" | "servicename" | "service_name" => &mut self.service_name,
            "methodName" | "methodname" | "method_name" => &mut self.method_name,
            "resourceName" | "resourcename" | "resource_name" => &mut self.resource_name,
            "resourceLocation" | "resourcelocation" => &mut self.location,
            "status" => &mut self.status,
            "authenticationInfo" | "authenticationinfo" => &mut self.authentication,
            "authorizationInfo" | "authorizationinfo" => &mut self.authorization,
            "requestMetadata" | "requestmetadata" => &mut self.request_metadata,
            "request" => &mut self.request,
            "response" => &mut self.response,
            "metadata" => &mut self.metadata,
            "serviceData" | "servicedata" => &mut self.service_data,
            _ => return None,
        })
    }
}
