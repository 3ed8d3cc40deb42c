//! No text of `onus.yaml` makes reading it panic, and whatever is read can decide and be explained without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onus_core::{Actor, Cloud, Mode, Resource, Safety, Severity};
use onus_host::Config;
use onus_pipeline::place::{Step, place};
use onus_pipeline::{Cap, Policy, Subject};

fuzz_target!(|text: &str| {
    let Ok(config) = Config::parse("onus.yaml", text) else { return };
    let policy = Policy::from(&config);
    let (resource, actor) = (Resource::new("AWS::S3::Bucket", "arn:aws:s3:::logs", "logs"), Actor::default());
    let subject = Subject {
        cloud: Cloud::Aws,
        rule: "aws.s3.bucket_made_public",
        controls: &["cis-aws-5.0:2.1.4".to_owned()],
        severity: Severity::Critical,
        account: "111122223333",
        resource: Some(&resource),
        actor: &actor,
        tags: None,
    };
    let now = "2026-11-02T10:00:00Z".parse().expect("a moment");
    let explained = policy.explain(&subject, Some(Safety::NeedsApproval), now);
    assert_eq!(explained.decision, policy.decide(&subject, Some(Safety::NeedsApproval)));
    assert!(explained.decision.mode <= Mode::Approve, "safety caps");
    // Tags that are not known never lead further than an alert where they could matter.
    assert!(explained.decision.capped_by != Some(Cap::UnknownTags) || explained.decision.mode == Mode::Alert);
    for index in 0..config.exemptions.len() {
        // `None` where a YAML tag stands before the document: then no line is shown.
        if let Some((line, _)) = place(text, &[Step::Key("exemptions"), Step::Index(index)]) {
            // YAML ends lines at more characters than Rust does.
            let breaks = text.matches(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count();
            assert!((1..=breaks + 1).contains(&line), "{line} is in the text");
        }
    }
});
