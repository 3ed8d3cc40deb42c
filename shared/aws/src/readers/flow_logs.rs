//! VPC flow logs: what they record of what, and where to.

use onus_core::{Call, ChangeSummary, Effects, Image, Read, Resource, StateReader};
use serde_json::{Map, Value, json};

use super::subject::{elements, only, set, text};

/// `AWS::EC2::FlowLog`.
pub(crate) const FLOW_LOG: &str = "AWS::EC2::FlowLog";
/// Image key of one flow log by its id: its settings, or `null`.
pub(crate) const ONE: &str = "flow_log";
/// The id of a flow log in an image: one made again has a new one.
pub(crate) const ID: &str = "~FlowLogId";

/// The settings that `CreateFlowLogs` can give again. Source: `FlowLog`, EC2 API reference.
const KEPT: [&str; 10] = [
    "ResourceId",
    "TrafficType",
    "LogDestinationType",
    "LogDestination",
    "LogGroupName",
    "LogFormat",
    "MaxAggregationInterval",
    "DeliverLogsPermissionArn",
    "DeliverCrossAccountRole",
    "DestinationOptions",
];

/// A flow log as an image holds it, without its id.
fn settings(log: &Value) -> Value {
    let mut kept = only(log, &KEPT);
    let tags = elements(log.get("Tags").unwrap_or(&Value::Null));
    if let Value::Object(members) = &mut kept
        && !tags.is_empty()
    {
        members.insert("Tags".to_owned(), set(tags.iter().map(|tag| only(tag, &["Key", "Value"]))));
    }
    kept
}

fn with_id(log: &Value) -> Value {
    let mut kept = settings(log);
    if let Value::Object(members) = &mut kept {
        members.insert(ID.to_owned(), Value::from(text(log, "FlowLogId")));
    }
    kept
}

/// Reads one flow log by its id. One that is not there is `null`.
pub(crate) fn one(id: &str, region: &str) -> Read {
    Read::new(ONE, Call::aws("ec2", "DescribeFlowLogs", region, json!({ "FlowLogIds": [id] })))
        .absent(&["InvalidFlowLogId.NotFound"])
        .keep(|answer| {
            elements(answer.get("FlowLogs").unwrap_or(&Value::Null)).first().map(with_id).unwrap_or_default()
        })
}

/// Image key of the flow logs of a network, subnet or interface: an object, from the JSON text of each one's settings to those with its
/// id. Two of the same settings are one.
pub(crate) fn of_key(resource: &str) -> String {
    format!("flow_logs/{resource}")
}

/// Reads the flow logs of a network, subnet or interface.
pub(crate) fn of(resource: &str, region: &str) -> Read {
    let filter = json!({ "Filter": [{ "Name": "resource-id", "Values": [resource] }] });
    Read::new(&of_key(resource), Call::aws("ec2", "DescribeFlowLogs", region, filter)).keep(|answer| {
        let logs = elements(answer.get("FlowLogs").unwrap_or(&Value::Null)).iter();
        logs.map(|log| (settings(log).to_string(), with_id(log))).collect::<Map<_, _>>().into()
    })
}

/// Reads flow logs. One neither opens nor grants anything.
pub(crate) struct FlowLogReader;

impl StateReader for FlowLogReader {
    fn kind(&self) -> &'static str {
        FLOW_LOG
    }

    fn operations(&self) -> &'static [&'static str] {
        &["ec2:DescribeFlowLogs"]
    }

    fn reads(&self, change: &ChangeSummary, resource: &Resource<'_>, so_far: &Image) -> Vec<Read> {
        let read = one(&resource.name, &change.region);
        if so_far.has(&read.key) || !resource.name.starts_with("fl-") { Vec::new() } else { vec![read] }
    }

    fn effects(&self, _: &ChangeSummary, _: &Resource<'_>, _: &Image) -> Effects {
        Effects::none()
    }
}
