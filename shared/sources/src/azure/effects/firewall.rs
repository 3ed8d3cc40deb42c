//! Firewall rules of database servers and caches: a first and a last address.
//!
//! Source: <https://learn.microsoft.com/azure/azure-sql/database/firewall-configure>. A rule from `0.0.0.0` to `0.0.0.0` is no
//! address: it lets in every service that runs in Azure, of whatever customer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv4Subnets, Ipv6Net, Ipv6Subnets};
use onus_core::effect::{Direction, Protocol};
use onus_core::{Change, Doubt, Effects, Opening};

use super::body::{Body, Extent, text};
use super::{parent, together};

/// What stands in [`Opening::peers`] for everything that runs in Azure.
pub const AZURE_SERVICES: &str = "AzureServices";

/// A rule: one opening of its server.
pub(super) fn rule(body: &Body<'_, '_>) -> Effects {
    let (start, end) = (body.text(range_names(body).0), body.text(range_names(body).1));
    let mut effects = Effects::none();
    let (mut sources, mut peers) = (Vec::new(), Vec::new());
    if start == "0.0.0.0" && end == "0.0.0.0" {
        peers.push(AZURE_SERVICES.to_owned());
    } else if let Some(networks) = networks_of_range(&start, &end) {
        sources = networks;
    } else if start.is_empty() || end.is_empty() {
        return Effects::unknown("request.properties.startIpAddress", "is not part of the request");
    } else {
        effects.doubts.push(Doubt::new(format!("range {start} to {end}"), "cannot be read as addresses"));
    }
    effects.openings.push(Opening {
        resource: parent(&body.id),
        direction: Direction::Ingress,
        protocol: Protocol::Tcp,
        ports: ports(body.kind),
        sources,
        peers,
        rule_id: Some(body.id.to_string()),
        allow: true,
    });
    effects
}

/// All rules of a SQL server at once: `PUT …/firewallRules` with `{"values":[…]}`.
pub(super) fn list(change: &Change<'_>, server: &str) -> Effects {
    let values = change.request.json().get_ci("values").elements();
    if values.is_empty() {
        return Effects::unknown("request.values", "are not part of the record");
    }
    together(values.iter().map(|value| {
        let id = format!("{server}/firewallrules/{}", text(value.get_ci("name"))).to_ascii_lowercase();
        rule(&Body::new("Microsoft.Sql/servers/firewallRules", &id, value, Extent::Part))
    }))
}

/// Redis and Azure SQL spell the two properties differently.
fn range_names(body: &Body<'_, '_>) -> (&'static str, &'static str) {
    if body.property("startIP").is_null() { ("startIpAddress", "endIpAddress") } else { ("startIP", "endIP") }
}

/// The ports that a kind of server listens on.
pub(super) fn ports(kind: &str) -> (u16, u16) {
    let namespace = kind.split('/').next().unwrap_or_default().to_ascii_lowercase();
    match namespace.as_str() {
        "microsoft.sql" | "microsoft.synapse" => (1433, 1433),
        "microsoft.dbforpostgresql" => (5432, 5432),
        "microsoft.dbformysql" | "microsoft.dbformariadb" => (3306, 3306),
        "microsoft.cache" => (6379, 6380),
        _ => (443, 443),
    }
}

/// Every address of both families.
pub(super) fn world() -> Vec<IpNet> {
    let v4 = Ipv4Net::new(Ipv4Addr::UNSPECIFIED, 0).map(IpNet::V4);
    let v6 = Ipv6Net::new(Ipv6Addr::UNSPECIFIED, 0).map(IpNet::V6);
    v4.into_iter().chain(v6).collect()
}

/// The networks that make up a range of addresses, both ends included. `None` when they are no addresses of one family, or stand
/// the wrong way round.
pub fn networks_of_range(first: &str, last: &str) -> Option<Vec<IpNet>> {
    match (first.trim().parse().ok()?, last.trim().parse().ok()?) {
        (IpAddr::V4(first), IpAddr::V4(last)) if first <= last => {
            Some(Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect())
        }
        (IpAddr::V6(first), IpAddr::V6(last)) if first <= last => {
            Some(Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect())
        }
        _ => None,
    }
}
