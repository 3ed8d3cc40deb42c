//! Lambda permissions: a function's policy that is written statement by statement.

use onus_core::{Finding, Image, PlanError, Read, Remediation, Safety, Spec, Step};
use serde_json::{Value, json};

use super::policy::{delta, unknown_note};
use super::statements::{self, Delta};
use super::{incomplete, unreadable};
use crate::readers::policy::POLICY;
use crate::readers::services;
use crate::readers::subject::{Subject, Target};

/// A function's permissions cannot be written as a document: each is removed and added by its Sid.
pub(crate) struct RemovePublicPermission;

static PERMISSION: Spec = Spec {
    id: "aws.lambda.remove_public_permission",
    title: "Removes the public permission that the change added to a function",
    safety: Safety::Automatic,
    kind: "AWS::Lambda::Function",
    reads: &["lambda:GetPolicy"],
    writes: &["lambda:RemovePermission"],
    undo: &["lambda:AddPermission"],
    caveat: "",
};

impl Remediation for RemovePublicPermission {
    fn spec(&self) -> &'static Spec {
        &PERMISSION
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        let holder = &services::FUNCTION_POLICY;
        let subject = Subject::of_finding(finding, holder.kind);
        holder.wanted(&subject, so_far).ok_or_else(|| incomplete(&PERMISSION, "the function"))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let live = image.get(POLICY);
        if live.is_null() {
            return Ok(Vec::new());
        }
        let holder = &services::FUNCTION_POLICY;
        let subject = Subject::of_finding(finding, holder.kind);
        let function = (holder.target)(&subject, image).ok_or_else(|| incomplete(&PERMISSION, "the function"))?;
        let delta = delta(&PERMISSION, holder, finding, (holder.asked)(&subject))?;
        let judged =
            holder.judge(live, &finding.change.account).map_err(|error| unreadable(&PERMISSION, POLICY, &error))?;
        let opened = statements::opened(live, &judged, &delta);
        opened.into_iter().map(|(index, statement)| permission_step(&function, index, statement, &delta)).collect()
    }
}

fn permission_step(function: &Target, index: usize, statement: &Value, delta: &Delta) -> Result<Step, PlanError> {
    let label = statements::label(index, statement);
    let sid = statements::sid(statement)
        .ok_or_else(|| unreadable(&PERMISSION, &format!("statement {label}"), &"has no Sid to remove it by"))?;
    let added = permission(statement).ok_or_else(|| {
        unreadable(&PERMISSION, &format!("statement {label}"), &"is none that AddPermission can make")
    })?;
    Ok(Step {
        title: format!("remove permission {label}{}", unknown_note(delta)),
        call: function.call("lambda", "RemovePermission", json!({ "StatementId": sid })),
        inverse: Some(function.call("lambda", "AddPermission", added)),
    })
}

/// The parameters of `AddPermission` that make a statement, from the statement that it made; `None` when a part of the
/// statement is none that the operation writes
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html>).
fn permission(statement: &Value) -> Option<Value> {
    let principal = match statement.get("Principal")? {
        Value::Object(kinds) if kinds.len() == 1 => one(kinds.values().next()?)?,
        other => one(other)?,
    };
    let mut parameters = json!({
        "StatementId": statements::sid(statement)?,
        "Action": one(statement.get("Action")?)?,
        "Principal": principal,
    });
    let members = parameters.as_object_mut()?;
    let operators = statement.get("Condition").and_then(Value::as_object);
    for (operator, keys) in operators.into_iter().flatten() {
        for (key, value) in keys.as_object()? {
            let (name, value) = match (operator.as_str(), key.to_ascii_lowercase().as_str()) {
                ("ArnLike", "aws:sourcearn") => ("SourceArn", Value::from(one(value)?)),
                ("StringEquals", "aws:sourceaccount") => ("SourceAccount", Value::from(one(value)?)),
                ("StringEquals", "aws:principalorgid") => ("PrincipalOrgID", Value::from(one(value)?)),
                ("StringEquals", "lambda:functionurlauthtype") => ("FunctionUrlAuthType", Value::from(one(value)?)),
                ("StringEquals", "lambda:eventsourcetoken") => ("EventSourceToken", Value::from(one(value)?)),
                ("Bool", "lambda:invokedviafunctionurl") => ("InvokedViaFunctionUrl", Value::from(truth(value)?)),
                _ => return None,
            };
            members.insert(name.to_owned(), value);
        }
    }
    Some(parameters)
}

/// One string, alone or in a list of one.
fn one(value: &Value) -> Option<&str> {
    match value {
        Value::Array(several) => several.first().filter(|_| several.len() == 1).and_then(Value::as_str),
        other => other.as_str(),
    }
}

/// A truth value, also as a string: policies hold both.
fn truth(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| one(value)?.parse().ok())
}
