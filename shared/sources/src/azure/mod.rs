//! Azure: Activity Log and Entra audit records, and what they did.

pub mod activity;
pub mod effects;
pub mod entra;
mod envelope;
mod identity;
pub mod kinds;
mod record;
pub mod resources;
pub mod roles;
#[cfg(test)]
mod tests;

pub use envelope::decode;

use crate::logs::Log;

/// The Activity Log and Entra's audit log, in every envelope that Azure delivers them in.
pub(crate) const LOG: Log = Log {
    // `records`: what Event Hubs and storage exports hold. `value`: a page of a REST answer, of ARM and of Microsoft Graph.
    arrays: &["records", "value"],
    open: envelope::open,
};
