//! The logs that Onus reads, one line each.

use crate::entry::{Decoded, Skip};
use crate::error::DecodeError;
use crate::join::Part;
use crate::{aws, azure, gcp};

/// What an opened text holds.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// An entry that stands for itself.
    Entry(Result<Decoded<'a>, DecodeError>),
    /// One record of an operation that may have more: to be joined with them.
    Part(Part<'a>),
}

/// What takes the entries that an opened text holds. It is handed the context back, so that both are known to live as long.
pub(crate) type Take<'t> = dyn for<'a> FnMut(Context<'a>, Found<'a>) + 't;

/// Where a text was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The name of the input.
    pub(crate) file: &'a str,
    /// How many more envelopes may be opened.
    pub(crate) layers: usize,
}

impl<'a> Context<'a> {
    /// How many envelopes may be put in one another. SNS in SQS around an EventBridge event is three.
    const LAYERS: usize = 6;

    /// At the outside.
    pub(crate) fn new(file: &'a str) -> Self {
        Self { file, layers: Self::LAYERS }
    }

    /// One envelope further in; nothing when there were too many.
    pub(crate) fn inner(self) -> Option<Self> {
        Some(Self { layers: self.layers.checked_sub(1)?, ..self })
    }
}

/// One audit log: how to tell its entries, and how to open them.
pub(crate) struct Log {
    /// Members of an outer object whose array holds one entry per element. The readers walk into them, so that a file of any size
    /// needs the memory of one entry.
    pub(crate) arrays: &'static [&'static str],
    /// Opens one JSON object and takes out every entry in it (a batch may hold none). Answers `false`, having taken nothing, when it is a JSON
    /// object of another log. Takes the error itself when it is no JSON object at all.
    pub(crate) open: for<'a> fn(&'a str, Context<'a>, &mut Take<'_>) -> bool,
}

/// Every log. The first that recognises an object opens it.
static LOGS: [Log; 3] = [aws::LOG, azure::LOG, gcp::LOG];

/// Whether the array in this member of an outer object holds entries.
pub(crate) fn holds_entries(member: &[u8]) -> bool {
    LOGS.iter().any(|log| log.arrays.iter().any(|name| name.as_bytes() == member))
}

/// Opens one JSON object, or says what is wrong with it.
pub(crate) fn open<'a>(text: &'a str, context: Context<'a>, take: &mut Take<'_>) {
    if !LOGS.iter().any(|log| (log.open)(text, context, take)) {
        take(context, Found::Entry(Ok(Decoded::Skipped(Skip::Unknown))));
    }
}
