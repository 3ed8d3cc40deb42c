//! No rule file makes loading it panic, and every mistake is named inside the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onus_rules::{Catalog, LoadErrors};

fuzz_target!(|text: &str| {
    let loaded = Catalog::load(vec![("aws/s3/bucket_made_public.yaml".to_owned(), text.to_owned())]);
    if let Err(LoadErrors(errors)) = loaded {
        for error in errors {
            assert!(error.offset <= error.text.len(), "{error}");
            let _ = error.to_string();
        }
    }
});
