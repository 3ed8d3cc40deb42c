//! Firewall rules of Azure SQL, `PostgreSQL` and `MySQL` servers: deletes the one that the change made.

use ipnet::IpNet;
use onus_core::{Finding, Image, Json, PlanError, Read, Remediation, Safety, Spec, Step};
use onus_sources::azure::effects::{AZURE_SERVICES, networks_of_range};
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
        if networks_of_range(range.0, range.1).is_none() {
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
        let let_in = networks_of_range(live.0, live.1).unwrap_or_default();
        if let (Some(start), Some(end)) = asked {
            return Ok(networks_of_range(start, end).is_some_and(|asked| asked == let_in));
        }
        if !finding.from_state {
            return Err(PlanError::Incomplete { remediation: self.spec.id, missing: "the rule's addresses" });
        }
        // State decided: the openings are those of the rule as it was read then.
        let openings = &finding.effects.openings;
        if live == ("0.0.0.0", "0.0.0.0") {
            return Ok(openings.iter().any(|opening| opening.peers.iter().any(|peer| peer == AZURE_SERVICES)));
        }
        let opened: Vec<IpNet> = openings.iter().flat_map(|opening| opening.sources.clone()).collect();
        let opened = IpNet::aggregate(&opened);
        Ok(let_in.iter().all(|network| opened.iter().any(|open| open.contains(network))))
    }
}
