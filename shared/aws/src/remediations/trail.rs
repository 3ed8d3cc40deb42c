//! A trail that a change deleted: made again as it was known.

use onus_core::{Call, Finding, Image, Known, PlanError, Read, Remediation, Restoration, Safety, Spec, Step};
use serde_json::{Map, Value, json};

use super::{incomplete, refused};
use crate::readers::cloudtrail::{self, SELECTORS, SETTINGS, STATUS, TRAIL};
use crate::readers::subject::{Subject, Target, only, text};

/// Makes a deleted trail again, with its event selectors, and lets it log.
pub(crate) struct RestoreTrail;

static SPEC: Spec = Spec {
    id: "aws.cloudtrail.restore_trail",
    title: "Makes a trail that the change deleted again, as it was known, and starts it",
    safety: Safety::Automatic,
    kind: TRAIL,
    reads: &["cloudtrail:GetTrail", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"],
    writes: &["cloudtrail:CreateTrail", "cloudtrail:PutEventSelectors", "cloudtrail:StartLogging"],
    undo: &["cloudtrail:DeleteTrail", "cloudtrail:PutEventSelectors", "cloudtrail:StopLogging"],
    caveat: "What happened in between is in the event history alone, for 90 days. Tags and Insights selectors are not restored.",
};

/// What `CreateTrail` takes under another name than `GetTrail` answers.
const RENAMED: [(&str, &str); 1] = [("LogFileValidationEnabled", "EnableLogFileValidation")];

/// The settings that a trail made again has to have. Source: `CreateTrail`, CloudTrail API reference.
const CREATED: [&str; 10] = [
    "Name",
    "S3BucketName",
    "S3KeyPrefix",
    "SnsTopicName",
    "IncludeGlobalServiceEvents",
    "IsMultiRegionTrail",
    "LogFileValidationEnabled",
    "CloudWatchLogsLogGroupArn",
    "CloudWatchLogsRoleArn",
    "KmsKeyId",
];

impl Remediation for RestoreTrail {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(cloudtrail::whole(&trail(finding)?, so_far))
    }

    fn plan(&self, _: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        if image.get(SETTINGS).is_null() { Err(unknown()) } else { Ok(Vec::new()) }
    }

    fn restoration(&self) -> Option<&dyn Restoration> {
        Some(self)
    }
}

fn unknown() -> PlanError {
    refused(
        &SPEC,
        "what the trail was like is not known: no state of it was recorded before the change, so it cannot be restored",
    )
}

fn trail(finding: &Finding) -> Result<Target, PlanError> {
    cloudtrail::trail(&Subject::of_finding(finding, TRAIL)).ok_or_else(|| incomplete(&SPEC, "the trail"))
}

impl Restoration for RestoreTrail {
    fn reads(&self, finding: &Finding, _: &Known, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Remediation::reads(self, finding, so_far)
    }

    fn plan(&self, finding: &Finding, known: &Known, image: &Image) -> Result<Vec<Step>, PlanError> {
        let trail = trail(finding)?;
        let resource = finding.change.resources.iter().find(|resource| resource.kind == TRAIL);
        let known = resource.and_then(|resource| known.of(resource)).ok_or_else(unknown)?;
        let (before, now) = (known.image.get(SETTINGS), image.get(SETTINGS));
        if before.is_null() {
            return Err(unknown());
        }
        let call = |operation: &str, more: Value| trail.call("cloudtrail", operation, more);
        let mut steps = Vec::new();
        if now.is_null() {
            steps.push(Step {
                title: format!(
                    "make the trail `{}` again, which logs to the bucket `{}`",
                    text(before, "Name"),
                    text(before, "S3BucketName")
                ),
                call: call("CreateTrail", Value::Object(parameters(before))),
                inverse: Some(Call::aws(
                    "cloudtrail",
                    "DeleteTrail",
                    &trail.region,
                    json!({ "Name": text(before, "Name") }),
                )),
            });
        } else if only(now, &CREATED) != only(before, &CREATED) {
            // Somebody made another trail of that name meanwhile: that one is theirs.
            return Ok(steps);
        }
        let selectors = known.image.get(SELECTORS);
        if !selectors.is_null() && *selectors != default_selectors() && image.get(SELECTORS) != selectors {
            let put = |selectors: &Value| {
                let mut named = json!({ "TrailName": trail.ids.get("Name") });
                if let (Value::Object(members), Value::Object(selectors)) = (&mut named, selectors) {
                    members.extend(selectors.clone());
                }
                Call::aws("cloudtrail", "PutEventSelectors", &trail.region, named)
            };
            steps.push(Step {
                title: "give it the event selectors that it had".to_owned(),
                call: put(selectors),
                inverse: Some(put(&default_selectors())),
            });
        }
        let logged = known.image.get(STATUS).get("IsLogging").and_then(Value::as_bool).unwrap_or(true);
        let logs = image.get(STATUS).get("IsLogging").and_then(Value::as_bool).unwrap_or(false);
        if logged && !logs {
            steps.push(Step {
                title: "start its logging".to_owned(),
                call: call("StartLogging", Value::Null),
                inverse: Some(call("StopLogging", Value::Null)),
            });
        }
        Ok(steps)
    }
}

/// What `CreateTrail` is given for a trail as `GetTrail` answered it.
fn parameters(before: &Value) -> Map<String, Value> {
    let kept = only(before, &CREATED);
    let members = kept.as_object().into_iter().flatten();
    let mut parameters: Map<String, Value> = members
        .map(|(name, value)| {
            let renamed =
                RENAMED.iter().find(|(answered, _)| answered == name).map_or(name.as_str(), |(_, taken)| taken);
            (renamed.to_owned(), value.clone())
        })
        .collect();
    if before.get("IsOrganizationTrail").and_then(Value::as_bool) == Some(true) {
        parameters.insert("IsOrganizationTrail".to_owned(), Value::Bool(true));
    }
    parameters
}

/// The selectors of a new trail: all management events. Source: `GetEventSelectors`, CloudTrail API reference.
fn default_selectors() -> Value {
    json!({
        "EventSelectors": [{
            "ReadWriteType": "All",
            "IncludeManagementEvents": true,
            "DataResources": [],
            "ExcludeManagementEventSources": [],
        }],
    })
}
