//! The functions as Lambda calls them. A handler answers an error only where trying again can help; what can never
//! be handled goes to the dead letter queue with its reason, and counts as done.

mod approve;
mod audit;
mod failure;
mod respond;
mod sweep;

pub use approve::{ApproveFunction, UrlRequest, UrlResponse};
pub use audit::AuditFunction;
pub use respond::RespondFunction;
pub use sweep::SweepFunction;
