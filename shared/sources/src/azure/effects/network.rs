//! Network security groups and their rules.
//!
//! Source: <https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview>. A group's rules are asked in the
//! order of their priority, lowest number first, and the first that fits decides; its default rules let nothing in from the internet.

use ipnet::IpNet;
use onus_core::effect::{Direction, Protocol};
use onus_core::{Change, Doubt, Effects, Opening};

use super::body::{Body, Extent, member, text};
use super::firewall::{networks_of_range, world};
use super::parent;

/// A security rule, read.
struct Rule {
    id: String,
    allow: bool,
    priority: i64,
    direction: Direction,
    protocol: Protocol,
    ports: Vec<(u16, u16)>,
    /// Where traffic may come from, or, outbound, go to.
    far: Side,
    /// Where it may go to, or come from.
    near: Side,
}

/// One end of a rule: addresses, and what is none.
#[derive(Default)]
struct Side {
    networks: Vec<IpNet>,
    peers: Vec<String>,
    unreadable: Vec<String>,
}

impl Side {
    /// Whether it takes in every address.
    fn is_everything(&self) -> bool {
        self.networks.iter().any(|network| network.prefix_len() == 0)
    }

    /// Whether whatever the other takes in is taken in by this.
    fn covers(&self, other: &Side) -> bool {
        self.is_everything()
            || other.networks.iter().all(|net| self.networks.iter().any(|mine| mine.contains(net)))
                && other.peers.iter().all(|peer| self.peers.contains(peer))
                && other.unreadable.is_empty()
    }
}

/// One security rule: an opening of its group for each range of ports. A deny rule opens nothing.
pub(super) fn rule(body: &Body<'_, '_>) -> Effects {
    let mut effects = Effects::none();
    let rule = read(body, body.id.to_string(), body.extent, &mut effects);
    open(&mut effects, &parent(&body.id), &rule);
    effects
}

/// A whole group: its rules, less those that a deny rule before them makes void.
pub(super) fn group(body: &Body<'_, '_>) -> Effects {
    let mut effects = Effects::none();
    if body.property("securityRules").is_null() && body.extent == Extent::Part {
        return Effects::unknown("request.properties.securityRules", "is not part of the request");
    }
    let mut rules: Vec<Rule> = body
        .property("securityRules")
        .elements()
        .iter()
        .map(|json| {
            let id = match text(json.get_ci("id")) {
                id if id.is_empty() => format!("{}/securityrules/{}", body.id, text(json.get_ci("name"))),
                id => id.into_owned(),
            };
            let id = id.to_ascii_lowercase();
            // Within a group every rule is told in full.
            let rule = Body::new(body.kind, &id, json, Extent::Whole);
            read(&rule, id.clone(), Extent::Whole, &mut effects)
        })
        .collect();
    rules.sort_by_key(|rule| rule.priority);
    let mut denies: Vec<&Rule> = Vec::new();
    for rule in &rules {
        if !rule.allow {
            denies.push(rule);
        } else if !denies.iter().any(|deny| voids(deny, rule)) {
            open(&mut effects, &body.id, rule);
        }
    }
    effects
}

/// A rule that is gone opens something when it denied.
pub(super) fn rule_deleted(change: &Change<'_>) -> Effects {
    let name = change.resource().map(|rule| rule.name.as_ref()).unwrap_or_default();
    Effects::unknown(
        format!("security rule {name}"),
        "is deleted, and the record does not tell whether it allowed or denied",
    )
}

/// Whether nothing that `rule` allows comes past `deny`, which is asked before it.
fn voids(deny: &Rule, rule: &Rule) -> bool {
    deny.priority < rule.priority
        && deny.direction == rule.direction
        && (deny.protocol == Protocol::Any || deny.protocol == rule.protocol)
        && rule.ports.iter().all(|(from, to)| deny.ports.iter().any(|(first, last)| first <= from && to <= last))
        && deny.far.covers(&rule.far)
        && deny.near.covers(&rule.near)
}

fn read(body: &Body<'_, '_>, id: String, extent: Extent, effects: &mut Effects) -> Rule {
    let outbound = match body.text("direction").to_ascii_lowercase().as_str() {
        "outbound" => true,
        "inbound" => false,
        _ => {
            effects.doubts.push(Doubt::new("request.properties.direction", "is not told"));
            false
        }
    };
    let (far, near) = if outbound { ("destination", "source") } else { ("source", "destination") };
    let deny = body.text("access").eq_ignore_ascii_case("deny");
    Rule {
        id,
        allow: !deny,
        priority: body.property("priority").as_i64().unwrap_or(i64::MAX),
        direction: if outbound { Direction::Egress } else { Direction::Ingress },
        protocol: protocol(&body.text("protocol")),
        ports: ports(body, extent, effects),
        far: side(body, far),
        near: side(body, near),
    }
}

fn open(effects: &mut Effects, group: &str, rule: &Rule) {
    if !rule.allow {
        return;
    }
    for unreadable in &rule.far.unreadable {
        effects.doubts.push(Doubt::new(format!("network {unreadable}"), "cannot be read as a network"));
    }
    if rule.far.networks.is_empty() && rule.far.peers.is_empty() && rule.far.unreadable.is_empty() {
        effects.doubts.push(Doubt::new(format!("addresses of security rule {}", rule.id), "are not told"));
    }
    for ports in &rule.ports {
        effects.openings.push(Opening {
            resource: group.to_owned(),
            direction: rule.direction,
            protocol: rule.protocol,
            ports: *ports,
            sources: rule.far.networks.clone(),
            peers: rule.far.peers.clone(),
            rule_id: Some(rule.id.clone()),
            allow: true,
        });
    }
}

/// One end of a rule: the singular property, the plural one, and application security groups.
fn side(body: &Body<'_, '_>, end: &str) -> Side {
    let mut side = Side::default();
    for name in [format!("{end}AddressPrefix"), format!("{end}AddressPrefixes")] {
        for prefix in body.property(&name).each() {
            for prefix in text(prefix).split(',').map(str::trim).filter(|prefix| !prefix.is_empty()) {
                address(prefix, &mut side);
            }
        }
    }
    for group in body.property(&format!("{end}ApplicationSecurityGroups")).elements() {
        side.peers.push(text(member(group, "id")).to_ascii_lowercase());
    }
    side
}

/// The networks of one address prefix of a rule: an address, a network, a range, or everything, for which the tag `Internet` stands
/// too. `None` for other service tags, whose addresses are Azure's to know, and for what is none of these.
pub fn networks_of_prefix(prefix: &str) -> Option<Vec<IpNet>> {
    if prefix == "*" || prefix.eq_ignore_ascii_case("any") || prefix.eq_ignore_ascii_case("internet") {
        return Some(world());
    }
    let one = onus_core::address::parse(prefix).map(|network| vec![network]);
    one.or_else(|| prefix.split_once('-').and_then(|(from, to)| networks_of_range(from, to)))
}

/// What a prefix is to a side.
fn address(prefix: &str, into: &mut Side) {
    if let Some(networks) = networks_of_prefix(prefix) {
        into.networks.extend(networks);
    } else if prefix.starts_with(|first: char| first.is_ascii_alphabetic()) && !prefix.contains([':', '/']) {
        into.peers.push(prefix.to_owned());
    } else {
        into.unreadable.push(prefix.to_owned());
    }
}

fn protocol(text: &str) -> Protocol {
    match text.to_ascii_lowercase().as_str() {
        "tcp" | "6" => Protocol::Tcp,
        "udp" | "17" => Protocol::Udp,
        "icmp" | "1" => Protocol::Icmp,
        "esp" => Protocol::Other(50),
        "ah" => Protocol::Other(51),
        _ => Protocol::Any,
    }
}

/// `*`, `22`, `8000-8080`, a list of these. Ports that are not told are all of them, with a doubt.
fn ports(body: &Body<'_, '_>, extent: Extent, effects: &mut Effects) -> Vec<(u16, u16)> {
    let mut ports = Vec::new();
    let mut unreadable = false;
    for name in ["destinationPortRange", "destinationPortRanges"] {
        for range in body.property(name).each() {
            for range in text(range).split(',').map(str::trim).filter(|range| !range.is_empty()) {
                match port_range(range) {
                    Some(range) => ports.push(range),
                    None => unreadable = true,
                }
            }
        }
    }
    if unreadable {
        effects.doubts.push(Doubt::new("request.properties.destinationPortRange", "cannot be read as ports"));
    }
    if ports.is_empty() {
        if extent == Extent::Part && !unreadable {
            effects.doubts.push(Doubt::new("request.properties.destinationPortRange", "is not part of the request"));
        }
        ports.push((0, u16::MAX));
    }
    ports
}

fn port_range(text: &str) -> Option<(u16, u16)> {
    if text == "*" || text.eq_ignore_ascii_case("any") {
        return Some((0, u16::MAX));
    }
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
    (from <= to).then_some((from, to))
}
