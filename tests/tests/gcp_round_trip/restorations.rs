//! Changes that delete or overwrite what a baseline has read before.

use onus_tests::client::Client;
use serde_json::{Value, json};

use crate::changes::{Case, entry, sorted};

/// Makes a thing, lets it be recorded, and changes it. The number keeps names apart.
pub type Make = fn(&Client, &dyn Fn(), u32) -> Case;

/// Every change, by remediation.
pub const ALL: &[(&str, Make)] = &[
    ("gcp.compute.narrow_firewall", rewritten_rule),
    ("gcp.logging.restore_sink", deleted_sink),
    ("gcp.logging.restore_sink", redirected_sink),
];

const PROJECT: &str = "example-project";
const ARCHIVE: &str = "storage.googleapis.com/example-audit-archive";

/// What a sink was set up for.
fn sink(name: &str) -> Value {
    let exclusions = json!([{ "name": "health", "filter": "httpRequest.requestUrl:healthz" }]);
    json!({ "name": name, "destination": ARCHIVE, "filter": "logName:cloudaudit", "exclusions": exclusions,
        "description": "everything that the auditors want" })
}

/// What tells of a sink; null when it is not there.
fn shown(gcp: &Client, name: &str) -> Value {
    let Ok(sink) = gcp.ask("logging", "projects.sinks.get", json!({ "sinkName": name })) else { return Value::Null };
    let parts = ["destination", "filter", "exclusions", "description", "disabled", "writerIdentity"];
    sorted(&parts.into_iter().map(|part| sink[part].clone()).collect())
}

fn write(gcp: &Client, name: &str, mask: &str, body: Value) {
    let parameters = json!({ "sinkName": name, "updateMask": mask, "uniqueWriterIdentity": true, "body": body });
    gcp.call("logging", "projects.sinks.update", parameters);
}

/// A sink that is recorded and then changed, with the record's method and request.
fn on_sink(
    gcp: &Client,
    recorded: &dyn Fn(),
    short: String,
    change: impl Fn(&Client, &str) -> (&'static str, Value),
) -> Case {
    let name = format!("projects/{PROJECT}/sinks/{short}");
    let parameters =
        json!({ "parent": format!("projects/{PROJECT}"), "uniqueWriterIdentity": true, "body": sink(&short) });
    gcp.call("logging", "projects.sinks.create", parameters);
    let good = shown(gcp, &name);
    recorded();
    let (method, request) = change(gcp, &name);
    let method = format!("google.logging.v2.ConfigServiceV2.{method}");
    let record = entry(PROJECT, "logging", &method, &name, json!({ "request": request }));
    let (read, moved) = (name.clone(), name);
    Case {
        remedy: "gcp.logging.restore_sink",
        record,
        read: Box::new(move |gcp| shown(gcp, &read)),
        good,
        moves: Box::new(move |gcp| write(gcp, &moved, "filter", json!({ "filter": "severity>=ERROR" }))),
    }
}

/// A sink that is deleted.
pub fn deleted_sink(gcp: &Client, recorded: &dyn Fn(), number: u32) -> Case {
    on_sink(gcp, recorded, format!("deleted-{number}"), |gcp, name| {
        gcp.call("logging", "projects.sinks.delete", json!({ "sinkName": name }));
        ("DeleteSink", json!({ "@type": "type.googleapis.com/google.logging.v2.DeleteSinkRequest", "sinkName": name }))
    })
}

fn redirected_sink(gcp: &Client, recorded: &dyn Fn(), number: u32) -> Case {
    on_sink(gcp, recorded, format!("redirected-{number}"), |gcp, name| {
        let to = json!({ "destination": "storage.googleapis.com/elsewhere",
            "exclusions": [{ "name": "all", "filter": "severity>=DEFAULT" }] });
        write(gcp, name, "destination,exclusions", to.clone());
        let request = json!({
            "@type": "type.googleapis.com/google.logging.v2.UpdateSinkRequest", "sinkName": name,
            "updateMask": "destination,exclusions", "sink": to, "uniqueWriterIdentity": true,
        });
        ("UpdateSink", request)
    })
}

/// A rule for the office becomes one for everybody and another office, of all protocols: all of it goes back.
fn rewritten_rule(gcp: &Client, recorded: &dyn Fn(), number: u32) -> Case {
    let rule = format!("office-{number}");
    let body = json!({
        "name": rule, "network": "global/networks/default", "sourceRanges": ["192.0.2.0/24"],
        "allowed": [{ "IPProtocol": "tcp", "ports": ["22"] }],
    });
    gcp.call("compute", "firewalls.insert", json!({ "project": PROJECT, "body": body }));
    let named = json!({ "project": PROJECT, "firewall": rule });
    let shown = move |gcp: &Client, named: &Value| {
        let rule = gcp.call("compute", "firewalls.get", named.clone());
        sorted(&json!([rule["sourceRanges"], rule["allowed"], rule["disabled"], rule["description"]]))
    };
    let good = shown(gcp, &named);
    recorded();
    let patch = {
        let named = named.clone();
        move |gcp: &Client, body: Value| {
            let mut patch = named.clone();
            patch["body"] = body;
            gcp.call("compute", "firewalls.patch", patch);
        }
    };
    let (ranges, all) = (json!(["0.0.0.0/0", "198.51.100.0/24"]), json!([{ "IPProtocol": "all" }]));
    patch(gcp, json!({ "sourceRanges": ranges, "allowed": all }));
    let name = format!("projects/{PROJECT}/global/firewalls/{rule}");
    let request =
        json!({ "@type": "type.googleapis.com/compute.firewalls.patch", "sourceRanges": ranges, "alloweds": all });
    Case {
        remedy: "gcp.compute.narrow_firewall",
        record: entry(PROJECT, "compute", "v1.compute.firewalls.patch", &name, json!({ "request": request })),
        read: Box::new(move |gcp| shown(gcp, &named)),
        good,
        moves: Box::new(move |gcp| patch(gcp, json!({ "description": "of the new office" }))),
    }
}
