//! Everything that infra/aws/template.yaml would deploy, laid out on a local AWS, and the real binaries in it.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::client::Client;
use crate::lambda::{Answer, Function};
use crate::local_aws::{ACCOUNT, LocalAws};
use crate::workspace;

/// One of the workspace's binaries. Builds them once, because `cargo test` does not, and all of them with the features of `make test`, so that
/// nothing is compiled twice.
///
/// # Panics
/// They cannot be built.
pub fn binary(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let output = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--message-format",
                "json",
                "--workspace",
                "--bins",
                "--features",
                "onus/clouds",
            ])
            .current_dir(workspace::root())
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let messages = String::from_utf8_lossy(&output.stdout);
        let built = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let binary = built.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back();
        binary.expect("cargo names what it built").parent().expect("it lies in a folder").to_owned()
    });
    folder.join(name)
}

/// One AWS with all that the template would make, and the environment of the functions.
#[derive(Debug)]
pub struct Stage {
    /// The server; the functions fail when it is dropped.
    pub aws: LocalAws,
    /// Prepares and reads state.
    pub client: Client,
    env: Vec<(&'static str, String)>,
    /// The queue that is subscribed to the topic.
    pub told: String,
    /// The queue in front of aws-respond.
    pub responses: String,
    /// The dead letter queue of both functions.
    pub dead: String,
}

impl Stage {
    /// A stage on a server. Every rule may respond as far as its remediation lets it.
    pub fn new(aws: LocalAws) -> Self {
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

    /// The functions' environment with some variables set otherwise.
    pub fn env_with(&self, others: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        let kept = self.env.iter().filter(|(name, _)| others.iter().all(|(other, _)| other != name)).cloned();
        kept.chain(others.iter().map(|(name, value)| (*name, (*value).to_owned()))).collect()
    }

    /// Starts one function.
    pub fn start(&self, name: &str) -> Function {
        Function::start(&binary(name), self.env.clone())
    }

    /// Takes every message of a queue.
    pub fn messages(&self, queue: &str) -> Vec<String> {
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
}

/// What SQS hands to a function: one message for each body.
pub fn batch(bodies: &[String]) -> Value {
    let message = |(number, body): (usize, &String)| {
        json!({
            "messageId": format!("m-{number}"), "receiptHandle": "r", "body": body, "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:us-east-1:{ACCOUNT}:responses"), "awsRegion": "us-east-1",
            "attributes": { "ApproximateReceiveCount": "1" }, "messageAttributes": {}, "md5OfBody": "",
        })
    };
    json!({ "Records": bodies.iter().enumerate().map(message).collect::<Vec<_>>() })
}

/// What a function returned.
pub fn returned(answer: Answer) -> Value {
    match answer {
        Answer::Returned(value) => value,
        Answer::Failed(error) => panic!("the function failed: {error}"),
    }
}
