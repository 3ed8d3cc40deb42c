//! Cloud Logging: enables a log sink that a change disabled.
//!
//! Records of sinks hold what a sink is now, never what it was: filter and destination come back only from what was known of the
//! sink before, and a sink that was deleted likewise.

use onus_core::{Call, Finding, Image, PlanError, Read, Remediation, Safety, Spec, Step};
use serde_json::{Map, Value, json};

use super::{incomplete, refused, unless_read};
use crate::readers::answer::text;
use crate::readers::logging::{SINK, SINK_KIND, sink, sink_of_finding};

/// See the [module docs](self).
pub(crate) struct RestoreSink;

static SPEC: Spec = Spec {
    id: "gcp.logging.restore_sink",
    title: "Enables the log sink that the change disabled",
    safety: Safety::Automatic,
    kind: SINK_KIND,
    reads: &["logging:sinks.get"],
    writes: &["logging:sinks.update"],
    undo: &["logging:sinks.update"],
    caveat: "Entries that were written while the sink was disabled are not exported later. A filter, destination or \
             exclusion that the same change set stays, and a sink that was deleted stays gone: the record does not hold \
             what they were.",
};

impl Remediation for RestoreSink {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, sink(&name(finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let name = name(finding)?;
        let live = image.get(SINK);
        if live.is_null() {
            return Err(refused(&SPEC, "the sink is gone, and what it was is not known"));
        }
        let asked = finding.request.get("sink").unwrap_or(&Value::Null);
        let disabled = asked.get("disabled") == Some(&Value::Bool(true));
        if !disabled && !finding.from_state {
            return Err(refused(&SPEC, "the change did not disable the sink, and what it was before is not known"));
        }
        if live.get("disabled") != Some(&Value::Bool(true)) {
            return Ok(Vec::new());
        }
        let others = others(text(&finding.request, "updateMask"));
        let title = if others.is_empty() {
            "enable the sink".to_owned()
        } else {
            format!("enable the sink (its {} stay: what they were is not known)", others.join(", "))
        };
        let call = |disabled: bool| update(&name, live, disabled);
        Ok(vec![Step { title, call: call(false), inverse: Some(call(true)) }])
    }
}

fn name(finding: &Finding) -> Result<String, PlanError> {
    sink_of_finding(finding).ok_or_else(|| incomplete(&SPEC, "the sink"))
}

/// What else than the switch a change set, of the parts that decide what is exported.
fn others(mask: &str) -> Vec<&str> {
    let parts = ["destination", "filter", "exclusions", "includeChildren", "interceptChildren"];
    mask.split(',').map(str::trim).filter(|part| parts.contains(part)).collect()
}

/// Whoever writes for a sink when it does not have an identity of its own
/// (<https://cloud.google.com/logging/docs/export/configure_export_v2#dest-auth>).
const SHARED_WRITER: &str = "serviceAccount:cloud-logs@system.gserviceaccount.com";

/// Sets the switch and nothing else. A sink with an identity of its own must be written as such, or the service refuses.
fn update(name: &str, live: &Value, disabled: bool) -> Call {
    let mut body = Map::new();
    body.insert("disabled".to_owned(), Value::Bool(disabled));
    for member in ["name", "destination"] {
        if let Some(value) = live.get(member) {
            body.insert(member.to_owned(), value.clone());
        }
    }
    let own = text(live, "~writerIdentity") != SHARED_WRITER;
    let parameters = json!({ "sinkName": name, "updateMask": "disabled", "uniqueWriterIdentity": own, "body": body });
    Call::gcp("logging", "sinks.update", parameters)
}
