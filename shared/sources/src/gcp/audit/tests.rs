//! One log entry to a change, case by case.

use onus_core::Outcome;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// An entry of the activity log, with members laid over it by JSON pointer; `null` takes one out.
fn entry(with: &[(&str, Value)]) -> String {
    let mut entry = json!({
        "logName": "projects/example-project/logs/cloudaudit.googleapis.com%2Factivity",
        "insertId": "a1", "timestamp": "2026-01-02T03:04:05.678901234Z",
        "resource": {"type": "gcs_bucket", "labels": {"project_id": "example-project", "location": "europe-west4", "bucket_name": "reports"}},
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog", "status": {},
            "serviceName": "storage.googleapis.com", "methodName": "storage.setIamPermissions",
            "resourceName": "projects/_/buckets/reports",
            "authenticationInfo": {"principalEmail": "ann@example.com"},
            "requestMetadata": {"callerIp": "203.0.113.9", "callerSuppliedUserAgent": "gcloud"},
        },
    });
    for (pointer, value) in with {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let parent = entry.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
        if value.is_null() {
            parent.remove(name);
        } else {
            parent.insert(name.to_owned(), value.clone());
        }
    }
    entry.to_string()
}

/// Members laid over an entry.
type Laid<'l> = Vec<(&'l str, Value)>;

fn with_change<T>(with: &[(&str, Value)], look: impl FnOnce(&Change<'_>) -> T) -> T {
    let text = entry(with);
    match decode(&text) {
        Ok(Decoded::Change(change)) => look(&change),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn an_entry_is_a_change() {
    with_change(&[], |change| {
        insta::assert_json_snapshot!(change.summary(), @r#"
        {
          "uid": "projects/example-project/logs/cloudaudit.googleapis.com/activity/2026-01-02T03:04:05.678901234Z/a1",
          "time": "2026-01-02T03:04:05.678901234Z",
          "cloud": "gcp",
          "account": "example-project",
          "region": "europe-west4",
          "service": "storage",
          "action": "setIamPermissions",
          "actor": {
            "kind": "user",
            "id": "ann@example.com",
            "principal": "ann@example.com",
            "account": "example.com",
            "issuer": null,
            "invoked_by": null,
            "mfa": null
          },
          "origin": {
            "address": "203.0.113.9",
            "user_agent": "gcloud"
          },
          "outcome": {
            "status": "succeeded"
          },
          "resources": [
            {
              "kind": "storage.googleapis.com/Bucket",
              "id": "//storage.googleapis.com/reports",
              "name": "reports"
            }
          ]
        }
        "#);
        assert_eq!(change.action_raw, "storage.setIamPermissions");
        assert!(!change.read_only);
    });
}

#[test]
fn the_outcome_stands_in_one_of_four_places() {
    let failed = |code: &str| Outcome::Failed { code: code.to_owned().into(), message: "no".into() };
    let first = json!({"id": "op-1", "first": true});
    let last = json!({"id": "op-1", "last": true});
    let both = json!({"id": "op-1", "first": true, "last": true});
    let status = "/protoPayload/status";
    let cases: Vec<(&str, Laid<'_>, Outcome<'_>)> = vec![
        ("empty status", vec![], Outcome::Succeeded),
        ("no status", vec![(status, Value::Null)], Outcome::Succeeded),
        ("a message alone", vec![(status, json!({"message": "OK"}))], Outcome::Succeeded),
        ("code 0", vec![(status, json!({"code": 0, "message": "no"}))], Outcome::Succeeded),
        ("a number", vec![(status, json!({"code": 7, "message": "no"}))], failed("7")),
        ("a text", vec![(status, json!({"code": "7", "message": "no"}))], failed("7")),
        (
            "an error of Compute Engine",
            vec![(
                "/protoPayload/response",
                json!({"error": {"code": 403, "message": "x", "errors": [{"code": "FORBIDDEN", "message": "no"}]}}),
            )],
            failed("FORBIDDEN"),
        ),
        (
            "a status of Kubernetes",
            vec![("/protoPayload/response", json!({"status": "Failure", "code": 403, "message": "no"}))],
            failed("403"),
        ),
        ("begun", vec![("/operation", first.clone())], Outcome::Begun),
        ("refused at once", vec![("/operation", first), (status, json!({"code": 7, "message": "no"}))], failed("7")),
        ("ended", vec![("/operation", last.clone())], Outcome::Succeeded),
        ("ended badly", vec![("/operation", last), (status, json!({"code": 10, "message": "no"}))], failed("10")),
        ("done at once", vec![("/operation", both)], Outcome::Succeeded),
        (
            "what the policy log tells of was denied",
            vec![
                ("/logName", json!("projects/p/logs/cloudaudit.googleapis.com%2Fpolicy")),
                (status, json!({"message": "no"})),
            ],
            failed("7"),
        ),
    ];
    let wrong: Vec<_> = cases
        .iter()
        .map(|(name, with, expected)| (name, with_change(with, |change| change.outcome.clone().into_owned()), expected))
        .filter(|(_, found, expected)| found != *expected)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_log_s_name_decides_what_is_read() {
    let log = |name: &str| format!("projects/p/logs/{name}");
    let changes = [
        log("cloudaudit.googleapis.com%2Factivity"),
        log("cloudaudit.googleapis.com%2fdata_access"),
        log("cloudaudit.googleapis.com/system_event"),
        log("cloudaudit.googleapis.com%2Fpolicy"),
        "organizations/1/logs/cloudaudit.googleapis.com%2Factivity".to_owned(),
    ];
    for name in &changes {
        with_change(&[("/logName", json!(name))], |change| {
            assert!(change.uid.contains("/logs/cloudaudit.googleapis.com/"));
        });
    }
    for name in [log("requests"), log("cloudaudit.googleapis.com%2Faccess_transparency"), log("syslog")] {
        let text = entry(&[("/logName", json!(name))]);
        assert!(matches!(decode(&text), Ok(Decoded::Skipped(Skip::OtherEvent))), "{name}");
    }
    let other = entry(&[("/protoPayload/@type", json!("type.googleapis.com/google.appengine.logging.v1.RequestLog"))]);
    assert!(matches!(decode(&other), Ok(Decoded::Skipped(Skip::OtherEvent))));
    assert!(matches!(decode(r#"{"a": 1}"#), Ok(Decoded::Skipped(Skip::Unknown))));
}

#[test]
fn only_the_data_access_log_holds_reads() {
    let data = ("/logName", json!("projects/p/logs/cloudaudit.googleapis.com%2Fdata_access"));
    let method = |name: &str| ("/protoPayload/methodName", json!(name));
    let asked = |kind: &str| ("/protoPayload/authorizationInfo", json!([{"permissionType": kind}]));
    let cases = [
        (vec![method("storage.objects.get")], false),
        (vec![data.clone(), method("storage.objects.get")], true),
        (vec![data.clone(), method("storage.objects.create")], false),
        (vec![data.clone(), method("storage.objects.create"), asked("DATA_WRITE")], false),
        (vec![data.clone(), method("AccessSecretVersion"), asked("DATA_READ")], true),
        (vec![data, method("storage.objects.get"), asked("DATA_WRITE")], false),
    ];
    for (with, expected) in cases {
        assert_eq!(with_change(&with, |change| change.read_only), expected, "{with:?}");
    }
}

#[test]
fn records_of_one_operation_share_a_uid_and_parts_of_one_entry_too() {
    let uid = |with: &[(&str, Value)]| with_change(with, |change| change.uid.to_string());
    let first = uid(&[("/operation", json!({"id": "op-1", "first": true}))]);
    let last = uid(&[("/operation", json!({"id": "op-1", "last": true})), ("/insertId", json!("b2"))]);
    assert_eq!(first, last);
    let other = uid(&[
        ("/operation", json!({"id": "op-1", "last": true})),
        ("/protoPayload/resourceName", json!("projects/_/buckets/other")),
    ]);
    assert_ne!(first, other);
    let part = |index: u8| {
        [
            ("/split", json!({"uid": "s-1", "index": index, "totalSplits": 2})),
            ("/insertId", json!(format!("a1-{index}"))),
        ]
    };
    assert_eq!(uid(&part(0)), uid(&part(1)));
    assert_ne!(uid(&[]), uid(&[("/timestamp", json!("2026-01-02T03:04:06Z"))]));
    let without = |status: Value| uid(&[("/insertId", Value::Null), ("/protoPayload/status", status)]);
    assert!(without(json!({})).starts_with("text-"));
    assert_ne!(without(json!({})), without(json!({"code": 7})), "two records that lack an id are two");
}

#[test]
fn what_a_record_does_not_tell_is_left_out_and_not_empty() {
    let request = ("/protoPayload/request", json!({"@type": "x", "policy": {"bindings": []}}));
    let bare = ("/protoPayload/request", json!({"@type": "x"}));
    let last = ("/operation", json!({"id": "op-1", "last": true}));
    let cases = [
        (vec![request.clone()], false),
        (vec![], false),
        (vec![("/split", json!({"uid": "s-1"})), request.clone()], true),
        (vec![last.clone(), bare.clone()], true),
        (vec![last.clone()], true),
        (vec![last, request], false),
        (vec![bare], false),
    ];
    for (with, omitted) in cases {
        assert_eq!(with_change(&with, |change| change.request.is_omitted()), omitted, "{with:?}");
    }
}

#[test]
fn the_account_and_the_region_are_found_where_they_stand() {
    let labels = |labels: Value| ("/resource/labels", labels);
    let name = |name: &str| ("/protoPayload/resourceName", json!(name));
    let cases = [
        (vec![labels(json!({"project_id": "p", "zone": "europe-west4-a"}))], ("p", "europe-west4")),
        (vec![labels(json!({"project_id": "p", "location": "global"}))], ("p", "")),
        (vec![labels(json!({"location": "us"})), name("projects/q/x/y")], ("q", "us")),
        (vec![labels(json!({})), name("projects/_/buckets/b")], ("example-project", "")),
        (vec![labels(json!({})), name("organizations/1")], ("organizations/1", "")),
        (
            vec![labels(json!({})), ("/protoPayload/resourceLocation", json!({"currentLocations": ["europe-west1"]}))],
            ("example-project", "europe-west1"),
        ),
    ];
    for (with, (account, region)) in cases {
        let found = with_change(&with, |change| (change.account.to_string(), change.region.to_string()));
        assert_eq!(found, (account.to_owned(), region.to_owned()), "{with:?}");
    }
}

#[test]
fn a_record_without_what_every_record_has_is_an_error_that_names_the_field() {
    let cases = [
        ("/protoPayload/serviceName", Value::Null, "field `protoPayload.serviceName` is missing"),
        ("/protoPayload/methodName", json!(7), "field `protoPayload.methodName` holds `7`: expected a string"),
        ("/timestamp", Value::Null, "field `timestamp` is missing"),
        ("/timestamp", json!("soon"), "field `timestamp` holds `soon`: expected a time such as `2026-11-23T18:00:00Z`"),
        ("/protoPayload", json!([1]), "field `protoPayload` holds `[1]`: expected an object"),
    ];
    for (pointer, value, expected) in cases {
        let text = entry(&[(pointer, value)]);
        assert_eq!(decode(&text).unwrap_err().to_string(), expected);
    }
    with_change(&[("/timestamp", json!("2026-01-02 03:04:05.678"))], |change| {
        assert_eq!(change.time.to_string(), "2026-01-02T03:04:05.678Z");
    });
}

proptest! {
    #[test]
    fn no_value_anywhere_makes_decoding_panic(
        pointer in prop::sample::select(vec![
            "/logName", "/insertId", "/timestamp", "/resource", "/operation", "/split", "/protoPayload", "/protoPayload/status",
            "/protoPayload/serviceName", "/protoPayload/methodName", "/protoPayload/resourceName", "/protoPayload/request",
            "/protoPayload/response", "/protoPayload/metadata", "/protoPayload/serviceData", "/protoPayload/authenticationInfo",
        ]),
        value in prop::sample::select(vec![
            json!(null), json!(true), json!(-1), json!("x"), json!("\u{0}/é/"), json!([]), json!([{}]), json!({}),
            json!({"id": "x", "first": true}), json!({"uid": 1}), json!({"code": {}}), json!({"name": "projects//x//"}),
        ]),
    ) {
        let text = entry(&[(pointer, value)]);
        if let Ok(Decoded::Change(change)) = decode(&text) {
            let _ = (change.effects(), change.summary());
        }
    }
}
