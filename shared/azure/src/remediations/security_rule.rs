//! Network security groups: takes the sources out of the change's rules through which the internet came in, and no others. A rule that the
//! change overwrote goes back to what it was, where that is known and nobody has changed it since.

use std::collections::BTreeMap;

use ipnet::IpNet;
use onus_core::effect::Protocol;
use onus_core::plan::live;
use onus_core::{
    Call, Effects, Finding, Image, Json, Known, Opening, PlanError, Read, Remediation, Restoration, Safety, Spec, Step,
    address,
};
use onus_sources::azure::effects::networks_of_prefix;
use serde_json::{Value, json};

use super::overwritten::Overwritten;
use super::{answered_id, refused, remembered, subject, unless_read, unreadable};
use crate::operations::ResourceId;
use crate::readers::arm::{self, IF_MATCH, call, elements, pick, text};
use crate::readers::network::{ETAGS, GROUP, GROUP_KIND, RULE_KIND, group, lets_in, openings, sources};

/// See the [module docs](self).
pub(crate) struct RemoveSources;

const PUT: &str = "Microsoft.Network:SecurityRules_CreateOrUpdate";
const DELETE: &str = "Microsoft.Network:SecurityRules_Delete";

static SPEC: Spec = Spec {
    id: "azure.network.remove_security_rule_sources",
    title: "Takes the sources out of the security rules through which the change let the internet in",
    safety: Safety::Automatic,
    kind: GROUP_KIND,
    reads: &["Microsoft.Network:NetworkSecurityGroups_Get"],
    writes: &[PUT, DELETE],
    undo: &[PUT],
    caveat: "A rule has one list of sources for all its ports: a web server's port in the same rule closes with the others. A \
             rule for a web server's ports alone (80, 443) stays when the same change exposed other ports. Where the change \
             wrote a whole group, every rule in its request counts as the change's, and rules that it left out do not come back. A rule \
             without any source left is deleted. A rule that was there before and is known goes back to what it was, unless somebody has \
             changed it since or the record holds no request. Connections that are established may go on.",
};

impl Remediation for RemoveSources {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, group(&subject(&SPEC, finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        Ok(steps(taken(finding, None, image)?, image))
    }

    fn leaves(&self, finding: &Finding, image: &Image) -> Option<Image> {
        left(&taken(finding, None, image).ok()?, image)
    }

    fn restoration(&self) -> Option<&dyn Restoration> {
        Some(self)
    }
}

impl Restoration for RemoveSources {
    fn reads(&self, finding: &Finding, _: &Known, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Remediation::reads(self, finding, so_far)
    }

    fn plan(&self, finding: &Finding, known: &Known, image: &Image) -> Result<Vec<Step>, PlanError> {
        Ok(steps(taken(finding, remembered(finding, known, GROUP_KIND, GROUP), image)?, image))
    }

    fn leaves(&self, finding: &Finding, known: &Known, image: &Image) -> Option<Image> {
        left(&taken(finding, remembered(finding, known, GROUP_KIND, GROUP), image).ok()?, image)
    }
}

fn steps(taken: Vec<Taken>, image: &Image) -> Vec<Step> {
    let mut steps: Vec<Step> = taken.into_iter().map(|taken| taken.step).collect();
    guard(&mut steps, image.get(GROUP));
    steps
}

/// The group after the steps.
fn left(taken: &[Taken], image: &Image) -> Option<Image> {
    if taken.iter().all(|taken| taken.left.is_none()) {
        return None; // rules that are made again touch no other
    }
    let mut left = image.clone();
    let rules = left.0.get_mut(GROUP)?.pointer_mut("/properties/securityRules")?.as_array_mut()?;
    for taken in taken.iter().rev() {
        match &taken.left {
            Some(properties) => *rules.get_mut(taken.index)?.get_mut("properties")? = properties.clone(),
            None => drop(rules.remove(taken.index)),
        }
    }
    Some(left)
}

/// What happens to one rule.
struct Taken {
    /// Which rule, in the order of the image.
    index: usize,
    step: Step,
    /// Its properties afterwards; `None` when it is deleted.
    left: Option<Value>,
}

/// What has to happen, in the order of the image. `before` is the group as it was known before the change.
fn taken(finding: &Finding, before: Option<&Value>, image: &Image) -> Result<Vec<Taken>, PlanError> {
    let id = subject(&SPEC, finding)?;
    let live = image.get(GROUP);
    if live.is_null() {
        return Ok(Vec::new());
    }
    answered_id(&SPEC, live, id.as_str())?;
    let rules = elements(live.pointer("/properties/securityRules").unwrap_or(&Value::Null));
    let made = made(finding)?;
    let overwritten = Overwritten { finding, before };
    let mut opened = opened_now(finding, rules, &id, &made)?;
    // A web server's rule that is as it was before is none of the change's.
    opened.retain(|index, _| {
        rules.get(*index).is_some_and(|rule| !(is_web_alone(rule, &id) && overwritten.is_as_before(rule)))
    });
    // What goes back goes back together. Where that would leave one of them open, as it was before, nothing does.
    let mut restored = overwritten.restorable(rules, opened.keys());
    if !restored.is_empty() {
        let mut then = rules.to_vec();
        for (index, properties) in &restored {
            if let Some(members) = then.get_mut(*index).and_then(Value::as_object_mut) {
                members.insert("properties".to_owned(), properties.clone());
            }
        }
        let still = offending(&then, &id, &made)?;
        let is_open = |index: &usize| then.get(*index).is_some_and(|rule| !is_web_alone(rule, &id));
        if restored.keys().any(|index| still.contains_key(index) && is_open(index)) {
            restored.clear();
        }
    }
    let rules = opened.iter().filter_map(|(index, prefixes)| Some((*index, rules.get(*index)?, prefixes)));
    rules
        .map(|(index, rule, prefixes)| match restored.remove(&index) {
            Some(properties) => put_back(&id, index, rule, properties),
            None => take_out(&id, index, rule, prefixes, overwritten.told(text(rule, "/name"))),
        })
        .collect()
}

/// Of the change's rules, by index, the sources that the change opened and that make an exposure now. A web server's own rule is let be
/// where others are what is wrong.
fn opened_now(
    finding: &Finding,
    rules: &[Value],
    id: &ResourceId,
    made: &[String],
) -> Result<BTreeMap<usize, Vec<String>>, PlanError> {
    let mut offending = offending(rules, id, made)?;
    if !offending.is_empty() && finding.effects.openings.is_empty() {
        return Err(PlanError::Incomplete { remediation: SPEC.id, missing: "what the change opened" });
    }
    offending.retain(|index, prefixes| {
        let name = rules.get(*index).map(|rule| text(rule, "/name")).unwrap_or_default();
        prefixes.retain(|prefix| was_opened(finding, name, prefix));
        !prefixes.is_empty()
    });
    let is_web = |index: &usize| rules.get(*index).is_none_or(|rule| is_web_alone(rule, id));
    if !offending.keys().all(is_web) {
        offending.retain(|index, _| !is_web(index));
    }
    Ok(offending)
}

/// The names of the rules that the change wrote.
fn made(finding: &Finding) -> Result<Vec<String>, PlanError> {
    let resources = finding.change.resources.iter();
    let rules = resources.filter_map(|one| ResourceId::parse(&one.id).ok()).filter(|id| id.is_of(RULE_KIND));
    let mut made: Vec<String> = rules.filter_map(|id| id.as_str().rsplit('/').next().map(str::to_owned)).collect();
    if made.is_empty() {
        let request = Json::from_value(&finding.request);
        let written = request.get_ci("properties").get_ci("securityRules").each();
        made.extend(written.iter().filter_map(|rule| rule.get_ci("name").as_str()).map(str::to_owned));
    }
    if made.is_empty() {
        return Err(refused(&SPEC, "the record does not tell which of the group's rules the change wrote"));
    }
    Ok(made)
}

/// Of the change's rules, by index, the sources that make an exposure to the internet.
fn offending(rules: &[Value], id: &ResourceId, made: &[String]) -> Result<BTreeMap<usize, Vec<String>>, PlanError> {
    let is_made = |rule: &Value| made.iter().any(|name| name.eq_ignore_ascii_case(text(rule, "/name")));
    let mut owners = Vec::new();
    let mut effects = Effects::none();
    for (index, rule) in rules.iter().enumerate().filter(|(_, rule)| lets_in(rule)) {
        let Some(opened) = openings(rule, id) else {
            // Not ours to judge, unless the change wrote it.
            if is_made(rule) {
                return Err(unreadable(&SPEC, text(rule, "/name"), &"has a protocol or port that is not understood"));
            }
            continue;
        };
        owners.extend(opened.iter().map(|_| index));
        effects.openings.extend(opened);
    }
    let mut found: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for exposure in effects.exposures() {
        let mut taking: Vec<usize> = exposure.openings.iter().filter_map(|index| owners.get(*index).copied()).collect();
        taking.dedup();
        for (index, prefix) in making(&taking, rules) {
            if rules.get(index).is_some_and(is_made) {
                let prefixes = found.entry(index).or_default();
                if !prefixes.iter().any(|known| known == prefix) {
                    prefixes.push(prefix.to_owned());
                }
            }
        }
    }
    Ok(found)
}

/// Of the sources of rules that hold an exposed port, those that make it exposed. The smallest stay as long as they do not add
/// up to the internet: an office's address beside `*` is not what is wrong. Sources of one size share one fate, so that the
/// internet in equal pieces goes whole.
fn making<'a>(taking: &[usize], rules: &'a [Value]) -> Vec<(usize, &'a str)> {
    let mut pool: Vec<(u64, usize, &str, Vec<IpNet>)> = Vec::new();
    for (index, rule) in taking.iter().filter_map(|index| Some((*index, rules.get(*index)?))) {
        for prefix in sources(rule) {
            if let Some(networks) = networks_of_prefix(prefix) {
                pool.push((reach(&networks), index, prefix, networks));
            }
        }
    }
    pool.sort_by_key(|(reach, ..)| *reach);
    let mut kept: Vec<IpNet> = Vec::new();
    let mut making = Vec::new();
    for group in pool.chunk_by(|one, other| one.0 == other.0) {
        let more: Vec<IpNet> = kept.iter().copied().chain(group.iter().flat_map(|one| one.3.iter().copied())).collect();
        if making.is_empty() && !address::is_internet(more.iter().copied()) {
            kept = more;
        } else {
            making.extend(group.iter().map(|(_, index, prefix, _)| (*index, *prefix)));
        }
    }
    making
}

/// How much of the internet a set of networks is, in IPv4 addresses; IPv6 is scaled to the same threshold.
fn reach(sources: &[IpNet]) -> u64 {
    let coverage = address::coverage(sources.iter().copied());
    let scale = address::INTERNET_V4 / address::INTERNET_V6_SLASH_32;
    coverage.v4.max(coverage.v6_slash_32.saturating_mul(scale))
}

/// Whether the change opened its rule to a source that the rule has now: one that somebody added since is not the change's.
fn was_opened(finding: &Finding, rule: &str, prefix: &str) -> bool {
    let networks = networks_of_prefix(prefix).unwrap_or_default();
    let of_rule = |opening: &&Opening| {
        let id = opening.rule_id.as_deref().unwrap_or(rule);
        id.rsplit('/').next().is_some_and(|name| name.eq_ignore_ascii_case(rule))
    };
    let opened: Vec<IpNet> =
        finding.effects.openings.iter().filter(of_rule).flat_map(|one| one.sources.clone()).collect();
    networks.iter().all(|network| opened.iter().any(|open| open.contains(network)))
}

/// TCP 80 or 443, or UDP 443 (HTTP/3), and nothing beside it.
fn is_web(opened: &Opening) -> bool {
    matches!((opened.protocol, opened.ports), (Protocol::Tcp, (80, 80) | (443, 443)) | (Protocol::Udp, (443, 443)))
}

/// The id of a live rule, to write to.
fn rule_id(group: &ResourceId, rule: &Value) -> Result<String, PlanError> {
    let name = text(rule, "/name");
    let id = answered_id(&SPEC, rule, &format!("{group}/securityRules/{name}"))?;
    ResourceId::parse(&id).map_err(|error| unreadable(&SPEC, name, &error))?;
    Ok(id)
}

/// Sets a rule back to the properties that it had.
fn put_back(group: &ResourceId, index: usize, rule: &Value, properties: Value) -> Result<Taken, PlanError> {
    let id = rule_id(group, rule)?;
    let name = text(rule, "/name");
    let step = Step {
        title: format!("set security rule `{name}` back to what it was before the change"),
        call: call(PUT, &id, Some(json!({ "properties": properties }))),
        inverse: Some(arm::call(PUT, &id, Some(pick(rule, &["properties"])))),
    };
    Ok(Taken { index, step, left: Some(properties) })
}

/// Whether a rule opens the ports of a web server and no other.
fn is_web_alone(rule: &Value, group: &ResourceId) -> bool {
    openings(rule, group).unwrap_or_default().iter().all(is_web)
}

/// Takes sources out of a rule; deletes it when no source is left. `told` is what there is to say of the rest of it.
fn take_out(
    group: &ResourceId,
    index: usize,
    rule: &Value,
    prefixes: &[String],
    told: &str,
) -> Result<Taken, PlanError> {
    let name = text(rule, "/name");
    let id = rule_id(group, rule)?;
    let whole = pick(rule, &["properties"]);
    let left: Vec<&str> =
        sources(rule).into_iter().filter(|source| !prefixes.iter().any(|prefix| prefix == source)).collect();
    let by_group = rule.pointer("/properties/sourceApplicationSecurityGroups").is_some();
    let gone = prefixes.join(", ");
    let (title, call, left) = if left.is_empty() && !by_group {
        (format!("delete security rule `{name}`: it has no source but {gone}{told}"), call(DELETE, &id, None), None)
    } else {
        let title = format!("take {gone} out of security rule `{name}` (keeping {}){told}", left.join(", "));
        let narrowed = narrowed(&whole, &left);
        let properties = narrowed.get("properties").cloned();
        (title, call(PUT, &id, Some(narrowed)), properties)
    };
    let inverse = arm::call(PUT, &id, Some(whole));
    Ok(Taken { index, step: Step { title, call, inverse: Some(inverse) }, left })
}

/// A rule with these sources and no others.
fn narrowed(whole: &Value, left: &[&str]) -> Value {
    let mut narrowed = whole.clone();
    if let Some(Value::Object(properties)) = narrowed.get_mut("properties") {
        properties.remove("sourceAddressPrefix");
        properties.remove("sourceAddressPrefixes");
        match left {
            [] => {}
            [one] => drop(properties.insert("sourceAddressPrefix".to_owned(), json!(one))),
            many => drop(properties.insert("sourceAddressPrefixes".to_owned(), json!(many))),
        }
    }
    narrowed
}

/// Makes the first call of a plan, and the first of its undo, conditional on the entity tag that was read, so that nobody's
/// change in between is overwritten. The calls after it cannot be: every write below a group changes the tags of all its
/// rules. A rule that is made again has no tag.
fn guard(steps: &mut [Step], live_group: &Value) {
    let name = |call: &Call| text(&call.parameters, "/id").rsplit('/').next().unwrap_or_default().to_owned();
    if let Some(first) = steps.first_mut() {
        let tag = live_group.get(ETAGS).and_then(|tags| tags.get(name(&first.call))).cloned();
        if let (Some(tag), Value::Object(parameters)) = (tag, &mut first.call.parameters) {
            parameters.insert(IF_MATCH.to_owned(), tag);
        }
    }
    if let Some(Step { call, inverse: Some(inverse), .. }) = steps.last_mut()
        && call.operation == "SecurityRules_CreateOrUpdate"
    {
        let tag = live(&[GROUP, ETAGS, &name(inverse)]);
        if let Value::Object(parameters) = &mut inverse.parameters {
            parameters.insert(IF_MATCH.to_owned(), tag);
        }
    }
}
