//! Audit-log records to changes, changes to effects. One module per log.

pub mod aws;
