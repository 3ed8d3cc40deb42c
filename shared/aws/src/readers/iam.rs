//! IAM: role trust, managed policies, what is attached to an identity, access keys.

use onus_core::{ChangeSummary, Effects, Image, Read, Resource, StateReader};
use onus_sources::aws::policy::PolicyKind;
use serde_json::{Value, json};

use super::policy::{Asked, POLICY, PolicyHolder, context, judged_effects, nothing_first, parsed};
use super::subject::{Subject, Target, elements, only, set, take};

/// IAM's two spellings of "not there": the wire code and the shape.
const NO_ENTITY: [&str; 2] = ["NoSuchEntity", "NoSuchEntityException"];
/// Image key of the attached managed policies: the set of their ARNs.
pub(crate) const ATTACHED: &str = "attached";
/// Image key of a user's access keys: `[{"AccessKeyId", "Status"}]`.
pub(crate) const KEYS: &str = "access_keys";

/// Who may assume a role.
pub(crate) static ROLE_TRUST: PolicyHolder = PolicyHolder {
    kind: "AWS::IAM::Role",
    policy_kind: PolicyKind::Trust,
    operations: &["iam:GetRole"],
    first: nothing_first,
    target: |subject, _| Some(Target::global(json!({ "RoleName": subject.told_or_name("roleName")? }))),
    read: |role| {
        Read::new(POLICY, role.call("iam", "GetRole", Value::Null))
            .absent(&NO_ENTITY)
            .keep(|answer| parsed(&take(answer, "/Role/AssumeRolePolicyDocument")))
    },
    asked: |subject| {
        let request = &subject.request;
        Asked::document([request.get_ci("policyDocument"), request.get_ci("assumeRolePolicyDocument")])
    },
};

/// The three kinds of identity that a policy can be attached to.
pub(crate) struct Holder {
    /// `User`.
    pub(crate) word: &'static str,
    /// `userName`, as requests spell it.
    pub(crate) member: &'static str,
    /// `UserName`.
    pub(crate) parameter: &'static str,
    /// `ListAttachedUserPolicies`.
    list: &'static str,
}

pub(crate) static HOLDERS: [Holder; 3] = [
    Holder { word: "User", member: "userName", parameter: "UserName", list: "ListAttachedUserPolicies" },
    Holder { word: "Role", member: "roleName", parameter: "RoleName", list: "ListAttachedRolePolicies" },
    Holder { word: "Group", member: "groupName", parameter: "GroupName", list: "ListAttachedGroupPolicies" },
];

impl Holder {
    /// Reads the managed policies attached to an identity. An identity that is not there has none.
    pub(crate) fn attached(&self, name: &str) -> Read {
        let holder = Target::global(json!({ self.parameter: name }));
        Read::new(ATTACHED, holder.call("iam", self.list, Value::Null)).absent(&NO_ENTITY).keep(|answer| {
            let attached = take(answer, "/AttachedPolicies");
            set(elements(&attached).iter().filter_map(|policy| policy.get("PolicyArn").cloned()))
        })
    }
}

/// Reads a user's access keys. A user that is not there has none.
pub(crate) fn access_keys(user: &str) -> Read {
    let user = Target::global(json!({ "UserName": user }));
    Read::new(KEYS, user.call("iam", "ListAccessKeys", Value::Null)).absent(&NO_ENTITY).keep(|answer| {
        let keys = take(answer, "/AccessKeyMetadata");
        set(elements(&keys).iter().map(|key| only(key, &["AccessKeyId", "Status"])))
    })
}

/// Reads customer managed policies: the default version's document.
pub(crate) struct ManagedPolicyReader;

const DEFAULT_VERSION: &str = "default_version";

impl StateReader for ManagedPolicyReader {
    fn kind(&self) -> &'static str {
        "AWS::IAM::ManagedPolicy"
    }

    fn operations(&self) -> &'static [&'static str] {
        &["iam:GetPolicy", "iam:GetPolicyVersion"]
    }

    fn reads(&self, change: &ChangeSummary, resource: &Resource<'_>, so_far: &Image) -> Vec<Read> {
        let subject = Subject::of_resource(change, resource);
        let Some(arn) = subject.told_or_arn("policyArn").filter(|arn| arn.starts_with("arn:")) else {
            return Vec::new();
        };
        let policy = Target::global(json!({ "PolicyArn": arn }));
        if !so_far.has(DEFAULT_VERSION) {
            let read = Read::new(DEFAULT_VERSION, policy.call("iam", "GetPolicy", Value::Null));
            return vec![read.absent(&NO_ENTITY).keep(|answer| take(answer, "/Policy/DefaultVersionId"))];
        }
        let version = so_far.get(DEFAULT_VERSION).as_str().filter(|_| !so_far.has(POLICY));
        let read = version.map(|version| {
            Read::new(POLICY, policy.call("iam", "GetPolicyVersion", json!({ "VersionId": version })))
                .absent(&NO_ENTITY)
                .keep(|answer| parsed(&take(answer, "/PolicyVersion/Document")))
        });
        read.into_iter().collect()
    }

    fn effects(&self, change: &ChangeSummary, resource: &Resource<'_>, image: &Image) -> Effects {
        if image.has(DEFAULT_VERSION) && image.get(DEFAULT_VERSION).is_null() {
            return Effects::none();
        }
        judged_effects(image, POLICY, &context(change, resource, PolicyKind::Identity))
    }
}
