//! SNS topics and SQS queues.

use onus_core::Read;
use onus_sources::aws::policy::PolicyKind;
use serde_json::{Value, json};

use super::policy::{Asked, POLICY, PolicyHolder, nothing_first, parsed};
use super::subject::{Subject, Target, take};

/// Image key of a queue's URL, where the change names the queue otherwise.
const QUEUE_URL: &str = "~queue_url";

/// A topic's policy. Every topic has one.
pub(crate) static TOPIC_POLICY: PolicyHolder = PolicyHolder {
    kind: "AWS::SNS::Topic",
    policy_kind: PolicyKind::Resource,
    operations: &["sns:GetTopicAttributes"],
    first: nothing_first,
    target: |subject, _| {
        let arn = subject.told_or_arn("topicArn").filter(|arn| arn.starts_with("arn:"))?;
        Some(Target::regional(subject, json!({ "TopicArn": arn })))
    },
    read: |topic| {
        Read::new(POLICY, topic.call("sns", "GetTopicAttributes", Value::Null))
            .absent(&["NotFound", "NotFoundException"])
            .keep(|answer| parsed(&take(answer, "/Attributes/Policy")))
    },
    asked: |subject| {
        if subject.change.action == "AddPermission" {
            return Asked::labelled(subject, "label");
        }
        let request = &subject.request;
        if request.get_ci("attributeName").as_str() == Some("Policy") {
            return Asked::document([request.get_ci("attributeValue")]);
        }
        Asked::document([request.get_ci("attributes").get_ci("Policy")])
    },
};

/// A queue's policy. A queue without one is the owner's alone.
pub(crate) static QUEUE_POLICY: PolicyHolder = PolicyHolder {
    kind: "AWS::SQS::Queue",
    policy_kind: PolicyKind::Resource,
    operations: &["sqs:GetQueueUrl", "sqs:GetQueueAttributes"],
    first: queue_url,
    target: |subject, image| {
        let named = [subject.told("queueUrl"), subject.name(), subject.resource.map(|queue| queue.id.as_ref())];
        let url =
            named.into_iter().flatten().find(|text| text.starts_with("http")).or(image.get(QUEUE_URL).as_str())?;
        Some(Target::regional(subject, json!({ "QueueUrl": url })))
    },
    read: |queue| {
        Read::new(POLICY, queue.call("sqs", "GetQueueAttributes", json!({ "AttributeNames": ["Policy"] })))
            .absent(&GONE)
            .keep(|answer| parsed(&take(answer, "/Attributes/Policy")))
    },
    asked: |subject| {
        if subject.change.action == "AddPermission" {
            return Asked::labelled(subject, "label");
        }
        let request = &subject.request;
        Asked::document(["attributes", "attribute"].map(|member| request.get_ci(member).get_ci("Policy")))
    },
};

/// The query protocol's code and the JSON protocol's, for a queue that is not there.
const GONE: [&str; 3] =
    ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "com.amazonaws.sqs#QueueDoesNotExist"];

fn queue_url(subject: &Subject<'_>) -> Option<Read> {
    let name = subject.told_or_name("queueName")?;
    let owner = subject.change.account.as_str();
    let queue = Target::regional(subject, json!({ "QueueName": name, "QueueOwnerAWSAccountId": owner }));
    let read = Read::new(QUEUE_URL, queue.call("sqs", "GetQueueUrl", Value::Null));
    Some(read.absent(&GONE).keep(|answer| take(answer, "/QueueUrl")))
}
