//! Lambda function URLs: takes back what makes one callable by everyone.

use onus_core::{Finding, Image, PlanError, Read, Remediation, Safety, Spec, Step};
use serde_json::{Value, json};

use super::permission::RemovePublicPermission;
use super::{incomplete, refused, unless_read};
use crate::readers::services;
use crate::readers::subject::{Subject, Target, only};

/// A URL is public by two things together: its auth type `NONE`, and a permission for everyone. Of these, the one that the
/// change made is taken back
/// (<https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html>).
pub(crate) struct ClosePublicUrl;

static SPEC: Spec = Spec {
    id: "aws.lambda.close_public_url",
    title: "Makes a function URL ask for credentials again, or removes the permission that opened it",
    safety: Safety::Automatic,
    kind: "AWS::Lambda::Function",
    reads: &["lambda:GetFunctionUrlConfig", "lambda:GetPolicy"],
    writes: &["lambda:UpdateFunctionUrlConfig", "lambda:RemovePermission"],
    undo: &["lambda:UpdateFunctionUrlConfig", "lambda:AddPermission"],
    caveat: "A URL that was public before, and whose other settings the change updated, is closed too.",
};

const URL: &str = "url";

impl Remediation for ClosePublicUrl {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        if finding.change.action == "AddPermission" {
            return RemovePublicPermission.reads(finding, so_far);
        }
        let read = Read::new(URL, function(finding)?.call("lambda", "GetFunctionUrlConfig", Value::Null));
        let read = read.absent(&["ResourceNotFoundException"]).keep(|answer| only(&answer, &["AuthType"]));
        Ok(unless_read(so_far, read))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        if finding.change.action == "AddPermission" {
            return RemovePublicPermission.plan(finding, image);
        }
        let function = function(finding)?;
        let subject = Subject::of_finding(finding, SPEC.kind);
        if subject.request.get_ci("authType").as_str() != Some("NONE") {
            return Err(refused(&SPEC, "the change did not set the auth type to `NONE`"));
        }
        if image.get(URL).get("AuthType").and_then(Value::as_str) != Some("NONE") {
            return Ok(Vec::new());
        }
        let set = |kind: &str| function.call("lambda", "UpdateFunctionUrlConfig", json!({ "AuthType": kind }));
        let title = "make the function URL ask for credentials (AWS_IAM)".to_owned();
        Ok(vec![Step { title, call: set("AWS_IAM"), inverse: Some(set("NONE")) }])
    }
}

fn function(finding: &Finding) -> Result<Target, PlanError> {
    let subject = Subject::of_finding(finding, SPEC.kind);
    (services::FUNCTION_POLICY.target)(&subject, &Image::default()).ok_or_else(|| incomplete(&SPEC, "the function"))
}
