//! The front door: an input of any shape, entry by entry.

use std::io::{self, BufReader, Cursor, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;

use crate::entry::{Entry, Scanned};
use crate::error::{DecodeError, InputError, quote};
use crate::join::{Join, Limits};
use crate::logs::{self, Context, Found};
use crate::split::{Cut, Piece, Splitter};

/// The largest entry that is decoded, in bytes. CloudTrail caps a record at 256 KB and the largest envelope that is not walked into, a function's
/// payload, at 6 MB; beyond this an entry is an error of its own and is passed over without being kept.
pub const MAX_RECORD: usize = 16 * 1024 * 1024;

/// How much of the start is looked at to tell that an input is no text.
const HEAD: usize = 512;

/// Visits every entry of a payload in memory: a function's event, a small file. Same as [`scan_reader`].
///
/// # Errors
/// The payload is gzip that is damaged or cut off, or it is not text.
pub fn scan(file: &str, input: &[u8], visit: &mut dyn FnMut(Entry<'_>)) -> Result<Scanned, InputError> {
    scan_reader(file, input, visit)
}

/// Visits every entry of a stream, holding one entry (at most [`MAX_RECORD`] bytes) in memory, and, of logs that write several records about
/// one operation, those that may not be complete (at most 10,000 of them or 64 MB).
///
/// Entries come in order. The records of one operation come together, when the input ends or too many are
/// kept: one of them as the change, with what all of them hold, the others as skips.
///
/// Shapes, told by content: one record or envelope; a provider's file with an array of records; a JSON array; JSON lines in which each line
/// is any of these; documents behind one another; each plain or gzip, with or without byte order mark and carriage returns. An empty input
/// has no entries. A broken entry is visited as an error, and the next one follows.
///
/// # Errors
/// The reader failed, the gzip stream is damaged or cut off, or the input is not text. What came before was visited.
pub fn scan_reader(file: &str, input: impl Read, visit: &mut dyn FnMut(Entry<'_>)) -> Result<Scanned, InputError> {
    let mut scanned = Scanned::default();
    let mut visit = |entry: Entry<'_>| {
        scanned.count(&entry.result);
        visit(entry);
    };
    let (ended, offset) = match open(input) {
        Ok(reader) => visit_all(file, &mut Splitter::new(reader, MAX_RECORD), &mut visit),
        Err(source) => (Err(source), 0),
    };
    match ended {
        Ok(()) => Ok(scanned),
        Err(source) => Err(InputError { file: file.to_owned(), record: scanned.records, offset, scanned, source }),
    }
}

/// Visits every entry up to the end or a failure, and tells how many bytes were read.
fn visit_all(
    file: &str,
    splitter: &mut Splitter<impl Read>,
    visit: &mut dyn FnMut(Entry<'_>),
) -> (io::Result<()>, u64) {
    let (mut join, mut position) = (Join::new(file, Limits::DEFAULT), 0);
    let ended = loop {
        match splitter.next() {
            Ok(Some(Cut { piece, line })) => decode(&piece, Context::new(file), &mut |context, found| {
                let record = line.unwrap_or(position);
                match found {
                    Found::Entry(result) => visit(Entry { file: context.file, record, result }),
                    Found::Part(part) => join.add(&part, record, visit),
                }
                position += 1;
            }),
            Ok(None) => break Ok(()),
            Err(source) => break Err(source),
        }
    };
    join.finish(visit);
    (ended, splitter.offset())
}

/// Takes what one piece holds.
fn decode<'a>(piece: &Piece<'a>, context: Context<'a>, take: &mut logs::Take<'_>) {
    let error = match *piece {
        Piece::Object(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => return logs::open(text, context, take),
            Err(error) => DecodeError::Utf8 { offset: error.valid_up_to() },
        },
        Piece::Other(bytes) => {
            let head = bytes.get(..bytes.len().min(HEAD)).unwrap_or_default();
            DecodeError::NotAnObject { start: quote(&String::from_utf8_lossy(head)) }
        }
        Piece::Unclosed(length) => DecodeError::Unclosed { length },
        Piece::TooLarge => DecodeError::TooLarge { limit: MAX_RECORD },
        Piece::CutOff => DecodeError::CutOff,
    };
    take(context, Found::Entry(Err(error)));
}

/// Takes off gzip, told by its first two bytes, and refuses what is no text.
fn open<'r>(input: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let peeked = Peeked::new(input);
    if !peeked.head().starts_with(&[0x1F, 0x8B]) {
        return text(peeked);
    }
    text(Peeked::new(MultiGzDecoder::new(BufReader::with_capacity(64 * 1024, peeked))))
}

fn text<'r>(input: Peeked<impl Read + 'r>) -> io::Result<Box<dyn Read + 'r>> {
    if memchr::memchr(0, input.head()).is_some() {
        let reason = "expected JSON text or gzip of it, found binary data (or UTF-16)";
        return Err(io::Error::new(ErrorKind::InvalidData, reason));
    }
    Ok(Box::new(input))
}

/// A reader whose first bytes have been looked at. A failure met while looking is reported where it happened: behind them.
struct Peeked<R> {
    head: Cursor<Vec<u8>>,
    failure: Option<io::Error>,
    rest: R,
}

impl<R: Read> Peeked<R> {
    fn new(mut rest: R) -> Self {
        let mut head = Vec::with_capacity(HEAD);
        let failure = rest.by_ref().take(HEAD as u64).read_to_end(&mut head).err();
        Self { head: Cursor::new(head), failure, rest }
    }

    /// The first bytes, fewer where the input ends or fails.
    fn head(&self) -> &[u8] {
        self.head.get_ref()
    }
}

impl<R: Read> Read for Peeked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match (self.head.read(into)?, self.failure.take()) {
            (0, Some(failure)) => Err(failure),
            (0, None) => self.rest.read(into),
            (count, failure) => {
                self.failure = failure;
                Ok(count)
            }
        }
    }
}

#[cfg(test)]
mod tests;
