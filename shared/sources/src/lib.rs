//! Audit-log records to changes, changes to effects. One module per log.
//!
//! [`scan`] and [`scan_reader`] take any shape that a log's records travel in: the provider's own files, what its event
//! services deliver to a function, JSON lines, a JSON array, one record; plain or gzip. Which shape it is is told by the bytes,
//! never by a file's name. Every entry is visited once, as a change, a named skip, or an error of its own: in order, save that the records
//! of one operation wait for one another and become one change.
//!
//! ```
//! use onus_sources::{Decoded, scan};
//!
//! let input = br#"{"eventID":"e-1","eventTime":"2026-11-23T18:00:00Z","eventSource":"s3.amazonaws.com",
//!     "eventName":"PutBucketAcl","requestParameters":{"bucketName":"reports"}}"#;
//! let mut buckets = Vec::new();
//! let scanned = scan("event.json", input, &mut |entry| {
//!     if let Ok(Decoded::Change(change)) = entry.result {
//!         buckets.extend(change.resource().map(|bucket| bucket.id.to_string()));
//!     }
//! })?;
//! assert_eq!((scanned.changes, buckets), (1, vec!["arn:aws:s3:::reports".to_owned()]));
//! # Ok::<(), onus_sources::InputError>(())
//! ```

pub mod aws;
pub mod azure;
mod decode;
mod entry;
mod error;
pub mod gcp;
mod join;
mod logs;
mod scan;
mod split;
mod text;

pub use decode::decode;
pub use entry::{Decoded, Entry, Scanned, Skip};
pub use error::{DecodeError, InputError};
pub use scan::{MAX_RECORD, scan, scan_reader};
