//! Switches that a change turned off: a trail's logging, encryption of new volumes by default.

use onus_core::{Call, Finding, Image, PlanError, Read, Remediation, Safety, Spec, Step};
use serde_json::{Value, json};

use super::{incomplete, unless_read, unreadable};
use crate::readers::cloudtrail::{self, STATUS, TRAIL};
use crate::readers::subject::{Subject, Target, only};

/// Makes a trail log again.
pub(crate) struct StartLogging;

static LOGGING: Spec = Spec {
    id: "aws.cloudtrail.start_logging",
    title: "Starts the logging of a trail that the change stopped",
    safety: Safety::Automatic,
    kind: TRAIL,
    reads: &["cloudtrail:GetTrailStatus"],
    writes: &["cloudtrail:StartLogging"],
    undo: &["cloudtrail:StopLogging"],
    caveat: "What happened while the trail did not log is in the event history alone, for 90 days.",
};

impl Remediation for StartLogging {
    fn spec(&self) -> &'static Spec {
        &LOGGING
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        let trail = trail(finding)?;
        Ok(unless_read(so_far, cloudtrail::status(&trail)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let trail = trail(finding)?;
        match image.get(STATUS).get("IsLogging").and_then(Value::as_bool) {
            Some(true) => Ok(Vec::new()),
            Some(false) => Ok(vec![Step {
                title: "start the trail's logging".to_owned(),
                call: trail.call("cloudtrail", "StartLogging", Value::Null),
                inverse: Some(trail.call("cloudtrail", "StopLogging", Value::Null)),
            }]),
            None => Err(unreadable(&LOGGING, STATUS, &"does not tell whether the trail logs")),
        }
    }
}

fn trail(finding: &Finding) -> Result<Target, PlanError> {
    cloudtrail::trail(&Subject::of_finding(finding, TRAIL)).ok_or_else(|| incomplete(&LOGGING, "the trail"))
}

/// Turns the default encryption of new EBS volumes on again, in the region of the change.
pub(crate) struct EnableEbsEncryption;

static ENCRYPTION: Spec = Spec {
    id: "aws.ec2.enable_ebs_default_encryption",
    title: "Turns on the default encryption of EBS volumes that the change turned off in a region",
    safety: Safety::Automatic,
    kind: "AWS::EC2::EBSEncryptionByDefault",
    reads: &["ec2:GetEbsEncryptionByDefault"],
    writes: &["ec2:EnableEbsEncryptionByDefault"],
    undo: &["ec2:DisableEbsEncryptionByDefault"],
    caveat: "Volumes that were made meanwhile stay as they are.",
};

const DEFAULT: &str = "ebs_encryption_by_default";

impl Remediation for EnableEbsEncryption {
    fn spec(&self) -> &'static Spec {
        &ENCRYPTION
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        let call = ebs(finding, "GetEbsEncryptionByDefault")?;
        let read = Read::new(DEFAULT, call).keep(|answer| only(&answer, &["EbsEncryptionByDefault"]));
        Ok(unless_read(so_far, read))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        match image.get(DEFAULT).get("EbsEncryptionByDefault").and_then(Value::as_bool) {
            Some(true) => Ok(Vec::new()),
            Some(false) => Ok(vec![Step {
                title: format!("encrypt new EBS volumes in {} by default", finding.change.region),
                call: ebs(finding, "EnableEbsEncryptionByDefault")?,
                inverse: Some(ebs(finding, "DisableEbsEncryptionByDefault")?),
            }]),
            None => Err(unreadable(&ENCRYPTION, DEFAULT, &"does not tell whether it is on")),
        }
    }
}

fn ebs(finding: &Finding, operation: &str) -> Result<Call, PlanError> {
    match finding.change.region.as_str() {
        "" => Err(incomplete(&ENCRYPTION, "the region")),
        region => Ok(Call::aws("ec2", operation, region, json!({}))),
    }
}
