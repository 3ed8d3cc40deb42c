//! CloudTrail records of requests that tests made.

use serde_json::{Value, json};

use crate::local_aws::{ACCOUNT, REGION};

/// A record of a call that alice made and that succeeded. `id` is the record's unique id.
pub fn record(id: &str, service: &str, operation: &str, request: Value, response: Value) -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLEALICE",
            "arn": format!("arn:aws:iam::{ACCOUNT}:user/alice"),
            "accountId": ACCOUNT,
            "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
            "userName": "alice",
        },
        "eventTime": "2026-01-31T12:00:00Z",
        "eventSource": format!("{service}.amazonaws.com"),
        "eventName": operation,
        "awsRegion": REGION,
        "sourceIPAddress": "203.0.113.10",
        "userAgent": "aws-cli/2.31.0",
        "requestParameters": request,
        "responseElements": response,
        "requestID": "00000000-0000-4000-8000-000000000000",
        "eventID": id,
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    })
}

/// What EventBridge wraps around a record.
pub fn event(record: &Value) -> Value {
    json!({
        "version": "0",
        "id": "00000000-0000-4000-8000-000000000001",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.test",
        "account": ACCOUNT,
        "time": "2026-01-31T12:00:01Z",
        "region": REGION,
        "resources": [],
        "detail": record,
    })
}
