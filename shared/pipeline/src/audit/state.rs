//! The live state that a rule asks for.

use std::collections::BTreeMap;

use onus_core::state::read_image;
use onus_core::{CallError, Caller, Resource, State};

use super::{Auditor, Case};
use crate::error::HandleError;

/// The states of a change's resources, by position, each read at most once for all rules that need it.
pub(super) type States = BTreeMap<usize, Result<State, Unread>>;

/// Why there is no state.
#[derive(Debug, Clone)]
pub(super) enum Unread {
    /// A person has to look.
    Never(String),
    /// It may be read later.
    Later(CallError),
}

impl Auditor {
    /// Who reads in an account, or why nobody does.
    pub(super) fn reads_in(&self, account: &str) -> Result<&dyn Caller, String> {
        let Some(caller) = &self.caller else { return Err("there are no credentials to read with".to_owned()) };
        if self.account.as_ref().is_some_and(|own| own != account) {
            return Err(format!("account `{account}` is not the one that can be read"));
        }
        Ok(caller.as_ref())
    }

    /// The state a rule asks for: of the change's first resource of that kind, else of its first that can be read.
    ///
    /// # Errors
    /// The ledger did not keep what was read.
    pub(super) async fn state(
        &self,
        kind: Option<&str>,
        case: &mut Case<'_, '_>,
    ) -> Result<Result<State, Unread>, HandleError> {
        let readable = |resource: &&Resource<'_>| (self.readers)(&resource.kind).is_some();
        let asked = |resource: &&Resource<'_>| kind.is_some_and(|kind| resource.kind == kind) && readable(resource);
        let resources = &case.change.resources;
        let position = resources.iter().position(|r| asked(&r)).or_else(|| resources.iter().position(|r| readable(&r)));
        let Some((position, resource)) = position.and_then(|at| Some((at, resources.get(at)?))) else {
            let kinds: Vec<&str> = resources.iter().map(|resource| &*resource.kind).collect();
            return Ok(Err(Unread::Never(match kinds.as_slice() {
                [] => "the record names no resource".to_owned(),
                kinds => format!("no reader for `{}`", kinds.join("`, `")),
            })));
        };
        if let Some(known) = case.states.get(&position) {
            return Ok(known.clone());
        }
        let state = self.read_state(resource, case).await;
        if let Ok(State { image, .. }) = &state {
            self.records.remember(case.summary, resource, image, self.clock.now()).await?;
        }
        case.states.insert(position, state.clone());
        Ok(state)
    }

    pub(super) async fn read_state(&self, resource: &Resource<'_>, case: &Case<'_, '_>) -> Result<State, Unread> {
        let Some(reader) = (self.readers)(&resource.kind) else {
            return Err(Unread::Never(format!("no reader for `{}`", resource.kind)));
        };
        let caller = self.reads_in(&case.change.account).map_err(Unread::Never)?;
        let summary = case.summary;
        match read_image(caller, |so_far| Ok::<_, CallError>(reader.reads(summary, resource, so_far))).await {
            Ok(image) => Ok(State { effects: reader.effects(summary, resource, &image), image }),
            Err(error) if error.is_retryable() => Err(Unread::Later(error)),
            Err(error) => Err(Unread::Never(error.to_string())),
        }
    }
}
