//! Findings as the pipeline hands them over.

use onus_core::{
    Actor, Area, ChangeSummary, Cloud, Duty, Effects, Finding, FindingId, Origin, Outcome, Party, Resource,
    ServiceModel, Severity,
};
use serde_json::{Value, json};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const REGION: &str = "eu-central-1";

/// A finding on one call of a service, in account [`ACCOUNT`].
pub(crate) fn finding(operation: &str, request: Value) -> Finding {
    let (service, action) = operation.split_once(':').unwrap();
    Finding {
        id: FindingId::of(Cloud::Aws, "uid", operation),
        rule: "aws.test".to_owned(),
        title: String::new(),
        severity: Severity::High,
        duty: Duty {
            area: Area::NetworkControls,
            service: "S3".to_owned(),
            model: ServiceModel::Paas,
            owner: Party::Customer,
        },
        why: String::new(),
        respond: Vec::new(),
        controls: Vec::new(),
        references: Vec::new(),
        remedy: None,
        change: ChangeSummary {
            uid: "uid".to_owned(),
            time: "2026-05-01T12:00:00Z".parse().unwrap(),
            cloud: Cloud::Aws,
            account: ACCOUNT.to_owned(),
            region: REGION.to_owned(),
            service: service.to_owned(),
            action: action.to_owned(),
            actor: Actor::default(),
            origin: Origin::default(),
            outcome: Outcome::Succeeded,
            resources: Vec::new(),
        },
        effects: Effects::none(),
        from_state: false,
        request,
        response: json!(null),
        found_at: "2026-05-01T12:00:05Z".parse().unwrap(),
    }
}

/// A finding whose record leaves the request out; the decoder still named the resource, and state decided.
pub(crate) fn omitted(operation: &str, kind: &'static str, id: &'static str, name: &'static str) -> Finding {
    let mut finding = finding(operation, json!(null));
    finding.change.resources.push(Resource::new(kind, id, name));
    finding.from_state = true;
    finding
}

pub(crate) fn answered(mut finding: Finding, response: Value) -> Finding {
    finding.response = response;
    finding
}
