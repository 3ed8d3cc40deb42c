//! IAM users, roles and groups: their inline policies and what is attached to them.
//!
//! The documents of attached policies are not read: their ARNs are in the image, what they grant is not among the effects.

use onus_core::{ChangeSummary, Effects, Image, Read, Resource, StateReader};
use onus_sources::aws::policy::PolicyKind;
use serde_json::{Value, json};

use super::iam::{ATTACHED, HOLDERS, Holder, ROLE_TRUST};
use super::policy::{POLICY, context, judged_effects, parsed};
use super::subject::{Subject, Target, elements, set, take};

/// Image key of the inline policies' names; each document is under [`inline_key`].
const INLINE: &str = "inline";
/// How many inline policies are read; each of the others is a doubt.
const MOST: usize = 20;

/// Image key of one inline policy's document.
fn inline_key(name: &str) -> String {
    format!("{INLINE}/{name}")
}

/// Reads one kind of identity. Roles: also who may assume them.
pub(crate) struct IdentityReader {
    kind: &'static str,
    operations: &'static [&'static str],
    list: &'static str,
    get: &'static str,
    holder: &'static Holder,
    trust: bool,
}

pub(crate) static USER: IdentityReader = IdentityReader {
    kind: "AWS::IAM::User",
    operations: &["iam:ListAttachedUserPolicies", "iam:ListUserPolicies", "iam:GetUserPolicy"],
    list: "ListUserPolicies",
    get: "GetUserPolicy",
    holder: &HOLDERS[0],
    trust: false,
};

pub(crate) static ROLE: IdentityReader = IdentityReader {
    kind: "AWS::IAM::Role",
    operations: &["iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:GetRolePolicy"],
    list: "ListRolePolicies",
    get: "GetRolePolicy",
    holder: &HOLDERS[1],
    trust: true,
};

pub(crate) static GROUP: IdentityReader = IdentityReader {
    kind: "AWS::IAM::Group",
    operations: &["iam:ListAttachedGroupPolicies", "iam:ListGroupPolicies", "iam:GetGroupPolicy"],
    list: "ListGroupPolicies",
    get: "GetGroupPolicy",
    holder: &HOLDERS[2],
    trust: false,
};

const NO_ENTITY: [&str; 2] = ["NoSuchEntity", "NoSuchEntityException"];

impl StateReader for IdentityReader {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn operations(&self) -> &'static [&'static str] {
        self.operations
    }

    fn reads(&self, change: &ChangeSummary, resource: &Resource<'_>, so_far: &Image) -> Vec<Read> {
        let subject = Subject::of_resource(change, resource);
        let Some(name) = subject.told_or_name(self.holder.member) else { return Vec::new() };
        let identity = Target::global(json!({ self.holder.parameter: name }));
        let list = Read::new(INLINE, identity.call("iam", self.list, Value::Null));
        let mut reads = vec![
            self.holder.attached(name),
            list.absent(&NO_ENTITY).keep(|answer| set(elements(&take(answer, "/PolicyNames")).to_vec())),
        ];
        if self.trust {
            reads.extend((ROLE_TRUST.target)(&subject, so_far).as_ref().map(ROLE_TRUST.read));
        }
        for policy in inline_names(so_far).take(MOST) {
            let call = identity.call("iam", self.get, json!({ "PolicyName": policy }));
            let read = Read::new(&inline_key(policy), call).absent(&NO_ENTITY);
            reads.push(read.keep(|answer| parsed(&take(answer, "/PolicyDocument"))));
        }
        reads.retain(|read| !so_far.has(&read.key));
        reads
    }

    fn effects(&self, change: &ChangeSummary, resource: &Resource<'_>, image: &Image) -> Effects {
        let mut effects = Effects::none();
        if self.trust {
            effects = judged_effects(image, POLICY, &context(change, resource, PolicyKind::Trust));
        }
        for name in inline_names(image) {
            let inline = judged_effects(image, &inline_key(name), &context(change, resource, PolicyKind::Identity));
            effects.grants.extend(inline.grants);
            effects.doubts.extend(inline.doubts);
        }
        if !image.has(ATTACHED) {
            let unread = Effects::unknown(ATTACHED, "was not read");
            effects.doubts.extend(unread.doubts);
        }
        effects
    }
}

fn inline_names(image: &Image) -> impl Iterator<Item = &str> {
    elements(image.get(INLINE)).iter().filter_map(Value::as_str)
}
