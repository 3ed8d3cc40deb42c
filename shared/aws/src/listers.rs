//! The guarded resources of an account and region: what a baseline records. Kinds whose deletion or overwriting loses what they were
//! like: trails, flow logs, security groups, buckets.

use onus_core::{Call, ChangeSummary, Lister, Read, Resource};
use serde_json::{Value, json};

use crate::readers::subject::{elements, text};
use crate::readers::{cloudtrail, flow_logs, s3, security_group};

/// Lists one kind with one call.
struct ListOf {
    kind: &'static str,
    /// The one operation, `service:Operation`.
    operation: [&'static str; 1],
    service: &'static str,
    parameters: fn(&ChangeSummary) -> Value,
    /// The member of the answer that holds the list.
    list: &'static str,
    resource: fn(&ChangeSummary, &Value) -> Option<Resource<'static>>,
}

/// The registry, sorted by kind.
static LISTERS: &[&dyn Lister] = &[
    &ListOf {
        kind: cloudtrail::TRAIL,
        service: "cloudtrail",
        operation: ["cloudtrail:DescribeTrails"],
        // A trail is changed in its home region: its copies in other regions are not listed there.
        parameters: |_| json!({ "includeShadowTrails": false }),
        list: "trailList",
        resource: |_, trail| {
            let (arn, name) = (text(trail, "TrailARN"), text(trail, "Name"));
            (!arn.is_empty()).then(|| Resource::new(cloudtrail::TRAIL, arn.to_owned(), name.to_owned()))
        },
    },
    &ListOf {
        kind: flow_logs::FLOW_LOG,
        service: "ec2",
        operation: ["ec2:DescribeFlowLogs"],
        parameters: |_| json!({}),
        list: "FlowLogs",
        resource: |place, log| regional(place, flow_logs::FLOW_LOG, "vpc-flow-log", text(log, "FlowLogId")),
    },
    &ListOf {
        kind: security_group::GROUP,
        service: "ec2",
        operation: ["ec2:DescribeSecurityGroups"],
        parameters: |_| json!({}),
        list: "SecurityGroups",
        resource: |place, group| regional(place, security_group::GROUP, "security-group", text(group, "GroupId")),
    },
    &ListOf {
        kind: s3::BUCKET,
        service: "s3",
        operation: ["s3:ListBuckets"],
        // Each region's baseline records the buckets that lie in it.
        parameters: |place| json!({ "BucketRegion": place.region }),
        list: "Buckets",
        resource: |place, bucket| {
            let name = text(bucket, "Name");
            let id = format!("arn:{}:s3:::{name}", partition(&place.region));
            (!name.is_empty()).then(|| Resource::new(s3::BUCKET, id, name.to_owned()))
        },
    },
];

/// Every lister of AWS, sorted by kind.
pub fn listers() -> &'static [&'static dyn Lister] {
    LISTERS
}

fn regional(place: &ChangeSummary, kind: &'static str, segment: &str, id: &str) -> Option<Resource<'static>> {
    let (region, account) = (&place.region, &place.account);
    let arn = format!("arn:{}:ec2:{region}:{account}:{segment}/{id}", partition(region));
    (!id.is_empty()).then(|| Resource::new(kind, arn, id.to_owned()))
}

/// The partition of a region (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>).
fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

impl Lister for ListOf {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn operations(&self) -> &[&'static str] {
        &self.operation
    }

    fn list(&self, place: &ChangeSummary) -> Read {
        let [named] = self.operation;
        let operation = named.split_once(':').map_or(named, |(_, operation)| operation);
        Read::new("list", Call::aws(self.service, operation, &place.region, (self.parameters)(place)))
    }

    fn resources(&self, place: &ChangeSummary, answer: &Value) -> Vec<Resource<'static>> {
        let list = elements(answer.get(self.list).unwrap_or(&Value::Null)).iter();
        list.filter_map(|one| (self.resource)(place, one)).collect()
    }
}
