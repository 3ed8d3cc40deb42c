//! AWS: CloudTrail records, and what they did.

pub mod effects;
pub mod policy;
