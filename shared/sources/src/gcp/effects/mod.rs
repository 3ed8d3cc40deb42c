//! What a Google Cloud change opened and granted.
//!
//! A table says which operations open or grant something, and one file for each family says what. The same functions judge live state:
//! what a reader reads of a policy, a firewall, an instance or a dataset is handed to those that are public.
//!
//! Two things are not looked at. The outcome: a rule decides what a denied attempt is worth. And the state before, unless the log
//! itself compared: then only what was added counts. Removals are never effects.
//!
//! | family | `via` | `part`, `rule_id` |
//! |---|---|---|
//! | policy of bindings | `binding` | role, blank, member; ` if ` and the condition |
//! | bucket or object access list | `acl` | entity, blank, role |
//! | dataset access list | `access` | kind, colon, value, blank, role |
//! | VPC firewall rule | | none: the rule is the resource |
//! | rule of a firewall policy | | priority |
//! | Cloud SQL authorised network | | its value |
//! | external address | | the access configuration's name |

mod dataset;
mod firewall;
mod instance;
mod members;
mod policy;
mod seen;
mod sql;
#[cfg(test)]
mod tests;

use onus_core::{Change, Doubt, Effects};

pub use self::dataset::dataset_grants;
pub use self::firewall::{firewall_openings, policy_rule_openings};
pub use self::instance::instance_openings;
pub use self::policy::{Owner, acl_grants, policy_grants};
use self::seen::Seen;
pub use self::sql::sql_openings;

pub(super) use self::members::project_of;

/// Works out what one operation did.
type Derive = fn(&Seen<'_, '_>) -> Effects;

/// Operations with effects: service, action, and who works them out. Calls that set a policy are told by their name, whatever the
/// service: see [`derive`].
const TABLE: &[(&str, &str, Derive)] = &[
    ("compute", "firewalls.insert", firewall::written),
    ("compute", "firewalls.update", firewall::written),
    ("compute", "firewalls.patch", firewall::patched),
    ("compute", "firewallPolicies.addRule", firewall::policy_rule),
    ("compute", "firewallPolicies.patchRule", firewall::policy_rule),
    ("compute", "networkFirewallPolicies.addRule", firewall::policy_rule),
    ("compute", "networkFirewallPolicies.patchRule", firewall::policy_rule),
    ("compute", "regionNetworkFirewallPolicies.addRule", firewall::policy_rule),
    ("compute", "regionNetworkFirewallPolicies.patchRule", firewall::policy_rule),
    ("compute", "instances.insert", instance::created),
    ("compute", "instances.bulkInsert", instance::created),
    ("compute", "instances.addAccessConfig", instance::access_config_added),
    ("cloudsql", "instances.create", sql::written),
    ("cloudsql", "instances.update", sql::written),
    ("bigquery", "InsertDataset", dataset::written),
    ("bigquery", "UpdateDataset", dataset::written),
    ("bigquery", "PatchDataset", dataset::written),
    ("cloudresourcemanager", "InsertProjectOwnershipInvite", policy::invited),
    ("cloudresourcemanager", "InsertProjectOwnershipInviteForPantheon", policy::invited),
    ("storage", "buckets.create", policy::compared),
    ("storage", "buckets.update", policy::compared),
    ("storage", "objects.create", policy::compared),
    ("storage", "objects.update", policy::compared),
];

/// What a change did: the paths it opened and the access it gave, whether or not the call succeeded.
///
/// A call that can open or grant nothing has no effects. When the log left out what would tell, a doubt names it.
pub(super) fn derive(change: &Change<'_>) -> Effects {
    let (service, action) = (change.service.as_ref(), change.action.as_ref());
    let known = TABLE.iter().find(|(s, a, _)| *s == service && *a == action).map(|(_, _, derive)| *derive);
    let Some(derive) = known.or_else(|| sets_policy(action).then_some(policy::set as Derive)) else {
        return Effects::none();
    };
    let seen = Seen::of(change);
    let mut effects = if change.request.is_omitted() { without_request(&seen) } else { derive(&seen) };
    if !change.record.json().get_ci("split").is_null() {
        effects.doubts.push(Doubt::new("split", "spreads the record over several, of which this is one"));
    }
    effects
}

/// The log's own comparison stands beside the request, so it tells what was granted also when the request was left out.
fn without_request(seen: &Seen<'_, '_>) -> Effects {
    if policy::deltas(seen).is_some() {
        return policy::compared(seen);
    }
    Effects::unknown("request", "was left out by the log")
}

/// `SetIamPolicy` of most services, `disks.setIamPolicy` of Compute Engine, `setIamPermissions` of Cloud Storage.
fn sets_policy(action: &str) -> bool {
    let last = action.rsplit('.').next().unwrap_or(action);
    last.eq_ignore_ascii_case("SetIamPolicy") || last == "setIamPermissions"
}
