//! Findings as the pipeline hands them over.

use onus_core::effect::{Direction, Protocol};
use onus_core::{
    Actor, Area, Audience, ChangeSummary, Cloud, Duty, Effects, Finding, FindingId, Grant, Level, Opening, Origin,
    Outcome, Party, Resource, ServiceModel, Severity, address,
};
use serde_json::{Value, json};

pub(crate) const PROJECT: &str = "shop";

/// Each kind with the name of one such thing.
pub(crate) const THINGS: [(&str, &str); 20] = [
    ("bigquery.googleapis.com/Dataset", "//bigquery.googleapis.com/projects/shop/datasets/sales"),
    (
        "cloudkms.googleapis.com/CryptoKey",
        "//cloudkms.googleapis.com/projects/shop/locations/eu/keyRings/r/cryptoKeys/k",
    ),
    (
        "cloudkms.googleapis.com/CryptoKeyVersion",
        "//cloudkms.googleapis.com/projects/shop/locations/eu/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
    ),
    ("cloudresourcemanager.googleapis.com/Project", "//cloudresourcemanager.googleapis.com/projects/shop"),
    ("compute.googleapis.com/Firewall", "//compute.googleapis.com/projects/shop/global/firewalls/ops"),
    (
        "compute.googleapis.com/FirewallPolicy",
        "//compute.googleapis.com/projects/shop/regions/europe-west3/firewallPolicies/edge",
    ),
    ("compute.googleapis.com/Image", "//compute.googleapis.com/projects/shop/global/images/golden"),
    ("compute.googleapis.com/Instance", "//compute.googleapis.com/projects/shop/zones/europe-west3-a/instances/vm"),
    ("compute.googleapis.com/SslPolicy", "//compute.googleapis.com/projects/shop/global/sslPolicies/modern"),
    ("compute.googleapis.com/Subnetwork", "//compute.googleapis.com/projects/shop/regions/europe-west3/subnetworks/s"),
    ("compute.googleapis.com/TargetHttpsProxy", "//compute.googleapis.com/projects/shop/global/targetHttpsProxies/web"),
    ("container.googleapis.com/Cluster", "//container.googleapis.com/projects/shop/zones/europe-west3-a/clusters/c"),
    (
        "iam.googleapis.com/ServiceAccount",
        "//iam.googleapis.com/projects/shop/serviceAccounts/deploy@shop.iam.gserviceaccount.com",
    ),
    ("iam.googleapis.com/ServiceAccountKey", "//iam.googleapis.com/projects/shop/serviceAccounts/1234/keys/0a1b2c"),
    ("logging.googleapis.com/LogBucket", "//logging.googleapis.com/projects/shop/locations/global/buckets/_Default"),
    ("logging.googleapis.com/LogSink", "//logging.googleapis.com/organizations/7/sinks/audit"),
    ("pubsub.googleapis.com/Topic", "//pubsub.googleapis.com/projects/shop/topics/orders"),
    ("secretmanager.googleapis.com/Secret", "//secretmanager.googleapis.com/projects/shop/secrets/db"),
    ("sqladmin.googleapis.com/Instance", "//cloudsql.googleapis.com/projects/shop/instances/orders"),
    ("storage.googleapis.com/Bucket", "//storage.googleapis.com/reports"),
];

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

impl super::cases::Has for Finding {
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
