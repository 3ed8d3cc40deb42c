//! Changes that delete or overwrite what a baseline has read before.

use onus_tests::client::Client;
use serde_json::{Value, json};

use crate::changes::{Case, entry, sorted};

/// Makes a thing, lets it be recorded, and changes it. The number keeps names apart.
pub type Make = fn(&Client, &dyn Fn(), u32) -> Case;

/// Every change, by remediation.
pub const ALL: &[(&str, Make)] =
    &[("gcp.logging.restore_sink", deleted_sink), ("gcp.logging.restore_sink", redirected_sink)];

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

fn deleted_sink(gcp: &Client, recorded: &dyn Fn(), number: u32) -> Case {
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
