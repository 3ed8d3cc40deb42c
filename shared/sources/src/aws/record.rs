//! The members of a CloudTrail record and of the envelopes around it, read in one pass and borrowed.
//!
//! Members: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>.

use crate::text::{Members, Text};

/// The members of one JSON object that a CloudTrail record or one of its envelopes may have, each as the JSON text of its value.
#[derive(Debug, Default)]
pub(super) struct Record<'a> {
    pub(super) event_id: Option<&'a str>,
    pub(super) event_time: Option<&'a str>,
    pub(super) event_source: Option<&'a str>,
    pub(super) event_name: Option<&'a str>,
    pub(super) event_type: Option<&'a str>,
    pub(super) event_category: Option<&'a str>,
    pub(super) region: Option<&'a str>,
    pub(super) address: Option<&'a str>,
    pub(super) user_agent: Option<&'a str>,
    pub(super) error_code: Option<&'a str>,
    pub(super) error_message: Option<&'a str>,
    pub(super) account: Option<&'a str>,
    pub(super) read_only: Option<&'a str>,
    pub(super) identity: Option<&'a str>,
    pub(super) request: Option<&'a str>,
    pub(super) response: Option<&'a str>,
    pub(super) additional: Option<&'a str>,
    pub(super) resources: Option<&'a str>,
    pub(super) service_event: Option<&'a str>,
    pub(super) insight: Option<&'a str>,
    /// When the record was made, under the name that a collector gave it.
    pub(super) collected_time: Option<&'a str>,
    pub(super) outer: Outer<'a>,
}

/// Members that only envelopes have.
#[derive(Debug, Default)]
pub(super) struct Outer<'a> {
    /// EventBridge.
    pub(super) detail: Option<&'a str>,
    pub(super) detail_type: Option<&'a str>,
    /// A CloudWatch Logs subscription, as Lambda gets it, and unpacked.
    pub(super) awslogs: Option<&'a str>,
    pub(super) log_events: Option<&'a str>,
    pub(super) message_type: Option<&'a str>,
    /// An SQS message; an SNS notification, as Lambda gets it and as SQS carries it.
    pub(super) body: Option<&'a str>,
    pub(super) sns: Option<&'a str>,
    pub(super) message: Option<&'a str>,
    pub(super) kind: Option<&'a str>,
    /// One event of a LookupEvents answer.
    pub(super) cloudtrail_event: Option<&'a str>,
    /// Batches inside other envelopes.
    pub(super) records: Option<&'a str>,
    /// Notices that a file was stored, of S3 (`s3`) and of CloudTrail (`s3ObjectKey`), and the test message of S3.
    pub(super) s3: Option<&'a str>,
    pub(super) event: Option<&'a str>,
    /// A CloudTrail digest file.
    pub(super) digest: Option<&'a str>,
}

impl<'a> Members<'a> for Record<'a> {
    /// Query services over log buckets write every member's name in lower case, and some collectors rename the time: both are accepted.
    fn place(&mut self, name: &str) -> Option<&mut Option<&'a str>> {
        Some(match name {
            "eventID" | "eventId" | "eventid" => &mut self.event_id,
            "eventTime" | "eventtime" => &mut self.event_time,
            "eventSource" | "eventsource" => &mut self.event_source,
            "eventName" | "eventname" => &mut self.event_name,
            "eventType" | "eventtype" => &mut self.event_type,
            "eventCategory" | "eventcategory" => &mut self.event_category,
            "awsRegion" | "awsregion" => &mut self.region,
            "sourceIPAddress" | "sourceipaddress" => &mut self.address,
            "userAgent" | "useragent" => &mut self.user_agent,
            "errorCode" | "errorcode" => &mut self.error_code,
            "errorMessage" | "errormessage" => &mut self.error_message,
            "recipientAccountId" | "recipientaccountid" => &mut self.account,
            "readOnly" | "readonly" => &mut self.read_only,
            "userIdentity" | "useridentity" => &mut self.identity,
            "requestParameters" | "requestparameters" => &mut self.request,
            "responseElements" | "responseelements" => &mut self.response,
            "additionalEventData" | "additionaleventdata" => &mut self.additional,
            "resources" => &mut self.resources,
            "serviceEventDetails" | "serviceeventdetails" => &mut self.service_event,
            "insightDetails" | "insightdetails" => &mut self.insight,
            "@timestamp" | "p_event_time" => &mut self.collected_time,
            _ => return self.outer.place(name),
        })
    }
}

impl<'a> Record<'a> {
    /// A member's text; empty when it is not there.
    pub(super) fn text(member: Option<&'a str>) -> Text<'a> {
        member.map(Text::of).unwrap_or_default()
    }

    /// Whether this claims to be an API record: it names an operation or a service. Both are strings in CloudTrail, which tells
    /// it from other logs that use the same names for objects.
    pub(super) fn is_call(&self) -> bool {
        [self.event_name, self.event_source].into_iter().flatten().any(|value| value.starts_with('"'))
    }
}

impl<'a> Members<'a> for Outer<'a> {
    fn place(&mut self, name: &str) -> Option<&mut Option<&'a str>> {
        Some(match name {
            "detail" => &mut self.detail,
            "detail-type" => &mut self.detail_type,
            "awslogs" => &mut self.awslogs,
            "logEvents" => &mut self.log_events,
            "messageType" => &mut self.message_type,
            "body" | "Body" => &mut self.body,
            "Sns" => &mut self.sns,
            "Message" => &mut self.message,
            "Type" => &mut self.kind,
            "CloudTrailEvent" => &mut self.cloudtrail_event,
            "Records" => &mut self.records,
            "s3" | "s3ObjectKey" => &mut self.s3,
            "Event" => &mut self.event,
            "digestStartTime" => &mut self.digest,
            _ => return None,
        })
    }
}
