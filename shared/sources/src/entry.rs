//! What one entry of an input turned out to be, and the tally of a whole input.

use std::collections::BTreeMap;
use std::fmt;

use onus_core::Change;

use crate::error::DecodeError;

/// What one well-formed entry of an input is.
#[derive(Debug)]
pub enum Decoded<'a> {
    /// An audit-log record.
    Change(Box<Change<'a>>),
    /// Something that is no change, for a reason that has a name.
    Skipped(Skip),
}

impl<'a> Decoded<'a> {
    /// The change, when the entry is one.
    pub fn change(self) -> Option<Change<'a>> {
        match self {
            Decoded::Change(change) => Some(*change),
            Decoded::Skipped(_) => None,
        }
    }
}

/// Why a well-formed entry is no change. Skips are counted, never silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Skip {
    /// A list of log files and their hashes, which a log writes beside its records.
    Digest,
    /// An anomaly that the log found in its own records.
    Insight,
    /// Several calls added up to one entry: it names no single change.
    Aggregate,
    /// A delivery service's own test or health message.
    ControlMessage,
    /// An event of another kind on the same bus: a finding, a state change, a schedule.
    OtherEvent,
    /// A notice that an object was stored. It names a file that may hold records, and holds none.
    StorageNotification,
    /// A sign-in, which changes nothing.
    SignIn,
    /// A record of a service's own log (requests to data, Kubernetes audit, metrics), which is none of the log of changes.
    ResourceLog,
    /// The beginning of an operation whose end, or first beginning, is visited as the change: its content is part of that.
    OperationBegun,
    /// The end of an operation, delivered once more.
    Repeated,
    /// A JSON object of no log that Onus knows.
    Unknown,
}

impl Skip {
    /// The name that reports and counts use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Skip::Digest => "digest",
            Skip::Insight => "insight",
            Skip::Aggregate => "aggregate",
            Skip::ControlMessage => "control_message",
            Skip::OtherEvent => "other_event",
            Skip::StorageNotification => "storage_notification",
            Skip::SignIn => "sign_in",
            Skip::ResourceLog => "resource_log",
            Skip::OperationBegun => "operation_begun",
            Skip::Repeated => "repeated",
            Skip::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One entry of an input, in the order of the input.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The name that the caller gave the input.
    pub file: &'a str,
    /// Which entry, from 0. In JSON lines the line's number, also when the line holds several records; in every other
    /// shape the position of the record in the file.
    pub record: u64,
    /// The entry, or what is wrong with it. An error concerns this entry alone.
    pub result: Result<Decoded<'a>, DecodeError>,
}

/// What an input held. `records` is the sum of the other three.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scanned {
    /// Entries of every sort.
    pub records: u64,
    /// Entries that are changes.
    pub changes: u64,
    /// Entries that are none, by [`Skip::as_str`].
    pub skipped: BTreeMap<&'static str, u64>,
    /// Entries that could not be decoded.
    pub broken: u64,
}

impl Scanned {
    /// Counts one entry.
    pub(crate) fn count(&mut self, result: &Result<Decoded<'_>, DecodeError>) {
        self.records += 1;
        match result {
            Ok(Decoded::Change(_)) => self.changes += 1,
            Ok(Decoded::Skipped(skip)) => *self.skipped.entry(skip.as_str()).or_default() += 1,
            Err(_) => self.broken += 1,
        }
    }
}
