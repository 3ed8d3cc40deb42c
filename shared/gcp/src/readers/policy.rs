//! IAM policies, which services answer in one shape: bindings of a role to members, some under a condition.
//!
//! <https://cloud.google.com/iam/docs/reference/rest/v1/Policy>. Policies are read and written at version 3, because an older
//! version drops the conditions.

use onus_core::{Call, Read, live};
use serde_json::{Value, json};

use super::ABSENT;
use super::answer::{hidden, list, only, set};

/// Image key of a policy: `{"bindings": [{"role", "members", "condition"}], "auditConfigs", "~etag"}`, sets in a fixed order.
pub(crate) const POLICY: &str = "iamPolicy";

/// The version that keeps conditions.
pub(crate) const VERSION: u8 = 3;

/// What is kept of a policy. Its version is left out: services answer the lowest that can hold the policy.
pub(crate) fn kept(answer: Value) -> Value {
    let bindings = set(list(&answer, "bindings").iter().map(|binding| {
        let mut kept = only(binding.clone(), &["role", "condition"]);
        if let Value::Object(members) = &mut kept {
            members.insert("members".to_owned(), set(list(binding, "members").iter().cloned()));
        }
        kept
    }));
    let mut kept = hidden(only(answer, &["auditConfigs", "etag"]), &["etag"]);
    if let Value::Object(members) = &mut kept {
        members.insert("bindings".to_owned(), bindings);
    }
    kept
}

/// Reads the policy of a resource whose collection has `getIamPolicy` in the shape that most APIs share.
pub(crate) fn of(api: &str, collection: &str, resource: &str) -> Read {
    let parameters = json!({ "resource": resource, "options.requestedPolicyVersion": VERSION });
    Read::new(POLICY, Call::gcp(api, &format!("{collection}.getIamPolicy"), parameters)).absent(ABSENT).keep(kept)
}

/// A policy as it is written: these bindings, and the version token that makes the write conditional.
pub(crate) fn written(bindings: &[Value], etag: &Value) -> Value {
    json!({ "version": VERSION, "bindings": bindings, "etag": etag })
}

/// The version token that an undo reads just before it writes.
pub(crate) fn live_etag() -> Value {
    live(&[POLICY, "~etag"])
}
