//! Findings as the pipeline hands them over.

use onus_core::effect::{Direction, Protocol};
use onus_core::{
    Actor, Area, Audience, ChangeSummary, Cloud, Duty, Effects, Finding, FindingId, Grant, Level, Opening, Origin,
    Outcome, Party, Resource, ServiceModel, Severity, address,
};
use serde_json::{Value, json};

pub(crate) const PROJECT: &str = "shop";

/// A finding on one call about a resource, in project [`PROJECT`].
pub(crate) fn finding(operation: &str, kind: &'static str, id: &str, request: Value) -> Finding {
    let (service, action) = operation.split_once(':').unwrap();
    let name = id.rsplit('/').next().unwrap().to_owned();
    Finding {
        id: FindingId::of(Cloud::Gcp, "uid", operation),
        rule: "gcp.test".to_owned(),
        title: String::new(),
        severity: Severity::High,
        duty: Duty {
            area: Area::NetworkControls,
            service: "Cloud Storage".to_owned(),
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
            cloud: Cloud::Gcp,
            account: PROJECT.to_owned(),
            region: String::new(),
            service: service.to_owned(),
            action: action.to_owned(),
            actor: Actor::default(),
            origin: Origin::default(),
            outcome: Outcome::Succeeded,
            resources: vec![Resource::new(kind, id.to_owned(), name)],
        },
        effects: Effects::none(),
        from_state: false,
        request,
        response: json!(null),
        found_at: "2026-05-01T12:00:05Z".parse().unwrap(),
    }
}

impl crate::cases::Has for Finding {
    fn grants(mut self, grants: &[Grant]) -> Self {
        self.effects.grants.extend_from_slice(grants);
        self
    }

    fn opens(mut self, sources: &[&str]) -> Self {
        self.effects.openings.push(Opening {
            resource: self.change.resources[0].id.to_string(),
            direction: Direction::Ingress,
            protocol: Protocol::Tcp,
            ports: (22, 22),
            sources: sources.iter().map(|text| address::parse(text).unwrap()).collect(),
            peers: Vec::new(),
            rule_id: None,
            allow: true,
        });
        self
    }

    fn decided_by_state(mut self) -> Self {
        self.from_state = true;
        self
    }

    fn answered(mut self, response: Value) -> Self {
        self.response = response;
        self
    }
}

/// A grant by a binding, as the log's comparison tells it.
pub(crate) fn granted(role: &str, member: &str, audience: Audience) -> Grant {
    Grant {
        resource: String::new(),
        audience,
        principal: member.to_owned(),
        account: None,
        actions: vec![role.to_owned()],
        level: if role.ends_with("owner") { Level::Admin } else { Level::Read },
        via: "binding".to_owned(),
        part: Some(format!("{role} {member}")),
    }
}
