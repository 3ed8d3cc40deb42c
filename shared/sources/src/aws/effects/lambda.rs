//! Permissions and URLs of Lambda functions and layers.
//!
//! Source: AWS Lambda API Reference, `AddPermission`, `AddLayerVersionPermission`, `CreateFunctionUrlConfig`; AWS
//! Lambda Developer Guide, "Control access to Lambda function URLs".

use std::borrow::Cow;

use onus_core::{Audience, Effects, Grant, Level};

use super::policies::{Permission, absent};
use super::seen::{Seen, account};

/// `AddPermission`: one statement, whose Sid is the statement id.
pub(super) fn permission(seen: &Seen<'_, '_>) -> Effects {
    let Some(principal) = account(seen.any(&["principal"])) else { return absent("principal") };
    let text = |name: &str| seen.text(&[name]);
    let told = [
        ("ArnLike", "aws:SourceArn", text("sourceArn")),
        ("StringEquals", "aws:SourceAccount", account(seen.any(&["sourceAccount"]))),
        ("StringEquals", "aws:PrincipalOrgID", text("principalOrgID")),
        ("StringEquals", "lambda:FunctionUrlAuthType", text("functionUrlAuthType")),
    ];
    let conditions = told
        .iter()
        .filter_map(|(operator, key, value)| value.as_deref().map(|value| (*operator, *key, value)))
        .collect();
    let action = text("action").unwrap_or(Cow::Borrowed("lambda:InvokeFunction")).into_owned();
    let permission = Permission { principal: &principal, actions: vec![action], conditions };
    permission.judged(seen, &function(seen), "permission", text("statementId").as_deref())
}

/// `AddLayerVersionPermission`. Everybody of an organisation is `*` with an organisation id.
pub(super) fn layer_permission(seen: &Seen<'_, '_>) -> Effects {
    let Some(principal) = account(seen.any(&["principal"])) else { return absent("principal") };
    let organisation = seen.text(&["organizationId"]).filter(|id| !id.is_empty());
    let permission = Permission {
        principal: &principal,
        actions: vec![seen.text(&["action"]).unwrap_or("lambda:GetLayerVersion".into()).into_owned()],
        conditions: organisation.iter().map(|id| ("StringEquals", "aws:PrincipalOrgID", id.as_ref())).collect(),
    };
    let layer = match (seen.resource(&["layerName"]), seen.text(&["versionNumber"])) {
        (layer, Some(version)) if !layer.ends_with(&format!(":{version}")) => format!("{layer}:{version}"),
        (layer, _) => layer,
    };
    permission.judged(seen, &layer, "permission", seen.text(&["statementId"]).as_deref())
}

/// `CreateFunctionUrlConfig`, `UpdateFunctionUrlConfig` with auth type `NONE`: anybody who knows the URL may call it.
/// In force only together with a permission for everyone, which a call of its own gives.
pub(super) fn url(seen: &Seen<'_, '_>) -> Effects {
    match seen.text(&["authType"]) {
        None if seen.change.action.starts_with("Create") => absent("authType"),
        Some(kind) if kind == "NONE" => Effects {
            grants: vec![Grant {
                resource: function(seen),
                audience: Audience::Public,
                principal: "*".to_owned(),
                account: None,
                actions: vec!["lambda:InvokeFunctionUrl".to_owned()],
                level: Level::Read,
                via: "attribute".to_owned(),
                part: Some("AuthType".to_owned()),
            }],
            ..Effects::none()
        },
        _ => Effects::none(),
    }
}

/// The function, with the version or alias that the permission or URL is of.
fn function(seen: &Seen<'_, '_>) -> String {
    let name = seen.resource(&["functionName"]);
    match seen.text(&["qualifier"]).filter(|qualifier| !qualifier.is_empty()) {
        Some(qualifier) if !name.ends_with(&format!(":{qualifier}")) => format!("{name}:{qualifier}"),
        _ => name,
    }
}
