//! What AWS' own tests play.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::too_many_lines,
    reason = "modules of another test, of which a part is used"
)]

#[path = "../../../shared/aws/tests/remediations/buckets.rs"]
mod buckets;
#[path = "../../../shared/aws/tests/remediations/cases.rs"]
mod cases;
#[path = "../../../shared/aws/tests/remediations/fake/mod.rs"]
mod fake;
#[path = "../../../shared/aws/tests/remediations/findings.rs"]
mod findings;
#[path = "../../../shared/aws/tests/remediations/records.rs"]
mod records;
#[path = "../../../shared/aws/tests/restorations/aws.rs"]
mod remembered;
#[path = "../../../shared/aws/tests/remediations/security_groups.rs"]
mod security_groups;

use std::sync::Arc;

use onus_core::{Call, Caller, Finding, Resource};
use serde_json::{Value, json};

use super::EVENTS;
use super::run::{Case, MakeWorld};

pub(crate) fn cases() -> Vec<Case> {
    let case = |case: onus_core::proof::Case| {
        let there = case.world;
        let world: MakeWorld = Arc::new(move || Arc::new(fake::FakeAws::new(there.clone())));
        Case::new(case.name, case.remediation, &case.finding, world)
    };
    cases::all().into_iter().chain(records::all()).map(case).collect()
}

/// An AWS after these calls.
fn after(calls: &'static [fn() -> Call]) -> MakeWorld {
    Arc::new(move || {
        let aws = Arc::new(remembered::Aws::default());
        let made = Arc::clone(&aws);
        let calling = async move {
            for call in calls {
                made.call(&call()).await.unwrap();
            }
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(calling));
        aws
    })
}

fn call(service: &str, operation: &str, parameters: Value) -> Call {
    Call::aws(service, operation, "eu-west-1", parameters)
}

fn make_trail() -> Call {
    call(
        "cloudtrail",
        "CreateTrail",
        json!({ "Name": "audit", "S3BucketName": "trail-logs", "IsMultiRegionTrail": true }),
    )
}

fn select_events() -> Call {
    let fields = json!([{ "Field": "eventCategory", "Equals": ["Management"] }]);
    let selectors = json!([{ "Name": "all", "FieldSelectors": fields }]);
    call("cloudtrail", "PutEventSelectors", json!({ "TrailName": "audit", "AdvancedEventSelectors": selectors }))
}

fn start_logging() -> Call {
    call("cloudtrail", "StartLogging", json!({ "Name": "audit" }))
}

fn delete_trail() -> Call {
    call("cloudtrail", "DeleteTrail", json!({ "Name": "audit" }))
}

fn make_flow_logs() -> Call {
    let tags = json!([{ "ResourceType": "vpc-flow-log", "Tags": [{ "Key": "team", "Value": "net" }] }]);
    call(
        "ec2",
        "CreateFlowLogs",
        json!({ "ResourceIds": ["vpc-1"], "ResourceType": "VPC", "TrafficType": "ALL",
        "LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::flow-logs", "TagSpecifications": tags }),
    )
}

fn delete_flow_logs() -> Call {
    call("ec2", "DeleteFlowLogs", json!({ "FlowLogIds": ["fl-new1"] }))
}

/// A finding in the account and region of a baseline.
fn finding(operation: &str, resource: Resource<'static>, request: Value) -> Finding {
    let mut finding = findings::finding(operation, request);
    "eu-west-1".clone_into(&mut finding.change.region);
    finding.change.resources.push(resource);
    finding
}

/// Deletions that only a baseline can mend.
pub(crate) fn restorations() -> Vec<Case> {
    let trail = Resource::new("AWS::CloudTrail::Trail", remembered::TRAIL, "audit");
    let log = Resource::new("AWS::EC2::FlowLog", "arn:aws:ec2:eu-west-1:111122223333:vpc-flow-log/fl-new1", "fl-new1");
    let trail = finding("cloudtrail:DeleteTrail", trail, json!({ "name": "audit" }));
    let log = finding("ec2:DeleteFlowLogs", log, Value::Null);
    vec![
        Case {
            before: Some(after(&[make_trail, select_events, start_logging])),
            ..Case::new(
                "deleted trail",
                "aws.cloudtrail.restore_trail",
                &trail,
                after(&[make_trail, select_events, start_logging, delete_trail]),
            )
        },
        Case {
            before: Some(after(&[make_flow_logs])),
            ..Case::new(
                "deleted flow log",
                "aws.ec2.restore_flow_logs",
                &log,
                after(&[make_flow_logs, delete_flow_logs]),
            )
        },
    ]
}
