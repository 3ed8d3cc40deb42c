//! KMS keys: policy, state, rotation, grants.

use onus_core::{ChangeSummary, Effects, Image, Read, Resource, StateReader};
use onus_sources::aws::policy::PolicyKind;
use serde_json::{Map, Value, json};

use super::policy::{Asked, POLICY, PolicyHolder, context, judged_effects, nothing_first, parsed};
use super::subject::{Subject, Target, elements, only, set, take};

/// `AWS::KMS::Key`.
pub(crate) const KEY_KIND: &str = "AWS::KMS::Key";
/// Image key of the key's state: `{"KeyState": "Enabled"}`.
pub(crate) const KEY: &str = "key";
/// Image key of the rotation: `{"KeyRotationEnabled": true, "RotationPeriodInDays": 365}`, or `null` where a key of its
/// kind cannot rotate.
pub(crate) const ROTATION: &str = "rotation";
/// Image key of the grants.
pub(crate) const GRANTS: &str = "grants";

/// A key's policy. Every key has one, under the name `default`.
pub(crate) static KEY_POLICY: PolicyHolder = PolicyHolder {
    kind: KEY_KIND,
    policy_kind: PolicyKind::Resource,
    operations: &["kms:GetKeyPolicy"],
    first: nothing_first,
    target: |subject, _| key(subject),
    read: |key| {
        Read::new(POLICY, key.call("kms", "GetKeyPolicy", json!({ "PolicyName": "default" })))
            .keep(|answer| parsed(&take(answer, "/Policy")))
    },
    asked: |subject| Asked::document([subject.request.get_ci("policy")]),
};

/// The key a subject is about, by ARN or id: most operations take no alias. A replica is another key, in its own region.
pub(crate) fn key(subject: &Subject<'_>) -> Option<Target> {
    let replica = subject.response.get_ci("replicaKeyMetadata").get_ci("arn").as_str();
    let created = subject.response.get_ci("keyMetadata").get_ci("keyId").as_str();
    let told = subject.told("keyId").filter(|id| !id.contains("alias/"));
    let id = match subject.change.action.as_str() {
        "ReplicateKey" => replica.or_else(|| subject.arn())?,
        _ => told.or(created).or_else(|| subject.arn()).or_else(|| subject.name())?,
    };
    let mut key = Target::regional(subject, json!({ "KeyId": id }));
    if let Some(region) = region_of(id).or_else(|| subject.told("replicaRegion")) {
        region.clone_into(&mut key.region);
    }
    Some(key)
}

/// The region in an ARN.
fn region_of(id: &str) -> Option<&str> {
    id.starts_with("arn:").then(|| id.split(':').nth(3)).flatten().filter(|region| !region.is_empty())
}

/// Reads a key's state. The date of a pending deletion is not compared: an undo sets a new one.
pub(crate) fn state(key: &Target) -> Read {
    Read::new(KEY, key.call("kms", "DescribeKey", Value::Null)).keep(|answer| {
        let metadata = take(answer, "/KeyMetadata");
        let mut kept = match only(&metadata, &["KeyState", "KeyManager", "Origin"]) {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        if let Some(date) = metadata.get("DeletionDate").filter(|date| !date.is_null()) {
            kept.insert("~DeletionDate".to_owned(), date.clone());
        }
        Value::Object(kept)
    })
}

/// Reads whether a key rotates.
pub(crate) fn rotation(key: &Target) -> Read {
    Read::new(ROTATION, key.call("kms", "GetKeyRotationStatus", Value::Null))
        .absent(&["UnsupportedOperationException"])
        .keep(|answer| only(&answer, &["KeyRotationEnabled", "RotationPeriodInDays"]))
}

/// Reads a key's grants. Ids, dates and the issuer are not compared: a grant made again has new ones.
pub(crate) fn grants(key: &Target) -> Read {
    const KEPT: [&str; 7] = [
        "Name",
        "GranteePrincipal",
        "GranteeServicePrincipal",
        "RetiringPrincipal",
        "RetiringServicePrincipal",
        "Operations",
        "Constraints",
    ];
    Read::new(GRANTS, key.call("kms", "ListGrants", Value::Null)).keep(|answer| {
        let grants = elements(answer.get("Grants").unwrap_or(&Value::Null)).iter().map(|grant| {
            let mut kept = only(grant, &KEPT);
            if let Some(operations) = kept.get_mut("Operations") {
                *operations = set(elements(operations).to_vec());
            }
            kept
        });
        let ids = elements(answer.get("Grants").unwrap_or(&Value::Null)).iter().map(|grant| grant.get("GrantId"));
        let mut pairs: Vec<(Value, Option<&Value>)> = grants.zip(ids).collect();
        pairs.sort_by_cached_key(|(grant, _)| grant.to_string());
        let named = pairs.into_iter().map(|(mut grant, id)| {
            if let (Value::Object(members), Some(id)) = (&mut grant, id) {
                members.insert("~GrantId".to_owned(), id.clone());
            }
            grant
        });
        Value::Array(named.collect())
    })
}

/// Reads keys: policy, state and rotation.
pub(crate) struct KeyReader;

impl StateReader for KeyReader {
    fn kind(&self) -> &'static str {
        KEY_KIND
    }

    fn operations(&self) -> &'static [&'static str] {
        &["kms:GetKeyPolicy", "kms:DescribeKey", "kms:GetKeyRotationStatus"]
    }

    fn reads(&self, change: &ChangeSummary, resource: &Resource<'_>, so_far: &Image) -> Vec<Read> {
        let Some(key) = key(&Subject::of_resource(change, resource)) else { return Vec::new() };
        let mut reads = vec![(KEY_POLICY.read)(&key), state(&key), rotation(&key)];
        reads.retain(|read| !so_far.has(&read.key));
        reads
    }

    fn effects(&self, change: &ChangeSummary, resource: &Resource<'_>, image: &Image) -> Effects {
        judged_effects(image, POLICY, &context(change, resource, PolicyKind::Resource))
    }
}
