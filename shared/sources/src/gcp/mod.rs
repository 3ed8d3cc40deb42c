//! Google Cloud: Cloud Audit Logs, and what they did.

mod actor;
pub mod audit;
pub mod effects;
mod envelope;
mod names;
mod operation;
mod record;
mod resources;
mod table;

pub use self::effects::{
    Owner, acl_grants, dataset_grants, firewall_openings, instance_openings, policy_grants, policy_rule_openings,
    sql_openings,
};
use crate::logs::Log;

/// Cloud Audit Logs, in every envelope that Google delivers them in.
pub(crate) const LOG: Log = Log {
    // `entries`: an answer of `entries.list`. `receivedMessages`: a Pub/Sub pull.
    arrays: &["entries", "receivedMessages"],
    open: envelope::open,
};
