//! The real binaries, run as Lambda runs them, against a local AWS.

use onus_tests::cloudtrail::{event, record};
use onus_tests::lambda::Answer;
use onus_tests::local_aws::LocalAws;
use onus_tests::stage::{Stage, batch, returned};
use serde_json::{Value, json};

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Sid":"ShopSends","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sqs:SendMessage","Resource":"arn:aws:sqs:us-east-1:123456789012:orders"},
    {"Sid":"Everybody","Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"arn:aws:sqs:us-east-1:123456789012:orders"}]}"#;

/// Makes the queue `orders` public; its record.
fn public_queue(stage: &Stage, id: &str) -> Value {
    let url = stage.client.call("sqs", "CreateQueue", json!({ "QueueName": "orders" }))["QueueUrl"].clone();
    let request = json!({ "QueueUrl": url, "Attributes": { "Policy": POLICY } });
    stage.client.call("sqs", "SetQueueAttributes", request);
    record(id, "sqs", "SetQueueAttributes", json!({ "queueUrl": url, "attributes": { "Policy": POLICY } }), Value::Null)
}

fn sids(stage: &Stage) -> Vec<String> {
    let url = stage.client.call("sqs", "GetQueueUrl", json!({ "QueueName": "orders" }))["QueueUrl"].clone();
    let asked = json!({ "QueueUrl": url, "AttributeNames": ["Policy"] });
    let answer = stage.client.call("sqs", "GetQueueAttributes", asked);
    let Some(policy) = answer["Attributes"]["Policy"].as_str() else { return Vec::new() };
    let policy: Value = serde_json::from_str(policy).expect("a policy");
    let statements = policy["Statement"].as_array().expect("statements").iter();
    statements.map(|statement| statement["Sid"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn an_event_is_told_responded_to_and_undone_by_the_binaries() {
    let stage = Stage::new(LocalAws::moto());
    let (audit, respond) = (stage.start("aws-audit"), stage.start("aws-respond"));
    let event = event(&public_queue(&stage, "e-1"));

    let report = returned(audit.invoke(&event));
    let again = returned(audit.invoke(&event));
    assert_eq!(report["findings"], again["findings"], "an event seen twice names the same findings");
    let told: Vec<Value> =
        stage.messages(&stage.told).iter().map(|text| serde_json::from_str(text).expect("JSON")).collect();
    let mut finding = String::new();
    for notice in told.iter().filter(|notice| notice["data"]["unmapped"]["rule"] == "aws.sqs.queue_made_public") {
        assert!(finding.is_empty(), "an event seen twice is told once");
        finding = notice["data"]["finding_info"]["uid"].as_str().expect("an id").to_owned();
        assert_eq!(notice["type"], "io.onus.finding.found");
    }
    assert!(!finding.is_empty(), "the finding was told: {told:?}");

    let jobs = stage.messages(&stage.responses);
    assert_eq!(returned(respond.invoke(&batch(&jobs)))["batchItemFailures"], json!([]));
    assert_eq!(sids(&stage), ["ShopSends"], "the bad statement is gone, the good one stands");

    let key = format!("requests/{finding}/undo-1.json");
    let request = json!({ "job": { "undo": finding, "by": "carol" }, "at": "2026-01-31T12:30:00Z" }).to_string();
    stage.client.call("s3", "PutObject", json!({ "Bucket": "onus-ledger", "Key": key, "Body": request }));
    let notification = json!({ "Records": [{ "s3": { "object": { "key": key } } }] }).to_string();
    assert_eq!(returned(respond.invoke(&batch(&[notification])))["batchItemFailures"], json!([]));
    assert_eq!(sids(&stage), ["ShopSends", "Everybody"], "the undo brought the policy back");
    assert_eq!(stage.messages(&stage.dead), Vec::<String>::new());
}

#[test]
fn what_can_never_be_handled_is_put_aside_with_its_reason() {
    let stage = Stage::new(LocalAws::moto());
    let audit = stage.start("aws-audit");
    let broken = json!({ "detail-type": "AWS API Call via CloudTrail", "detail": { "eventName": "PutBucketAcl", "eventID": "e-2" } });
    assert_eq!(returned(audit.invoke(&broken))["put_aside"], 1);

    let respond = stage.start("aws-respond");
    let bodies = [
        r#"{"undo":"f-0123456789abcdef0123456789","by":"mallory"}"#,
        r#"{"respond":"f-0123456789abcdef0123456789"}"#,
        "no job",
        r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#,
        r#"{"Records":[{"s3":{"object":{"key":"findings/f-1.json"}}}]}"#,
    ]
    .map(str::to_owned);
    assert_eq!(returned(respond.invoke(&batch(&bodies)))["batchItemFailures"], json!([]));

    let mut reasons: Vec<String> = stage
        .messages(&stage.dead)
        .iter()
        .map(|letter| {
            let letter: Value = serde_json::from_str(letter).expect("JSON");
            letter["reason"].as_str().expect("a reason").to_owned()
        })
        .collect();
    reasons.sort();
    assert_eq!(reasons.len(), 5, "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason == "a message may not ask to undo"), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("cannot find finding")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("eventSource")), "{reasons:?}");
}

#[test]
fn what_may_succeed_later_fails_the_invocation() {
    let stage = Stage::new(LocalAws::moto());
    let audit = stage.start("aws-audit");
    let event = event(&public_queue(&stage, "e-3"));
    drop(stage.aws);
    match audit.invoke(&event) {
        Answer::Failed(error) => assert!(error["errorType"].is_string(), "{error}"),
        Answer::Returned(report) => panic!("it claims to have handled the event: {report}"),
    }
}
