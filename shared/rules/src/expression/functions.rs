//! The functions that expressions have beyond the standard library. `README.md` tells rule authors what each does.
#![allow(clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "the interpreter's signature")]

use std::any::Any;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Mutex;

use cel::common::functions::Function;
use cel::common::types::{self, CelBool, CelInt, CelList, CelString, Kind, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{Env, ExecutionError};
use onus_core::{Doubt, Json, address};
use regex_lite::Regex;

use super::nothing::{Nothing, is_nothing, nothing};
use super::value::{as_int, as_text, owned_json, truth};

type Args<'b, 'v> = Vec<CowVal<'b, 'v>>;
type Answer<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

/// Whether an ordering is the one that a comparison asks for.
pub(super) type Order = fn(Ordering) -> bool;

/// The comparisons under their lowered names, and which orderings satisfy them.
pub(super) const COMPARISONS: [(&str, Order); 4] =
    [("@lt", Ordering::is_lt), ("@le", Ordering::is_le), ("@gt", Ordering::is_gt), ("@ge", Ordering::is_ge)];

/// The standard environment and our functions.
pub(super) fn environment() -> Env {
    let mut env = Env::stdlib();
    let any = |count: usize| (0..count).map(|_| types::DYN_TYPE).collect();
    let ours: [(&str, usize, Function); 14] = [
        ("list", 1, list),
        ("truthy", 1, truthy),
        ("falsy", 1, falsy),
        ("int_of", 1, int_of),
        ("text", 1, text),
        ("lower", 1, lower),
        ("glob", 2, glob),
        ("@get", 2, get),
        ("@regex", 2, regex),
        ("@json", 2, json),
        ("is_internet", 1, is_internet),
        ("reaches", 2, reaches),
        ("account_of", 1, account_of),
        ("any_ci", 2, any_ci),
    ];
    for (name, count, function) in ours {
        declared(name, env.add_overload(name, name, any(count), function));
    }
    let compared: [Function; 4] = [
        |args| compare("_<_", &args, Ordering::is_lt),
        |args| compare("_<=_", &args, Ordering::is_le),
        |args| compare("_>_", &args, Ordering::is_gt),
        |args| compare("_>=_", &args, Ordering::is_ge),
    ];
    for ((name, _), function) in COMPARISONS.into_iter().zip(compared) {
        declared(name, env.add_overload(name, name, any(2), function));
    }
    // What is not there has size 0 and neither holds nor starts with anything.
    declared(
        "size",
        env.add_overload("size", "size_null", vec![types::NULL_TYPE], |_| Ok(CowVal::owned(CelInt::from(0)))),
    );
    let zero: Function = |_| Ok(CowVal::owned(CelInt::from(0)));
    declared("size", env.add_member_overload("size", "null_size", types::NULL_TYPE, vec![], zero));
    for name in ["contains", "startsWith", "endsWith"] {
        let no: Function = |_| Ok(truth(false));
        let id = format!("null_{name}");
        declared(name, env.add_member_overload(name, &id, types::NULL_TYPE, vec![types::DYN_TYPE], no));
    }
    env
}

#[allow(clippy::panic, reason = "see the invariant")]
fn declared(name: &str, result: Result<(), cel::DeclarationError>) {
    // INVARIANT: the names and types above are fixed, and a test builds the environment.
    if let Err(error) = result {
        panic!("cannot declare `{name}`: {error}");
    }
}

/// A regular expression, compiled with the rule.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Regex);

impl Pattern {
    pub(super) fn new(pattern: &str) -> Result<Self, regex_lite::Error> {
        Regex::new(pattern).map(Self)
    }

    /// Whether a text holds a match.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// Gathers what an evaluation could not know.
#[derive(Debug, Default)]
pub(super) struct Doubts(Mutex<Vec<Doubt>>);

impl Doubts {
    pub(super) fn add(&self, doubt: Doubt) {
        let mut doubts = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !doubts.contains(&doubt) {
            doubts.push(doubt);
        }
    }

    pub(super) fn take(&self) -> Vec<Doubt> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// Values that only our own functions see.
macro_rules! internal_value {
    ($type:ty, $name:literal, $clone:expr) => {
        impl Val for $type {
            fn get_type(&self) -> &Type {
                <Self as Val>::cel_type()
            }

            fn cel_type() -> &'static Type {
                static TYPE: Type = Type::new_unspecified_type($name);
                &TYPE
            }

            fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
            where
                Self: 'v,
            {
                #[allow(clippy::redundant_closure_call, reason = "the closure is the macro's argument")]
                Box::new(($clone)(self))
            }

            fn as_any(&self) -> Option<&dyn Any> {
                Some(self)
            }
        }

        impl StaticVal for $type {}
    };
}

internal_value!(Pattern, "pattern", Pattern::clone);
internal_value!(Doubts, "doubts", |_: &Doubts| Doubts::default());

/// The argument at a position; what is not there when there is none, which the declared count rules out.
fn arg<'a, 'b, 'v>(args: &'a Args<'b, 'v>, position: usize) -> &'a (dyn Val + 'v) {
    args.get(position).map_or(&Nothing, |value| value.as_ref())
}

/// One or many as a list; also out of the wrappers that CloudTrail writes around lists.
fn list<'b, 'v>(mut args: Args<'b, 'v>) -> Answer<'b, 'v> {
    let Some(value) = args.pop() else { return Ok(nothing()) };
    let is_empty = |value: &CowVal<'_, '_>| value.as_sizer().is_some_and(|sizer| *sizer.size().inner() == 0);
    match value.get_type().kind() {
        Kind::List => return Ok(value),
        Kind::NullType => return Ok(CowVal::owned(CelList::default())),
        // An empty list is written `{}` or, where XML was converted, `""`.
        Kind::Map | Kind::String if is_empty(&value) => return Ok(CowVal::owned(CelList::default())),
        Kind::Map if value.as_sizer().is_some_and(|sizer| *sizer.size().inner() == 1) => {
            for wrapper in ["items", "item"] {
                let inner = member(&value, wrapper)?;
                if !is_nothing(inner.as_ref()) {
                    return list(vec![inner]);
                }
            }
        }
        _ => {}
    }
    Ok(CowVal::owned(CelList::from(vec![value.into_owned()])))
}

/// The member of a computed value: null out of null and of what is empty.
fn get<'b, 'v>(args: Args<'b, 'v>) -> Answer<'b, 'v> {
    let [value, key] = args.as_slice() else { return Ok(nothing()) };
    let name = as_text(key.as_ref()).unwrap_or_default();
    let kind = value.get_type().kind();
    let is_empty = || value.as_sizer().is_some_and(|sizer| *sizer.size().inner() == 0);
    match kind {
        Kind::String | Kind::List if is_empty() => Ok(nothing()),
        Kind::Map | Kind::NullType | Kind::Unspecified if value.as_indexer().is_some() => {
            member(value, name).map_err(|_| ExecutionError::function_error("@get", format!("no member `{name}`")))
        }
        _ => {
            let message = format!("cannot select `{name}` of what is a {}", value.get_type().name());
            Err(ExecutionError::function_error("@get", message))
        }
    }
}

/// A member of a value, borrowed as long as the value is.
fn member<'b, 'v>(value: &CowVal<'b, 'v>, name: &str) -> Answer<'b, 'v> {
    let key = CelString::from(name);
    match value {
        CowVal::Borrowed(value) => value.as_indexer().map_or_else(|| Ok(nothing()), |indexer| indexer.get(&key)),
        CowVal::Owned(value) => match value.as_indexer() {
            Some(indexer) => Ok(CowVal::Owned(indexer.get(&key)?.into_owned())),
            None => Ok(nothing()),
        },
    }
}

/// `true`, or a text that says so.
fn truthy<'b, 'v>(args: Args<'b, 'v>) -> Answer<'b, 'v> {
    Ok(truth(as_truth(arg(&args, 0)) == Some(true)))
}

/// `false`, or a text that says so. What is not there is not `false`.
fn falsy<'b, 'v>(args: Args<'b, 'v>) -> Answer<'b, 'v> {
    Ok(truth(as_truth(arg(&args, 0)) == Some(false)))
}

fn as_truth(value: &dyn Val) -> Option<bool> {
    match (value.downcast_ref::<CelBool>(), as_text(value)) {
        (Some(value), _) => Some(*value.inner()),
        (None, Some(text)) if text.eq_ignore_ascii_case("true") => Some(true),
        (None, Some(text)) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A whole number, also out of a text of digits; else nothing.
fn int_of<'b, 'v>(args: Args<'b, 'v>) -> Answer<'b, 'v> {
    let value = arg(&args, 0);
    let number = as_int(value).or_else(|| as_text(value).and_then(|text| text.trim().parse().ok()));
    Ok(number.map_or_else(nothing, |number| CowVal::owned(CelInt::from(number))))
}

/// A text, whatever it was: what is not there is empty, a list of one is its element.
fn text<'b, 'v>(mut args: Args<'b, 'v>) -> Answer<'b, 'v> {
    let Some(value) = args.pop() else { return Ok(nothing()) };
    if as_text(value.as_ref()).is_some() {
        return Ok(value);
    }
    let text = written(value.as_ref()).into_owned();
    Ok(CowVal::owned(CelString::from(text)))
}

fn lower<'b, 'v>(args: Args<'b, 'v>) -> Answer<'b, 'v> {
    let text = written(arg(&args, 0)).to_lowercase();
    Ok(CowVal::owned(CelString::from(text)))
}

/// How a value is written: see [`text`].
pub(super) fn written<'b>(value: &'b (dyn Val + '_)) -> Cow<'b, str> {
    if let Some(text) = as_text(value) {
        return Cow::Borrowed(text);
    }
    if let Some(number) = as_int(value) {
        return Cow::Owned(number.to_string());
    }
    if let Some(truth) = value.downcast_ref::<CelBool>() {
        return Cow::Borrowed(if *truth.inner() { "true" } else { "false" });
    }
    // `["private"]` of older S3 records and `{"content": "…", "tag": 1}` of converted XML.
    let key: Box<dyn Val> = match value.get_type().kind() {
        Kind::List if value.as_sizer().is_some_and(|sizer| *sizer.size().inner() == 1) => Box::new(CelInt::from(0)),
        Kind::Map => Box::new(CelString::from("content")),
        _ => return Cow::Borrowed(""),
    };
    let inner = value.as_indexer().and_then(|indexer| indexer.get(key.as_ref()).ok());
    inner.map_or(Cow::Borrowed(""), |inner| Cow::Owned(written(inner.as_ref()).into_owned()))
}

/// Whether a text matches a pattern of `*` and `?`, whatever the case of ASCII letters.
fn glob<'b, 'v>(args: Args<'b, 'v>) -> Answer<'b, 'v> {
    let (text, pattern) = (arg(&args, 0), arg(&args, 1));
    if is_nothing(text) {
        return Ok(truth(false));
    }
    let pattern = as_text(pattern).ok_or_else(|| ExecutionError::function_error("glob", "the pattern is no text"))?;
    Ok(truth(glob_matches(written(text).as_bytes(), pattern.as_bytes())))
}

/// Backtracks to the last `*` only: linear in the text for each `*`, never exponential.
pub(super) fn glob_matches(text: &[u8], pattern: &[u8]) -> bool {
    let (mut t, mut p) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted.eq_ignore_ascii_case(byte) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((after, taken)) => {
                    star = Some((after, taken + 1));
                    p = after + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_none_or(|rest| rest.iter().all(|byte| *byte == b'*'))
}

fn regex<'b, 'v>(args: Args<'b, 'v>) -> Answer<'b, 'v> {
    let (text, pattern) = (arg(&args, 0), arg(&args, 1));
    let Some(pattern) = pattern.downcast_ref::<Pattern>() else {
        return Err(ExecutionError::function_error("regex", "the pattern is not compiled"));
    };
    Ok(truth(!is_nothing(text) && pattern.is_in(&written(text))))
}

/// JSON out of a text; what is JSON already stays. A text that is none is in doubt: it was cut off or masked.
fn json<'b, 'v>(mut args: Args<'b, 'v>) -> Answer<'b, 'v> {
    let (doubts, value) = (args.pop(), args.pop());
    let Some(value) = value else { return Ok(nothing()) };
    let Some(text) = as_text(value.as_ref()) else { return Ok(value) };
    match Json::parse(text) {
        Ok(json) => Ok(owned_json(json.into_owned())),
        Err(error) => {
            if let Some(doubts) = doubts.as_ref().and_then(|doubts| doubts.downcast_ref::<Doubts>()) {
                doubts.add(Doubt::new("json", format!("cannot be read: {error}")));
            }
            Ok(nothing())
        }
    }
}

/// Whether networks together are the internet. What is no network counts for nothing.
fn is_internet<'b, 'v>(args: Args<'b, 'v>) -> Answer<'b, 'v> {
    let mut networks = Vec::new();
    each(arg(&args, 0), &mut |value| networks.extend(as_text(value).and_then(address::parse)));
    Ok(truth(address::is_internet(networks)))
}

/// Calls a function with every element of a list, or with the value itself.
fn each(value: &dyn Val, then: &mut dyn FnMut(&dyn Val)) {
    match value.as_iterable() {
        Some(iterable) if value.get_type().kind() != Kind::Map => {
            let mut elements = iterable.iter();
            while let Some(element) = elements.next() {
                then(element);
            }
        }
        _ => then(value),
    }
}

/// Whether an exposure or opening holds a port, or any of several.
fn reaches<'b, 'v>(args: Args<'b, 'v>) -> Answer<'b, 'v> {
    let exposure = arg(&args, 0);
    let indexer = exposure.as_indexer().ok_or_else(|| ExecutionError::function_error("reaches", "no exposure"))?;
    let (from, to) = (indexer.get(&CelString::from("from"))?, indexer.get(&CelString::from("to"))?);
    let protocol = indexer.get(&CelString::from("protocol"))?;
    let (Some(from), Some(to)) = (as_int(from.as_ref()), as_int(to.as_ref())) else { return Ok(truth(false)) };
    let has_ports = matches!(as_text(protocol.as_ref()), Some("any" | "tcp" | "udp"));
    let mut reached = false;
    each(arg(&args, 1), &mut |port| reached |= as_int(port).is_some_and(|port| (from..=to).contains(&port)));
    Ok(truth(has_ports && reached))
}

/// The account of an ARN or the subscription of an ARM id, or an account id itself; empty when there is none.
fn account_of<'b, 'v>(args: Args<'b, 'v>) -> Answer<'b, 'v> {
    let text = written(arg(&args, 0));
    let is_id = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let arm = |text: &'_ str| text.get(..15).is_some_and(|start| start.eq_ignore_ascii_case("/subscriptions/"));
    let account = if is_id(&text) {
        &text
    } else if arm(&text) {
        text.split('/').nth(2).unwrap_or_default()
    } else {
        text.split(':').nth(4).filter(|part| is_id(part)).unwrap_or_default()
    };
    Ok(CowVal::owned(CelString::from(account.to_owned())))
}

/// Whether one text, or any of several, is among others, whatever the case of ASCII letters.
fn any_ci<'b, 'v>(args: Args<'b, 'v>) -> Answer<'b, 'v> {
    let mut wanted = Vec::new();
    each(arg(&args, 1), &mut |text| wanted.extend(as_text(text).map(str::to_owned)));
    Ok(truth(any_among(arg(&args, 0), &wanted)))
}

/// Whether one of a value's texts is among others, whatever the case of ASCII letters.
pub(super) fn any_among(values: &dyn Val, wanted: &[String]) -> bool {
    let mut found = false;
    each(values, &mut |value| {
        found |= as_text(value).is_some_and(|text| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(text)));
    });
    found
}

/// A comparison that is false when either side is not there.
fn compare<'b, 'v>(operator: &str, args: &Args<'b, 'v>, holds: Order) -> Answer<'b, 'v> {
    let (left, right) = (arg(args, 0), arg(args, 1));
    if is_nothing(left) || is_nothing(right) {
        return Ok(truth(false));
    }
    let order = left.as_comparer().and_then(|left| left.compare(right).ok());
    let types = || [left, right].map(|value| value.get_type().name().to_owned()).to_vec();
    order.map(|order| truth(holds(order))).ok_or_else(|| ExecutionError::no_such_overload(operator, types()))
}
