//! External addresses of virtual machines.
//!
//! Source: Compute Engine API, `Instance.networkInterfaces`
//! (<https://cloud.google.com/compute/docs/reference/rest/v1/instances>).

use onus_core::effect::{Direction, Protocol};
use onus_core::{Effects, Json, Opening, address};

use super::firewall::WORLD;
use super::seen::{Seen, any};

/// The external addresses of an instance, as `instances.get` answers it or as a request creates it: an opening from the world to every port
/// for each access configuration, whose name (or else `External NAT`) is the opening's `rule_id`.
///
/// Such an opening is a path that only firewall rules close. An entry that looks empty, `{}`, asks for an ephemeral address.
pub fn instance_openings(instance: &Json<'_>, resource: &str) -> Effects {
    let openings = instance
        .get_ci("networkInterfaces")
        .each()
        .iter()
        .flat_map(|interface| {
            let v4 = interface.get_ci("accessConfigs").each().iter().map(|entry| (entry, WORLD[0]));
            let v6 = interface.get_ci("ipv6AccessConfigs").each().iter().map(|entry| (entry, WORLD[1]));
            v4.chain(v6)
        })
        .map(|(entry, world)| opening(entry, world, resource))
        .collect();
    Effects { openings, ..Effects::none() }
}

/// `instances.insert` and `instances.bulkInsert`. What a template brings is not part of the request.
pub(super) fn created(seen: &Seen<'_, '_>) -> Effects {
    let request = seen.request();
    let body = match request.get_ci("instanceProperties") {
        Json::Null => request,
        properties => properties,
    };
    if !body.get_ci("networkInterfaces").is_null() {
        return instance_openings(body, seen.owner().resource);
    }
    let about = if any(request, &["sourceInstanceTemplate", "sourceMachineImage"]).is_null() {
        "request.networkInterfaces"
    } else {
        "request.sourceInstanceTemplate"
    };
    Effects::unknown(about, "does not tell the network interfaces")
}

/// `instances.addAccessConfig`.
pub(super) fn access_config_added(seen: &Seen<'_, '_>) -> Effects {
    let request = seen.request();
    let world = match request.get_ci("type").as_str() {
        Some("DIRECT_IPV6") => WORLD[1],
        _ => WORLD[0],
    };
    Effects { openings: vec![opening(request, world, seen.owner().resource)], ..Effects::none() }
}

fn opening(entry: &Json<'_>, world: &str, resource: &str) -> Opening {
    Opening {
        resource: resource.to_owned(),
        direction: Direction::Ingress,
        protocol: Protocol::Any,
        ports: (0, u16::MAX),
        sources: address::parse(world).into_iter().collect(),
        peers: Vec::new(),
        rule_id: Some(entry.get_ci("name").as_str().unwrap_or("External NAT").to_owned()),
        allow: true,
    }
}
