//! Azure's records in every envelope, through the front door.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use onus_core::{Change, Outcome};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::entry::{Decoded, Entry};
use crate::scan;

const SUB: &str = "/subscriptions/00000000-0000-0000-0000-000000000001";

/// Visits every entry of an input, and checks that each counts once.
fn visit(input: &[u8], visit: &mut dyn FnMut(Entry<'_>)) {
    let mut count = 0;
    let scanned = scan("f", input, &mut |entry| {
        count += 1;
        visit(entry);
    })
    .unwrap();
    let skipped: u64 = scanned.skipped.values().sum();
    assert_eq!((scanned.records, scanned.changes + skipped + scanned.broken), (count, count));
}

/// Every entry as `ordinal action name of the resource, outcome, port that was asked for` or `ordinal skip`.
fn entries(input: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    visit(input, &mut |entry| {
        let what = match entry.result {
            Ok(Decoded::Change(change)) => {
                let name = change.resource().map(|resource| resource.name.to_string()).unwrap_or_default();
                let port = change
                    .request
                    .json()
                    .get_ci("properties")
                    .get_ci("destinationPortRange")
                    .as_str()
                    .unwrap_or("-")
                    .to_owned();
                format!("{} {name} {} {port}", change.action, change.outcome.as_str())
            }
            Ok(Decoded::Skipped(skip)) => skip.to_string(),
            Err(error) => error.to_string(),
        };
        lines.push(format!("{} {what}", entry.record));
    });
    lines
}

/// The one change of a record.
fn with_change(record: &str, look: &mut dyn FnMut(&Change<'_>)) {
    let mut seen = 0;
    visit(record.as_bytes(), &mut |entry| {
        if let Decoded::Change(change) = entry.result.unwrap() {
            look(&change);
            seen += 1;
        }
    });
    assert_eq!(seen, 1, "{record}");
}

fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/azure/envelopes").join(name);
    fs::read_to_string(path).expect("the fixture is there")
}

#[test]
fn every_envelope_is_opened() {
    let rule = "networksecuritygroups/securityrules/write ssh";
    let storage = "storageaccounts/write exampledata";
    let cases: [(&str, Vec<String>); 14] = [
        (
            "event_hub.json",
            vec![
                "0 operation_begun".into(),
                "1 operation_begun".into(),
                format!("3 {rule} succeeded 22"),
                format!("2 {storage} succeeded -"),
                format!("4 {storage} failed -"),
            ],
        ),
        (
            "event_hub_batch.json",
            vec![
                "0 operation_begun".into(),
                "1 operation_begun".into(),
                format!("3 {rule} succeeded 22"),
                format!("2 {storage} succeeded -"),
            ],
        ),
        (
            "diagnostic_settings.jsonl",
            vec![
                format!("0 {rule} succeeded 22"),
                "1 operation_begun".into(),
                format!("2 {storage} succeeded -"),
                format!("3 {storage} failed -"),
            ],
        ),
        ("record.json", vec![format!("0 {rule} begun 22")]),
        (
            "event_grid.json",
            vec![
                format!("0 {storage} succeeded -"),
                "1 networksecuritygroups/securityrules/delete ssh failed -".into(),
                "2 storageaccounts/listkeys/action exampledata succeeded -".into(),
            ],
        ),
        ("event_grid_single.json", vec![format!("0 {storage} succeeded -")]),
        ("cloud_event.json", vec![format!("0 {storage} succeeded -")]),
        ("event_grid_validation.json", vec!["0 control_message".into()]),
        ("event_grid_others.json", vec!["0 storage_notification".into(), "1 other_event".into()]),
        ("rest_page.json", vec![format!("0 {rule} succeeded 22"), "1 operation_begun".into()]),
        ("rest_record.json", vec![format!("0 {rule} begun 22")]),
        (
            "entra_graph.json",
            vec![
                "0 add_member_to_role ben@example.com succeeded -".into(),
                "1 add_member_to_role ben@example.com failed -".into(),
            ],
        ),
        ("entra_export.json", vec!["0 add_member_to_role ben@example.com succeeded -".into()]),
        (
            "no_changes.jsonl",
            ["sign_in", "resource_log", "resource_log", "other_event", "other_event", "unknown"]
                .iter()
                .enumerate()
                .map(|(line, skip)| format!("{line} {skip}"))
                .collect(),
        ),
    ];
    let mut wrong = Vec::new();
    for (name, expected) in &cases {
        let got = entries(fixture(name).as_bytes());
        if got != *expected {
            wrong.push(format!("{name}\n  expected {expected:?}\n  got      {got:?}"));
        }
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/azure/envelopes");
    assert_eq!(fs::read_dir(folder).unwrap().count(), cases.len(), "every fixture is listed here");
    assert!(wrong.is_empty(), "{} envelopes decode otherwise:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_change_says_who_did_what_to_which_resource() {
    let nsg = format!("{SUB}/resourcegroups/web/providers/microsoft.network/networksecuritygroups/front");
    for name in ["record.json", "rest_record.json"] {
        with_change(&fixture(name), &mut |change| {
            assert_eq!(change.operation(), "microsoft.network:networksecuritygroups/securityrules/write", "{name}");
            assert_eq!(change.account, "00000000-0000-0000-0000-000000000001");
            let resources: Vec<(&str, &str)> = change.resources.iter().map(|r| (&*r.kind, &*r.id)).collect();
            let rule = format!("{nsg}/securityrules/ssh");
            assert_eq!(
                resources,
                [
                    ("Microsoft.Network/networkSecurityGroups/securityRules", rule.as_str()),
                    ("Microsoft.Network/networkSecurityGroups", nsg.as_str())
                ]
            );
            assert!(
                change.uid.ends_with(&format!("/microsoft.network/networksecuritygroups/securityrules/write/{rule}"))
            );
            let actor = &change.actor;
            assert_eq!(
                (&*actor.kind, &*actor.id, &*actor.principal),
                ("User", "ana@example.com", "00000000-0000-0000-0000-00000000000b")
            );
            assert_eq!(actor.account, "00000000-0000-0000-0000-00000000000a");
            assert_eq!(
                (actor.issuer.as_deref(), actor.mfa),
                (Some("00000000-0000-0000-0000-00000000000c"), Some(true))
            );
            assert_eq!(change.origin.address, "192.0.2.10");
            assert_eq!(change.effects().exposures().len(), 1, "{name}: {:?}", change.effects());
        });
    }
}

#[test]
fn an_operation_has_one_uid_in_every_envelope_and_case() {
    let mut uids = Vec::new();
    for name in ["event_hub.json", "diagnostic_settings.jsonl"] {
        visit(fixture(name).as_bytes(), &mut |entry| {
            if let Ok(Decoded::Change(change)) = entry.result
                && change.action.contains("securityrules")
            {
                uids.push(change.uid.to_string());
            }
        });
    }
    with_change(&fixture("record.json"), &mut |change| uids.push(change.uid.to_string()));
    // The last is a beginning; the uid of an end names its time behind what all share.
    let key = uids.last().unwrap();
    assert!(uids.iter().all(|uid| uid.starts_with(key.as_str())), "{uids:?}");
    assert_eq!(uids.iter().collect::<BTreeSet<_>>().len(), 2, "{uids:?}");
}

#[test]
fn a_write_repeated_under_one_correlation_id_is_a_change_of_its_own() {
    let uid = |time: &str| {
        let mut uid = String::new();
        with_change(&record(&json!({ "time": time, "resultType": "Success" })), &mut |change| {
            uid = change.uid.to_string();
        });
        uid
    };
    let (first, again, later) =
        (uid("2026-03-02T09:10:00.123Z"), uid("2026-03-02T09:10:00.123Z"), uid("2026-03-02T09:11:00.456Z"));
    assert_eq!(first, again, "a record delivered twice has one uid");
    assert_ne!(first, later, "a client who chooses the correlation id does not choose the time");
}

/// A record of an export with some members changed.
fn record(changes: &Value) -> String {
    let mut record: Value = serde_json::from_str(&fixture("record.json")).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        record[name] = value.clone();
    }
    record.to_string()
}

#[test]
fn every_word_for_the_outcome_is_understood() {
    let error = json!({ "statusMessage": r#"{"error":{"code":"AuthorizationFailed","message":"no"}}"#, "statusCode": "Forbidden" });
    let cases = [
        (json!({ "resultType": "Start" }), "begun", ""),
        (json!({ "resultType": "Started" }), "begun", ""),
        (json!({ "resultType": "Accepted" }), "begun", ""),
        (json!({ "resultType": null, "resultSignature": "Started." }), "begun", ""),
        (json!({ "resultType": "Success", "resultSignature": "Succeeded.OK" }), "succeeded", ""),
        (json!({ "resultType": "SUCCEEDED" }), "succeeded", ""),
        (json!({ "resultType": "OK" }), "succeeded", ""),
        (json!({ "resultType": null, "resultSignature": null }), "succeeded", ""),
        (json!({ "resultType": null, "status": { "value": "Failed" }, "resultSignature": null }), "failed", "Failed"),
        (json!({ "resultType": "Failure", "resultSignature": "Failed.Conflict" }), "failed", "Conflict"),
        (json!({ "resultType": "Failed", "resultSignature": "403" }), "failed", "403"),
        (
            json!({ "resultType": "Failed", "resultSignature": null, "properties": { "statusCode": "Forbidden" } }),
            "failed",
            "Forbidden",
        ),
        (json!({ "resultType": "Failure", "properties": error }), "failed", "AuthorizationFailed"),
    ];
    for (changes, outcome, expected) in cases {
        with_change(&record(&changes), &mut |change| {
            let code = match &change.outcome {
                Outcome::Failed { code, .. } => code.as_ref(),
                Outcome::Begun | Outcome::Succeeded => "",
            };
            assert_eq!((change.outcome.as_str(), code), (outcome, expected), "{changes}");
        });
    }
}

#[test]
fn every_sort_of_caller_is_told() {
    let claims = |claims: Value| json!({ "identity": { "claims": claims } });
    let oid = "http://schemas.microsoft.com/identity/claims/objectidentifier";
    let methods = "http://schemas.microsoft.com/claims/authnmethodsreferences";
    let cases = [
        (claims(json!({ "idtyp": "app", "appid": "a", oid: "o" })), "ServicePrincipal o o a None"),
        (
            claims(json!({ "appid": "a", oid: "o", "xms_mirid": "/subscriptions/s/x" })),
            "ManagedIdentity /subscriptions/s/x o a None",
        ),
        (
            claims(json!({ "upn": " ana@example.com", oid: "o", methods: "pwd" })),
            "User ana@example.com o - Some(false)",
        ),
        (claims(json!({ "upn": "ana@example.com", "amr": "[\"pwd\",\"mfa\"]" })), "User ana@example.com  - Some(true)"),
        (json!({ "identity": { "claims": "{\"upn\":\"ana@example.com\"}" } }), "User ana@example.com  - None"),
        (json!({ "identity": null, "caller": "ana@example.com" }), " ana@example.com  - None"),
        (
            json!({ "identity": { "authorization": { "evidence": { "role": "Owner", "principalId": "p", "principalType": "Group" } } } }),
            "Group p p - None",
        ),
        (json!({ "identity": null }), "   - None"),
        (json!({ "identity": [1] }), "   - None"),
    ];
    for (changes, expected) in cases {
        with_change(&record(&changes), &mut |change| {
            let a = &change.actor;
            let got = format!("{} {} {} {} {:?}", a.kind, a.id, a.principal, a.issuer.as_deref().unwrap_or("-"), a.mfa);
            assert_eq!(got, expected, "{changes}");
        });
    }
}

#[test]
fn what_the_record_leaves_out_is_omitted_not_empty() {
    let op = |operation: &str, properties: Value| json!({ "operationName": operation, "properties": properties });
    let cases = [
        (op("Microsoft.Storage/storageAccounts/write", json!({})), true),
        (op("Microsoft.Storage/storageAccounts/write", json!({ "requestbody": "" })), true),
        (op("Microsoft.Storage/storageAccounts/write", json!({ "requestbody": "{\"a\":" })), true),
        (op("Microsoft.Storage/storageAccounts/write", json!({ "requestBody": "{\"a\":1}" })), false),
        (op("Microsoft.Storage/storageAccounts/write", json!({ "requestbody": { "a": 1 } })), false),
        (op("Microsoft.Storage/storageAccounts/write", json!("{\"requestbody\":\"{\\\"a\\\":1}\"}")), false),
        (op("Microsoft.Compute/disks/beginGetAccess/action", json!(null)), true),
        (op("Microsoft.Storage/storageAccounts/delete", json!(null)), false),
    ];
    for (changes, omitted) in cases {
        with_change(&record(&changes), &mut |change| {
            assert_eq!(change.request.is_omitted(), omitted, "{changes}");
        });
    }
}

#[test]
fn a_record_that_is_no_record_says_why() {
    let cases = [
        (record(&json!({ "time": null })), "field `time` is missing"),
        (
            record(&json!({ "time": "yesterday" })),
            "field `time` holds `yesterday`: expected a time such as `2026-11-23T18:00:00Z`",
        ),
        (record(&json!({ "operationName": null })), "unknown"),
        (
            r#"{"eventType":"Microsoft.Resources.ResourceWriteSuccess","data":"x"}"#.to_owned(),
            "field `data` holds `\\\"x\\\"`: expected an object",
        ),
        (r#"{"eventType":"Contoso.Thing","data":{}}"#.to_owned(), "unknown"),
        (r#"{"specversion":"1.0","type":"google.cloud.audit.log.v1.written","data":{}}"#.to_owned(), "unknown"),
    ];
    for (record, expected) in cases {
        assert_eq!(entries(record.as_bytes()), [format!("0 {expected}")], "{record}");
    }
}

#[test]
fn effects_are_those_of_the_answer_then_of_the_request_and_else_in_doubt() {
    let server = format!("{SUB}/resourceGroups/web/providers/Microsoft.Sql/servers/db");
    let sql = |properties: Value| json!({ "resourceId": format!("{server}/firewallRules/a"), "operationName": "Microsoft.Sql/servers/firewallRules/write", "properties": properties });
    let all = r#"{"properties":{"startIpAddress":"0.0.0.0","endIpAddress":"255.255.255.255"}}"#;
    let one = r#"{"properties":{"startIpAddress":"192.0.2.1","endIpAddress":"192.0.2.1"}}"#;
    let bulk = format!(r#"{{"values":[{{"name":"x",{}]}}"#, all.trim_start_matches('{'));
    let cases = [
        ("request", sql(json!({ "requestbody": all })), 1, 0),
        ("answer", sql(json!({ "requestbody": all, "responseBody": one })), 0, 0),
        ("nothing", sql(json!({})), 0, 1),
        (
            "all rules at once",
            json!({ "resourceId": format!("{server}/firewallRules"), "operationName": "Microsoft.Sql/servers/firewallRules/write", "properties": { "requestbody": bulk } }),
            1,
            0,
        ),
        (
            "a deny rule may be gone",
            json!({ "operationName": "Microsoft.Network/networkSecurityGroups/securityRules/delete", "properties": null }),
            0,
            1,
        ),
        (
            "a deletion",
            json!({ "resourceId": format!("{server}/firewallRules/a"), "operationName": "Microsoft.Sql/servers/firewallRules/delete" }),
            0,
            0,
        ),
        (
            "elsewhere",
            json!({ "operationName": "Microsoft.Automation/automationAccounts/write", "resourceId": format!("{SUB}/resourceGroups/web/providers/Microsoft.Automation/automationAccounts/a") }),
            0,
            0,
        ),
    ];
    for (what, changes, exposed, doubts) in cases {
        with_change(&record(&changes), &mut |change| {
            let effects = change.effects();
            assert_eq!((effects.exposures().len(), effects.doubts.len()), (exposed, doubts), "{what}: {effects:?}");
        });
    }
    let elevated = record(
        &json!({ "operationName": "Microsoft.Authorization/elevateAccess/action", "resourceId": "/providers/Microsoft.Authorization" }),
    );
    with_change(&elevated, &mut |change| {
        let [grant] = change.effects().grants.as_slice() else { panic!("{:?}", change.effects()) };
        assert_eq!((&*grant.resource, &*grant.principal, &*grant.via), ("/", &*change.actor.principal, "elevation"));
    });
}

/// A function keeps a change's text while it reads state, and decodes it again.
#[test]
fn a_change_decodes_again_from_its_own_text() {
    let mut count = 0;
    for name in [
        "event_hub.json",
        "event_grid.json",
        "cloud_event.json",
        "rest_page.json",
        "entra_graph.json",
        "entra_export.json",
    ] {
        visit(fixture(name).as_bytes(), &mut |entry| {
            if let Ok(Decoded::Change(change)) = entry.result {
                let again = crate::decode(change.source, change.text).unwrap().change().expect("a change");
                assert_eq!(again.summary(), change.summary(), "{name}");
                count += 1;
            }
        });
    }
    assert_eq!(count, 11);
}

proptest! {
    /// Members of every sort in place of what should be there.
    #[test]
    fn no_member_makes_the_decoder_panic(
        name in prop::sample::select(vec!["time", "resourceId", "operationName", "category", "resultType", "resultSignature", "callerIpAddress", "correlationId", "identity", "properties", "tenantId", "data", "eventType", "specversion", "type", "records", "value", "initiatedBy", "activityDisplayName", "targetResources"]),
        value in prop::sample::select(vec!["null", "1", "\"\"", "\"x/y/z\"", "[]", "[{}]", "[1]", "{}", "{\"value\":1}", "{\"claims\":7}", "true", "\"{\\\"requestbody\\\":\\\"{}\\\"}\"", "\"Microsoft.Resources.ResourceWriteSuccess\"", "\"AuditLogs\"", "\"\\ud800\""]),
        upper in any::<bool>(),
    ) {
        let spelled = if upper { name.to_uppercase() } else { name.to_owned() };
        let start = fixture("record.json");
        let start = start.trim_end().strip_suffix('}').unwrap();
        let text = format!("{start},\"{spelled}\":{value}}}");
        entries(text.as_bytes());
        entries(format!("[{text}]").as_bytes());
    }

    /// The three records of an operation and those of another one, however they are mixed, are one change each.
    #[test]
    fn any_order_of_delivery_gives_one_change(order in Just(vec![0_usize, 1, 2, 3, 4, 0, 2]).prop_shuffle()) {
        let hub: Value = serde_json::from_str(&fixture("event_hub.json")).unwrap();
        let records = hub["records"].as_array().unwrap();
        // Start, accept, end; another resource's end; its failure under another correlation id.
        let lines: Vec<String> = order.iter().map(|at| records[[0, 1, 3, 2, 4][*at]].to_string()).collect();
        let got = entries(lines.join("\n").as_bytes());
        let rule: Vec<_> = got.iter().filter(|line| line.contains("securityrules")).collect();
        prop_assert!(matches!(rule.as_slice(), [line] if line.ends_with("succeeded 22")), "{:?}", got);
        prop_assert_eq!(got.iter().filter(|line| line.contains("storageaccounts")).count(), 2);
        prop_assert_eq!(got.len(), lines.len());
    }
}
