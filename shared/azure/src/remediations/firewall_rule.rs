//! Firewall rules of Azure SQL, `PostgreSQL` and `MySQL` servers: deletes the one that the change made.

use ipnet::IpNet;
use onus_core::{Finding, Image, Json, PlanError, Read, Remediation, Safety, Spec, Step};
use serde_json::json;

use super::{answered_id, subject, unless_read, unreadable};
use crate::readers::arm::{call, pick, text};
use crate::readers::databases::{self, Make, RULE, firewall_rule};

/// Deletes a firewall rule of one make of server.
pub(crate) struct DeleteFirewallRule {
    spec: &'static Spec,
    make: &'static Make,
}

const CAVEAT: &str = "Where the change widened a rule, the record does not hold what the rule said before: it is deleted \
                      whole. Connections that are established may go on.";

/// Azure SQL.
pub(crate) static SQL: DeleteFirewallRule = DeleteFirewallRule {
    spec: &Spec {
        id: "azure.sql.delete_firewall_rule",
        title: "Deletes the SQL server firewall rule that the change made",
        safety: Safety::Automatic,
        kind: databases::SQL.rule_kind,
        reads: &[databases::SQL.get],
        writes: &[databases::SQL.delete],
        undo: &[databases::SQL.put],
        caveat: CAVEAT,
    },
    make: &databases::SQL,
};

/// `PostgreSQL` flexible server.
pub(crate) static POSTGRESQL: DeleteFirewallRule = DeleteFirewallRule {
    spec: &Spec {
        id: "azure.postgresql.delete_firewall_rule",
        title: "Deletes the PostgreSQL server firewall rule that the change made",
        safety: Safety::Automatic,
        kind: databases::POSTGRESQL.rule_kind,
        reads: &[databases::POSTGRESQL.get],
        writes: &[databases::POSTGRESQL.delete],
        undo: &[databases::POSTGRESQL.put],
        caveat: CAVEAT,
    },
    make: &databases::POSTGRESQL,
};

/// `MySQL` flexible server.
pub(crate) static MYSQL: DeleteFirewallRule = DeleteFirewallRule {
    spec: &Spec {
        id: "azure.mysql.delete_firewall_rule",
        title: "Deletes the MySQL server firewall rule that the change made",
        safety: Safety::Automatic,
        kind: databases::MYSQL.rule_kind,
        reads: &[databases::MYSQL.get],
        writes: &[databases::MYSQL.delete],
        undo: &[databases::MYSQL.put],
        caveat: CAVEAT,
    },
    make: &databases::MYSQL,
};

impl Remediation for DeleteFirewallRule {
    fn spec(&self) -> &'static Spec {
        self.spec
    }

    fn reads(&self, finding: &Finding, so_far: &Image) -> Result<Vec<Read>, PlanError> {
        Ok(unless_read(so_far, firewall_rule(self.make, &subject(self.spec, finding)?)))
    }

    fn plan(&self, finding: &Finding, image: &Image) -> Result<Vec<Step>, PlanError> {
        let id = subject(self.spec, finding)?;
        let live = image.get(RULE);
        if live.is_null() {
            return Ok(Vec::new());
        }
        let range = (text(live, "/properties/startIpAddress"), text(live, "/properties/endIpAddress"));
        if networks(range).is_none() {
            return Err(unreadable(self.spec, RULE, &"has addresses that are not understood"));
        }
        if !self.is_the_changes(finding, range)? {
            return Ok(Vec::new());
        }
        let id = answered_id(self.spec, live, id.as_str())?;
        let again = pick(live, &["properties.startIpAddress", "properties.endIpAddress"]);
        let name = id.rsplit('/').next().unwrap_or_default();
        Ok(vec![Step {
            title: format!("delete firewall rule `{name}` ({} to {})", range.0, range.1),
            call: call(self.make.delete, &id, None),
            inverse: Some(call(self.make.put, &id, Some(json!(again)))),
        }])
    }
}

impl DeleteFirewallRule {
    /// Whether the rule still lets in what the change let in. One that somebody has narrowed since is no longer the change's.
    fn is_the_changes(&self, finding: &Finding, live: (&str, &str)) -> Result<bool, PlanError> {
        let request = Json::from_value(&finding.request);
        let properties = request.get_ci("properties");
        let asked = (properties.get_ci("startIpAddress").as_str(), properties.get_ci("endIpAddress").as_str());
        if let (Some(start), Some(end)) = asked {
            return Ok(networks((start, end)) == networks(live));
        }
        if !finding.from_state {
            return Err(PlanError::Incomplete { remediation: self.spec.id, missing: "the rule's addresses" });
        }
        // State decided: the openings are those of the rule as it was read then.
        let live = networks(live).unwrap_or_default();
        let opened = finding.effects.openings.iter().flat_map(|opening| &opening.sources);
        let opened: Vec<IpNet> = IpNet::aggregate(&opened.copied().collect());
        Ok(live.iter().all(|network| opened.iter().any(|open| open.contains(network))))
    }
}

/// The networks from a first to a last address. `0.0.0.0` to `0.0.0.0` is no address but Azure's own word for every service in
/// Azure, and stands for itself.
fn networks((start, end): (&str, &str)) -> Option<Vec<IpNet>> {
    let subnets: Vec<IpNet> = match (start.trim().parse().ok()?, end.trim().parse().ok()?) {
        (std::net::IpAddr::V4(start), std::net::IpAddr::V4(end)) if start <= end => {
            ipnet::Ipv4Subnets::new(start, end, 0).map(IpNet::V4).collect()
        }
        (std::net::IpAddr::V6(start), std::net::IpAddr::V6(end)) if start <= end => {
            ipnet::Ipv6Subnets::new(start, end, 0).map(IpNet::V6).collect()
        }
        _ => return None,
    };
    Some(IpNet::aggregate(&subnets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_the_networks_that_make_it_up() {
        let text = |range| networks(range).map(|found| found.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(text(("0.0.0.0", "255.255.255.255")), Some(vec!["0.0.0.0/0".to_owned()]));
        assert_eq!(text(("0.0.0.0", "0.0.0.0")), Some(vec!["0.0.0.0/32".to_owned()]));
        assert_eq!(
            text((" 192.0.2.1", "192.0.2.3 ")),
            Some(vec!["192.0.2.1/32".to_owned(), "192.0.2.2/31".to_owned()])
        );
        assert_eq!(text(("192.0.2.3", "192.0.2.1")), None);
        assert_eq!(text(("192.0.2.3", "")), None);
        assert_eq!(text(("192.0.2.3", "::1")), None);
    }
}
