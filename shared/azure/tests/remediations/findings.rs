//! Findings as the pipeline hands them over.

use ipnet::IpNet;
use onus_core::effect::{Direction, Protocol};
use onus_core::{
    Actor, Area, ChangeSummary, Cloud, Duty, Effects, Finding, FindingId, Opening, Origin, Outcome, Party, Resource,
    ServiceModel, Severity,
};
use serde_json::Value;

pub(crate) const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";
pub(crate) const GROUP: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/web";

/// The id of a resource in [`GROUP`], in lower case as the decoder gives it.
pub(crate) fn id(rest: &str) -> &'static str {
    format!("{GROUP}/providers/{rest}").to_lowercase().leak()
}

/// A finding on one operation on resources, most specific first, each an ARM type and an id.
pub(crate) fn finding(operation: &str, resources: &[(&'static str, &'static str)], request: Value) -> Finding {
    let (service, action) = operation.split_once(':').unwrap();
    let resource =
        |(kind, id): &(&'static str, &'static str)| Resource::new(*kind, *id, id.rsplit('/').next().unwrap());
    Finding {
        id: FindingId::of(Cloud::Azure, "uid", operation),
        rule: "azure.test".to_owned(),
        title: String::new(),
        severity: Severity::High,
        duty: Duty {
            area: Area::NetworkControls,
            service: "Blob Storage".to_owned(),
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
            cloud: Cloud::Azure,
            account: SUBSCRIPTION.to_owned(),
            region: String::new(),
            service: service.to_owned(),
            action: action.to_owned(),
            actor: Actor::default(),
            origin: Origin::default(),
            outcome: Outcome::Succeeded,
            resources: resources.iter().map(resource).collect(),
        },
        effects: Effects::none(),
        from_state: false,
        request,
        response: Value::Null,
        found_at: "2026-05-01T12:00:05Z".parse().unwrap(),
    }
}

/// A finding on one resource.
pub(crate) fn on(kind: &'static str, id: &'static str, request: Value) -> Finding {
    let (service, action) = kind.split_once('/').unwrap();
    finding(&format!("{service}:{action}/write").to_lowercase(), &[(kind, id)], request)
}

/// The same, where the record leaves the request out and state decided.
pub(crate) fn omitted(kind: &'static str, id: &'static str) -> Finding {
    Finding { from_state: true, ..on(kind, id, Value::Null) }
}

/// A finding with what its change opened: rule, sources, and first and last port.
pub(crate) fn opened(mut finding: Finding, rule: &str, sources: &[&str], ports: (u16, u16)) -> Finding {
    finding.effects.openings.push(Opening {
        resource: String::new(),
        direction: Direction::Ingress,
        protocol: Protocol::Tcp,
        ports,
        sources: sources.iter().map(|source| source.parse::<IpNet>().unwrap()).collect(),
        peers: Vec::new(),
        rule_id: Some(rule.to_owned()),
        allow: true,
    });
    finding
}
