//! A state reader as data: what it reads of a resource, and what that means.

use onus_core::{ChangeSummary, Effects, Image, Json, Read, Resource, StateReader};
use onus_sources::gcp::{Owner, policy_grants};

use super::asset::Asset;
use super::policy::POLICY;

/// Reads one kind of resource.
pub(crate) struct Reader {
    /// The kind.
    pub(crate) kind: &'static str,
    /// Operations it reads with.
    pub(crate) operations: &'static [&'static str],
    /// Image keys without which nothing is known.
    pub(crate) keys: &'static [&'static str],
    /// What there is to read; nothing when the resource's name does not tell where it is.
    pub(crate) reads: fn(&Asset<'_>) -> Vec<Read>,
    /// What was read means.
    pub(crate) effects: fn(&Image, Owner<'_>) -> Effects,
}

impl StateReader for Reader {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn operations(&self) -> &'static [&'static str] {
        self.operations
    }

    fn reads(&self, change: &ChangeSummary, resource: &Resource<'_>, so_far: &Image) -> Vec<Read> {
        let mut reads = (self.reads)(&Asset::new(change, resource));
        reads.retain(|read| !so_far.has(&read.key));
        reads
    }

    fn effects(&self, change: &ChangeSummary, resource: &Resource<'_>, image: &Image) -> Effects {
        match self.keys.iter().find(|key| !image.has(key)) {
            Some(key) => Effects::unknown(*key, "was not read"),
            None => (self.effects)(image, Owner { resource: &resource.id, project: &change.account }),
        }
    }
}

/// What a resource grants by its policy of bindings, and nothing else.
pub(crate) fn by_policy(image: &Image, owner: Owner<'_>) -> Effects {
    let grants = policy_grants(&Json::from_value(image.get(POLICY)), owner);
    Effects { grants, ..Effects::none() }
}

/// A resource that opens and grants nothing by itself: rules look at what was read.
pub(crate) fn nothing(_: &Image, _: Owner<'_>) -> Effects {
    Effects::none()
}
