//! EC2 instance metadata: makes instances demand tokens (version 2 of the service) again.

use onus_core::{Call, Finding, Image, PlanError, Read, Remediation, Safety, Spec, Step};
use serde_json::{Value, json};

use super::{incomplete, unless_read};
use crate::readers::subject::{Subject, elements, items, scalar, set, text};

/// See the [module docs](self).
pub(crate) struct RequireTokens;

static SPEC: Spec = Spec {
    id: "aws.ec2.require_metadata_tokens",
    title: "Makes the instances that the change let answer without a token demand one again",
    safety: Safety::NeedsApproval,
    kind: "AWS::EC2::Instance",
    reads: &["ec2:DescribeInstances"],
    writes: &["ec2:ModifyInstanceMetadataOptions"],
    undo: &["ec2:ModifyInstanceMetadataOptions"],
    caveat: "Software on the instance that cannot ask for a token loses its credentials.",
};

/// Image key of the instances: `[{"InstanceId", "HttpTokens"}]`.
const INSTANCES: &str = "instances";

impl Remediation for RequireTokens {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        let ids = ids(finding)?;
        let call = Call::aws("ec2", "DescribeInstances", &finding.change.region, json!({ "InstanceIds": ids }));
        let read = Read::new(INSTANCES, call).absent(&["InvalidInstanceID.NotFound"]).keep(|answer| {
            let reservations = elements(answer.get("Reservations").unwrap_or(&Value::Null)).iter();
            let instances = reservations.flat_map(|one| elements(one.get("Instances").unwrap_or(&Value::Null)));
            let running = instances.filter(|one| {
                let state = one.pointer("/State/Name").and_then(Value::as_str);
                !matches!(state, Some("terminated" | "shutting-down"))
            });
            set(running.map(|one| {
                let tokens = one.pointer("/MetadataOptions/HttpTokens");
                json!({ "InstanceId": text(one, "InstanceId"), "HttpTokens": tokens })
            }))
        });
        Ok(unless_read(so_far, read))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let ids = ids(finding)?;
        let bad = elements(image.get(INSTANCES)).iter().filter(|instance| {
            text(instance, "HttpTokens") == "optional" && ids.iter().any(|id| id == text(instance, "InstanceId"))
        });
        let step = |instance: &Value| {
            let id = text(instance, "InstanceId");
            let set = |tokens: &str| {
                let parameters = json!({ "InstanceId": id, "HttpTokens": tokens });
                Call::aws("ec2", "ModifyInstanceMetadataOptions", &finding.change.region, parameters)
            };
            let title = format!("make instance {id} demand a token for its metadata");
            Step { title, call: set("required"), inverse: Some(set("optional")) }
        };
        Ok(bad.map(step).collect())
    }
}

/// The instances that a change modified or launched. A change of the region's default names none.
fn ids(finding: &Finding) -> Result<Vec<String>, PlanError> {
    let subject = Subject::of_finding(finding, SPEC.kind);
    let launched = items(subject.response.get_ci("instancesSet")).iter().map(|one| one.get_ci("instanceId"));
    let named = launched.chain([subject.request.get_ci("instanceId")]);
    let ids: Vec<String> = named.filter_map(scalar).filter(|id| id.starts_with("i-")).collect();
    if ids.is_empty() { Err(incomplete(&SPEC, "an instance")) } else { Ok(ids) }
}
