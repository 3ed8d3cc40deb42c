//! No text is taken for an approval link but one that was signed, and no piece of one put elsewhere is.
#![no_main]

use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::fuzz_target;
use onus_core::{Image, Plan, Resource};
use onus_pipeline::approval::BadLink;
use onus_pipeline::{ApprovalKey, ApprovalLinks};

fuzz_target!(|input: (u8, &str)| {
    let (at, text) = input;
    let key = ApprovalKey::new("a key of thirty-two bytes or more").expect("long enough");
    let shown: Timestamp = "2026-11-02T10:00:00Z".parse().expect("a moment");
    assert_eq!(key.check(text, shown), Err(BadLink::Forged));
    let plan = Plan {
        finding: "f-0123456789abcdef0123456789".parse().expect("an id"),
        remediation: String::new(),
        resource: Resource::default(),
        steps: Vec::new(),
        before: Image::default(),
    };
    let links = ApprovalLinks::new("https://a.example/", key.clone(), SignedDuration::from_hours(1)).expect("good");
    let made = links.of(&plan, shown);
    let good = made.approve.split_once("?t=").expect("a token").1;
    assert!(key.check(good, shown).is_ok());
    // The text over a part of a good token, and between two parts of it.
    let at = usize::from(at) % good.len();
    let (head, tail) = good.split_at(at);
    let over = format!("{head}{text}{}", tail.get(text.len()..).unwrap_or_default());
    for changed in [over, format!("{head}{text}{tail}")] {
        if changed != good {
            assert_eq!(key.check(&changed, shown), Err(BadLink::Forged), "{changed}");
        }
    }
});
