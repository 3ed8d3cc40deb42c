//! The policy's answer once tags are known, or are known not to be readable.

use jiff::Timestamp;
use onus_core::{Caller, ChangeSummary, Safety, TagError, TagSources, Tags};

use crate::policy::{Policy, Subject};

/// Reads the tags of one change's resource, at most once.
pub(crate) struct TagLookup<'a> {
    /// Who reads; the error says why there is nobody.
    caller: Result<&'a dyn Caller, String>,
    /// How.
    sources: TagSources,
    /// Whose resource.
    change: &'a ChangeSummary,
    known: Option<Result<Tags, Unknown>>,
}

/// Why tags that could matter are not known. What follows from it is always: no write, and somebody is told.
#[derive(Debug, Clone)]
pub(crate) enum Unknown {
    /// A person has to look.
    Never(String),
    /// They may be read later.
    Later(onus_core::CallError),
}

impl<'a> TagLookup<'a> {
    pub(crate) fn new(caller: Result<&'a dyn Caller, String>, sources: TagSources, change: &'a ChangeSummary) -> Self {
        Self { caller, sources, change, known: None }
    }

    /// The tags, where they could matter to this policy; `None` where they cannot.
    pub(crate) async fn look(
        &mut self,
        policy: &Policy,
        subject: &Subject<'_>,
        safety: Option<Safety>,
        now: Timestamp,
    ) -> Result<Option<&Tags>, Unknown> {
        if !policy.waits_for_tags(subject, safety, now) {
            return Ok(None);
        }
        let known = match self.known.take() {
            Some(known) => known,
            None => self.read().await,
        };
        self.known.insert(known).as_ref().map(Some).map_err(Clone::clone)
    }

    async fn read(&self) -> Result<Tags, Unknown> {
        let unread = |reason: &String| Unknown::Never(format!("cannot read tags: {reason}"));
        let caller = *self.caller.as_ref().map_err(unread)?;
        onus_core::tags::read_tags(caller, self.sources, self.change).await.map_err(|error| match error {
            TagError::Call(error) if error.is_retryable() => Unknown::Later(error),
            TagError::Call(error) => Unknown::Never(format!("cannot read tags: {error}")),
            error => Unknown::Never(error.to_string()),
        })
    }
}
