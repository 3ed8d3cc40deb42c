//! Resource policies: takes out what a change made public, statement by statement. One piece of logic; each service only
//! says how it writes a policy and what it does with an empty one.

use jiff::Timestamp;
use onus_core::{
    Call, Finding, Image, Known, PlanError, Read, Remediation, Remembered, Restoration, Safety, Spec, Step,
};
use serde_json::{Value, json};

use super::statements::{self, Delta, Healed};
use super::{incomplete, refused, unreadable};
use crate::readers::policy::{Asked, POLICY, PolicyHolder, parsed};
use crate::readers::subject::{Subject, Target};
use crate::readers::{iam, kms, messaging, s3, services};

/// Takes the public statements of a change out of one kind of resource's policy.
pub(crate) struct RemovePublicStatements {
    spec: &'static Spec,
    holder: &'static PolicyHolder,
    put: fn(&Target, String) -> Call,
    empty: fn(&Target) -> Empty,
}

/// What becomes of a policy that has no statement left.
enum Empty {
    /// The service has a call for having none.
    Delete(Call),
    /// The service wants a policy, and this one gives nobody else access.
    Write(Value),
    /// Nothing safe can be written.
    Refuse(&'static str),
}

impl Remediation for RemovePublicStatements {
    fn spec(&self) -> &'static Spec {
        self.spec
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        let subject = Subject::of_finding(finding, self.holder.kind);
        self.holder.wanted(&subject, so_far).ok_or_else(|| incomplete(self.spec, "the resource"))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        Ok(self.write(finding, image, None)?.into_iter().map(|write| write.step).collect())
    }

    fn leaves(&self, finding: &Finding, image: &Image) -> Option<Image> {
        let mut left = image.clone();
        left.0.insert(POLICY.to_owned(), self.write(finding, image, None).ok()??.policy);
        Some(left)
    }

    fn restoration(&self) -> Option<&dyn Restoration> {
        Some(self)
    }
}

/// Where the policy is still, to the letter, what the change put, and the one before it is known and public to nobody, that one is put back:
/// it takes back the whole overwrite. Everywhere else the public statements go, one by one.
impl Restoration for RemovePublicStatements {
    fn reads(&self, finding: &Finding, _: &Known, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Remediation::reads(self, finding, so_far)
    }

    fn plan(&self, finding: &Finding, known: &Known, image: &Image) -> Result<Vec<Step>, PlanError> {
        Ok(self.write(finding, image, self.remembered(finding, known))?.map(|write| write.step).into_iter().collect())
    }

    fn leaves(&self, finding: &Finding, known: &Known, image: &Image) -> Option<Image> {
        let mut left = image.clone();
        let write = self.write(finding, image, self.remembered(finding, known)).ok()??;
        left.0.insert(POLICY.to_owned(), write.policy);
        Some(left)
    }
}

/// The one write of a plan, and the policy that is there after it; `null` where it was the last statement's.
struct Write {
    step: Step,
    policy: Value,
}

impl RemovePublicStatements {
    fn remembered<'a>(&self, finding: &Finding, known: &'a Known) -> Option<&'a Remembered> {
        let resource = finding.change.resources.iter().find(|resource| resource.kind == self.holder.kind)?;
        known.of(resource).filter(|remembered| remembered.image.has(POLICY))
    }

    /// The policy before, where it can be put back whole.
    fn before<'a>(&self, finding: &Finding, live: &Value, before: &'a Remembered) -> Option<&'a Value> {
        let subject = Subject::of_finding(finding, self.holder.kind);
        let Asked::Document(asked) = (self.holder.asked)(&subject) else { return None };
        let policy = before.image.get(POLICY);
        let judge = |document: &Value| self.holder.judge(document, &finding.change.account);
        let is_public = !policy.is_null() && !matches!(statements::heal(policy, &Delta::Unknown, judge), Ok(None));
        (parsed(&asked) == *live && policy != live && !is_public).then_some(policy)
    }

    fn restored(&self, target: &Target, live: &Value, policy: &Value, since: Option<Timestamp>) -> Option<Write> {
        let call = match policy {
            Value::Null => match (self.empty)(target) {
                Empty::Delete(call) => call,
                Empty::Write(_) | Empty::Refuse(_) => return None,
            },
            policy => (self.put)(target, policy.to_string()),
        };
        let since = since.map(|since| format!(", seen {since:.0}")).unwrap_or_default();
        let title = format!("put back the policy as it was before the change{since}");
        let inverse = Some((self.put)(target, live.to_string()));
        Some(Write { step: Step { title, call, inverse }, policy: policy.clone() })
    }

    fn write(&self, finding: &Finding, image: &Image, known: Option<&Remembered>) -> Result<Option<Write>, PlanError> {
        let live = image.get(POLICY);
        if live.is_null() {
            return Ok(None);
        }
        let subject = Subject::of_finding(finding, self.holder.kind);
        let target = (self.holder.target)(&subject, image).ok_or_else(|| incomplete(self.spec, "the resource"))?;
        let delta = delta(self.spec, self.holder, finding, (self.holder.asked)(&subject))?;
        let healed = statements::heal(live, &delta, |document| self.holder.judge(document, &finding.change.account))
            .map_err(|error| unreadable(self.spec, POLICY, &error))?;
        let Some(healed) = healed else { return Ok(None) };
        let before = known.and_then(|known| Some((self.before(finding, live, known)?, known.since)));
        if let Some(restored) = before.and_then(|(policy, since)| self.restored(&target, live, policy, since)) {
            return Ok(Some(restored));
        }
        self.step(&target, live, &delta, healed).map(Some)
    }

    fn step(&self, target: &Target, live: &Value, delta: &Delta, healed: Healed) -> Result<Write, PlanError> {
        let put = |document: Value| ((self.put)(target, document.to_string()), document);
        let (call, policy) = match healed.document {
            Some(document) => put(document),
            None => match (self.empty)(target) {
                Empty::Delete(call) => (call, Value::Null),
                Empty::Write(document) => put(document),
                Empty::Refuse(reason) => return Err(refused(self.spec, reason)),
            },
        };
        let total = statements::statements(live).len();
        let title = format!("{}, of {total}{}", healed.phrases.join("; "), unknown_note(delta));
        Ok(Write { step: Step { title, call, inverse: Some((self.put)(target, live.to_string())) }, policy })
    }
}

/// What a request wrote. Where the record leaves it out, only a finding made from live state may go on: it saw the policy.
pub(crate) fn delta(
    spec: &'static Spec,
    holder: &PolicyHolder,
    finding: &Finding,
    asked: Asked,
) -> Result<Delta, PlanError> {
    match asked {
        Asked::Document(document) => {
            Delta::document(&document, |document| holder.judge(document, &finding.change.account))
                .map_err(|error| unreadable(spec, "request", &error))
        }
        Asked::Statement(sid) => Ok(Delta::Sid(sid)),
        Asked::Unknown if finding.from_state => Ok(Delta::Unknown),
        Asked::Unknown => Err(incomplete(spec, "the policy that was put")),
    }
}

/// What a title says when the record did not tell what was put.
pub(crate) fn unknown_note(delta: &Delta) -> &'static str {
    match delta {
        Delta::Unknown => " (the record leaves out what was put: every public statement counts)",
        Delta::Statements(_) | Delta::Sid(_) => "",
    }
}

const CAVEAT: &str = "A public statement that stood before and was put again unchanged by this change is removed too: the \
                      record holds the whole new policy, not the old one.";

/// Bucket policies.
pub(crate) static BUCKET: RemovePublicStatements = RemovePublicStatements {
    spec: &Spec {
        id: "aws.s3.remove_public_statements",
        title: "Takes out of a bucket policy the public statements that the change put in",
        safety: Safety::Automatic,
        kind: s3::BUCKET,
        reads: &["s3:GetBucketPolicy"],
        writes: &["s3:PutBucketPolicy", "s3:DeleteBucketPolicy"],
        undo: &["s3:PutBucketPolicy"],
        caveat: CAVEAT,
    },
    holder: &s3::BUCKET_POLICY,
    put: |bucket, policy| bucket.call("s3", "PutBucketPolicy", json!({ "Policy": policy })),
    empty: |bucket| Empty::Delete(bucket.call("s3", "DeleteBucketPolicy", Value::Null)),
};

/// Topic policies. A topic always has one, so the last public statement makes way for one of the owner's.
pub(crate) static TOPIC: RemovePublicStatements = RemovePublicStatements {
    spec: &Spec {
        id: "aws.sns.remove_public_statements",
        title: "Takes out of a topic policy the public statements that the change put in",
        safety: Safety::Automatic,
        kind: "AWS::SNS::Topic",
        reads: &["sns:GetTopicAttributes"],
        writes: &["sns:SetTopicAttributes"],
        undo: &["sns:SetTopicAttributes"],
        caveat: CAVEAT,
    },
    holder: &messaging::TOPIC_POLICY,
    put: |topic, policy| {
        topic.call("sns", "SetTopicAttributes", json!({ "AttributeName": "Policy", "AttributeValue": policy }))
    },
    empty: |topic| match topic.ids.get("TopicArn").and_then(Value::as_str).and_then(owner_only) {
        Some(policy) => Empty::Write(policy),
        None => Empty::Refuse("no statement would be left, and the topic's ARN does not name its owner"),
    },
};

/// The actions of SNS's own default policy, for the account in the topic's ARN
/// (<https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html>).
fn owner_only(topic: &str) -> Option<Value> {
    let mut parts = topic.split(':').skip(1);
    let (partition, account) = (parts.next()?, parts.nth(2).filter(|account| !account.is_empty())?);
    Some(json!({
        "Version": "2008-10-17",
        "Statement": [{
            "Sid": "OwnerOnly",
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:{partition}:iam::{account}:root") },
            "Action": [
                "SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission",
                "SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish"
            ],
            "Resource": topic,
        }],
    }))
}

/// Queue policies.
pub(crate) static QUEUE: RemovePublicStatements = RemovePublicStatements {
    spec: &Spec {
        id: "aws.sqs.remove_public_statements",
        title: "Takes out of a queue policy the public statements that the change put in",
        safety: Safety::Automatic,
        kind: "AWS::SQS::Queue",
        reads: &["sqs:GetQueueUrl", "sqs:GetQueueAttributes"],
        writes: &["sqs:SetQueueAttributes"],
        undo: &["sqs:SetQueueAttributes"],
        caveat: CAVEAT,
    },
    holder: &messaging::QUEUE_POLICY,
    put: |queue, policy| set_queue_policy(queue, &policy),
    empty: |queue| Empty::Delete(set_queue_policy(queue, "")),
};

/// An empty text means: no policy.
fn set_queue_policy(queue: &Target, policy: &str) -> Call {
    queue.call("sqs", "SetQueueAttributes", json!({ "Attributes": { "Policy": policy } }))
}

/// Secrets' policies.
pub(crate) static SECRET: RemovePublicStatements = RemovePublicStatements {
    spec: &Spec {
        id: "aws.secretsmanager.remove_public_statements",
        title: "Takes out of a secret's policy the public statements that the change put in",
        safety: Safety::Automatic,
        kind: "AWS::SecretsManager::Secret",
        reads: &["secretsmanager:GetResourcePolicy"],
        writes: &["secretsmanager:PutResourcePolicy", "secretsmanager:DeleteResourcePolicy"],
        undo: &["secretsmanager:PutResourcePolicy"],
        caveat: CAVEAT,
    },
    holder: &services::SECRET_POLICY,
    put: |secret, policy| secret.call("secretsmanager", "PutResourcePolicy", json!({ "ResourcePolicy": policy })),
    empty: |secret| Empty::Delete(secret.call("secretsmanager", "DeleteResourcePolicy", Value::Null)),
};

/// Repository policies.
pub(crate) static REPOSITORY: RemovePublicStatements = RemovePublicStatements {
    spec: &Spec {
        id: "aws.ecr.remove_public_statements",
        title: "Takes out of a repository policy the public statements that the change put in",
        safety: Safety::Automatic,
        kind: "AWS::ECR::Repository",
        reads: &["ecr:GetRepositoryPolicy"],
        writes: &["ecr:SetRepositoryPolicy", "ecr:DeleteRepositoryPolicy"],
        undo: &["ecr:SetRepositoryPolicy"],
        caveat: CAVEAT,
    },
    holder: &services::REPOSITORY_POLICY,
    put: |repository, policy| repository.call("ecr", "SetRepositoryPolicy", json!({ "policyText": policy })),
    empty: |repository| Empty::Delete(repository.call("ecr", "DeleteRepositoryPolicy", Value::Null)),
};

/// Key policies. The service's own check keeps a key from being locked out, and a key without a policy cannot be.
pub(crate) static KEY: RemovePublicStatements = RemovePublicStatements {
    spec: &Spec {
        id: "aws.kms.remove_public_statements",
        title: "Takes out of a key policy the public statements that the change put in",
        safety: Safety::NeedsApproval,
        kind: kms::KEY_KIND,
        reads: &["kms:GetKeyPolicy"],
        writes: &["kms:PutKeyPolicy"],
        undo: &["kms:PutKeyPolicy"],
        caveat: "Whoever reads data through the public statement alone loses the key. KMS refuses a policy that would \
                 lock out the caller, and a policy of public statements only is left for a person.",
    },
    holder: &kms::KEY_POLICY,
    put: |key, policy| key.call("kms", "PutKeyPolicy", json!({ "PolicyName": "default", "Policy": policy })),
    empty: |_| Empty::Refuse("a key must have a policy, and no statement of this one would be left"),
};

/// Role trust. A role always has one, so the last public statement makes way for a denial.
pub(crate) static ROLE: RemovePublicStatements = RemovePublicStatements {
    spec: &Spec {
        id: "aws.iam.remove_public_trust",
        title: "Takes out of a role's trust policy the public statements that the change put in",
        safety: Safety::Automatic,
        kind: "AWS::IAM::Role",
        reads: &["iam:GetRole"],
        writes: &["iam:UpdateAssumeRolePolicy"],
        undo: &["iam:UpdateAssumeRolePolicy"],
        caveat: "Sessions that were opened meanwhile stay valid until they expire. A public statement that stood before \
                 and was put again unchanged is removed too.",
    },
    holder: &iam::ROLE_TRUST,
    put: |role, policy| role.call("iam", "UpdateAssumeRolePolicy", json!({ "PolicyDocument": policy })),
    empty: |_| {
        Empty::Write(json!({
            "Version": "2012-10-17",
            "Statement": [
                { "Sid": "Nobody", "Effect": "Deny", "Principal": { "AWS": "*" }, "Action": "sts:AssumeRole" }
            ],
        }))
    },
};
