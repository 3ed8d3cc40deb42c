//! The members of Azure's records and of the envelopes around them, read in one pass and borrowed.
//!
//! Members: <https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema> (exports and REST),
//! <https://learn.microsoft.com/azure/event-grid/event-schema-subscriptions> (`data` of an Event Grid event),
//! <https://learn.microsoft.com/graph/api/resources/directoryaudit> (Entra), <https://learn.microsoft.com/azure/azure-monitor/reference/tables/azureactivity>.

use crate::text::{Members, Text, each_member};

/// The members of one JSON object that a record or one of its envelopes may have, each as the JSON text of its value. Collectors
/// change the case of names, so none is told by it.
#[derive(Debug, Default)]
pub(super) struct Record<'a> {
    /// When: `time`, `eventTime`, `eventTimestamp`, `activityDateTime`.
    pub(super) time: Option<&'a str>,
    /// Which operation: a string, or an object with the string in `value`.
    pub(super) operation: Option<&'a str>,
    pub(super) resource: Option<&'a str>,
    /// How it went: `resultType` of exports, `status` of REST and Event Grid, `result` of Entra.
    pub(super) result: Option<&'a str>,
    /// The finer word for it: `resultSignature`, `subStatus`.
    pub(super) signature: Option<&'a str>,
    pub(super) category: Option<&'a str>,
    pub(super) correlation: Option<&'a str>,
    /// The record's own id, where it has one.
    pub(super) id: Option<&'a str>,
    pub(super) address: Option<&'a str>,
    /// `{"claims":…,"authorization":…}` in exports.
    pub(super) identity: Option<&'a str>,
    pub(super) claims: Option<&'a str>,
    pub(super) authorization: Option<&'a str>,
    pub(super) caller: Option<&'a str>,
    pub(super) properties: Option<&'a str>,
    pub(super) tenant: Option<&'a str>,
    pub(super) subscription: Option<&'a str>,
    pub(super) location: Option<&'a str>,
    pub(super) request: Option<&'a str>,
    pub(super) entra: Entra<'a>,
    pub(super) outer: Outer<'a>,
}

/// Members that only Entra's records have, at the top in Graph's shape and in `properties` in exports.
#[derive(Debug, Default)]
pub(super) struct Entra<'a> {
    pub(super) activity: Option<&'a str>,
    pub(super) initiated_by: Option<&'a str>,
    pub(super) targets: Option<&'a str>,
    pub(super) reason: Option<&'a str>,
    pub(super) logged_by: Option<&'a str>,
}

/// Members that only envelopes have.
#[derive(Debug, Default)]
pub(super) struct Outer<'a> {
    /// Event Grid's own schema and `CloudEvents`.
    pub(super) event_type: Option<&'a str>,
    pub(super) kind: Option<&'a str>,
    pub(super) spec_version: Option<&'a str>,
    pub(super) data: Option<&'a str>,
    pub(super) subject: Option<&'a str>,
    /// Batches inside other envelopes.
    pub(super) records: Option<&'a str>,
    pub(super) value: Option<&'a str>,
}

impl<'a> Members<'a> for Record<'a> {
    fn place(&mut self, name: &str) -> Option<&mut Option<&'a str>> {
        Some(match name.to_ascii_lowercase().as_str() {
            "time" | "eventtime" | "eventtimestamp" | "activitydatetime" | "timegenerated" => &mut self.time,
            // Log Analytics keeps the name for people in `OperationName`.
            "operationnamevalue" => &mut self.operation,
            "operationname" if self.operation.is_none() => &mut self.operation,
            "resourceid" | "resourceuri" | "_resourceid" => &mut self.resource,
            "resulttype" | "activitystatusvalue" => &mut self.result,
            "status" | "result" if self.result.is_none() => &mut self.result,
            "resultsignature" | "substatus" | "activitysubstatusvalue" => &mut self.signature,
            "category" | "categoryvalue" => &mut self.category,
            "correlationid" => &mut self.correlation,
            "eventdataid" => &mut self.id,
            "id" if self.id.is_none() => &mut self.id,
            "calleripaddress" => &mut self.address,
            "identity" => &mut self.identity,
            "claims" | "claims_d" => &mut self.claims,
            "authorization" | "authorization_d" => &mut self.authorization,
            "caller" => &mut self.caller,
            "properties" => &mut self.properties,
            "tenantid" | "aadtenantid" => &mut self.tenant,
            "subscriptionid" => &mut self.subscription,
            "location" => &mut self.location,
            "httprequest" => &mut self.request,
            "activitydisplayname" => &mut self.entra.activity,
            "initiatedby" => &mut self.entra.initiated_by,
            "targetresources" => &mut self.entra.targets,
            "resultreason" => &mut self.entra.reason,
            "loggedbyservice" => &mut self.entra.logged_by,
            "eventtype" => &mut self.outer.event_type,
            "type" => &mut self.outer.kind,
            "specversion" => &mut self.outer.spec_version,
            "data" => &mut self.outer.data,
            "subject" => &mut self.outer.subject,
            "records" => &mut self.outer.records,
            "value" => &mut self.outer.value,
            // A collector's own name for the time counts when the record's is not there.
            "p_event_time" if self.time.is_none() => &mut self.time,
            _ => return None,
        })
    }
}

impl<'a> Record<'a> {
    /// A member's text, out of `{"value":…,"localizedValue":…}` where it is that; empty when it is not there.
    pub(super) fn text(member: Option<&'a str>) -> Text<'a> {
        match member {
            Some(object) if object.starts_with('{') => {
                let mut inner = None;
                // A member that is no object cannot have been taken for a record.
                let read = each_member(object, &mut |name, value| {
                    if name.eq_ignore_ascii_case("value") {
                        inner = Some(value);
                    }
                });
                read.ok().and(inner).map(Text::of).unwrap_or_default()
            }
            Some(value) => Text::of(value),
            None => Text::default(),
        }
    }
}
