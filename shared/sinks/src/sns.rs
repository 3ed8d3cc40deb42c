//! An SNS topic. Message attributes `severity`, `rule` and `kind` are there for subscription filter policies.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_sns::error::BuildError;
use aws_sdk_sns::types::MessageAttributeValue;
use aws_types::SdkConfig;
use onus_core::{Finding, Notice, Sink, SinkError};

use crate::sdk::{LIMIT, failed, refused};
use crate::size::fitted;

/// Room for subject and attributes, which count towards the limit.
const RESERVED: usize = 2 * 1024;
/// SNS's limit for a subject, in characters.
const SUBJECT: usize = 100;

/// Publishes each notice to one topic.
pub struct Sns {
    name: String,
    client: aws_sdk_sns::Client,
    topic: String,
}

impl Sns {
    /// A topic by ARN. HTTP client, credentials and region are the configuration's.
    pub fn new(name: impl Into<String>, config: &SdkConfig, topic: impl Into<String>) -> Self {
        Self { name: name.into(), client: aws_sdk_sns::Client::new(config), topic: topic.into() }
    }
}

#[async_trait]
impl Sink for Sns {
    fn name(&self) -> &str {
        &self.name
    }

    async fn tell(&self, notice: &Notice) -> Result<(), SinkError> {
        let message = fitted(notice, LIMIT - RESERVED).map_err(|error| refused(&self.name, error, false))?;
        let attributes = attributes(notice).map_err(|error| refused(&self.name, error, false))?;
        // A FIFO topic wants an order (per account) and an id to drop what it has seen.
        let fifo = self.topic.rsplit('.').next() == Some("fifo");
        let group = fifo.then(|| format!("onus-{}", notice.finding().change.cloud));
        self.client
            .publish()
            .topic_arn(&self.topic)
            .subject(subject(notice))
            .message(message)
            .set_message_attributes(Some(attributes))
            .set_message_group_id(group)
            .set_message_deduplication_id(fifo.then(|| crate::cloudevent::id(notice)))
            .send()
            .await
            .map_err(|error| failed(&self.name, error))?;
        Ok(())
    }
}

/// At most 100 printable ASCII characters on one line, beginning with a letter: what SNS accepts, and what a mail header
/// can carry without an injection.
fn subject(notice: &Notice) -> String {
    let Finding { severity, title, change, .. } = notice.finding();
    let verb = match notice.kind() {
        "found" => "",
        "planned" => "planned: ",
        "responded" => "response: ",
        _ => "ALARM: ",
    };
    let text = format!("Onus {verb}{severity}: {title} ({})", change.account);
    text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).take(SUBJECT).collect()
}

fn attributes(notice: &Notice) -> Result<HashMap<String, MessageAttributeValue>, BuildError> {
    let finding = notice.finding();
    [("severity", finding.severity.as_str()), ("rule", &finding.rule), ("kind", notice.kind())]
        .into_iter()
        .map(|(name, value)| {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build()?;
            Ok((name.to_owned(), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn notice(title: &str) -> Notice {
        let finding = serde_json::json!({
            "id": "f-0123456789abcdef0123456789",
            "rule": "aws.s3.bucket_made_public",
            "title": title,
            "severity": "critical",
            "duty": { "area": "network_controls", "service": "S3", "model": "paas", "owner": "customer" },
            "why": "", "respond": [], "controls": [], "references": [], "remedy": null,
            "change": {
                "uid": "e-1", "time": "2026-11-02T10:00:00Z", "cloud": "aws", "account": "111122223333", "region": "",
                "service": "s3", "action": "PutBucketAcl",
                "actor": { "kind": "", "id": "", "principal": "", "account": "", "issuer": null, "invoked_by": null, "mfa": null },
                "origin": { "address": "", "user_agent": "" }, "outcome": { "status": "succeeded" }, "resources": [],
            },
            "effects": {}, "from_state": false, "request": null, "response": null, "found_at": "2026-11-02T10:00:05Z",
        });
        let finding = serde_json::from_value(finding).expect("a finding");
        Notice::Alarm { finding: Box::new(finding), reason: "denied".to_owned(), at: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn a_subject_is_one_short_line_of_ascii() {
        let cases = [
            ("Bucket opened", "Onus ALARM: critical: Bucket opened (111122223333)"),
            ("a\r\nBcc: x\u{1b}é", "Onus ALARM: critical: a??Bcc: x?? (111122223333)"),
        ];
        for (title, expected) in cases {
            assert_eq!(subject(&notice(title)), expected);
        }
        assert_eq!(subject(&notice(&"x".repeat(500))).len(), SUBJECT);
    }

    #[test]
    fn attributes_are_there_for_filter_policies() {
        let attributes = attributes(&notice("x")).expect("attributes");
        let text = |name: &str| attributes.get(name).and_then(MessageAttributeValue::string_value);
        assert_eq!(text("severity"), Some("critical"));
        assert_eq!(text("rule"), Some("aws.s3.bucket_made_public"));
        assert_eq!(text("kind"), Some("alarm"));
    }
}
