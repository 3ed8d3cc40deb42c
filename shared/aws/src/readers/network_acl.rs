//! EC2 network ACLs: their entries, in the order of evaluation.

use onus_core::Read;
use serde_json::{Map, Value, json};

use super::subject::{Subject, Target, elements, only};

/// `AWS::EC2::NetworkAcl`.
pub(crate) const ACL: &str = "AWS::EC2::NetworkAcl";
/// Image key of the entries: `[{"RuleNumber", "Egress", "Protocol", "RuleAction", "CidrBlock", …}]`.
pub(crate) const ENTRIES: &str = "entries";

const KEPT: [&str; 8] =
    ["RuleNumber", "Egress", "Protocol", "RuleAction", "CidrBlock", "Ipv6CidrBlock", "PortRange", "IcmpTypeCode"];

/// The id of the network ACL that a subject is about.
pub(crate) fn acl_id<'a>(subject: &'a Subject<'_>) -> Option<&'a str> {
    subject.told_or_name("networkAclId").filter(|id| id.starts_with("acl-"))
}

/// Reads the entries of a network ACL. One that is not there has none.
pub(crate) fn entries(acl_id: &str, region: &str) -> Read {
    let acl = Target { ids: Map::new(), region: region.to_owned() };
    Read::new(ENTRIES, acl.call("ec2", "DescribeNetworkAcls", json!({ "NetworkAclIds": [acl_id] })))
        .absent(&["InvalidNetworkAclID.NotFound"])
        .keep(|answer| {
            let acls = elements(answer.get("NetworkAcls").unwrap_or(&Value::Null));
            let entries = acls.iter().flat_map(|acl| elements(acl.get("Entries").unwrap_or(&Value::Null)));
            let mut entries: Vec<Value> = entries.map(|entry| only(entry, &KEPT)).collect();
            entries.sort_by_key(|entry| (entry.get("Egress").and_then(Value::as_bool), number(entry)));
            Value::Array(entries)
        })
}

/// The number of an entry, which with its direction is its name.
pub(crate) fn number(entry: &Value) -> Option<i64> {
    entry.get("RuleNumber").and_then(Value::as_i64)
}
