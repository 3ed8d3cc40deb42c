//! Firewall policies: those of networks, global or of a region, and the hierarchical ones of folders and organisations.
//!
//! A patch of one rule may leave out what the rule matches, so the whole policy is read, and all of its rules count: which of them the
//! change was about is not told by live state.

use onus_core::{Call, Effects, Json, Read};
use onus_sources::gcp::policy_rule_openings;
use serde_json::{Value, json};

use super::ABSENT;
use super::answer::{elements, hidden, list, only, put};
use super::asset::Asset;
use super::reader::Reader;

/// Image key of a policy: its name and `rules` by priority; `null` when there is none.
const FIREWALL_POLICY: &str = "firewallPolicy";

/// Reads policies with their rules.
pub(crate) static READER: Reader = Reader {
    kind: "compute.googleapis.com/FirewallPolicy",
    operations: &[
        "compute:firewallPolicies.get",
        "compute:networkFirewallPolicies.get",
        "compute:regionNetworkFirewallPolicies.get",
    ],
    keys: &[FIREWALL_POLICY],
    reads: |asset| firewall_policy(asset).into_iter().collect(),
    effects: |image, owner| {
        let mut effects = Effects::none();
        for rule in list(image.get(FIREWALL_POLICY), "rules") {
            let of_rule = policy_rule_openings(&Json::from_value(rule), owner.resource);
            effects.openings.extend(of_rule.openings);
            effects.doubts.extend(of_rule.doubts);
        }
        effects
    },
};

/// Which of the three methods reads a policy is told by where it is.
fn firewall_policy(asset: &Asset<'_>) -> Option<Read> {
    let name = asset.segment("firewallPolicies")?;
    let in_network = asset.path().starts_with("projects/");
    let call = match (in_network.then(|| asset.project()).flatten(), asset.segment("regions")) {
        (Some(project), Some(region)) => {
            let parameters = json!({ "project": project, "region": region, "firewallPolicy": name });
            Call::gcp("compute", "regionNetworkFirewallPolicies.get", parameters)
        }
        (Some(project), None) => {
            Call::gcp("compute", "networkFirewallPolicies.get", json!({ "project": project, "firewallPolicy": name }))
        }
        (None, _) => Call::gcp("compute", "firewallPolicies.get", json!({ "firewallPolicy": name })),
    };
    Some(Read::new(FIREWALL_POLICY, call).absent(ABSENT).keep(kept))
}

fn kept(answer: Value) -> Value {
    let parts = ["action", "description", "direction", "disabled", "match", "priority", "ruleName", "targetResources"];
    let parts = [parts.as_slice(), &["targetSecureTags", "targetServiceAccounts"]].concat();
    let mut rules: Vec<Value> = list(&answer, "rules").iter().map(|rule| only(rule.clone(), &parts)).collect();
    rules.sort_by_key(|rule| rule.get("priority").and_then(Value::as_i64));
    let mut kept = hidden(only(answer, &["associations", "name", "shortName", "fingerprint"]), &["fingerprint"]);
    if let Some(associations) = kept.get("associations").map(elements) {
        let mut attached: Vec<Value> =
            associations.iter().map(|one| only(one.clone(), &["attachmentTarget"])).collect();
        attached.sort_by_key(Value::to_string);
        put(&mut kept, &["associations"], Value::Array(attached));
    }
    put(&mut kept, &["rules"], Value::Array(rules));
    kept
}
