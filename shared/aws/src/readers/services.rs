//! Services whose only state of interest is a resource policy: Lambda functions, secrets, ECR repositories.

use onus_core::Read;
use onus_sources::aws::policy::PolicyKind;
use serde_json::{Value, json};

use super::policy::{Asked, POLICY, PolicyHolder, nothing_first, parsed};
use super::subject::{Target, take};

/// The policy of a function, or of the version or alias that the request qualified.
pub(crate) static FUNCTION_POLICY: PolicyHolder = PolicyHolder {
    kind: "AWS::Lambda::Function",
    policy_kind: PolicyKind::Resource,
    operations: &["lambda:GetPolicy"],
    first: nothing_first,
    target: |subject, _| {
        let mut ids = json!({ "FunctionName": subject.told_or_arn("functionName")? });
        if let (Some(qualifier), Some(members)) = (subject.told("qualifier"), ids.as_object_mut()) {
            members.insert("Qualifier".to_owned(), qualifier.into());
        }
        Some(Target::regional(subject, ids))
    },
    read: |function| {
        Read::new(POLICY, function.call("lambda", "GetPolicy", Value::Null))
            .absent(&["ResourceNotFoundException"])
            .keep(|answer| in_order(parsed(&take(answer, "/Policy"))))
    },
    asked: |subject| Asked::labelled(subject, "statementId"),
};

/// A function's statements are a set: one that is added again comes last. So they are kept in the order of their texts.
fn in_order(mut policy: Value) -> Value {
    if let Some(Value::Array(statements)) = policy.get_mut("Statement") {
        statements.sort_by_cached_key(Value::to_string);
    }
    policy
}

/// A secret's policy.
pub(crate) static SECRET_POLICY: PolicyHolder = PolicyHolder {
    kind: "AWS::SecretsManager::Secret",
    policy_kind: PolicyKind::Resource,
    operations: &["secretsmanager:GetResourcePolicy"],
    first: nothing_first,
    target: |subject, _| Some(Target::regional(subject, json!({ "SecretId": subject.told_or_arn("secretId")? }))),
    read: |secret| {
        Read::new(POLICY, secret.call("secretsmanager", "GetResourcePolicy", Value::Null))
            .absent(&["ResourceNotFoundException"])
            .keep(|answer| parsed(&take(answer, "/ResourcePolicy")))
    },
    asked: |subject| Asked::document([subject.request.get_ci("resourcePolicy")]),
};

/// A repository's policy.
pub(crate) static REPOSITORY_POLICY: PolicyHolder = PolicyHolder {
    kind: "AWS::ECR::Repository",
    policy_kind: PolicyKind::Resource,
    operations: &["ecr:GetRepositoryPolicy"],
    first: nothing_first,
    target: |subject, _| {
        let name = subject.told("repositoryName").or_else(|| subject.name())?;
        // Names hold slashes, so the name in an ARN is all that follows `:repository/`.
        let name = name.split_once(":repository/").map_or(name, |(_, name)| name);
        Some(Target::regional(subject, json!({ "repositoryName": name })))
    },
    read: |repository| {
        Read::new(POLICY, repository.call("ecr", "GetRepositoryPolicy", Value::Null))
            .absent(&["RepositoryPolicyNotFoundException", "RepositoryNotFoundException"])
            .keep(|answer| parsed(&take(answer, "/policyText")))
    },
    asked: |subject| Asked::document([subject.request.get_ci("policyText")]),
};
