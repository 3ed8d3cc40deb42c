//! Flow logs that a change deleted: made again as they were known.

use onus_core::plan::live;
use onus_core::{Call, Finding, Image, Known, PlanError, Read, Remediation, Restoration, Safety, Spec, Step};
use serde_json::{Map, Value, json};

use super::refused;
use crate::readers::flow_logs::{FLOW_LOG, ID, ONE, of, of_key};
use crate::readers::subject::text;

/// Makes deleted flow logs again.
pub(crate) struct RestoreFlowLogs;

static SPEC: Spec = Spec {
    id: "aws.ec2.restore_flow_logs",
    title: "Makes flow logs that the change deleted again, as they were known",
    safety: Safety::Automatic,
    kind: FLOW_LOG,
    reads: &["ec2:DescribeFlowLogs"],
    writes: &["ec2:CreateFlowLogs"],
    undo: &["ec2:DeleteFlowLogs"],
    caveat: "Each gets a new id, and traffic in between was not recorded.",
};

impl Remediation for RestoreFlowLogs {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    /// Without knowledge there is nothing to look for: which network a flow log was of is gone with it.
    fn reads(&self, _: &Finding, _: &Image) -> Result<Vec<Read>, PlanError> {
        Err(unknown())
    }

    fn plan(&self, _: &Finding, _: &Image) -> Result<Vec<Step>, PlanError> {
        Err(unknown())
    }

    fn restoration(&self) -> Option<&dyn Restoration> {
        Some(self)
    }
}

fn unknown() -> PlanError {
    refused(
        &SPEC,
        "what the flow log was like is not known: no state of it was recorded before the change, so it cannot be restored",
    )
}

impl Restoration for RestoreFlowLogs {
    fn reads(&self, finding: &Finding, known: &Known, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        let mut reads: Vec<Read> = deleted(finding, known)?
            .iter()
            .map(|log| of(text(log, "ResourceId"), &finding.change.region))
            .filter(|read| !so_far.has(&read.key))
            .collect();
        reads.dedup_by(|one, other| one.key == other.key);
        Ok(reads)
    }

    fn plan(&self, finding: &Finding, known: &Known, image: &Image) -> Result<Vec<Step>, PlanError> {
        let mut steps = Vec::new();
        for log in deleted(finding, known)? {
            let (resource, settings) = (text(&log, "ResourceId"), log.to_string());
            if image.get(&of_key(resource)).get(&settings).is_some() {
                continue;
            }
            let call = |operation, parameters| Call::aws("ec2", operation, &finding.change.region, parameters);
            let id = live(&[&of_key(resource), &settings, ID]);
            steps.push(Step {
                title: format!("record the traffic of {resource} to {} again", destination(&log)),
                call: call("CreateFlowLogs", created(&log).ok_or_else(unknown)?),
                inverse: Some(call("DeleteFlowLogs", json!({ "FlowLogIds": [id] }))),
            });
        }
        Ok(steps)
    }
}

/// The settings of the flow logs that the change deleted and that are known; those that it could not delete stand still and are left out.
fn deleted(finding: &Finding, known: &Known) -> Result<Vec<Value>, PlanError> {
    let unsuccessful = finding.response.to_string();
    let mut logs = Vec::new();
    for resource in finding.change.resources.iter().filter(|resource| resource.kind == FLOW_LOG) {
        let named = format!("\"{}\"", resource.name);
        if unsuccessful.contains(&named) {
            continue;
        }
        let remembered = known.of(resource).map(|remembered| remembered.image.get(ONE).clone()).unwrap_or_default();
        let Value::Object(mut settings) = remembered else { return Err(unknown()) };
        settings.remove(ID);
        let settings = Value::Object(settings);
        if !logs.contains(&settings) {
            logs.push(settings);
        }
    }
    Ok(logs)
}

fn destination(log: &Value) -> &str {
    ["LogDestination", "LogGroupName"]
        .into_iter()
        .map(|name| text(log, name))
        .find(|place| !place.is_empty())
        .unwrap_or("its place")
}

/// What makes it again; `None` when the thing it was of cannot be told by its id.
fn created(log: &Value) -> Option<Value> {
    let resource = text(log, "ResourceId");
    // The longest prefix first. Source: `ResourceType` of `CreateFlowLogs`, EC2 API reference.
    let kinds = [
        ("tgw-attach-", "TransitGatewayAttachment"),
        ("tgw-", "TransitGateway"),
        ("vpc-", "VPC"),
        ("subnet-", "Subnet"),
        ("eni-", "NetworkInterface"),
    ];
    let (_, kind) = kinds.into_iter().find(|(prefix, _)| resource.starts_with(prefix))?;
    let mut parameters = Map::new();
    for (name, value) in log.as_object()? {
        match name.as_str() {
            "ResourceId" | "Tags" => {}
            // Where the destination's ARN is known, it names the group too; both at once are refused.
            "LogGroupName" if log.get("LogDestination").is_some() => {}
            _ => {
                parameters.insert(name.clone(), value.clone());
            }
        }
    }
    parameters.insert("ResourceIds".to_owned(), json!([resource]));
    parameters.insert("ResourceType".to_owned(), json!(kind));
    if let Some(tags) = log.get("Tags") {
        let tagged = json!([{ "ResourceType": "vpc-flow-log", "Tags": tags }]);
        parameters.insert("TagSpecifications".to_owned(), tagged);
    }
    Some(Value::Object(parameters))
}
