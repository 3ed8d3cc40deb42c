//! The front door: an input of any shape, entry by entry.

use std::io::{self, BufReader, Cursor, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;

use crate::entry::{Entry, Scanned};
use crate::error::{DecodeError, InputError, quote};
use crate::logs::{self, Context};
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

/// Visits every entry of a stream, in order, holding one entry (at most [`MAX_RECORD`] bytes) in memory.
///
/// Shapes, told by content: one record or envelope; a provider's file with an array of records; a JSON array; JSON lines in which each line
/// is any of these; documents behind one another; each plain or gzip, with or without byte order mark and carriage returns. An empty input
/// has no entries. A broken entry is visited as an error, and the next one follows.
///
/// # Errors
/// The reader failed, the gzip stream is damaged or cut off, or the input is not text. What came before was visited.
pub fn scan_reader(file: &str, input: impl Read, visit: &mut dyn FnMut(Entry<'_>)) -> Result<Scanned, InputError> {
    let mut scanned = Scanned::default();
    let fail = |source, offset, scanned: &Scanned| InputError {
        file: file.to_owned(),
        record: scanned.records,
        offset,
        scanned: scanned.clone(),
        source,
    };
    let mut splitter = match open(input) {
        Ok(reader) => Splitter::new(reader, MAX_RECORD),
        Err(source) => return Err(fail(source, 0, &scanned)),
    };
    let mut position = 0;
    loop {
        match splitter.next() {
            Ok(Some(Cut { piece, line })) => decode(&piece, Context::new(file), &mut |context, result| {
                scanned.count(&result);
                visit(Entry { file: context.file, record: line.unwrap_or(position), result });
                position += 1;
            }),
            Ok(None) => return Ok(scanned),
            Err(source) => return Err(fail(source, splitter.offset(), &scanned)),
        }
    }
}

/// Takes what one piece holds.
fn decode<'a>(piece: &Piece<'a>, context: Context<'a>, take: &mut logs::Take<'_>) {
    match *piece {
        Piece::Object(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => logs::open(text, context, take),
            Err(error) => take(context, Err(DecodeError::Utf8 { offset: error.valid_up_to() })),
        },
        Piece::Other(bytes) => {
            let head = bytes.get(..bytes.len().min(HEAD)).unwrap_or_default();
            take(context, Err(DecodeError::NotAnObject { start: quote(&String::from_utf8_lossy(head)) }));
        }
        Piece::Unclosed(length) => take(context, Err(DecodeError::Unclosed { length })),
        Piece::TooLarge => take(context, Err(DecodeError::TooLarge { limit: MAX_RECORD })),
        Piece::CutOff => take(context, Err(DecodeError::CutOff)),
    }
}

/// Takes off gzip, told by its first two bytes, and refuses what is no text.
fn open<'r>(mut input: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let head = head(&mut input)?;
    let zipped = head.starts_with(&[0x1F, 0x8B]);
    let whole = Cursor::new(head).chain(input);
    if !zipped {
        return text(whole);
    }
    text(MultiGzDecoder::new(BufReader::with_capacity(64 * 1024, whole)))
}

fn text<'r>(mut input: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let head = head(&mut input)?;
    if memchr::memchr(0, &head).is_some() {
        let reason = "expected JSON text or gzip of it, found binary data (or UTF-16)";
        return Err(io::Error::new(ErrorKind::InvalidData, reason));
    }
    Ok(Box::new(Cursor::new(head).chain(input)))
}

/// The first bytes, fewer at the end of the input.
fn head(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    input.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

#[cfg(test)]
mod tests;
