//! VPC firewall rules: takes the ranges through which a rule lets the internet in out of its sources.
//!
//! Firewall rules have no version token, so a write is not conditional; the operation it answers with is followed to its end.

use std::collections::BTreeSet;

use ipnet::IpNet;
use onus_core::{Call, Finding, Image, PlanError, Read, Remediation, Safety, Spec, Step, address};
use serde_json::{Map, Value, json};

use super::networks::exposing;
use super::{Write, incomplete, refused, unless_read, unreadable};
use crate::readers::answer::{list, text, with, without};
use crate::readers::asset::Asset;
use crate::readers::compute::{FIREWALL, FIREWALL_KIND, firewall, firewall_ids};

/// See the [module docs](self).
pub(crate) struct NarrowFirewall;

static SPEC: Spec = Spec {
    id: "gcp.compute.narrow_firewall",
    title: "Takes the ranges that let the internet in out of the firewall rule, or disables it when none is left",
    safety: Safety::Automatic,
    kind: FIREWALL_KIND,
    reads: &["compute:firewalls.get"],
    writes: &["compute:firewalls.patch", "compute:firewalls.update"],
    undo: &["compute:firewalls.patch", "compute:firewalls.update"],
    caveat: "A rule has one list of sources for all its ports: where it let the internet reach a web server's ports too, \
             they close with the rest. Connections that are established may go on. The API has no version token for \
             firewall rules: a change that somebody makes within the same second may be lost.",
};

impl Remediation for NarrowFirewall {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, firewall(&ids(finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        Write::steps(write(finding, image))
    }

    fn leaves(&self, finding: &Finding, image: &Image) -> Option<Image> {
        Write::leaves(write(finding, image), image)
    }
}

fn write(finding: &Finding, image: &Image) -> Result<Option<Write>, PlanError> {
    let ids = ids(finding)?;
    let rule = image.get(FIREWALL);
    if rule.is_null() || rule.get("disabled") == Some(&Value::Bool(true)) || list(rule, "allowed").is_empty() {
        return Ok(None);
    }
    if text(rule, "direction").eq_ignore_ascii_case("EGRESS") {
        return Err(refused(&SPEC, "the rule is one for outgoing traffic, whose sources are the own network"));
    }
    let bad = exposing(finding);
    let (open, good) = split(rule, &bad)?;
    if open.is_empty() {
        return Ok(None);
    }
    let ranges = open.join(", ");
    let peers = ["sourceTags", "sourceServiceAccounts"].iter().any(|name| !list(rule, name).is_empty());
    let patch = |body: Value| call("firewalls.patch", &ids, body);
    let (step, left) = match (good.is_empty(), peers) {
        (false, _) => (
            Step {
                title: format!("take {ranges} out of the sources of the rule ({} stay)", good.join(", ")),
                call: patch(json!({ "sourceRanges": good })),
                inverse: Some(patch(json!({ "sourceRanges": rule.get("sourceRanges") }))),
            },
            with(rule, "sourceRanges", json!(good)),
        ),
        // A merge patch cannot tell "no ranges" from "ranges as they are": the whole rule is written.
        (true, true) => {
            let narrowed = without(rule.clone(), &["sourceRanges"]);
            let step = Step {
                title: format!("take {ranges} out of the sources of the rule (its tags and service accounts stay)"),
                call: call("firewalls.update", &ids, narrowed.clone()),
                inverse: Some(call("firewalls.update", &ids, rule.clone())),
            };
            (step, narrowed)
        }
        (true, false) => (
            Step {
                title: format!("disable the rule, whose only sources are {ranges}"),
                call: patch(json!({ "disabled": true })),
                inverse: Some(patch(json!({ "disabled": false }))),
            },
            with(rule, "disabled", json!(true)),
        ),
    };
    Ok(Some(Write { step, key: FIREWALL, left }))
}

fn ids(finding: &Finding) -> Result<Value, PlanError> {
    let asset = Asset::of_finding(finding, FIREWALL_KIND);
    asset.as_ref().and_then(firewall_ids).ok_or_else(|| incomplete(&SPEC, "the firewall rule"))
}

/// A rule's ranges that let the internet in, and its others, as it writes them. A rule that names no source at all has the
/// internet as its only one.
fn split(rule: &Value, bad: &BTreeSet<IpNet>) -> Result<(Vec<String>, Vec<String>), PlanError> {
    let sources = ["sourceRanges", "sourceTags", "sourceServiceAccounts"];
    if sources.iter().all(|name| list(rule, name).is_empty()) {
        let everywhere = "0.0.0.0/0";
        let is_bad = address::parse(everywhere).is_some_and(|network| bad.contains(&network));
        return Ok((if is_bad { vec![everywhere.to_owned()] } else { Vec::new() }, Vec::new()));
    }
    let (mut open, mut good) = (Vec::new(), Vec::new());
    for range in list(rule, "sourceRanges") {
        let written = range.as_str().unwrap_or_default();
        let network = address::parse(written)
            .ok_or_else(|| unreadable(&SPEC, "sourceRanges", &format!("holds {range}, which is no network")))?;
        if bad.contains(&network) { &mut open } else { &mut good }.push(written.to_owned());
    }
    Ok((open, good))
}

fn call(method: &str, ids: &Value, body: Value) -> Call {
    let mut parameters: Map<String, Value> = ids.as_object().cloned().unwrap_or_default();
    parameters.insert("body".to_owned(), body);
    Call::gcp("compute", method, Value::Object(parameters))
}
