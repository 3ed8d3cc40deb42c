//! No input makes decoding panic, and how a reader chunks its bytes changes nothing.
//!
//! ```text
//! mkdir -p fuzz/corpus/decode
//! cargo fuzz run decode -s none fuzz/corpus/decode ../../events/aws ../../events/azure ../../events/gcp -- -max_total_time=1200
//! ```
#![no_main]

use std::io::{self, Read};

use libfuzzer_sys::fuzz_target;
use onus_sources::{Decoded, Entry, scan, scan_reader};

/// Gives a few bytes at a time, so that every boundary falls everywhere sooner or later.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(into.len()).min(self.0.len());
        let (now, later) = self.0.split_at(count);
        into[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}

fuzz_target!(|input: &[u8]| {
    let mut whole = Vec::new();
    let in_memory = scan("fuzz", input, &mut |entry| whole.push(look(entry)));
    let mut pieces = Vec::new();
    let step = input.first().map_or(1, |byte| usize::from(byte % 13) + 1);
    let streamed = scan_reader("fuzz", Drip(input, step), &mut |entry| pieces.push(look(entry)));
    assert_eq!(in_memory.as_ref().ok(), streamed.as_ref().ok());
    if in_memory.is_ok() {
        assert_eq!(whole, pieces);
    }
});

/// Everything a rule or a sink would ask of an entry.
fn look(entry: Entry<'_>) -> (u64, String) {
    let what = match entry.result {
        Ok(Decoded::Change(change)) => {
            let effects = change.effects();
            for exposure in effects.exposures() {
                assert!(exposure.openings.iter().all(|index| *index < effects.openings.len()));
            }
            let _ = (change.record.json(), change.request.is_omitted(), change.response.is_omitted());
            format!("{:?}", change.summary())
        }
        Ok(Decoded::Skipped(skip)) => skip.to_string(),
        Err(error) => error.to_string(),
    };
    (entry.record, what)
}
