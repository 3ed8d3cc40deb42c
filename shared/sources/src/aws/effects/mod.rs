//! What an AWS change opened and granted.

use onus_core::{Change, Effects};

/// What a change did: the paths it opened and the access it gave, whether or not the call succeeded.
///
/// A call that can open or grant nothing has no effects. Removals are never effects.
pub fn derive(change: &Change<'_>) -> Effects {
    if change.request.is_omitted() {
        return Effects::unknown("request", "was omitted by the log");
    }
    Effects::none()
}
