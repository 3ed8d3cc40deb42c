//! JSON as CEL values that borrow from the record.
//!
//! The interpreter hands custom values around as trait objects that cannot be turned back into their type (they borrow, so they
//! are not `Any`). So nothing here relies on knowing a value again: scalars become the interpreter's own types, which can be
//! recognised, and lists and objects are reached through their capabilities.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use cel::ExecutionError;
use cel::common::traits::{Container, Indexer, Iterable, Iterator as Lending, Sizer};
use cel::common::types::{self, CelBool, CelDouble, CelInt, CelString, CelUInt};
use cel::common::value::{CowVal, Val};
use onus_core::Json;

use super::nothing::nothing;

static TRUE: CelBool = CelBool::TRUE;
static FALSE: CelBool = CelBool::FALSE;

/// A truth value.
pub(super) fn truth<'b, 'v>(truth: bool) -> CowVal<'b, 'v> {
    CowVal::Borrowed(if truth { &TRUE } else { &FALSE })
}

/// A text that is borrowed.
pub(super) fn text<'b>(text: &str) -> CowVal<'b, '_> {
    CowVal::owned(CelString::from(text))
}

/// A JSON value of the record.
pub(super) fn json<'b, 'v>(json: &'v Json<'v>) -> CowVal<'b, 'v> {
    held(Held::Lent(json))
}

/// A JSON value that nobody else holds, as out of a parsed text.
pub(super) fn owned_json<'b, 'v>(json: Json<'static>) -> CowVal<'b, 'v> {
    held(Held::Shared(Arc::new(json)))
}

fn held<'b>(json: Held<'_>) -> CowVal<'b, '_> {
    match (&*json, &json) {
        (Json::Null, _) => nothing(),
        (Json::Bool(value), _) => truth(*value),
        (Json::Number(number), _) => self::number(number),
        (_, Held::Lent(Json::String(string))) => text(string),
        (Json::String(string), _) => CowVal::owned(CelString::from(string.to_string())),
        (Json::Array(_), _) => CowVal::owned(List { json, elements: OnceLock::new() }),
        (Json::Object(_), _) => CowVal::owned(Object { json, keys: OnceLock::new() }),
    }
}

fn number<'b, 'v>(number: &serde_json::Number) -> CowVal<'b, 'v> {
    match (number.as_i64(), number.as_u64()) {
        (Some(value), _) => CowVal::owned(CelInt::from(value)),
        (None, Some(value)) => CowVal::owned(CelUInt::from(value)),
        (None, None) => CowVal::owned(CelDouble::from(number.as_f64().unwrap_or(f64::NAN))),
    }
}

/// A JSON value of the record, or one that was parsed while evaluating.
#[derive(Clone)]
enum Held<'a> {
    Lent(&'a Json<'a>),
    Shared(Arc<Json<'static>>),
}

impl<'a> Held<'a> {
    /// The member of an object. What is taken out of a shared value is copied.
    fn member<'b>(&self, key: &str) -> CowVal<'b, 'a> {
        match self {
            Held::Lent(whole) => json(whole.get_ci(key)),
            Held::Shared(whole) => owned_json(whole.get_ci(key).clone()),
        }
    }

    /// The element of an array.
    fn element<'b>(&self, position: usize) -> CowVal<'b, 'a> {
        match self {
            Held::Lent(whole) => whole.elements().get(position).map_or_else(nothing, json),
            Held::Shared(whole) => whole.elements().get(position).cloned().map_or_else(nothing, owned_json),
        }
    }
}

impl<'a> Deref for Held<'a> {
    type Target = Json<'a>;

    fn deref(&self) -> &Json<'a> {
        match self {
            Held::Lent(json) => json,
            Held::Shared(json) => json,
        }
    }
}

impl fmt::Debug for Held<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// An array of the record.
#[derive(Debug)]
struct List<'a> {
    json: Held<'a>,
    /// The elements as values, made when somebody iterates: iterating lends them.
    elements: OnceLock<Vec<Box<dyn Val + 'a>>>,
}

impl<'a> List<'a> {
    fn values(&self) -> &[Box<dyn Val + 'a>] {
        self.elements.get_or_init(|| {
            (0..self.json.elements().len()).map(|position| self.json.element(position).into_owned()).collect()
        })
    }
}

/// An object of the record.
#[derive(Debug)]
struct Object<'a> {
    json: Held<'a>,
    keys: OnceLock<Vec<Box<dyn Val + 'a>>>,
}

impl<'a> Object<'a> {
    fn keys(&self) -> &[Box<dyn Val + 'a>] {
        self.keys.get_or_init(|| {
            let key = |key: &str| -> Box<dyn Val + 'a> { Box::new(CelString::from(key.to_owned())) };
            self.json.members().iter().map(|(name, _)| key(name)).collect()
        })
    }
}

/// Lends boxed values one after the other.
struct Lender<'b, 'a>(std::slice::Iter<'b, Box<dyn Val + 'a>>);

impl<'b, 'a: 'v, 'v> Lending<'b, 'v> for Lender<'b, 'a> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        self.0.next().map(|value| &**value as &'b (dyn Val + 'v))
    }
}

/// The string of a value, when it is one.
pub(super) fn as_text<'b>(value: &'b (dyn Val + '_)) -> Option<&'b str> {
    value.downcast_ref::<CelString>().map(CelString::inner)
}

/// A whole number of any numeric type.
pub(super) fn as_int(value: &dyn Val) -> Option<i64> {
    let int = value.downcast_ref::<CelInt>().map(|int| *int.inner());
    int.or_else(|| value.downcast_ref::<CelUInt>().and_then(|uint| i64::try_from(*uint.inner()).ok()))
}

fn wrong_index(value: &dyn Val, index: &dyn Val) -> ExecutionError {
    let names = [value, index].map(|value| value.get_type().name().to_owned());
    ExecutionError::no_such_overload("_[_]", names.to_vec())
}

fn size(count: usize) -> CelInt {
    CelInt::from(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Whether two lists are equal: element by element, through their capabilities.
fn same_elements(left: &[Box<dyn Val + '_>], right: &dyn Val) -> bool {
    let (Some(iterable), Some(sizer)) = (right.as_iterable(), right.as_sizer()) else { return false };
    if *right.get_type() != types::LIST_TYPE || usize::try_from(*sizer.size().inner()) != Ok(left.len()) {
        return false;
    }
    let mut right = iterable.iter();
    left.iter().all(|left| right.next().is_some_and(|right| left.equals(right)))
}

impl Val for List<'_> {
    collection!(types::LIST_TYPE);

    fn equals(&self, other: &dyn Val) -> bool {
        same_elements(self.values(), other)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(List { json: self.json.clone(), elements: OnceLock::new() })
    }
}

impl Container for List<'_> {
    fn contains(&self, value: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(self.values().iter().any(|element| element.equals(value)))
    }
}

impl Sizer for List<'_> {
    fn size(&self) -> CelInt {
        size(self.json.elements().len())
    }
}

impl Iterable for List<'_> {
    fn iter<'b, 'v>(&'b self) -> Box<dyn Lending<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Lender(self.values().iter()))
    }
}

impl Indexer for List<'_> {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let position = as_int(index).ok_or_else(|| wrong_index(self, index))?;
        Ok(usize::try_from(position).map_or_else(|_| nothing(), |position| self.json.element(position)))
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(index).map(CowVal::into_owned)
    }
}

impl Val for Object<'_> {
    collection!(types::MAP_TYPE);

    fn equals(&self, other: &dyn Val) -> bool {
        let (Some(indexer), Some(sizer)) = (other.as_indexer(), other.as_sizer()) else { return false };
        *other.get_type() == types::MAP_TYPE
            && *sizer.size().inner() == *self.size().inner()
            && self.keys().iter().all(|key| match (self.get(&**key), indexer.get(&**key)) {
                (Ok(left), Ok(right)) => left == right,
                _ => false,
            })
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(Object { json: self.json.clone(), keys: OnceLock::new() })
    }
}

impl Container for Object<'_> {
    fn contains(&self, value: &dyn Val) -> Result<bool, ExecutionError> {
        let Some(wanted) = as_text(value) else { return Ok(false) };
        Ok(self.json.members().iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted)))
    }
}

impl Sizer for Object<'_> {
    fn size(&self) -> CelInt {
        size(self.json.members().len())
    }
}

impl Iterable for Object<'_> {
    fn iter<'b, 'v>(&'b self) -> Box<dyn Lending<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Lender(self.keys().iter()))
    }
}

impl Indexer for Object<'_> {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let key = as_text(index).ok_or_else(|| wrong_index(self, index))?;
        Ok(self.json.member(key))
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(index).map(CowVal::into_owned)
    }
}
