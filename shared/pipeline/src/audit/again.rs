//! Judges one rule on a kept record anew, against the resource as it is now.

use onus_core::{Change, Verdict};

use super::state::Unread;
use super::{Auditor, Case, unevaluable, unread};
use crate::error::HandleError;
use crate::records::{Fate, Reviewed};

impl Auditor {
    /// Whether what a rule found on a change still stands, and if so tells it and asks a response for it.
    ///
    /// Live state decides where the rule's resource can be read. Where it cannot, what the record alone says counts: it fired once, and
    /// nobody can tell that it was taken back since.
    ///
    /// # Errors
    /// As [`Auditor::handle`]; judging again does the rest.
    pub(crate) async fn judge_again(&self, rule: &str, change: &Change<'_>) -> Result<Reviewed, HandleError> {
        let candidates = self.rules.candidates(change);
        let Some(candidate) = candidates.iter().find(|candidate| candidate.id == rule) else {
            return Ok(Reviewed::NoRule);
        };
        let summary = change.summary();
        let mut case = Case { anew: true, ..self.case(change, &summary) };
        let (state, unread_because) = match self.state(candidate.state, &mut case).await? {
            Ok(state) => (Some(state), String::new()),
            Err(Unread::Never(reason)) => (None, reason),
            Err(Unread::Later(source)) => {
                let finding = onus_core::FindingId::of(change.cloud, &change.uid, rule);
                return Err(HandleError::Call { attempt: "read state", finding, source });
            }
        };
        let outcome = match self.rules.evaluate(rule, change, state.as_ref()) {
            Ok(Verdict::Silent) => return Ok(Reviewed::Healed),
            Ok(Verdict::Fires) => self.fired(rule, &mut case, state.as_ref()).await?,
            Ok(Verdict::NeedsState(doubts)) => {
                self.undetermined(rule, &mut case, unread(&doubts, &unread_because)).await?
            }
            Err(error) => self.undetermined(rule, &mut case, unevaluable(&*error)).await?,
        };
        Ok(match outcome.map(|outcome| outcome.fate) {
            None => Reviewed::NoRule,
            Some(Fate::Told) => Reviewed::Told,
            Some(Fate::Exempt { .. }) => Reviewed::Exempt,
            Some(Fate::Undetermined { .. }) => Reviewed::Undetermined,
        })
    }
}
