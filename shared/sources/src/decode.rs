//! One record's text again.

use crate::entry::{Decoded, Skip};
use crate::error::DecodeError;
use crate::{aws, azure, gcp};

/// Decodes the text of a change that [`scan`](crate::scan) visited, by its log: `change.source` and `change.text`. For who cannot
/// work on a change while scanning, because the work waits.
///
/// A log that Onus does not read is skipped as unknown.
///
/// # Errors
/// The text is no record of the log.
pub fn decode<'a>(source: &str, text: &'a str) -> Result<Decoded<'a>, DecodeError> {
    match source {
        aws::cloudtrail::SOURCE => aws::cloudtrail::decode(text),
        azure::activity::SOURCE | azure::entra::SOURCE => azure::decode(text),
        gcp::audit::SOURCE => gcp::audit::decode(text),
        _ => Ok(Decoded::Skipped(Skip::Unknown)),
    }
}
