//! The real binaries, run as Lambda runs them, against a local AWS.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use onus_tests::client::Client;
use onus_tests::cloudtrail::{event, record};
use onus_tests::lambda::{Answer, Function};
use onus_tests::local_aws::{ACCOUNT, LocalAws};
use onus_tests::workspace;
use serde_json::{Value, json};

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Sid":"ShopSends","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sqs:SendMessage","Resource":"arn:aws:sqs:us-east-1:123456789012:orders"},
    {"Sid":"Everybody","Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"arn:aws:sqs:us-east-1:123456789012:orders"}]}"#;

/// Where cargo puts the functions; builds them once, because `cargo test` does not.
fn binaries() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let output = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--message-format",
                "json",
                "-p",
                "aws-audit",
                "-p",
                "aws-respond",
                "-p",
                "aws-sweep",
            ])
            .current_dir(workspace::root())
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let messages = String::from_utf8_lossy(&output.stdout);
        let built = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let binary = built.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).last();
        binary.expect("cargo names what it built").parent().expect("it lies in a folder").to_owned()
    })
}

/// One AWS with all that the template would make, and the environment of the functions.
struct Stage {
    aws: LocalAws,
    client: Client,
    env: Vec<(&'static str, String)>,
    told: String,
    responses: String,
    dead: String,
}

impl Stage {
    fn new() -> Self {
        let aws = LocalAws::moto();
        let client = Client::new(&aws.url);
        client.call("s3", "CreateBucket", json!({ "Bucket": "onus-ledger" }));
        let topic = client.call("sns", "CreateTopic", json!({ "Name": "findings" }))["TopicArn"].clone();
        let queue = |name: &str| {
            let answer = client.call("sqs", "CreateQueue", json!({ "QueueName": name }));
            answer["QueueUrl"].as_str().expect("a URL").to_owned()
        };
        let (told, responses, dead) = (queue("told"), queue("responses"), queue("dead"));
        let told_arn = format!("arn:aws:sqs:us-east-1:{ACCOUNT}:told");
        let subscribe = json!({ "TopicArn": topic, "Protocol": "sqs", "Endpoint": told_arn, "Attributes": { "RawMessageDelivery": "true" } });
        client.call("sns", "Subscribe", subscribe);
        client.call("events", "CreateEventBus", json!({ "Name": "onus" }));
        let mut env = aws.env();
        env.extend([
            ("ONUS_CONFIG", "modes: { default: enforce }".to_owned()),
            ("ONUS_LEDGER", "s3://onus-ledger/".to_owned()),
            ("ONUS_TOPIC", topic.as_str().expect("an ARN").to_owned()),
            ("ONUS_BUS", "onus".to_owned()),
            ("ONUS_RESPONSES", responses.clone()),
            ("ONUS_DEAD_LETTERS", dead.clone()),
            ("ONUS_ACCOUNT", ACCOUNT.to_owned()),
        ]);
        Self { aws, client, env, told, responses, dead }
    }

    fn start(&self, name: &str) -> Function {
        Function::start(&binaries().join(name), self.env.clone())
    }

    /// Takes every message of a queue.
    fn messages(&self, queue: &str) -> Vec<String> {
        let mut bodies = Vec::new();
        loop {
            let asked = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10 });
            let answer = self.client.call("sqs", "ReceiveMessage", asked);
            let Some(messages) = answer["Messages"].as_array().filter(|messages| !messages.is_empty()) else {
                return bodies;
            };
            for message in messages {
                bodies.push(message["Body"].as_str().expect("a text").to_owned());
                let done = json!({ "QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"] });
                self.client.call("sqs", "DeleteMessage", done);
            }
        }
    }

    /// Makes the queue `orders` public; its record.
    fn public_queue(&self, id: &str) -> Value {
        let url = self.client.call("sqs", "CreateQueue", json!({ "QueueName": "orders" }))["QueueUrl"].clone();
        let request = json!({ "QueueUrl": url, "Attributes": { "Policy": POLICY } });
        self.client.call("sqs", "SetQueueAttributes", request);
        record(
            id,
            "sqs",
            "SetQueueAttributes",
            json!({ "queueUrl": url, "attributes": { "Policy": POLICY } }),
            Value::Null,
        )
    }

    fn sids(&self) -> Vec<String> {
        let url = self.client.call("sqs", "GetQueueUrl", json!({ "QueueName": "orders" }))["QueueUrl"].clone();
        let asked = json!({ "QueueUrl": url, "AttributeNames": ["Policy"] });
        let answer = self.client.call("sqs", "GetQueueAttributes", asked);
        let Some(policy) = answer["Attributes"]["Policy"].as_str() else { return Vec::new() };
        let policy: Value = serde_json::from_str(policy).expect("a policy");
        let statements = policy["Statement"].as_array().expect("statements").iter();
        statements.map(|statement| statement["Sid"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

fn batch(bodies: &[String]) -> Value {
    let message = |(number, body): (usize, &String)| {
        json!({
            "messageId": format!("m-{number}"), "receiptHandle": "r", "body": body, "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:us-east-1:{ACCOUNT}:responses"), "awsRegion": "us-east-1",
            "attributes": { "ApproximateReceiveCount": "1" }, "messageAttributes": {}, "md5OfBody": "",
        })
    };
    json!({ "Records": bodies.iter().enumerate().map(message).collect::<Vec<_>>() })
}

fn returned(answer: Answer) -> Value {
    match answer {
        Answer::Returned(value) => value,
        Answer::Failed(error) => panic!("the function failed: {error}"),
    }
}

#[test]
fn an_event_is_told_responded_to_and_undone_by_the_binaries() {
    let stage = Stage::new();
    let (audit, respond) = (stage.start("aws-audit"), stage.start("aws-respond"));
    let event = event(&stage.public_queue("e-1"));

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
    assert_eq!(stage.sids(), ["ShopSends"], "the bad statement is gone, the good one stands");

    let key = format!("requests/{finding}/undo-1.json");
    let request = json!({ "job": { "undo": finding, "by": "carol" }, "at": "2026-01-31T12:30:00Z" }).to_string();
    stage.client.call("s3", "PutObject", json!({ "Bucket": "onus-ledger", "Key": key, "Body": request }));
    let notification = json!({ "Records": [{ "s3": { "object": { "key": key } } }] }).to_string();
    assert_eq!(returned(respond.invoke(&batch(&[notification])))["batchItemFailures"], json!([]));
    assert_eq!(stage.sids(), ["ShopSends", "Everybody"], "the undo brought the policy back");
    assert_eq!(stage.messages(&stage.dead), Vec::<String>::new());
}

#[test]
fn what_can_never_be_handled_is_put_aside_with_its_reason() {
    let stage = Stage::new();
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
    let stage = Stage::new();
    let audit = stage.start("aws-audit");
    let event = event(&stage.public_queue("e-3"));
    drop(stage.aws);
    match audit.invoke(&event) {
        Answer::Failed(error) => assert!(error["errorType"].is_string(), "{error}"),
        Answer::Returned(report) => panic!("it claims to have handled the event: {report}"),
    }
}
