//! The catalogue that the build script compiled in.

use crate::cases::Case;
use crate::catalog::Entry;
use crate::rule::Rule;

#[allow(unused_imports, reason = "an empty catalogue names nothing")]
mod generated {
    use std::borrow::Cow::{self, Borrowed};

    use onus_core::{Area, Severity};

    use crate::cases::Case;
    use crate::catalog::Entry;
    use crate::model::{Expect, Status, WatchOutcome};
    use crate::rule::{Programs, Rule, Watch};

    include!(concat!(env!("OUT_DIR"), "/catalog.rs"));
}

/// How many rules there are.
pub(crate) fn count() -> usize {
    generated::RULES.len()
}

/// The rule at a position below [`count`].
#[allow(clippy::indexing_slicing, reason = "positions come from `count`")]
pub(crate) fn rule(position: usize) -> &'static Rule {
    // INVARIANT: only `Catalog::embedded` makes positions, from `0..count()`.
    &generated::RULES[position]
}

/// The cases of the rule at a position. Apart from the rules, so that a binary that never asks does not hold them.
pub(crate) fn cases(position: usize) -> &'static [Case] {
    generated::CASES.get(position).copied().unwrap_or_default()
}

/// The operations that the rules watch, sorted.
pub(crate) fn index() -> &'static [Entry] {
    &generated::INDEX
}
