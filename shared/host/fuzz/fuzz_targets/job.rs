//! No message of a queue and no entry of `requests/` makes reading it panic, and what is read has one form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onus_pipeline::{Job, Request};

fuzz_target!(|input: &[u8]| {
    if let Ok(job) = serde_json::from_slice::<Job>(input) {
        let text = serde_json::to_string(&job).expect("a job serialises");
        assert_eq!(serde_json::from_str::<Job>(&text).expect("and comes back"), job);
        assert!(!job.finding().as_str().contains('/'), "an id is a segment of a key");
    }
    if let Ok(request) = serde_json::from_slice::<Request>(input) {
        let text = serde_json::to_string(&request).expect("a request serialises");
        assert_eq!(serde_json::from_str::<Request>(&text).expect("and comes back"), request);
    }
});
