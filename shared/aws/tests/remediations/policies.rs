//! Policies in general: whatever the policy and the change, only public statements of the change go.

use onus_aws::remediation;
use onus_core::{Audience, Json};
use onus_sources::aws::policy::{Context, PolicyKind, judge};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cases::policy;
use super::findings::finding;

fn principal() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!("*")),
        Just(json!({ "AWS": "*" })),
        Just(json!({ "AWS": ["*", "arn:aws:iam::444455556666:root"] })),
        Just(json!({ "AWS": ["*"], "Service": "cloudtrail.amazonaws.com" })),
        Just(json!({ "AWS": "arn:aws:iam::111122223333:role/app" })),
        Just(json!({ "AWS": ["444455556666", "arn:aws:iam::111122223333:root"] })),
        Just(json!({ "Service": ["cloudtrail.amazonaws.com"] })),
        Just(json!({ "CanonicalUser": "79a59df900b949e5" })),
    ]
}

fn condition() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        3 => Just(None),
        1 => Just(Some(json!({ "StringEquals": { "aws:PrincipalOrgID": "o-1" } }))),
        1 => Just(Some(json!({ "Bool": { "aws:SecureTransport": "false" } }))),
        1 => Just(Some(json!({ "IpAddress": { "aws:SourceIp": ["10.0.0.0/8"] } }))),
    ]
}

fn statement() -> impl Strategy<Value = Value> {
    let effect = prop_oneof![6 => Just("Allow"), 1 => Just("Deny")];
    let action =
        prop_oneof![Just(json!("s3:GetObject")), Just(json!(["s3:GetObject", "s3:PutObject"])), Just(json!("s3:*")),];
    (effect, principal(), action, condition()).prop_map(|(effect, principal, action, condition)| {
        let mut statement = json!({ "Effect": effect, "Principal": principal, "Action": action });
        if let Some(condition) = condition {
            statement["Condition"] = condition;
        }
        statement
    })
}

/// A live policy whose statements differ in their resources, with Sids on some, and which of them the change wrote.
fn policies() -> impl Strategy<Value = (Vec<Value>, Vec<bool>)> {
    prop::collection::vec((statement(), any::<bool>(), any::<bool>()), 1..6).prop_map(|drawn| {
        let named = drawn.iter().enumerate().map(|(index, (statement, has_sid, _))| {
            let mut statement = statement.clone();
            statement["Resource"] = json!(format!("arn:aws:s3:::logs/{index}/*"));
            if *has_sid {
                statement["Sid"] = json!(format!("S{index}"));
            }
            statement
        });
        (named.collect(), drawn.iter().map(|(_, _, written)| *written).collect())
    })
}

fn is_public(document: &Value, index: usize) -> bool {
    let context = Context { account: "111122223333", resource: "logs", kind: PolicyKind::Resource };
    let judged = judge(&Json::from_value(document), &context).unwrap();
    judged
        .iter()
        .any(|one| one.index == index && matches!(one.audience, Some(Audience::Public | Audience::AnyAuthenticated)))
}

/// The same statement in other words.
fn respelled(statement: &Value) -> Value {
    let mut other = statement.clone();
    if let Some(action) = statement["Action"].as_str() {
        other["Action"] = json!([action.to_uppercase()]);
    }
    if statement["Principal"] == json!("*") || statement["Principal"]["AWS"] == json!("*") {
        other["Principal"] = json!({ "AWS": ["*"] });
    }
    other["Resource"] = json!([statement["Resource"]]);
    other
}

/// The statements that a plan leaves; all of them when it is empty.
fn left(live: &Value, written: &[Value]) -> Vec<Value> {
    let request = json!({ "bucketName": "logs", "bucketPolicy": policy(written) });
    let finding = finding("s3:PutBucketPolicy", request);
    let image = serde_json::from_value(json!({ "policy": live })).unwrap();
    let steps = remediation("aws.s3.remove_public_statements").unwrap().plan(&finding, &image).unwrap();
    let Some(step) = steps.first() else { return live["Statement"].as_array().unwrap().clone() };
    assert_eq!(step.inverse.as_ref().unwrap().parameters["Policy"], json!(live.to_string()));
    match step.call.parameters["Policy"].as_str() {
        Some(text) => serde_json::from_str::<Value>(text).unwrap()["Statement"].as_array().unwrap().clone(),
        None => Vec::new(),
    }
}

proptest! {
    #[test]
    fn only_public_statements_of_the_change_go((statements, mask) in policies()) {
        let live = policy(&statements);
        let written: Vec<Value> =
            statements.iter().zip(&mask).filter(|(_, wrote)| **wrote).map(|(one, _)| respelled(one)).collect();
        let left = left(&live, &written);
        let mut rest = left.iter();
        for (index, statement) in statements.iter().enumerate() {
            let bad = is_public(&live, index) && mask[index];
            let next = rest.clone().next();
            if !bad {
                prop_assert_eq!(next.map(Value::to_string), Some(statement.to_string()), "statement {} is not as it was", index);
                rest.next();
            } else if let Some(narrowed) = next.filter(|next| is_narrowed(statement, next)) {
                prop_assert!(!is_public(&policy(std::slice::from_ref(narrowed)), 0), "{} is still public", narrowed);
                rest.next();
            }
        }
        prop_assert_eq!(rest.next(), None, "something was added");
    }

    #[test]
    fn healing_twice_is_healing_once((statements, _) in policies()) {
        let live = policy(&statements);
        let once = left(&live, &statements);
        prop_assume!(!once.is_empty());
        prop_assert_eq!(left(&policy(&once), &statements), once);
    }
}

/// Whether the second is the first with fewer principals and nothing else different.
fn is_narrowed(whole: &Value, part: &Value) -> bool {
    let without = |statement: &Value| {
        let mut rest = statement.clone();
        rest.as_object_mut().unwrap().remove("Principal");
        rest
    };
    without(whole) == without(part) && whole["Principal"] != part["Principal"] && part["Effect"] == json!("Allow")
}
