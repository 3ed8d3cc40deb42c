//! Services with a public endpoint: the switch that opens it, and the list of addresses that narrows it.
//!
//! Sources: the template reference of each kind, <https://learn.microsoft.com/azure/templates/>, and
//! <https://learn.microsoft.com/azure/storage/common/storage-network-security>.

use ipnet::IpNet;
use onus_core::effect::{Direction, Protocol};
use onus_core::{Doubt, Effects, Json, Opening, address};

use super::body::{Body, Extent, member, text};
use super::firewall::{self, AZURE_SERVICES, world};

/// Storage, vaults, managed HSMs, AI services: `publicNetworkAccess` shuts the endpoint; where it is open, `networkAcls` decides. Left out, both
/// let everybody in.
pub(super) fn network_acls(body: &Body<'_, '_>) -> Effects {
    switched(body, "networkAcls", "ipRules", "value")
}

/// A registry: the same, by other names.
pub(super) fn registry(body: &Body<'_, '_>) -> Effects {
    switched(body, "networkRuleSet", "ipRules", "value")
}

fn switched(body: &Body<'_, '_>, acls: &str, rules: &str, value: &str) -> Effects {
    let mut effects = Effects::none();
    if shut(body, &mut effects) {
        return Effects::none();
    }
    let property = format!("{acls}.defaultAction");
    if let Some(action) = body.word(&property, "Allow", &mut effects) {
        if action.eq_ignore_ascii_case("deny") {
            let listed = body.property(&format!("{acls}.{rules}"));
            allow_list(body, listed, value, &format!("{acls}.{rules}"), &mut effects);
        } else {
            effects.openings.push(opening(body, world(), Vec::new(), &property));
        }
    }
    effects
}

/// Cosmos DB: an empty list of addresses lets everybody in, unless virtual networks are asked for.
pub(super) fn cosmos(body: &Body<'_, '_>) -> Effects {
    let mut effects = Effects::none();
    if shut(body, &mut effects) {
        return Effects::none();
    }
    let (rules, filter) = (body.property("ipRules"), body.property("ipRangeFilter"));
    if rules.is_null() && filter.is_null() && body.extent == Extent::Part {
        effects.doubts.push(Doubt::new("request.properties.ipRules", "is not part of the request"));
        return effects;
    }
    let older: Vec<Json<'_>> = text(filter)
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(|entry| Json::String(entry.to_owned().into()))
        .collect();
    if rules.elements().is_empty() && older.is_empty() {
        let by_network = body.property("isVirtualNetworkFilterEnabled").as_bool() == Some(true);
        if !by_network {
            effects.openings.push(opening(body, world(), Vec::new(), "publicNetworkAccess"));
        }
        return effects;
    }
    allow_list(body, rules, "ipAddressOrRange", "ipRules", &mut effects);
    allow_list(body, &Json::Array(older), "", "ipRangeFilter", &mut effects);
    effects
}

/// SQL and other servers with firewall rules of their own: the endpoint is there, and who may use it is for the rules to say.
pub(super) fn public_endpoint(body: &Body<'_, '_>) -> Effects {
    endpoint(body, "publicNetworkAccess")
}

/// Flexible servers keep the switch one level deeper.
pub(super) fn flexible_server(body: &Body<'_, '_>) -> Effects {
    endpoint(body, "network.publicNetworkAccess")
}

fn endpoint(body: &Body<'_, '_>, property: &str) -> Effects {
    let mut effects = Effects::none();
    if let Some(word) = body.word(property, "Enabled", &mut effects)
        && word.eq_ignore_ascii_case("enabled")
    {
        effects.openings.push(opening(body, Vec::new(), vec!["firewallRules".to_owned()], property));
    }
    effects
}

/// The API server of a cluster: open to the world unless it is private or its addresses are listed.
pub(super) fn cluster(body: &Body<'_, '_>) -> Effects {
    let profile = body.property("apiServerAccessProfile");
    if profile.is_null() && body.extent == Extent::Part {
        return Effects::unknown("request.properties.apiServerAccessProfile", "is not part of the request");
    }
    let mut effects = Effects::none();
    let private = member(profile, "enablePrivateCluster").as_bool() == Some(true);
    if private || body.text("publicNetworkAccess").eq_ignore_ascii_case("disabled") {
        return effects;
    }
    let property = "apiServerAccessProfile.authorizedIPRanges";
    let ranges = member(profile, "authorizedIPRanges");
    if ranges.elements().is_empty() {
        effects.openings.push(opening(body, world(), Vec::new(), property));
    } else {
        allow_list(body, ranges, "", property, &mut effects);
    }
    effects
}

/// A container group with a public address: every port it publishes is open to the world.
pub(super) fn container_group(body: &Body<'_, '_>) -> Effects {
    let address = body.property("ipAddress");
    let mut effects = Effects::none();
    if !text(member(address, "type")).eq_ignore_ascii_case("public") {
        return effects;
    }
    for port in member(address, "ports").elements() {
        let Some(number) = member(port, "port").as_i64().and_then(|number| u16::try_from(number).ok()) else {
            continue;
        };
        let udp = text(member(port, "protocol")).eq_ignore_ascii_case("udp");
        effects.openings.push(Opening {
            protocol: if udp { Protocol::Udp } else { Protocol::Tcp },
            ports: (number, number),
            ..opening(body, world(), Vec::new(), "ipAddress.ports")
        });
    }
    effects
}

/// Whether the endpoint is shut for everybody. `SecuredByPerimeter` leaves it to a network security perimeter.
fn shut(body: &Body<'_, '_>, effects: &mut Effects) -> bool {
    body.word("publicNetworkAccess", "Enabled", effects)
        .is_some_and(|word| word.eq_ignore_ascii_case("disabled") || word.eq_ignore_ascii_case("securedbyperimeter"))
}

/// The listed addresses as one opening; `0.0.0.0` stands for everything that runs in Azure.
fn allow_list(body: &Body<'_, '_>, listed: &Json<'_>, value: &str, property: &str, effects: &mut Effects) {
    let (mut sources, mut peers) = (Vec::new(), Vec::new());
    for entry in listed.elements() {
        let written = if value.is_empty() { text(entry) } else { text(member(entry, value)) };
        match address::parse(&written) {
            Some(network) if written.trim() == "0.0.0.0" && network.prefix_len() == 32 => {
                peers.push(AZURE_SERVICES.to_owned());
            }
            Some(network) => sources.push(network),
            None => effects.doubts.push(Doubt::new(format!("network {written}"), "cannot be read as a network")),
        }
    }
    if !sources.is_empty() || !peers.is_empty() {
        effects.openings.push(opening(body, sources, peers, property));
    }
}

fn opening(body: &Body<'_, '_>, sources: Vec<IpNet>, peers: Vec<String>, property: &str) -> Opening {
    Opening {
        resource: body.id.to_string(),
        direction: Direction::Ingress,
        protocol: Protocol::Tcp,
        ports: firewall::ports(body.kind),
        sources,
        peers,
        rule_id: Some(property.to_owned()),
        allow: true,
    }
}
