use proptest::prelude::*;

use super::*;

/// A record with some members replaced or added; `null` as text removes nothing, it is what the log wrote.
fn record(members: &[(&str, &str)]) -> String {
    let mut all = vec![
        ("eventVersion", r#""1.11""#),
        ("eventID", r#""e-1""#),
        ("eventTime", r#""2026-11-23T18:00:00Z""#),
        ("eventSource", r#""iam.amazonaws.com""#),
        ("eventName", r#""CreateUser""#),
        ("awsRegion", r#""us-east-1""#),
        ("sourceIPAddress", r#""198.51.100.7""#),
        ("userAgent", r#""aws-cli/2""#),
        ("recipientAccountId", r#""111122223333""#),
        ("readOnly", "false"),
        ("requestParameters", r#"{"userName":"li"}"#),
        ("responseElements", "null"),
    ];
    for member in members {
        all.retain(|(name, _)| name != &member.0);
        all.push(*member);
    }
    let members: Vec<String> = all.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

fn change(text: &str) -> Change<'_> {
    decode(text).expect("a record").change().expect("a change")
}

#[test]
fn a_record_becomes_a_change_that_borrows() {
    let identity = r#"{"type":"AssumedRole","principalId":"AROAEXAMPLE:mara","arn":"arn:aws:sts::111122223333:assumed-role/ops/mara",
        "accountId":"111122223333","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE","userName":"ops"},
        "attributes":{"mfaAuthenticated":"true"}},"invokedBy":"cloudformation.amazonaws.com"}"#;
    let text = record(&[("userIdentity", identity)]);
    let change = change(&text);
    insta::assert_json_snapshot!(change.summary(), @r#"
    {
      "uid": "e-1",
      "time": "2026-11-23T18:00:00Z",
      "cloud": "aws",
      "account": "111122223333",
      "region": "us-east-1",
      "service": "iam",
      "action": "CreateUser",
      "actor": {
        "kind": "AssumedRole",
        "id": "arn:aws:sts::111122223333:assumed-role/ops/mara",
        "principal": "AROAEXAMPLE:mara",
        "account": "111122223333",
        "issuer": "AROAEXAMPLE",
        "invoked_by": "cloudformation.amazonaws.com",
        "mfa": true
      },
      "origin": {
        "address": "198.51.100.7",
        "user_agent": "aws-cli/2"
      },
      "outcome": {
        "status": "succeeded"
      },
      "resources": [
        {
          "kind": "AWS::IAM::User",
          "id": "arn:aws:iam::111122223333:user/li",
          "name": "li"
        }
      ]
    }
    "#);
    assert!(matches!(change.uid, Cow::Borrowed(_)) && matches!(change.service, Cow::Borrowed(_)));
    assert!(change.response.json().is_null() && !change.response.is_omitted());
    assert_eq!(change.record.json().get("eventVersion").as_str(), Some("1.11"));
}

#[test]
fn a_session_names_its_role_by_id_also_where_the_record_leaves_the_issuer_out() {
    let issuer = r#""sessionContext":{"sessionIssuer":{"principalId":"AROAISSUER"}}"#;
    let cases = [
        (format!(r#"{{"type":"AssumedRole","principalId":"AROAEXAMPLE:mara",{issuer}}}"#), Some("AROAISSUER")),
        (r#"{"type":"AssumedRole","principalId":"AROAEXAMPLE:mara"}"#.to_owned(), Some("AROAEXAMPLE")),
        (
            r#"{"type":"AWSAccount","principalId":"AROAEXAMPLE:mara","accountId":"444455556666"}"#.to_owned(),
            Some("AROAEXAMPLE"),
        ),
        (r#"{"type":"AssumedRole","principalId":"AROAEXAMPLE"}"#.to_owned(), None),
        (r#"{"type":"WebIdentityUser","principalId":"AROAEXAMPLE:web"}"#.to_owned(), None),
        (r#"{"type":"FederatedUser","principalId":"111122223333:AROAEXAMPLE"}"#.to_owned(), None),
        (r#"{"type":"IAMUser","principalId":"AIDAEXAMPLE","userName":"AROAEXAMPLE:x"}"#.to_owned(), None),
        ("null".to_owned(), None),
    ];
    let mut wrong = Vec::new();
    for (identity, expected) in cases {
        let text = record(&[("userIdentity", &identity)]);
        let issuer = change(&text).actor.issuer;
        if issuer.as_deref() != expected {
            wrong.push(format!("{identity}: {issuer:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_record_needs_name_source_and_time() {
    for field in ["eventName", "eventSource", "eventTime"] {
        assert_eq!(decode(&record(&[(field, "null")])).unwrap_err(), DecodeError::Missing { field });
        for value in [r#""""#, "7", "{}"] {
            let error = decode(&record(&[(field, value)])).unwrap_err();
            assert!(matches!(error, DecodeError::Field { field: named, .. } if named == field), "{error}");
        }
    }
}

#[test]
fn times_are_read_in_the_ways_feeds_write_them() {
    let cases = [
        ("2026-11-23T18:00:00Z", Some("2026-11-23T18:00:00Z")),
        ("2026-11-23T19:00:00+01:00", Some("2026-11-23T18:00:00Z")),
        ("2026-11-23 18:00:00.000000000", Some("2026-11-23T18:00:00Z")),
        ("2026-11-23T18:00:00.5Z", Some("2026-11-23T18:00:00.5Z")),
        ("yesterday", None),
        ("2026-13-01T00:00:00Z", None),
        ("99999-01-01T00:00:00Z", None),
    ];
    for (text, expected) in cases {
        let text = record(&[("eventTime", &format!("\"{text}\""))]);
        let got = decode(&text).ok().and_then(Decoded::change).map(|change| change.time.to_string());
        assert_eq!(got.as_deref(), expected, "{text}");
    }
}

#[test]
fn failure_is_told_in_several_ways() {
    let failed =
        |code: &'static str, message: &'static str| Outcome::Failed { code: code.into(), message: message.into() };
    let signin = [("eventSource", r#""signin.amazonaws.com""#), ("eventName", r#""ConsoleLogin""#)];
    let cases: [(&[(&str, &str)], Outcome<'_>); 9] = [
        (&[], Outcome::Succeeded),
        (&[("errorCode", "null"), ("errorMessage", "null")], Outcome::Succeeded),
        (&[("errorCode", r#""Success""#)], Outcome::Succeeded),
        (
            &[("errorCode", r#""Client.UnauthorizedOperation""#), ("errorMessage", r#""no""#)],
            failed("Client.UnauthorizedOperation", "no"),
        ),
        (&[("errorMessage", r#""Failed authentication""#)], failed("", "Failed authentication")),
        (&[signin[0], signin[1], ("responseElements", r#"{"ConsoleLogin":"Failure"}"#)], failed("Failure", "")),
        (&[signin[0], signin[1], ("responseElements", r#"{"ConsoleLogin":"Success"}"#)], Outcome::Succeeded),
        (
            &[signin[0], ("eventName", r#""SwitchRole""#), ("responseElements", r#"{"SwitchRole":"Failure"}"#)],
            failed("Failure", ""),
        ),
        (&[("responseElements", r#"{"CreateUser":"Failure"}"#)], Outcome::Succeeded),
    ];
    for (members, expected) in cases {
        assert_eq!(change(&record(members)).outcome, expected, "{members:?}");
    }
}

#[test]
fn a_sign_in_states_its_second_factor_elsewhere() {
    let cases = [
        (r#"{"MFAUsed":"Yes"}"#, "false", Some(true)),
        (r#"{"MFAUsed":"No"}"#, "true", Some(false)),
        ("{}", "true", Some(true)),
        ("null", "unknown", None),
    ];
    for (additional, session, expected) in cases {
        let identity = format!(r#"{{"sessionContext":{{"attributes":{{"mfaAuthenticated":"{session}"}}}}}}"#);
        let text = record(&[("additionalEventData", additional), ("userIdentity", &identity)]);
        assert_eq!(change(&text).actor.mfa, expected, "{additional} {session}");
    }
}

#[test]
fn a_body_that_was_left_out_is_omitted_never_empty() {
    let omitted = [
        r#"{"reason":"requestParameters too large","omitted":true,"originalSize":"149893"}"#,
        r#"{"reason":"requestParameters too large","omitted":"true","originalSize":149893}"#,
        r#""cut off {""#,
    ];
    let nested = format!(r#"{{"a":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
    for body in omitted.into_iter().chain([nested.as_str()]) {
        let text = record(&[("requestParameters", body)]);
        assert!(change(&text).request.is_omitted(), "{body}");
    }
    for body in ["null", "{}", r#""""#, r#"{"omitted":true}"#, r#"{"omitted":false,"reason":"x"}"#] {
        let text = record(&[("requestParameters", body)]);
        assert!(!change(&text).request.is_omitted(), "{body}");
    }
}

#[test]
fn wrapped_and_quoted_bodies_are_opened() {
    let ec2 = [("eventSource", r#""ec2.amazonaws.com""#), ("eventName", r#""DeleteFlowLogs""#)];
    let cases = [
        (r#"{"DeleteFlowLogsRequest":{"FlowLogId":"fl-1"}}"#, "FlowLogId", Some("fl-1")),
        (r#"{ "DeleteFlowLogsRequest" : {"FlowLogId":"fl-1"} }"#, "FlowLogId", Some("fl-1")),
        (r#""{\"flowLogId\":\"fl-1\"}""#, "flowLogId", Some("fl-1")),
        (r#"{"DeleteFlowLogsRequest":{"FlowLogId":"fl-1"},"other":1}"#, "FlowLogId", None),
        (r#"{"DeleteFlowLogsRequest":""}"#, "DeleteFlowLogsRequest", Some("")),
        (r#"{"CreateFlowLogsRequest":{"FlowLogId":"fl-1"}}"#, "FlowLogId", None),
    ];
    for (body, member, expected) in cases {
        let text = record(&[ec2[0], ec2[1], ("requestParameters", body)]);
        assert_eq!(change(&text).request.json().get(member).as_str(), expected, "{body}");
    }
    let text = record(&[ec2[0], ec2[1], ("responseElements", r#"{"DeleteFlowLogsResponse":{"requestId":"r"}}"#)]);
    let change = change(&text);
    assert_eq!(change.response.json().get("requestId").as_str(), Some("r"));
    assert!(!change.record.json().at("responseElements.DeleteFlowLogsResponse").is_null());
}

#[test]
fn a_record_without_an_id_gets_one_from_its_text() {
    let text = record(&[("eventID", "null")]);
    let other = record(&[("eventID", "null"), ("awsRegion", r#""eu-west-1""#)]);
    let uid = change(&text).uid;
    assert_eq!(uid, change(&text).uid);
    assert_ne!(uid, change(&other).uid);
    assert!(uid.starts_with("text-") && uid.len() == 37, "{uid}");
}

#[test]
fn a_lone_surrogate_does_not_hide_a_record() {
    let text = record(&[("userAgent", r#""\ud800""#), ("requestParameters", r#"{"userName":"\udfff"}"#)]);
    let change = change(&text);
    assert!(change.origin.user_agent.starts_with('\u{fffd}'));
    assert!(change.request.is_omitted(), "what cannot be read is unknown, not empty");
}

#[test]
fn a_column_that_is_null_says_nothing() {
    let text =
        record(&[("insightDetails", "null"), ("digestStartTime", "null"), ("s3", "null"), ("errorCode", "null")]);
    assert!(change(&text).outcome.succeeded());
}

#[test]
fn other_shapes_are_skipped_by_name() {
    let cases = [
        (r#"{"digestStartTime":"2026-11-23T18:00:00Z","logFiles":[]}"#.to_owned(), Skip::Digest),
        (record(&[("eventType", r#""AwsCloudTrailInsight""#)]), Skip::Insight),
        (record(&[("eventCategory", r#""Aggregated""#)]), Skip::Aggregate),
        (r#"{"eventName":{"value":"BeginRequest"}}"#.to_owned(), Skip::Unknown),
        ("{}".to_owned(), Skip::Unknown),
    ];
    for (text, expected) in cases {
        assert!(matches!(decode(&text), Ok(Decoded::Skipped(skip)) if skip == expected), "{text}");
    }
}

proptest! {
    /// One byte, or a stretch of them, of a good record replaced by anything.
    #[test]
    fn no_mutation_of_a_record_panics(at in 0usize..600, length in 0usize..40, noise in "[\\x00-\\x7f\u{e9}\u{1f600}]{0,12}") {
        let text = record(&[
            ("userIdentity", r#"{"type":"IAMUser","userName":"li","sessionContext":{"attributes":{"mfaAuthenticated":"true"}}}"#),
            ("resources", r#"[{"ARN":"arn:aws:s3:::b","type":"AWS::S3::Bucket"}]"#),
        ]);
        let (from, to) = (at.min(text.len()), (at + length).min(text.len()));
        let mutated = format!("{}{noise}{}", &text[..from], &text[to..]);
        if let Ok(Decoded::Change(change)) = decode(&mutated) {
            change.effects();
            change.summary();
        }
    }

    /// Any body keeps the record: it is there, absent or omitted.
    #[test]
    fn no_body_loses_a_record(body in "(\\{|\\[|\"|[a-z:,0-9]|\\}|\\]){0,30}") {
        let text = record(&[("requestParameters", &body)]);
        if serde_json::from_str::<serde_json::Value>(&text).is_ok() {
            prop_assert!(matches!(decode(&text), Ok(Decoded::Change(_))));
        }
    }
}
