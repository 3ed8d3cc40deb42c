//! Operations whose beginning and end stand in records of their own, put together.
//!
//! Azure logs a write as Started, Accepted and Succeeded or Failed; Google Cloud logs a long-running operation as its first and its last
//! entry. The request stands on the first of them, the outcome on the last, and feeds deliver them in any order and more than once. Within
//! one input they become one change: the texts of the records are laid over one another and the result is decoded.
//!
//! Memory is bounded by [`Limits`]. Past it the oldest operation is given up, that is: visited with the parts it has, as all are at the end
//! of the input. A beginning alone decodes to `Outcome::Begun`, an end alone to a change whose request is not known.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use crate::entry::{Decoded, Entry, Skip};
use crate::error::DecodeError;
use crate::text::each_member;

/// Which record of its operation a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The provider took the call, or still works on it.
    Begun,
    /// It came to nothing.
    Failed,
    /// It was done.
    Succeeded,
}

/// How one log's operations are put together. One constant per log.
#[derive(Debug)]
pub(crate) struct Joining {
    /// The log's name: operations of different logs are never joined.
    pub(crate) source: &'static str,
    /// Merges the texts of one operation's records into the text of one record: beginnings first, the end last. [`overlay`] will do
    /// for most logs.
    pub(crate) merge: fn(&[&str]) -> Result<String, DecodeError>,
    /// Decodes the text of one record, merged or not.
    pub(crate) decode: for<'a> fn(&'a str) -> Result<Decoded<'a>, DecodeError>,
}

/// One record of an operation that may have more.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    /// See there.
    pub(crate) joining: &'static Joining,
    /// What all records of the operation share, and no other: the uid of the change.
    pub(crate) key: Cow<'a, str>,
    /// Which of them this is.
    pub(crate) stage: Stage,
    /// The record, out of its envelopes.
    pub(crate) text: &'a str,
}

/// How much is kept while the rest of an operation may still come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Records.
    pub(crate) parts: usize,
    /// Bytes of their texts and keys.
    pub(crate) bytes: usize,
}

impl Limits {
    /// For files and payloads alike: an operation's records stand minutes apart, which is far fewer records than this.
    pub(crate) const DEFAULT: Limits = Limits { parts: 10_000, bytes: 64 * 1024 * 1024 };
}

/// What takes the entries of settled operations.
pub(crate) type Visit<'v> = dyn for<'a> FnMut(Entry<'a>) + 'v;

/// The operations of one input that may not be complete.
#[derive(Debug)]
pub(crate) struct Join<'f> {
    file: &'f str,
    limits: Limits,
    /// In the order in which their first records came.
    operations: BTreeMap<u64, Operation>,
    numbers: HashMap<Rc<Key>, u64>,
    next: u64,
    parts: usize,
    bytes: usize,
}

/// The log and the key within it.
type Key = (&'static str, String);

#[derive(Debug)]
struct Operation {
    key: Rc<Key>,
    joining: &'static Joining,
    parts: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    record: u64,
    stage: Stage,
    text: String,
}

impl<'f> Join<'f> {
    /// For one input, of this name.
    pub(crate) fn new(file: &'f str, limits: Limits) -> Self {
        Self { file, limits, operations: BTreeMap::new(), numbers: HashMap::new(), next: 0, parts: 0, bytes: 0 }
    }

    /// Keeps a part, and settles the oldest operations when that is too much.
    pub(crate) fn add(&mut self, part: &Part<'_>, record: u64, visit: &mut Visit<'_>) {
        let key = Rc::new((part.joining.source, part.key.to_string()));
        let number = *self.numbers.entry(Rc::clone(&key)).or_insert_with(|| {
            self.next += 1;
            self.bytes += key.1.len();
            self.next
        });
        let operation = self.operations.entry(number).or_insert_with(|| Operation {
            key,
            joining: part.joining,
            parts: Vec::with_capacity(2),
        });
        operation.parts.push(Kept { record, stage: part.stage, text: part.text.to_owned() });
        self.parts += 1;
        self.bytes += part.text.len();
        while self.parts > self.limits.parts || self.bytes > self.limits.bytes {
            self.settle_oldest(visit);
        }
    }

    /// Settles everything, oldest first: the input is at its end.
    pub(crate) fn finish(&mut self, visit: &mut Visit<'_>) {
        while !self.operations.is_empty() {
            self.settle_oldest(visit);
        }
    }

    fn settle_oldest(&mut self, visit: &mut Visit<'_>) {
        let Some((_, operation)) = self.operations.pop_first() else { return };
        self.numbers.remove(&operation.key);
        self.parts -= operation.parts.len();
        self.bytes -= operation.parts.iter().map(|part| part.text.len()).sum::<usize>() + operation.key.1.len();
        operation.settle(self.file, visit);
    }
}

impl Operation {
    /// Visits every part once, in the order of the input: each distinct end as a change, the others as skips that say why. Without an
    /// end the first beginning is the change.
    ///
    /// One end is the rule. Several that differ are several operations under one key, which a caller who chooses his own correlation id
    /// can bring about: none of them may hide another. Each takes the beginnings that came since the end before it, the last one also those
    /// behind it.
    fn settle(&self, file: &str, visit: &mut Visit<'_>) {
        let ends = self.distinct(|part| part.stage != Stage::Begun);
        let beginnings = self.distinct(|part| part.stage == Stage::Begun);
        let told: &[usize] = if ends.is_empty() { beginnings.get(..1).unwrap_or_default() } else { &ends };
        let mut from = 0;
        for (index, part) in self.parts.iter().enumerate() {
            if told.binary_search(&index).is_ok() {
                let to = if told.last() == Some(&index) { self.parts.len() } else { index };
                let upto = |place| beginnings.partition_point(|at| *at < place);
                let taken = beginnings.get(upto(from)..upto(to)).unwrap_or_default();
                let before = taken.iter().filter(|at| **at != index).filter_map(|at| self.parts.get(*at));
                let texts: Vec<&str> = before.chain([part]).map(|part| part.text.as_str()).collect();
                self.visit_joined(file, part.record, &texts, visit);
                from = index;
            } else {
                let skip = if part.stage == Stage::Begun { Skip::OperationBegun } else { Skip::Repeated };
                visit(Entry { file, record: part.record, result: Ok(Decoded::Skipped(skip)) });
            }
        }
    }

    /// The parts of one sort, each text once.
    fn distinct(&self, sort: impl Fn(&Kept) -> bool) -> Vec<usize> {
        let mut seen = HashSet::new();
        let parts = self.parts.iter().enumerate();
        parts.filter(|(_, part)| sort(part) && seen.insert(part.text.as_str())).map(|(index, _)| index).collect()
    }

    /// Visits the merged texts of one operation as one record.
    fn visit_joined(&self, file: &str, record: u64, texts: &[&str], visit: &mut Visit<'_>) {
        let merged = match texts {
            [text] => Ok(Cow::Borrowed(*text)),
            several => (self.joining.merge)(several).map(Cow::Owned),
        };
        let result = merged.as_ref().map_err(DecodeError::clone).and_then(|text| (self.joining.decode)(text));
        visit(Entry { file, record, result });
    }
}

/// How deep objects are laid over one another; below, the last one counts as a whole. Bodies start at the third level in every log.
const DEPTH: usize = 6;

/// Lays JSON objects over one another: members of all of them, those of later ones over those of earlier ones, objects member by
/// member. `null` and the empty string cover nothing. Values keep the text they have.
///
/// # Errors
/// A text is no JSON object.
pub(crate) fn overlay(texts: &[&str]) -> Result<String, DecodeError> {
    let mut merged = String::with_capacity(texts.iter().map(|text| text.len()).sum());
    lay(texts, DEPTH, &mut merged)?;
    Ok(merged)
}

fn lay(layers: &[&str], depth: usize, into: &mut String) -> Result<(), DecodeError> {
    let mut order: Vec<(String, Vec<(usize, &str)>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (number, layer) in layers.iter().enumerate() {
        let mut take = |name: &str, value| match places.get(name).and_then(|place| order.get_mut(*place)) {
            Some(_) if matches!(value, "null" | "\"\"") => {}
            Some((_, values)) => {
                // Within one object, of a repeated member the last counts.
                values.retain(|(earlier, _)| *earlier != number);
                values.push((number, value));
            }
            None => {
                places.insert(name.to_owned(), order.len());
                order.push((name.to_owned(), vec![(number, value)]));
            }
        };
        each_member(layer, &mut take).map_err(|error| DecodeError::syntax(layer, &error))?;
    }
    into.push('{');
    for (index, (name, values)) in order.iter().enumerate() {
        if index > 0 {
            into.push(',');
        }
        into.push_str(&serde_json::Value::from(name.as_str()).to_string());
        into.push(':');
        let values: Vec<&str> = values.iter().map(|(_, value)| *value).collect();
        match values.as_slice() {
            several @ [_, _, ..] if depth > 1 && several.iter().all(|value| value.starts_with('{')) => {
                lay(several, depth - 1, into)?;
            }
            [.., last] => into.push_str(last),
            [] => into.push_str("null"),
        }
    }
    into.push('}');
    Ok(())
}

#[cfg(test)]
mod tests;
