//! Service accounts: disables a key that was made.

use onus_core::{Call, Finding, Image, PlanError, Read, Remediation, Safety, Spec, Step};
use serde_json::{Value, json};

use super::{incomplete, refused, unless_read};
use crate::readers::answer::text;
use crate::readers::iam::{KEY, KEY_KIND, key, key_of_finding};

/// See the [module docs](self).
pub(crate) struct DisableKey;

static SPEC: Spec = Spec {
    id: "gcp.iam.disable_service_account_key",
    title: "Disables the service account key that the change made",
    safety: Safety::NeedsApproval,
    kind: KEY_KIND,
    reads: &["iam:projects.serviceAccounts.keys.get"],
    writes: &["iam:projects.serviceAccounts.keys.disable"],
    undo: &["iam:projects.serviceAccounts.keys.enable"],
    caveat: "Whatever signs in with the key stops working. Access tokens that were issued on it stay valid for up to an \
             hour, longer where a policy extends their lifetime.",
};

impl Remediation for DisableKey {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, key(&name(finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let name = name(finding)?;
        let live = image.get(KEY);
        if live.is_null() || live.get("disabled") == Some(&Value::Bool(true)) {
            return Ok(Vec::new());
        }
        if text(live, "keyType") == "SYSTEM_MANAGED" {
            return Err(refused(&SPEC, "the key is one that Google manages"));
        }
        let call = |method: &str| {
            let method = format!("projects.serviceAccounts.keys.{method}");
            Call::gcp("iam", &method, json!({ "name": name, "body": {} }))
        };
        Ok(vec![Step { title: "disable the key".to_owned(), call: call("disable"), inverse: Some(call("enable")) }])
    }
}

fn name(finding: &Finding) -> Result<String, PlanError> {
    key_of_finding(finding).ok_or_else(|| incomplete(&SPEC, "the key"))
}
