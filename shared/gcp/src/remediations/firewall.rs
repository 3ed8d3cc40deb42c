//! VPC firewall rules: takes the ranges through which a rule lets the internet in out of its sources, or sets what the change set in it back
//! to what it was, where that is known.
//!
//! Firewall rules have no version token, so a write is not conditional; the operation it answers with is followed to its end.

use std::collections::BTreeSet;

use ipnet::IpNet;
use onus_core::{
    Call, Finding, Image, Json, Known, PlanError, Read, Remediation, Restoration, Safety, Spec, Step, address,
};
use onus_sources::gcp::firewall_openings;
use serde_json::{Map, Value, json};

use super::networks::exposing;
use super::{Write, incomplete, refused, unless_read, unreadable};
use crate::readers::answer::{copy, list, sorted, text, with, without};
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
    caveat: "Where a rule is known from before the change, what the change set in it goes back, unless somebody has changed it since. \
             Where it is not, its sources alone are narrowed: a rule has one list of them for all its ports, so where it let the internet \
             reach a web server's ports too, they close with the rest. Connections that are established may go on. The API has no version token for \
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
        Write::steps(write(finding, None, image))
    }

    fn leaves(&self, finding: &Finding, image: &Image) -> Option<Image> {
        Write::leaves(write(finding, None, image), image)
    }

    fn restoration(&self) -> Option<&dyn Restoration> {
        Some(self)
    }
}

impl Restoration for NarrowFirewall {
    fn reads(&self, finding: &Finding, _: &Known, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Remediation::reads(self, finding, so_far)
    }

    fn plan(&self, finding: &Finding, known: &Known, image: &Image) -> Result<Vec<Step>, PlanError> {
        Write::steps(write(finding, before(finding, known), image))
    }

    fn leaves(&self, finding: &Finding, known: &Known, image: &Image) -> Option<Image> {
        Write::leaves(write(finding, before(finding, known), image), image)
    }
}

/// The rule before the change, if it was there and was read.
fn before<'a>(finding: &Finding, known: &'a Known) -> Option<&'a Value> {
    let resource = finding.change.resources.iter().find(|resource| resource.kind == FIREWALL_KIND)?;
    let before = known.of(resource)?.image.get(FIREWALL);
    (!before.is_null()).then_some(before)
}

fn write(finding: &Finding, before: Option<&Value>, image: &Image) -> Result<Option<Write>, PlanError> {
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
    if let Some(restored) = before.and_then(|before| set_back(finding, before, rule, &ids)) {
        return Ok(Some(restored));
    }
    let ranges = open.join(", ");
    let told = match (before, finding.change.action.ends_with(".insert")) {
        (_, true) => "",
        (Some(_), _) => "; what else the change set stays: which part is whose cannot be told",
        (None, _) => "; what it was before the change is not known",
    };
    let peers = ["sourceTags", "sourceServiceAccounts"].iter().any(|name| !list(rule, name).is_empty());
    let patch = |body: Value| call("firewalls.patch", &ids, body);
    let (step, left) = match (good.is_empty(), peers) {
        (false, _) => (
            Step {
                title: format!("take {ranges} out of the sources of the rule ({} stay){told}", good.join(", ")),
                call: patch(json!({ "sourceRanges": good })),
                inverse: Some(patch(json!({ "sourceRanges": rule.get("sourceRanges") }))),
            },
            with(rule, "sourceRanges", json!(good)),
        ),
        // A merge patch cannot tell "no ranges" from "ranges as they are": the whole rule is written.
        (true, true) => {
            let narrowed = without(rule.clone(), &["sourceRanges"]);
            let step = Step {
                title: format!(
                    "take {ranges} out of the sources of the rule (its tags and service accounts stay){told}"
                ),
                call: call("firewalls.update", &ids, narrowed.clone()),
                inverse: Some(call("firewalls.update", &ids, rule.clone())),
            };
            (step, narrowed)
        }
        (true, false) => (
            Step {
                title: format!("disable the rule, whose only sources are {ranges}{told}"),
                call: patch(json!({ "disabled": true })),
                inverse: Some(patch(json!({ "disabled": false }))),
            },
            with(rule, "disabled", json!(true)),
        ),
    };
    Ok(Some(Write { step, key: FIREWALL, left }))
}

/// Sets the members back that the change set. Only where each of them still is as the change set it, and where the rule was no opening
/// before: else nobody can tell whose doing the opening is, and narrowing it is all that is safe.
fn set_back(finding: &Finding, before: &Value, rule: &Value, ids: &Value) -> Option<Write> {
    let opened = firewall_openings(&Json::from_value(before), "");
    if !opened.exposures().is_empty() || !opened.doubts.is_empty() {
        return None;
    }
    let asked = finding.request.as_object()?;
    let mut members = Vec::new();
    for (name, value) in asked.iter().filter(|(name, _)| !UNSET.contains(&name.as_str())) {
        // The audit log writes these two in the plural.
        let name = match name.as_str() {
            "alloweds" => "allowed",
            "denieds" => "denied",
            other => other,
        };
        if !is_same(Some(value), rule.get(name)) {
            return None;
        }
        if !is_same(rule.get(name), before.get(name)) {
            members.push(name);
        }
    }
    let mut left = rule.clone();
    for name in &members {
        copy(&mut left, before, name);
    }
    if members.is_empty() || !firewall_openings(&Json::from_value(&left), "").exposures().is_empty() {
        return None;
    }
    // A merge patch cannot clear a list: then the whole rule is written.
    let whole = members.iter().any(|name| before.get(*name).is_none() || rule.get(*name).is_none());
    let only = |from: &Value| {
        let kept = members.iter().filter_map(|name| Some(((*name).to_owned(), from.get(*name)?.clone())));
        Value::Object(kept.collect())
    };
    let to = |target: &Value| {
        if whole { call("firewalls.update", ids, target.clone()) } else { call("firewalls.patch", ids, only(target)) }
    };
    let step = Step {
        title: format!("set {} of the rule back to what they were before the change", members.join(", ")),
        call: to(&left),
        inverse: Some(to(rule)),
    };
    Some(Write { step, key: FIREWALL, left })
}

/// Members of a request that set nothing.
const UNSET: [&str; 8] = ["@type", "creationTimestamp", "fingerprint", "id", "kind", "name", "network", "selfLink"];

/// Whether two values of a member mean the same: lists are sets, numbers may be texts, and nothing is as good as empty.
fn is_same(one: Option<&Value>, other: Option<&Value>) -> bool {
    let plain = |value: Option<&Value>| match sorted(value.unwrap_or(&Value::Null)) {
        Value::Number(number) => Value::String(number.to_string()),
        Value::Array(elements) if elements.is_empty() => Value::Null,
        Value::String(text) if text.is_empty() => Value::Null,
        Value::Bool(false) => Value::Null,
        other => other,
    };
    plain(one) == plain(other)
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
