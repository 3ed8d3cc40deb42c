//! IAM policies: exactly what the functions send.

use std::collections::BTreeSet;

use onus_aws::permissions::iam_action;
use onus_rules::{Catalog, Status};
use serde_json::{Value, json};

/// The action that hands a role to a service.
const PASS_ROLE: &str = "iam:PassRole";

/// The services that may be handed a role of the account, to write where a trail or flow log that is made again wrote.
const HANDED_ROLES: [&str; 2] = ["cloudtrail.amazonaws.com", "vpc-flow-logs.amazonaws.com"];

/// What `aws-audit` and `aws-sweep` read: every state reader's and lister's operations, and tags. Nothing in it writes.
pub fn audit_policy() -> Value {
    let operations = onus_aws::state_readers().iter().flat_map(|reader| reader.operations());
    let operations = operations.chain(onus_aws::tags::OPERATIONS);
    let listed = onus_aws::listers().iter().flat_map(|lister| lister.operations());
    document(&[statement("ReadState", &actions(operations.chain(listed).copied()), None)])
}

/// What `aws-respond` reads and writes: tags, and the operations of every remediation that some rule names, undo included.
pub fn respond_policy(catalog: &Catalog) -> Value {
    let live = catalog.rules().filter(|rule| rule.status != Status::Deprecated);
    let named: BTreeSet<&str> = live.filter_map(|rule| rule.remedy.as_deref()).collect();
    let specs = || named.iter().filter_map(|id| onus_aws::remediation(id)).map(onus_core::Remediation::spec);
    let mut writes = actions(specs().flat_map(|spec| spec.writes.iter().chain(spec.undo)).copied());
    let mut reads = actions(specs().flat_map(|spec| spec.reads).chain(onus_aws::tags::OPERATIONS).copied());
    reads.retain(|action| !writes.contains(action));
    let own = json!({ "StringEqualsIfExists": { "aws:ResourceAccount": { "Ref": "AWS::AccountId" } } });
    let hands = writes.remove(PASS_ROLE).then(|| {
        let handed = json!({ "StringEquals": { "iam:PassedToService": HANDED_ROLES } });
        let roles = json!({ "Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*" });
        json!({ "Sid": "HandRoles", "Effect": "Allow", "Action": [PASS_ROLE], "Resource": roles, "Condition": handed })
    });
    let statements = [statement("ReadBefore", &reads, None), statement("TakeBack", &writes, Some(own))];
    document(&statements.into_iter().chain(hands).collect::<Vec<_>>())
}

/// The IAM actions of operations written `service:Operation`, each once, sorted.
fn actions<'a>(operations: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let named = operations.filter_map(|operation| operation.split_once(':'));
    named.flat_map(|(service, operation)| iam_action(service, operation)).map(std::borrow::Cow::into_owned).collect()
}

fn statement(sid: &str, actions: &BTreeSet<String>, condition: Option<Value>) -> Value {
    let mut statement = json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": "*" });
    if let (Value::Object(members), Some(condition)) = (&mut statement, condition) {
        members.insert("Condition".to_owned(), condition);
    }
    statement
}

fn document(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What one role's inline policies may add up to, without white space
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>), less what the template adds.
    const LONGEST: usize = 10_240 - 3_000;

    fn all_actions(document: &Value) -> Vec<String> {
        let statements = document["Statement"].as_array().unwrap().iter();
        let lists = statements.map(|statement| statement["Action"].as_array().unwrap());
        lists.flatten().map(|action| action.as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_audit_role_only_reads() {
        let reads = ["Get", "List", "Describe"];
        let is_read = |action: &String| reads.iter().any(|start| action.split(':').nth(1).unwrap().starts_with(start));
        let wrong: Vec<_> = all_actions(&audit_policy()).into_iter().filter(|action| !is_read(action)).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn the_respond_role_holds_all_that_a_remediation_sends_and_no_wildcard() {
        let granted = all_actions(&respond_policy(Catalog::embedded()));
        assert!(granted.iter().all(|action| !action.contains('*')), "{granted:?}");
        let mut missing = Vec::new();
        let ours = Catalog::embedded().rules().filter(|rule| rule.id.starts_with("aws."));
        for remedy in ours.filter_map(|rule| rule.remedy.as_deref()) {
            let spec =
                onus_aws::remediation(remedy).unwrap_or_else(|| panic!("there is no remediation `{remedy}`")).spec();
            for operation in spec.reads.iter().chain(spec.writes).chain(spec.undo) {
                let needed = actions(std::iter::once(*operation));
                missing.extend(needed.into_iter().filter(|action| !granted.contains(action)));
            }
        }
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn every_policy_fits_into_a_role() {
        for document in [audit_policy(), respond_policy(Catalog::embedded())] {
            let length = document.to_string().len();
            assert!(length < LONGEST, "{length} characters: split the policy in two");
        }
    }
}
