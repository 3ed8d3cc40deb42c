//! What can be wrong with an entry, and with an input as a whole.

use std::io;

use crate::entry::Scanned;

/// Why one entry could not be decoded. Texts taken from the input are shortened and escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The entry is not JSON.
    #[error("record is not valid JSON at byte {offset} of the record: {reason}")]
    Syntax {
        /// Bytes from the start of the record, or of the line it stands in.
        offset: usize,
        /// What the parser expected.
        reason: String,
    },
    /// The entry is not text.
    #[error("record is not UTF-8 at byte {offset} of the record")]
    Utf8 {
        /// Bytes from the start of the record.
        offset: usize,
    },
    /// The entry is JSON, but a list, a number or a word where a record was expected.
    #[error("record is not a JSON object, it starts with `{start}`")]
    NotAnObject {
        /// The first characters.
        start: String,
    },
    /// The entry ends in the middle: a quote or a bracket is never closed.
    #[error("record is not closed after {length} bytes")]
    Unclosed {
        /// How many bytes of it there are.
        length: usize,
    },
    /// The input ends where another entry, or the end of the list of entries, should follow.
    #[error("list of records is not closed, the input ends too early")]
    CutOff,
    /// The entry is longer than Onus keeps in memory.
    #[error("record is larger than {limit} bytes")]
    TooLarge {
        /// See [`crate::MAX_RECORD`].
        limit: usize,
    },
    /// A field that every record of this log has is not there.
    #[error("field `{field}` is missing")]
    Missing {
        /// The field's name in the log.
        field: &'static str,
    },
    /// A field holds something that it cannot mean.
    #[error("field `{field}` holds `{value}`: {reason}")]
    Field {
        /// The field's path in the record.
        field: &'static str,
        /// What it holds.
        value: String,
        /// Why that will not do.
        reason: String,
    },
    /// A payload inside an envelope cannot be unpacked.
    #[error("cannot unpack `{field}`: {reason}")]
    Payload {
        /// The member that holds it.
        field: &'static str,
        /// What failed.
        reason: String,
    },
}

impl DecodeError {
    /// Never: the same bytes will be wrong again.
    pub fn is_retryable(&self) -> bool {
        false
    }

    /// A parser's complaint, with its line and column turned into a byte offset.
    pub(crate) fn syntax(text: &str, error: &serde_json::Error) -> Self {
        let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let full = error.to_string();
        let reason = full.rsplit_once(" at line ").map_or(full.as_str(), |(reason, _)| reason).to_owned();
        DecodeError::Syntax { offset: (before + error.column().saturating_sub(1)).min(text.len()), reason }
    }

    /// A field that holds nonsense. The value is quoted for people.
    pub(crate) fn field(field: &'static str, value: &str, reason: impl Into<String>) -> Self {
        DecodeError::Field { field, value: quote(value), reason: reason.into() }
    }
}

/// At most 64 characters of a text that somebody else wrote, control characters escaped.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted: String = text.chars().take(64).flat_map(char::escape_debug).collect();
    if text.chars().nth(64).is_some() {
        quoted.push('…');
    }
    quoted
}

/// Why an input could not be read to its end. The entries before the failure were visited.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{file}` beyond record {record}, byte {offset} of its content")]
pub struct InputError {
    /// The name that the caller gave the input.
    pub file: String,
    /// The first record that was not visited.
    pub record: u64,
    /// Bytes read until then, after decompression.
    pub offset: u64,
    /// What the input held up to there.
    pub scanned: Scanned,
    /// What reading or decompressing answered.
    #[source]
    pub source: io::Error,
}

impl InputError {
    /// Whether reading the same input again may work: yes when the reader failed, no when the data is damaged or cut off.
    pub fn is_retryable(&self) -> bool {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        !matches!(self.source.kind(), InvalidData | InvalidInput | UnexpectedEof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syntax_error_points_at_the_byte() {
        let text = "{\n \"a\": NaN}";
        let error = serde_json::from_str::<serde_json::Value>(text).unwrap_err();
        let DecodeError::Syntax { offset, reason } = DecodeError::syntax(text, &error) else { panic!("{error}") };
        assert_eq!(&text[offset..=offset], "N");
        assert_eq!(reason, "expected value");
    }

    #[test]
    fn quotes_are_short_and_hold_no_control_characters() {
        assert_eq!(quote("a\u{1b}[31m\nb"), "a\\u{1b}[31m\\nb");
        assert_eq!(quote(&"x".repeat(100)).chars().count(), 65);
    }
}
