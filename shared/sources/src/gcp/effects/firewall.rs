//! VPC firewall rules, and rules of firewall policies.
//!
//! Sources: Compute Engine API, `Firewall` and `FirewallPolicyRule`
//! (<https://cloud.google.com/compute/docs/reference/rest/v1/firewalls>). The audit log writes `allowed` and `denied` as `alloweds` and
//! `denieds`.

use ipnet::IpNet;
use onus_core::effect::{Direction, Protocol};
use onus_core::{Doubt, Effects, Json, Opening, address};

use super::seen::{Seen, any, texts};

/// Networks that stand for everybody.
pub(super) const WORLD: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// What a firewall rule opens, as `firewalls.get` answers it or as a request creates it: an opening for each protocol and range of ports, with
/// every source. A rule that is disabled opens nothing; one that denies gives openings with `allow` false. A rule for incoming traffic that
/// names no source at all lets the world in.
pub fn firewall_openings(firewall: &Json<'_>, resource: &str) -> Effects {
    if firewall.get_ci("disabled").as_bool() == Some(true) {
        return Effects::none();
    }
    let direction = direction(firewall);
    let (mut networks, peers, doubts) = sources(firewall, direction);
    if networks.is_empty() && peers.is_empty() && doubts.is_empty() {
        networks.extend(address::parse(WORLD[0]));
    }
    let mut effects = Effects { doubts, ..Effects::none() };
    for (allow, names) in [(true, &["alloweds", "allowed"]), (false, &["denieds", "denied"])] {
        for entry in any(firewall, names).each() {
            let protocol = protocol(any(entry, &["IPProtocol", "ipProtocol"]));
            open(&mut effects, resource, direction, protocol, entry, &networks, &peers, allow, None);
        }
    }
    effects
}

/// `firewalls.insert` and `firewalls.update`, which have the whole rule.
pub(super) fn written(seen: &Seen<'_, '_>) -> Effects {
    let request = seen.request();
    let traffic = any(request, &["alloweds", "allowed", "denieds", "denied"]);
    if traffic.is_null() {
        return Effects::unknown("request.alloweds", "is not part of the record");
    }
    firewall_openings(request, seen.owner().resource)
}

/// `firewalls.patch`, which has only what changed. What decides together with it and is not there is in doubt; a patch of a name, a
/// priority or the logging opens nothing.
pub(super) fn patched(seen: &Seen<'_, '_>) -> Effects {
    const TRAFFIC: [&str; 4] = ["alloweds", "allowed", "denieds", "denied"];
    const PEERS: [&str; 5] = ["sourceRanges", "sourceTags", "sourceServiceAccounts", "destinationRanges", "targetTags"];
    let request = seen.request();
    if request.get_ci("disabled").as_bool() == Some(true) {
        return Effects::none();
    }
    let traffic = !any(request, &TRAFFIC).is_null();
    let from = !any(request, &PEERS[..4]).is_null();
    if traffic && from {
        return firewall_openings(request, seen.owner().resource);
    }
    if traffic {
        return Effects::unknown("request.sourceRanges", "is not part of a patch that leaves it as it was");
    }
    if from || !any(request, &["disabled", "direction"]).is_null() {
        return Effects::unknown("request.alloweds", "is not part of a patch that leaves it as it was");
    }
    Effects::none()
}

/// Rules of firewall policies: `addRule` has the whole rule, `patchRule` may have a part. The priority is the rule's id.
pub(super) fn policy_rule(seen: &Seen<'_, '_>) -> Effects {
    let request = seen.request();
    let rule = if request.get_ci("match").is_null() { request.get_ci("rule") } else { request };
    policy_rule_openings(rule, seen.owner().resource)
}

/// What a rule of a firewall policy opens, as `firewallPolicies.getRule` answers it or as a request creates it. A rule that is disabled, or that
/// leaves traffic to the next one, opens nothing.
pub fn policy_rule_openings(rule: &Json<'_>, resource: &str) -> Effects {
    let matched = rule.get_ci("match");
    if rule.get_ci("disabled").as_bool() == Some(true) {
        return Effects::none();
    }
    let action = rule.get_ci("action").as_str().unwrap_or_default();
    if matched.is_null() || action.is_empty() {
        return Effects::unknown("request.match", "is not part of the record");
    }
    let allow = match action {
        "allow" | "apply_security_profile_group" => true,
        "deny" => false,
        // `goto_next` leaves it to the next rule.
        _ => return Effects::none(),
    };
    let direction = direction(rule);
    let (mut networks, peers, doubts) = policy_sources(matched, direction);
    if networks.is_empty() && peers.is_empty() && doubts.is_empty() {
        networks.extend(WORLD.iter().filter_map(|text| address::parse(text)));
    }
    let id = rule.get_ci("priority").as_i64().map(|priority| priority.to_string());
    let mut effects = Effects { doubts, ..Effects::none() };
    for entry in any(matched, &["layer4Configs", "layer4Config"]).each() {
        let protocol = protocol(any(entry, &["ipProtocol"]));
        open(&mut effects, resource, direction, protocol, entry, &networks, &peers, allow, id.as_deref());
    }
    effects
}

fn direction(rule: &Json<'_>) -> Direction {
    match rule.get_ci("direction").as_str() {
        Some(word) if word.eq_ignore_ascii_case("EGRESS") => Direction::Egress,
        _ => Direction::Ingress,
    }
}

type Sources = (Vec<IpNet>, Vec<String>, Vec<Doubt>);

fn sources(rule: &Json<'_>, direction: Direction) -> Sources {
    let (ranges, others): (&str, &[&str]) = match direction {
        Direction::Ingress => ("sourceRanges", &["sourceTags", "sourceServiceAccounts"]),
        Direction::Egress => ("destinationRanges", &[]),
    };
    gathered(rule, ranges, others, &[])
}

fn policy_sources(matched: &Json<'_>, direction: Direction) -> Sources {
    match direction {
        Direction::Ingress => gathered(
            matched,
            "srcIpRanges",
            &["srcSecureTags", "srcNetworks", "srcRegionCodes", "srcNetworkScope", "srcNetworkType"],
            &["srcAddressGroups", "srcFqdns", "srcThreatIntelligences"],
        ),
        Direction::Egress => gathered(
            matched,
            "destIpRanges",
            &["destRegionCodes", "destNetworkScope", "destNetworkType"],
            &["destAddressGroups", "destFqdns", "destThreatIntelligences"],
        ),
    }
}

/// Networks, other peers, and peers whose addresses the record does not tell.
fn gathered(rule: &Json<'_>, ranges: &str, others: &[&str], untold: &[&str]) -> Sources {
    let (mut networks, mut peers, mut doubts) = (Vec::new(), Vec::new(), Vec::new());
    for text in texts(rule.get_ci(ranges)) {
        match address::parse(text) {
            Some(network) => networks.push(network),
            None => doubts.push(Doubt::new(format!("network {text}"), "cannot be read as a network")),
        }
    }
    for name in others {
        let value = rule.get_ci(name);
        peers.extend(texts(value).map(str::to_owned));
        peers.extend(value.each().iter().filter_map(|tag| tag.get_ci("name").as_str()).map(str::to_owned));
    }
    for name in untold {
        for text in texts(rule.get_ci(name)) {
            doubts.push(Doubt::new(format!("{name} {text}"), "its addresses are not part of the request"));
            peers.push(text.to_owned());
        }
    }
    (networks, peers, doubts)
}

/// A protocol by name or IANA number; `all` is every one, and so is what cannot be read.
fn protocol(value: &Json<'_>) -> Protocol {
    if let Some(number) = value.as_i64() {
        return match number {
            6 => Protocol::Tcp,
            17 => Protocol::Udp,
            1 | 58 => Protocol::Icmp,
            other => u8::try_from(other).map_or(Protocol::Any, Protocol::Other),
        };
    }
    match value.as_str().unwrap_or_default().to_ascii_lowercase().as_str() {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        "icmp" => Protocol::Icmp,
        "ipip" => Protocol::Other(4),
        "esp" => Protocol::Other(50),
        "ah" => Protocol::Other(51),
        "sctp" => Protocol::Other(132),
        _ => Protocol::Any,
    }
}

/// One opening for each range of ports of an entry: `22`, `20-25`, or none for all. A range that cannot be read counts as all ports, with a
/// doubt.
#[allow(
    clippy::too_many_arguments,
    reason = "the parts of an opening, which two shapes of rule hold in different places"
)]
fn open(
    effects: &mut Effects,
    resource: &str,
    direction: Direction,
    protocol: Protocol,
    entry: &Json<'_>,
    networks: &[IpNet],
    peers: &[String],
    allow: bool,
    rule_id: Option<&str>,
) {
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    for port in entry.get_ci("ports").each() {
        let text = port.as_i64().map_or_else(|| port.as_str().unwrap_or_default().to_owned(), |port| port.to_string());
        if let Some(range) = range(&text) {
            ranges.push(range);
        } else {
            effects.doubts.push(Doubt::new(format!("ports {text}"), "cannot be read as ports"));
            ranges.push((0, u16::MAX));
        }
    }
    if ranges.is_empty() {
        ranges.push((0, u16::MAX));
    }
    effects.openings.extend(ranges.into_iter().map(|ports| Opening {
        resource: resource.to_owned(),
        direction,
        protocol,
        ports,
        sources: networks.to_vec(),
        peers: peers.to_vec(),
        rule_id: rule_id.map(str::to_owned),
        allow,
    }));
}

fn range(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
    Some((std::cmp::min(from, to), std::cmp::max(from, to)))
}
