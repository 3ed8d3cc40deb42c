//! Networks that may connect to a Cloud SQL instance's public address.
//!
//! Source: Cloud SQL Admin API, `Settings.ipConfiguration` (<https://cloud.google.com/sql/docs/mysql/admin-api/rest/v1/instances>).

use onus_core::effect::{Direction, Protocol};
use onus_core::{Doubt, Effects, Json, Opening, address};

use super::seen::Seen;

/// What an instance lets in, as `instances.get` answers it or as a request sets it: an opening for each authorised network, whose value is
/// the opening's `rule_id`. Without a public address (`ipv4Enabled` false) the networks are of no effect and nothing is open.
///
/// The port is that of the database engine; where `databaseVersion` does not tell it, every port.
pub fn sql_openings(instance: &Json<'_>, resource: &str) -> Effects {
    let configuration = instance.get_ci("settings").get_ci("ipConfiguration");
    if configuration.get_ci("ipv4Enabled").as_bool() == Some(false) {
        return Effects::none();
    }
    let ports = ports(instance.get_ci("databaseVersion").as_str().unwrap_or_default());
    let mut effects = Effects::none();
    for network in configuration.get_ci("authorizedNetworks").each() {
        let Some(value) = network.get_ci("value").as_str() else { continue };
        let sources: Vec<_> = address::parse(value).into_iter().collect();
        if sources.is_empty() {
            effects.doubts.push(Doubt::new(format!("network {value}"), "cannot be read as a network"));
        }
        effects.openings.push(Opening {
            resource: resource.to_owned(),
            direction: Direction::Ingress,
            protocol: Protocol::Tcp,
            ports,
            sources,
            peers: Vec::new(),
            rule_id: Some(value.to_owned()),
            allow: true,
        });
    }
    effects
}

/// `instances.create` and `instances.update` (which the log also writes for a patch). An update that leaves the networks out leaves them as
/// they were, and the record does not tell how that was.
pub(super) fn written(seen: &Seen<'_, '_>) -> Effects {
    let request = seen.request();
    let body = [request.get_ci("body"), request.get_ci("resource"), request]
        .into_iter()
        .find(|body| !body.get_ci("settings").is_null());
    let Some(body) = body else { return Effects::unknown("request.body.settings", "is not part of the record") };
    let configuration = body.get_ci("settings").get_ci("ipConfiguration");
    let creates = seen.change.action == "instances.create";
    let untouched = configuration.get_ci("authorizedNetworks").is_null()
        && configuration.get_ci("ipv4Enabled").as_bool() != Some(false);
    if untouched && !creates {
        return Effects::unknown(
            "request.body.settings.ipConfiguration.authorizedNetworks",
            "is not part of an update that may leave it as it was",
        );
    }
    sql_openings(body, seen.owner().resource)
}

fn ports(version: &str) -> (u16, u16) {
    match version.split('_').next() {
        Some("MYSQL") => (3306, 3306),
        Some("POSTGRES") => (5432, 5432),
        Some("SQLSERVER") => (1433, 1433),
        _ => (0, u16::MAX),
    }
}
