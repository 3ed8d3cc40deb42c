//! From a notice to the event.

use std::net::IpAddr;

use onus_core::{Actor, Cloud, Finding, Mode, Notice, Outcome, ReceiptOutcome, Resource, Severity};
use serde_json::{Map, Value, json};

use super::{
    ActorInfo, Api, CloudInfo, DetectionFinding, Evidence, FindingInfo, Metadata, Product, Remediation,
    ResourceDetails, VERSION,
};

const CATEGORY: u32 = 2;
const CLASS: u32 = 2004;

/// What became of the finding, in the schema's enumerations.
struct Standing {
    activity: (u32, &'static str),
    status: (u32, &'static str),
    detail: Option<String>,
}

impl From<&Notice> for DetectionFinding {
    fn from(notice: &Notice) -> Self {
        let finding = notice.finding();
        let change = &finding.change;
        let standing = standing(notice);
        Self {
            activity_id: standing.activity.0,
            activity_name: standing.activity.1,
            category_uid: CATEGORY,
            category_name: "Findings",
            class_uid: CLASS,
            class_name: "Detection Finding",
            type_uid: CLASS * 100 + standing.activity.0,
            type_name: format!("Detection Finding: {}", standing.activity.1),
            time: notice.at().as_millisecond(),
            severity_id: finding.severity.ocsf_id(),
            severity: severity(finding.severity),
            status_id: standing.status.0,
            status: standing.status.1,
            status_detail: standing.detail,
            message: message(finding),
            is_alert: true,
            metadata: Metadata {
                version: VERSION,
                product: Product { name: "Onus", vendor_name: "Onus", version: env!("CARGO_PKG_VERSION") },
                profiles: ["cloud", "host"],
                uid: crate::cloudevent::id(notice),
                correlation_uid: change.uid.clone(),
                original_time: change.time.to_string(),
                tenant_uid: filled(&change.account),
            },
            finding_info: finding_info(notice),
            cloud: CloudInfo {
                provider: provider(change.cloud),
                account: filled(&change.account).map(|uid| account(change.cloud, &uid)),
                region: filled(&change.region),
            },
            api: api(finding),
            actor: actor(&change.actor, change.cloud),
            resources: change.resources.iter().filter_map(|r| resource(r, &change.region)).collect(),
            remediation: remediation(finding),
            evidences: vec![evidence(finding)],
            unmapped: unmapped(notice),
        }
    }
}

const CREATE: (u32, &str) = (1, "Create");
const UPDATE: (u32, &str) = (2, "Update");
const CLOSE: (u32, &str) = (3, "Close");
const NEW: (u32, &str) = (1, "New");
const IN_PROGRESS: (u32, &str) = (2, "In Progress");
const RESOLVED: (u32, &str) = (4, "Resolved");

/// A finding is closed only by a response that was verified, or that found nothing left to do.
fn standing(notice: &Notice) -> Standing {
    use onus_core::plan::ReceiptKind::{Respond, Undo};
    let of = |activity, status, detail: Option<String>| Standing { activity, status, detail };
    match notice {
        Notice::Found { .. } => of(CREATE, NEW, None),
        Notice::Planned { mode: Mode::Approve, .. } => {
            of(UPDATE, IN_PROGRESS, Some("a response is planned and waits for approval".to_owned()))
        }
        Notice::Planned { .. } => of(UPDATE, IN_PROGRESS, Some("a response is planned and not carried out".to_owned())),
        Notice::Alarm { reason, .. } => of(UPDATE, IN_PROGRESS, Some(reason.clone())),
        Notice::Responded { receipt, .. } => match (receipt.kind, &receipt.outcome) {
            (Respond, ReceiptOutcome::Verified) => {
                of(CLOSE, RESOLVED, Some("taken back, and verified by reading back".to_owned()))
            }
            (Respond, ReceiptOutcome::NothingToDo) => of(CLOSE, RESOLVED, Some("already gone".to_owned())),
            (Undo, ReceiptOutcome::Verified) => of(UPDATE, IN_PROGRESS, Some("the response was undone".to_owned())),
            (_, ReceiptOutcome::Unverified { reason }) => {
                of(UPDATE, IN_PROGRESS, Some(format!("unverified: {reason}")))
            }
            (_, ReceiptOutcome::Refused { reason }) => of(UPDATE, IN_PROGRESS, Some(format!("refused: {reason}"))),
            (_, ReceiptOutcome::Planned) => of(UPDATE, IN_PROGRESS, Some("planned".to_owned())),
            (Undo, ReceiptOutcome::NothingToDo) => {
                of(UPDATE, IN_PROGRESS, Some("there was nothing to undo".to_owned()))
            }
        },
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "Informational",
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
        Severity::Critical => "Critical",
    }
}

fn provider(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Aws => "AWS",
        Cloud::Azure => "Azure",
        Cloud::Gcp => "GCP",
    }
}

fn account(cloud: Cloud, uid: &str) -> Value {
    let (type_id, name) = match cloud {
        Cloud::Aws => (10, "AWS Account"),
        Cloud::Azure => (13, "Azure Subscription"),
        Cloud::Gcp => (11, "GCP Project"),
    };
    json!({ "uid": uid, "type_id": type_id, "type": name })
}

/// The text, unless it is empty: the schema leaves out what is not known.
fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn message(finding: &Finding) -> String {
    match finding.resource() {
        Some(resource) => format!("{}: {}", finding.title, resource.id),
        None => finding.title.clone(),
    }
}

fn finding_info(notice: &Notice) -> FindingInfo {
    let finding = notice.finding();
    let attack = |control: &String| {
        let uid = control.strip_prefix("attack:")?;
        let part = if uid.contains('.') { "sub_technique" } else { "technique" };
        Some(json!({ part: { "uid": uid } }))
    };
    let tag = |control: &String| {
        let (name, value) = control.split_once(':')?;
        (name != "attack").then(|| json!({ "name": name, "value": value }))
    };
    FindingInfo {
        uid: finding.id.to_string(),
        title: finding.title.clone(),
        desc: finding.why.clone(),
        types: vec![finding.rule.clone()],
        analytic: json!({ "uid": finding.rule, "name": finding.title, "type_id": 1, "type": "Rule" }),
        created_time: finding.found_at.as_millisecond(),
        first_seen_time: finding.change.time.as_millisecond(),
        modified_time: notice.at().as_millisecond(),
        attacks: finding.controls.iter().filter_map(attack).collect(),
        tags: finding.controls.iter().filter_map(tag).collect(),
    }
}

fn api(finding: &Finding) -> Api {
    let change = &finding.change;
    let response = match &change.outcome {
        Outcome::Succeeded | Outcome::Begun => None,
        Outcome::Failed { code, message } => Some(json!({ "error": code, "error_message": message })),
    };
    Api {
        operation: change.action.clone(),
        service: json!({ "name": change.service }),
        request: json!({ "uid": change.uid }),
        response,
    }
}

/// `user` needs a name or an id; a log that tells neither gets `unknown`.
fn actor(actor: &Actor<'_>, cloud: Cloud) -> ActorInfo {
    let mut user = Map::new();
    let uid = if actor.id.is_empty() { &actor.principal } else { &actor.id };
    let name = if uid.is_empty() { "unknown" } else { uid.rsplit('/').next().unwrap_or(uid) };
    user.insert("name".to_owned(), Value::from(name));
    for (key, value) in [("uid", filled(uid)), ("uid_alt", filled(&actor.principal))] {
        user.extend(value.map(|value| (key.to_owned(), Value::from(value))));
    }
    let type_id = if actor.kind.is_empty() { 0 } else { 99 };
    user.insert("type_id".to_owned(), Value::from(type_id));
    user.insert("type".to_owned(), Value::from(filled(&actor.kind).unwrap_or_else(|| "Unknown".to_owned())));
    user.extend(filled(&actor.account).map(|uid| ("account".to_owned(), account(cloud, &uid))));
    let mut session = Map::new();
    session.extend(actor.issuer.as_ref().map(|issuer| ("issuer".to_owned(), Value::from(issuer.as_ref()))));
    session.extend(actor.mfa.map(|mfa| ("is_mfa".to_owned(), Value::from(mfa))));
    ActorInfo {
        user: Value::Object(user),
        session: (!session.is_empty()).then_some(Value::Object(session)),
        invoked_by: actor.invoked_by.as_ref().map(ToString::to_string),
    }
}

fn resource(resource: &Resource<'_>, region: &str) -> Option<ResourceDetails> {
    let uid = if resource.id.is_empty() { &resource.name } else { &resource.id };
    let name = if resource.name.is_empty() { uid } else { &resource.name };
    (!uid.is_empty()).then(|| ResourceDetails {
        uid: uid.to_string(),
        name: name.to_string(),
        kind: filled(&resource.kind),
        region: filled(region),
    })
}

fn remediation(finding: &Finding) -> Option<Remediation> {
    (!finding.respond.is_empty())
        .then(|| Remediation { desc: finding.respond.join("\n"), references: finding.references.clone() })
}

fn evidence(finding: &Finding) -> Evidence {
    let origin = &finding.change.origin;
    // An address is an IP address; a service that called is named instead.
    let src_endpoint = match origin.address.parse::<IpAddr>() {
        Ok(ip) => Some(json!({ "ip": ip.to_string() })),
        Err(_) => filled(&origin.address).map(|name| json!({ "svc_name": name })),
    };
    Evidence {
        name: "change",
        data: json!({ "request": finding.request, "response": finding.response }),
        src_endpoint,
        http_request: filled(&origin.user_agent).map(|agent| json!({ "user_agent": agent })),
    }
}

fn unmapped(notice: &Notice) -> Map<String, Value> {
    let finding = notice.finding();
    let mut unmapped = Map::new();
    let mut put = |key: &str, value: Value| unmapped.insert(key.to_owned(), value);
    put("notice", json!(notice.kind()));
    put("rule", json!(finding.rule));
    put("duty", json!(finding.duty));
    put("effects", json!(finding.effects));
    put("from_state", json!(finding.from_state));
    put("controls", json!(finding.controls));
    if let Some(remedy) = &finding.remedy {
        put("remedy", json!(remedy));
    }
    match notice {
        Notice::Found { mode, .. } => {
            put("mode", json!(mode));
        }
        Notice::Planned { mode, plan, links, .. } => {
            put("mode", json!(mode));
            put("plan", json!(plan));
            if let Some(links) = links {
                put("answer", json!(links));
            }
        }
        Notice::Responded { receipt, .. } => {
            put("receipt", json!(receipt));
        }
        Notice::Alarm { reason, .. } => {
            put("reason", json!(reason));
        }
    }
    unmapped
}
