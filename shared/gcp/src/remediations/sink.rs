//! Cloud Logging: brings a log sink back that a change disabled, rewrote or deleted.
//!
//! Records hold what a sink is after a change, never what it was. Where that is known, the parts that the change set go back to it, and a
//! sink that was deleted is made again. Where it is not, a sink that is there and disabled is enabled, and nothing else can be done.

use std::collections::BTreeSet;

use onus_core::{Call, Finding, Image, Known, PlanError, Read, Remediation, Restoration, Safety, Spec, Step};
use serde_json::{Map, Value, json};

use super::{Write, incomplete, refused, unless_read};
use crate::readers::answer::{copy, text};
use crate::readers::logging::{SINK, SINK_KIND, settled, sink, sink_of_finding};

/// See the [module docs](self).
pub(crate) struct RestoreSink;

static SPEC: Spec = Spec {
    id: "gcp.logging.restore_sink",
    title: "Enables the log sink that the change disabled, or brings it back as it was known before the change",
    safety: Safety::Automatic,
    kind: SINK_KIND,
    reads: &["logging:sinks.get"],
    writes: &["logging:sinks.create", "logging:sinks.update"],
    undo: &["logging:sinks.delete", "logging:sinks.update"],
    caveat: "What was logged meanwhile is not exported later. A sink that had an identity of its own to write with gets the \
             service agent of its project, folder or organisation when it is made again, which has to be let in at the destination. \
             Where the sink was never read before the change, a filter, destination or exclusion that the change set stays, and a \
             sink that was deleted stays gone.",
};

/// What decides where entries go and which.
/// Source: `LogSink`, <https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.sinks#LogSink>.
const PARTS: [&str; 8] = [
    "bigqueryOptions",
    "description",
    "destination",
    "disabled",
    "exclusions",
    "filter",
    "includeChildren",
    "interceptChildren",
];

impl Remediation for RestoreSink {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, sink(&name(finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        Ok(enabled(finding, image)?.into_iter().collect())
    }

    fn restoration(&self) -> Option<&dyn Restoration> {
        Some(self)
    }
}

/// Sets the switch alone: all that can be done where nothing is known.
fn enabled(finding: &Finding, image: &Image) -> Result<Option<Step>, PlanError> {
    let name = name(finding)?;
    let live = image.get(SINK);
    if is_deletion(finding) && live.is_null() {
        return Err(refused(
            &SPEC,
            "the sink is gone, and it cannot be restored: no state of it was recorded before the change",
        ));
    }
    if live.is_null() {
        return Err(refused(
            &SPEC,
            "the sink is gone, which was another change, and it cannot be restored by this one",
        ));
    }
    let disabled = asked(finding).get("disabled") == Some(&Value::Bool(true));
    if !disabled && !finding.from_state {
        return Err(refused(
            &SPEC,
            "the change did not disable the sink, and what it set cannot be restored: no state was recorded before it",
        ));
    }
    if live.get("disabled") != Some(&Value::Bool(true)) {
        return Ok(None);
    }
    let mut others = set_by(finding);
    others.remove("disabled");
    let title = if others.is_empty() {
        "enable the sink".to_owned()
    } else {
        let others = others.into_iter().collect::<Vec<_>>().join(", ");
        format!("enable the sink (its {others} cannot be restored: what they were is not known)")
    };
    let parts = BTreeSet::from(["disabled"]);
    let call = |disabled: bool| update(&name, live, &parts, &json!({ "disabled": disabled }));
    Ok(Some(Step { title, call: call(false), inverse: Some(call(true)) }))
}

fn name(finding: &Finding) -> Result<String, PlanError> {
    sink_of_finding(finding).ok_or_else(|| incomplete(&SPEC, "the sink"))
}

fn is_deletion(finding: &Finding) -> bool {
    finding.change.action == "DeleteSink"
}

/// The sink as the change asked for it.
fn asked(finding: &Finding) -> &Value {
    finding.request.get("sink").unwrap_or(&Value::Null)
}

/// The parts that a change set. Without a mask it set three, which is how the API reads such a request
/// (<https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.sinks/update>).
fn set_by(finding: &Finding) -> BTreeSet<&'static str> {
    let mask = text(&finding.request, "updateMask");
    let mask = if mask.trim().is_empty() { "destination,filter,includeChildren" } else { mask };
    let named: Vec<String> = mask.split(',').map(|path| part(path.trim())).collect();
    PARTS.into_iter().filter(|part| named.iter().any(|name| name == part)).collect()
}

/// The part of a sink that a path of a mask is about: `exclusions` for `sink.exclusions[0].filter`, `includeChildren` for
/// `include_children`.
fn part(path: &str) -> String {
    let path = path.strip_prefix("sink.").unwrap_or(path);
    let first = path.split(['.', '[']).next().unwrap_or_default();
    let mut words = first.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (initial, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        name.extend([initial.to_ascii_uppercase().as_str(), rest]);
    }
    name
}

impl Restoration for RestoreSink {
    fn reads(&self, finding: &Finding, _: &Known, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Remediation::reads(self, finding, so_far)
    }

    fn plan(&self, finding: &Finding, known: &Known, image: &Image) -> Result<Vec<Step>, PlanError> {
        match before(finding, known) {
            Some(before) => Write::steps(restored(finding, before, image)),
            None => Remediation::plan(self, finding, image),
        }
    }

    fn leaves(&self, finding: &Finding, known: &Known, image: &Image) -> Option<Image> {
        Write::leaves(restored(finding, before(finding, known)?, image), image)
    }
}

/// The sink before the change, if it was there and was read. Without the request nobody can tell which parts a change set: then what was
/// before it does not help, unless it deleted the whole.
fn before<'a>(finding: &Finding, known: &'a Known) -> Option<&'a Value> {
    let resource = finding.change.resources.iter().find(|resource| resource.kind == SINK_KIND)?;
    let before = known.of(resource)?.image.get(SINK);
    (!before.is_null() && (is_deletion(finding) || !asked(finding).is_null())).then_some(before)
}

fn restored(finding: &Finding, before: &Value, image: &Image) -> Result<Option<Write>, PlanError> {
    let (name, live) = (name(finding)?, image.get(SINK));
    match (is_deletion(finding), live.is_null()) {
        (true, true) => Ok(Some(made_again(&name, before)?)),
        // It is there again: as it was, or as somebody made it, which is theirs.
        (true, false) => Ok(None),
        (false, true) => Err(refused(&SPEC, "the sink is gone, which was another change: restore it by that one")),
        (false, false) => Ok(set_back(finding, &name, before, live)),
    }
}

/// Sets those parts back that the change set and that still are as it set them. What somebody set since is theirs.
fn set_back(finding: &Finding, name: &str, before: &Value, live: &Value) -> Option<Write> {
    let wanted = settled(asked(finding).clone());
    let mut parts = set_by(finding);
    parts.retain(|part| live.get(*part) != before.get(*part) && live.get(*part) == wanted.get(*part));
    if parts.is_empty() {
        return None;
    }
    let mut left = live.clone();
    for part in &parts {
        copy(&mut left, before, part);
    }
    let named = parts.iter().copied().collect::<Vec<_>>().join(", ");
    let step = Step {
        title: format!("set {named} of the sink back to what they were before the change"),
        call: update(name, live, &parts, before),
        inverse: Some(update(name, live, &parts, live)),
    };
    Some(Write { step, key: SINK, left })
}

fn made_again(name: &str, before: &Value) -> Result<Write, PlanError> {
    let parent = name.rsplit_once("/sinks/").map(|(parent, _)| parent).ok_or_else(|| incomplete(&SPEC, "the sink"))?;
    let writer = text(before, "~writerIdentity");
    let mut body = members(before, &PARTS.into_iter().collect());
    body.insert("name".to_owned(), before.get("name").cloned().unwrap_or_default());
    let parameters = json!({ "parent": parent, "uniqueWriterIdentity": has_own_writer(before), "body": body });
    let destination = text(before, "destination").escape_debug();
    let told = if keeps_writer(writer) {
        String::new()
    } else {
        format!("; `{}` wrote for it, and its new writer has to be let in there", writer.escape_debug())
    };
    let step = Step {
        title: format!("make the sink again, which exports to `{destination}`{told}"),
        call: Call::gcp("logging", "sinks.create", parameters),
        inverse: Some(Call::gcp("logging", "sinks.delete", json!({ "sinkName": name }))),
    };
    Ok(Write { step, key: SINK, left: before.clone() })
}

/// Whoever writes for a sink when it does not have an identity of its own
/// (<https://cloud.google.com/logging/docs/export/configure_export_v2#dest-auth>).
const SHARED_WRITER: &str = "serviceAccount:cloud-logs@system.gserviceaccount.com";

/// Whether a sink has to be written with `uniqueWriterIdentity`: one with an identity of its own must be, or the service refuses.
fn has_own_writer(sink: &Value) -> bool {
    text(sink, "~writerIdentity") != SHARED_WRITER
}

/// Whether a sink that is made again has the writer that it had. `sinks.create` hands out the service agent that all sinks of one parent
/// share (<https://cloud.google.com/logging/docs/api/reference/rest/v2/sinks/create>); sinks from before that, and those that were given a
/// service account, have another, and what was made for one sink alone is deleted with it
/// (<https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.sinks/delete>).
fn keeps_writer(writer: &str) -> bool {
    let agent = writer.strip_prefix("serviceAccount:service-").and_then(|rest| rest.split_once('@'));
    writer.is_empty()
        || writer == SHARED_WRITER
        || agent.is_some_and(|(_, host)| host == "gcp-sa-logging.iam.gserviceaccount.com")
}

/// Sets parts to what another sink has there, and nothing else. What that one has not is cleared. `live` tells the name, the destination,
/// which every request has to hold, and the writer.
fn update(name: &str, live: &Value, parts: &BTreeSet<&str>, to: &Value) -> Call {
    let mut body = members(live, &BTreeSet::from(["destination", "name"]));
    body.retain(|member, _| !parts.contains(member.as_str()));
    body.extend(members(to, parts));
    let mask = parts.iter().copied().collect::<Vec<_>>().join(",");
    let parameters = json!({
        "sinkName": name, "updateMask": mask, "uniqueWriterIdentity": has_own_writer(live), "body": body,
    });
    Call::gcp("logging", "sinks.update", parameters)
}

fn members(sink: &Value, names: &BTreeSet<&str>) -> Map<String, Value> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), sink.get(*name)?.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_read_in_every_spelling() {
        let spelled =
            ["disabled", "sink.filter", "exclusions[0].filter", "include_children", "sink.bigquery_options.x", ""];
        let parts = spelled.map(part);
        assert_eq!(parts, ["disabled", "filter", "exclusions", "includeChildren", "bigqueryOptions", ""]);
    }

    #[test]
    fn only_the_agents_of_cloud_logging_are_handed_out_again() {
        let kept = [
            "",
            SHARED_WRITER,
            "serviceAccount:service-1@gcp-sa-logging.iam.gserviceaccount.com",
            "serviceAccount:service-org-7@gcp-sa-logging.iam.gserviceaccount.com",
        ];
        assert_eq!(kept.map(keeps_writer), [true; 4]);
        let new = [
            "serviceAccount:p1-2@gcp-sa-logging.iam.gserviceaccount.com",
            "serviceAccount:logs@shop.iam.gserviceaccount.com",
            "serviceAccount:service-1@gcp-sa-logging.iam.gserviceaccount.com.example",
        ];
        assert_eq!(new.map(keeps_writer), [false; 3]);
    }
}
