//! What to read of a resource, and what it means. One file per service, one line per kind in the registry.
//!
//! Readers and remediations build the same reads from here, so a rule sees under `state` what a plan sees.

use onus_core::StateReader;

/// The registry, sorted by kind.
static STATE_READERS: &[&dyn StateReader] = &[];

/// Every state reader, sorted by kind.
pub fn state_readers() -> &'static [&'static dyn StateReader] {
    STATE_READERS
}

/// The reader of a resource kind; `None` when that kind cannot be read.
pub fn state_reader(kind: &str) -> Option<&'static dyn StateReader> {
    state_readers().iter().copied().find(|reader| reader.kind() == kind)
}
