//! Identity and Access Management: policies of projects and of service accounts, and the accounts' keys.

use onus_core::{Call, Finding, Read};
use serde_json::{Value, json};

use super::ABSENT;
use super::answer::only;
use super::asset::{Asset, segment};
use super::policy::{self, POLICY, VERSION};
use super::reader::{Reader, by_policy, nothing};

/// `cloudresourcemanager.googleapis.com/Project`.
pub(crate) const PROJECT_KIND: &str = "cloudresourcemanager.googleapis.com/Project";
/// `iam.googleapis.com/ServiceAccountKey`.
pub(crate) const KEY_KIND: &str = "iam.googleapis.com/ServiceAccountKey";
/// Image key of a service account's key: its name, whether it is disabled, and how it was made; `null` when there is none.
pub(crate) const KEY: &str = "serviceAccountKey";

/// The parameter that names a project's policy: `projects/shop`.
pub(crate) fn project(asset: &Asset<'_>) -> Option<String> {
    asset.project().map(|project| format!("projects/{project}"))
}

/// Reads a project's policy. A project that is not there is an error: its policy cannot have been the trouble.
pub(crate) fn project_policy(resource: &str) -> Read {
    let options = json!({ "options": { "requestedPolicyVersion": VERSION } });
    let parameters = json!({ "resource": resource, "body": options });
    Read::new(POLICY, Call::gcp("cloudresourcemanager", "projects.getIamPolicy", parameters)).keep(policy::kept)
}

/// The name of the key that a finding is about: the one that was answered, else the resource's.
pub(crate) fn key_of_finding(finding: &Finding) -> Option<String> {
    let answered = finding.response.get("name").and_then(Value::as_str).and_then(key_name);
    answered.or_else(|| Asset::of_finding(finding, KEY_KIND).and_then(|asset| key_name(asset.path())))
}

/// `projects/…/serviceAccounts/…/keys/…`, if that is what it is.
fn key_name(path: &str) -> Option<String> {
    let whole = segment(path, "keys").is_some() && segment(path, "serviceAccounts").is_some();
    (whole && path.starts_with("projects/")).then(|| path.to_owned())
}

/// Reads a service account's key. Never its private half: Google does not keep it.
pub(crate) fn key(name: &str) -> Read {
    Read::new(KEY, Call::gcp("iam", "projects.serviceAccounts.keys.get", json!({ "name": name })))
        .absent(ABSENT)
        .keep(|answer| only(answer, &["name", "disabled", "keyType", "keyOrigin", "keyAlgorithm", "validBeforeTime"]))
}

/// Reads projects: their policies.
pub(crate) static PROJECT_READER: Reader = Reader {
    kind: PROJECT_KIND,
    operations: &["cloudresourcemanager:projects.getIamPolicy"],
    keys: &[POLICY],
    reads: |asset| project(asset).iter().map(|resource| project_policy(resource)).collect(),
    effects: by_policy,
};

/// Reads service accounts: who may act as them.
pub(crate) static ACCOUNT_READER: Reader = Reader {
    kind: "iam.googleapis.com/ServiceAccount",
    operations: &["iam:projects.serviceAccounts.getIamPolicy"],
    keys: &[POLICY],
    reads: |asset| {
        let account = asset.segment("serviceAccounts");
        account
            .map(|account| {
                policy::of("iam", "projects.serviceAccounts", &format!("projects/-/serviceAccounts/{account}"))
            })
            .into_iter()
            .collect()
    },
    effects: by_policy,
};

/// Reads keys of service accounts.
pub(crate) static KEY_READER: Reader = Reader {
    kind: KEY_KIND,
    operations: &["iam:projects.serviceAccounts.keys.get"],
    keys: &[KEY],
    reads: |asset| key_name(asset.path()).iter().map(|name| key(name)).collect(),
    effects: nothing,
};
