//! The guarded resources of a project: what a baseline records. Kinds whose deletion or overwriting loses what they were like: log
//! sinks and firewall rules.
//!
//! A baseline's account is a project's id. For log sinks alone it may also be an organisation or a folder (`organizations/7`), whose
//! sinks gather the logs of all below.

use onus_core::{Call, ChangeSummary, Lister, Read, Resource};
use serde_json::{Value, json};

use crate::readers::answer::{list, text};
use crate::readers::{compute, logging};

/// Lists one kind with one call, whose pages the caller joins.
struct ListOf {
    kind: &'static str,
    /// The one operation, `api:method`.
    operation: [&'static str; 1],
    parameters: fn(&ChangeSummary) -> Value,
    /// The member of the answer that holds the list.
    list: &'static str,
    /// The host and path of what is listed, and its short name.
    named: fn(&ChangeSummary, &Value) -> (String, String),
}

/// The registry, sorted by kind.
static LISTERS: &[&dyn Lister] = &[
    &ListOf {
        kind: compute::FIREWALL_KIND,
        operation: ["compute:firewalls.list"],
        parameters: |place| json!({ "project": place.account }),
        list: "items",
        named: |place, rule| {
            let name = text(rule, "name").to_owned();
            (format!("compute.googleapis.com/projects/{}/global/firewalls/{name}", place.account), name)
        },
    },
    &ListOf {
        kind: logging::SINK_KIND,
        operation: ["logging:sinks.list"],
        parameters: |place| json!({ "parent": parent(&place.account) }),
        list: "sinks",
        named: |place, sink| {
            let name = text(sink, "name").to_owned();
            (format!("logging.googleapis.com/{}/sinks/{name}", parent(&place.account)), name)
        },
    },
];

/// Every lister of Google Cloud, sorted by kind.
pub fn listers() -> &'static [&'static dyn Lister] {
    LISTERS
}

/// What holds sinks: a project, unless the account says another.
fn parent(account: &str) -> String {
    if account.contains('/') { account.to_owned() } else { format!("projects/{account}") }
}

impl Lister for ListOf {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn operations(&self) -> &[&'static str] {
        &self.operation
    }

    fn applies(&self, place: &ChangeSummary) -> bool {
        self.kind == logging::SINK_KIND || !place.account.contains('/')
    }

    fn list(&self, place: &ChangeSummary) -> Read {
        let [named] = self.operation;
        let (api, method) = named.split_once(':').unwrap_or((named, ""));
        Read::new("list", Call::gcp(api, method, (self.parameters)(place)))
    }

    fn resources(&self, place: &ChangeSummary, answer: &Value) -> Vec<Resource<'static>> {
        let named = list(answer, self.list).iter().map(|one| (self.named)(place, one));
        named
            .filter(|(_, name)| !name.is_empty())
            .map(|(path, name)| Resource::new(self.kind, format!("//{path}"), name))
            .collect()
    }
}
