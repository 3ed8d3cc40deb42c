//! Things that were deleted, and of which a baseline knows what they were.

use jiff::{SignedDuration, Timestamp};
use onus_tests::client::Client;
use onus_tests::cloudtrail::record;
use onus_tests::local_aws::{ACCOUNT, REGION};
use serde_json::{Value, json};

use super::Case;

/// Makes a thing, lets it be recorded, and deletes it. The number keeps names apart.
pub type Make = fn(&Client, &dyn Fn(), u32) -> Case;

/// Every deletion, by remediation.
pub const ALL: &[(&str, Make)] =
    &[("aws.cloudtrail.restore_trail", deleted_trail), ("aws.ec2.restore_flow_logs", deleted_flow_log)];

/// A record of a moment that is surely after the baseline, which is taken in real time: clocks may be a minute apart.
fn recorded_after(id: &str, service: &str, operation: &str, request: Value, response: Value) -> Value {
    let mut record = record(id, service, operation, request, response);
    let after = Timestamp::now() + SignedDuration::from_secs(90);
    record["eventTime"] = json!(after.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    record
}

fn deleted_trail(aws: &Client, baseline: &dyn Fn(), number: u32) -> Case {
    let (name, bucket) = (format!("audit-{number}"), format!("audit-logs-{number}"));
    aws.call("s3", "CreateBucket", json!({ "Bucket": bucket }));
    let trail = json!({
        "Name": name, "S3BucketName": bucket, "S3KeyPrefix": "all", "IsMultiRegionTrail": true,
        "EnableLogFileValidation": true, "IncludeGlobalServiceEvents": true,
    });
    aws.call("cloudtrail", "CreateTrail", trail);
    let data = json!([{ "Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::example-reports/"] }]);
    let selectors = json!([{ "ReadWriteType": "WriteOnly", "IncludeManagementEvents": true, "DataResources": data }]);
    aws.call("cloudtrail", "PutEventSelectors", json!({ "TrailName": name, "EventSelectors": selectors }));
    aws.call("cloudtrail", "StartLogging", json!({ "Name": name }));
    let good = shown_trail(aws, &name);
    baseline();
    aws.call("cloudtrail", "DeleteTrail", json!({ "Name": name }));
    let arn = format!("arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{name}");
    let id = format!("deleted-trail-{number}");
    let record = recorded_after(&id, "cloudtrail", "DeleteTrail", json!({ "name": arn }), Value::Null);
    let moved = name.clone();
    Case {
        remedy: "aws.cloudtrail.restore_trail",
        record,
        read: Box::new(move |aws| shown_trail(aws, &name)),
        good,
        moves: Box::new(move |aws| {
            aws.call("cloudtrail", "UpdateTrail", json!({ "Name": moved, "S3KeyPrefix": "elsewhere" }));
        }),
    }
}

/// A trail's settings, event selectors, and whether it logs; null when it is not there.
fn shown_trail(aws: &Client, name: &str) -> Value {
    let Ok(trail) = aws.ask("cloudtrail", "GetTrail", json!({ "Name": name })) else { return Value::Null };
    let logging = aws.call("cloudtrail", "GetTrailStatus", json!({ "Name": name }))["IsLogging"].clone();
    let selectors = aws.call("cloudtrail", "GetEventSelectors", json!({ "TrailName": name }));
    json!({ "trail": trail["Trail"], "logging": logging, "selectors": selectors["EventSelectors"] })
}

fn deleted_flow_log(aws: &Client, baseline: &dyn Fn(), number: u32) -> Case {
    let vpc =
        aws.call("ec2", "CreateVpc", json!({ "CidrBlock": format!("10.{number}.0.0/16") }))["Vpc"]["VpcId"].clone();
    let vpc = vpc.as_str().expect("an id").to_owned();
    let bucket = format!("flow-logs-{number}");
    aws.call("s3", "CreateBucket", json!({ "Bucket": bucket }));
    let log = json!({
        "ResourceIds": [vpc], "ResourceType": "VPC", "TrafficType": "ALL", "LogDestinationType": "s3",
        "LogDestination": format!("arn:aws:s3:::{bucket}"), "MaxAggregationInterval": 60,
        "TagSpecifications": [{ "ResourceType": "vpc-flow-log", "Tags": [{ "Key": "team", "Value": "network" }] }],
    });
    let id = aws.call("ec2", "CreateFlowLogs", log)["FlowLogIds"][0].clone();
    let good = shown_flow_logs(aws, &vpc);
    baseline();
    aws.call("ec2", "DeleteFlowLogs", json!({ "FlowLogIds": [id] }));
    let request = json!({ "DeleteFlowLogsRequest": { "FlowLogId": { "tag": 1, "content": id } } });
    let response = json!({ "DeleteFlowLogsResponse": { "unsuccessful": "" } });
    let record = recorded_after(&format!("deleted-flow-log-{number}"), "ec2", "DeleteFlowLogs", request, response);
    let moved = vpc.clone();
    Case {
        remedy: "aws.ec2.restore_flow_logs",
        record,
        read: Box::new(move |aws| shown_flow_logs(aws, &vpc)),
        good,
        moves: Box::new(move |aws| {
            for log in flow_logs(aws, &moved) {
                aws.call("ec2", "DeleteFlowLogs", json!({ "FlowLogIds": [log["FlowLogId"]] }));
            }
            let rejected = json!({
                "ResourceIds": [moved], "ResourceType": "VPC", "TrafficType": "REJECT", "LogDestinationType": "s3",
                "LogDestination": format!("arn:aws:s3:::{bucket}"),
            });
            aws.call("ec2", "CreateFlowLogs", rejected);
        }),
    }
}

fn flow_logs(aws: &Client, vpc: &str) -> Vec<Value> {
    let filter = json!({ "Filter": [{ "Name": "resource-id", "Values": [vpc] }] });
    aws.call("ec2", "DescribeFlowLogs", filter)["FlowLogs"].as_array().expect("a list").clone()
}

/// What each flow log of a network records, where to, and its tags: not its id, which is another one each time it is made.
fn shown_flow_logs(aws: &Client, vpc: &str) -> Value {
    let parts = ["TrafficType", "LogDestinationType", "LogDestination", "MaxAggregationInterval", "Tags"];
    let logs = flow_logs(aws, vpc);
    logs.iter().map(|log| parts.into_iter().map(|part| (part, log[part].clone())).collect::<Value>()).collect()
}
