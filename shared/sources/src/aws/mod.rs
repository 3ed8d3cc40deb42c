//! AWS: CloudTrail records, and what they did.

pub mod cloudtrail;
pub mod effects;
mod envelope;
mod identity;
pub mod names;
pub mod policy;
mod record;
mod resources;

use crate::logs::Log;

/// CloudTrail, in every envelope that AWS delivers it in.
pub(crate) const LOG: Log = Log {
    // `Records`: a CloudTrail file, an SQS or SNS batch. `Events`: the answer of LookupEvents.
    arrays: &["Records", "Events"],
    open: envelope::open,
};
