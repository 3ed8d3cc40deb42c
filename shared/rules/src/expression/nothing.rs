//! The value of what is not there: null, only empty.

use std::any::Any;

use cel::ExecutionError;
use cel::common::traits::{Container, Indexer, Iterable, Iterator as Lending, Sizer};
use cel::common::types::{self, CelInt, CelNull};
use cel::common::value::{CowVal, Val};

/// What is not there, and what is `null`: empty, without members, equal to `null` only.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nothing;

static NOTHING: Nothing = Nothing;
static CEL_NULL: CelNull = CelNull;

/// The value that stands for what is not there.
pub(super) fn nothing<'b, 'v>() -> CowVal<'b, 'v> {
    CowVal::Borrowed(&NOTHING)
}

/// Whether a value is `null` or not there.
pub(super) fn is_nothing(value: &dyn Val) -> bool {
    value.downcast_ref::<CelNull>().is_some()
}

impl Val for Nothing {
    collection!(types::NULL_TYPE);

    fn equals(&self, other: &dyn Val) -> bool {
        is_nothing(other)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(Nothing)
    }

    /// As `null`, so that the interpreter's `null == x` holds for what is not there.
    fn as_any(&self) -> Option<&dyn Any> {
        Some(&CEL_NULL)
    }
}

impl Container for Nothing {
    fn contains(&self, _: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(false)
    }
}

impl Sizer for Nothing {
    fn size(&self) -> CelInt {
        CelInt::from(0)
    }
}

impl Iterable for Nothing {
    fn iter<'b, 'v>(&'b self) -> Box<dyn Lending<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Empty)
    }
}

impl Indexer for Nothing {
    fn get<'b, 'v>(&'b self, _: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        Ok(nothing())
    }

    fn steal<'v>(self: Box<Self>, _: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        Ok(Box::new(Nothing))
    }
}

/// Lends nothing.
struct Empty;

impl<'b, 'v> Lending<'b, 'v> for Empty {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        None
    }
}
