//! Audit-log records to changes, changes to effects. One module per log.
//!
//! [`scan`] and [`scan_reader`] take any shape that a log's records travel in: the provider's own files, what its event
//! services deliver to a function, JSON lines, a JSON array, one record; plain or gzip. Which shape it is is told by the bytes,
//! never by a file's name. Every entry is visited once, in order, as a change, a named skip, or an error of its own.

pub mod aws;
mod entry;
mod error;
mod logs;
mod scan;
mod split;
mod text;

pub use entry::{Decoded, Entry, Scanned, Skip};
pub use error::{DecodeError, InputError};
pub use scan::{MAX_RECORD, scan, scan_reader};
