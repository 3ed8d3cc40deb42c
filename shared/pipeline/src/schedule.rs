//! What has to happen without an event, on a timer: warnings, reviews, overdue approvals.

use std::error::Error;

use jiff::Timestamp;
use onus_core::{Change, Cloud};
use serde::Serialize;

use crate::audit::Auditor;
use crate::error::HandleError;

/// Decodes a kept record: the log it came from, and its text.
pub type Decode = for<'a> fn(&str, &'a str) -> Result<Change<'a>, Box<dyn Error + Send + Sync>>;

/// Does what is due. Ticks may come as often, as late and as many at once as they like: each thing is done once.
#[derive(Clone, Copy)]
pub struct Schedule<'a> {
    /// Judges, keeps, tells.
    pub auditor: &'a Auditor,
    /// Decodes the records of findings that are judged anew.
    pub decode: Decode,
    /// Whose timer it is: findings about `onus.yaml` itself name this cloud.
    pub cloud: Cloud,
}

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Ticked {
    /// Exemptions that were warned of for the first time.
    pub warned: usize,
    /// Plans that nobody answered in time.
    pub expired: usize,
    /// Findings that were judged anew because their exemption had ended.
    pub reviewed: usize,
    /// Those of them that still stand, and were told.
    pub told: usize,
}

impl Schedule<'_> {
    /// Does what is due now, beginning nothing after the deadline.
    ///
    /// # Errors
    /// The ledger, a sink, the queue or a read failed. Everything else that was due was done; the next tick does the rest.
    pub async fn tick(&self, deadline: Timestamp) -> Result<Ticked, HandleError> {
        let mut ticked = Ticked::default();
        let warned = self.warn(&mut ticked).await;
        let expired = self.expire(&mut ticked).await;
        let reviewed = self.review(deadline, &mut ticked).await;
        warned.and(expired).and(reviewed).map(|()| ticked)
    }
}
