use onus_core::{Cloud, Resource, Severity, SinkConfig, Tags};

use super::*;

const RULE: &str = "aws.s3.bucket_made_public";

/// A policy knows no sinks.
#[derive(serde::Deserialize)]
enum Nowhere {}

impl SinkConfig for Nowhere {
    fn name(&self) -> &str {
        match *self {}
    }
}

fn policy(yaml: &str) -> Policy {
    Policy::from(&Config::<Nowhere>::parse("onus.yaml", yaml).expect("a good configuration"))
}

/// Lets a test look at one subject: a public bucket of Onus's own making, with tags or without knowing them.
fn about<T>(cloud: Cloud, tags: Option<&[(&str, &str)]>, look: impl FnOnce(&Subject<'_>) -> T) -> T {
    let controls = ["cis-aws-5.0:2.1.4".to_owned(), "attack:T1530".to_owned()];
    let resource = Resource::new("AWS::S3::Bucket", "arn:aws:s3:::logs", "logs");
    let issuer = Some("AROAEXAMPLEID".into());
    let actor = Actor { principal: "AROAEXAMPLEID:onus".into(), issuer, ..Actor::default() };
    let tags: Option<Tags> =
        tags.map(|tags| tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect());
    look(&Subject {
        cloud,
        rule: RULE,
        controls: &controls,
        severity: Severity::Critical,
        account: "111122223333",
        resource: Some(&resource),
        actor: &actor,
        tags: tags.as_ref(),
    })
}

fn decide(yaml: &str, safety: Option<Safety>) -> Decision {
    about(Cloud::Aws, Some(&[("env", "prod"), ("team", "web")]), |subject| policy(yaml).decide(subject, safety))
}

fn now() -> Timestamp {
    "2026-11-02T10:00:00Z".parse().expect("a moment")
}

#[test]
fn the_most_specific_override_counts_and_of_equals_the_safest() {
    let cases: [(&str, Mode); 20] = [
        ("[]", Mode::Alert),
        ("[{ rule: aws.*, mode: plan }]", Mode::Plan),
        ("[{ rule: aws.*, mode: plan }, { rule: aws.s3.*, mode: enforce }]", Mode::Enforce),
        (
            "[{ rule: aws.s3.bucket_made_public, mode: plan }, { rule: aws.s3.bucket_made_publi*, mode: enforce }]",
            Mode::Plan,
        ),
        ("[{ rule: aws.s3.*, mode: enforce }, { rule: aws.??.*, mode: plan }]", Mode::Enforce),
        ("[{ rule: aws.s3.*, mode: enforce }, { rule: aws.s3.*, mode: alert }]", Mode::Alert),
        ("[{ rule: aws.s3.*, mode: alert }, { rule: aws.s3.*, mode: enforce }]", Mode::Alert),
        ("[{ account: '111122223333', mode: alert }, { rule: aws.s3.bucket_made_public, mode: enforce }]", Mode::Alert),
        ("[{ resource: logs, mode: plan }, { account: '111122223333', rule: aws.s3.*, mode: enforce }]", Mode::Plan),
        ("[{ resource: 'arn:aws:s3:::l*', mode: plan }]", Mode::Plan),
        ("[{ control: 'cis-aws-5.0:2.1.*', mode: plan }, { severity: critical, mode: enforce }]", Mode::Plan),
        ("[{ severity: high, mode: enforce }]", Mode::Alert),
        ("[{ rule: aws.s3.*, severity: critical, mode: plan }, { rule: aws.s3.*, mode: enforce }]", Mode::Plan),
        ("[{ tags: { env: prod }, mode: plan }, { account: '111122223333', mode: enforce }]", Mode::Plan),
        ("[{ tags: { env: prod }, mode: enforce }, { resource: logs, mode: alert }]", Mode::Alert),
        ("[{ tags: { env: prod }, mode: enforce }, { tags: { env: prod, team: w* }, mode: plan }]", Mode::Plan),
        ("[{ tags: { env: p* }, mode: enforce }, { tags: { env: prod }, mode: plan }]", Mode::Plan),
        ("[{ tags: { env: dev }, mode: enforce }]", Mode::Alert),
        ("[{ tags: { Env: prod }, mode: enforce }, { tags: { env: prod }, account: '4*', mode: plan }]", Mode::Alert),
        ("[{ account: '444455556666', rule: aws.s3.*, mode: enforce }]", Mode::Alert),
    ];
    let mut wrong = Vec::new();
    for (overrides, expected) in cases {
        let got = decide(&format!("modes: {{ overrides: {overrides} }}"), Some(Safety::Automatic)).mode;
        if got != expected {
            wrong.push(format!("{overrides}: {got}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_decision_says_where_it_comes_from_and_what_capped_it() {
    let yaml = "modes: { overrides: [{ severity: low, mode: plan }, { rule: 'aws.*', mode: enforce }] }";
    let decision = decide(yaml, Some(Safety::NeedsApproval));
    assert_eq!((decision.mode, decision.configured), (Mode::Approve, Mode::Enforce));
    assert_eq!(decision.source.to_string(), "modes.overrides[1]");
    assert_eq!(decision.capped_by, Some(Cap::Safety(Safety::NeedsApproval)));
    assert_eq!(decide(yaml, None).capped_by, Some(Cap::NoRemediation));
    assert_eq!(decide(yaml, Some(Safety::Automatic)).capped_by, None);
}

#[test]
fn off_wins_over_every_mode() {
    let yaml = "rules: { off: [aws.s3.*] }\nmodes: { overrides: [{ resource: logs, mode: enforce }] }";
    let decision = decide(yaml, Some(Safety::Automatic));
    assert_eq!((decision.mode, decision.source), (Mode::Off, ModeSource::Off(0)));
}

#[test]
fn what_onus_did_itself_is_told_at_most() {
    let cases = [("AROAEXAMPLEID", Mode::Alert), ("AROAEXAMPLEID:onus", Mode::Alert), ("AROAOTHER", Mode::Enforce)];
    for (own, expected) in cases {
        let yaml = format!("modes: {{ default: enforce }}\nsettings: {{ own_principals: ['{own}'] }}");
        assert_eq!(decide(&yaml, Some(Safety::Automatic)).mode, expected, "{own}");
    }
}

#[test]
fn tags_that_could_matter_and_are_not_known_leave_an_alert() {
    let yaml = |default: &str, rest: &str| format!("modes: {{ default: {default}, overrides: [{rest}] }}");
    let unknown = Some(Cap::UnknownTags);
    let by_tag = |mode: &str| format!("{{ tags: {{ env: dev }}, mode: {mode} }}");
    let cases = [
        ("by a tag it would be enforced", yaml("alert", &by_tag("enforce")), (Mode::Alert, unknown)),
        ("by a tag it would not be", yaml("enforce", &by_tag("alert")), (Mode::Alert, unknown)),
        ("by a tag it would be off", yaml("enforce", &by_tag("off")), (Mode::Alert, unknown)),
        ("it is off unless by a tag", yaml("off", &by_tag("enforce")), (Mode::Alert, unknown)),
        ("the tag changes nothing", yaml("enforce", &by_tag("enforce")), (Mode::Enforce, None)),
        (
            "something more specific decides",
            yaml("alert", &format!("{}, {{ resource: logs, mode: enforce }}", by_tag("alert"))),
            (Mode::Enforce, None),
        ),
        (
            "the tag is asked for elsewhere only",
            yaml("enforce", "{ tags: { env: dev }, account: '4*', mode: alert }"),
            (Mode::Enforce, None),
        ),
        (
            "the rule is off",
            format!("rules: {{ off: ['*'] }}\n{}", yaml("enforce", &by_tag("alert"))),
            (Mode::Off, None),
        ),
    ];
    let mut wrong = Vec::new();
    for (name, yaml, (mode, cap)) in cases {
        let policy = policy(&yaml);
        let (got, waits) = about(Cloud::Aws, None, |subject| {
            let safety = Some(Safety::Automatic);
            (policy.decide(subject, safety), policy.waits_for_tags(subject, safety, now()))
        });
        if (got.mode, got.capped_by, waits) != (mode, cap, cap.is_some()) {
            wrong.push(format!("{name}: {got:?}, waits: {waits}"));
        }
    }
    let capped = policy(&yaml("alert", &by_tag("enforce")));
    let got = about(Cloud::Aws, None, |subject| capped.decide(subject, None));
    assert_eq!(got.capped_by, None, "without a remediation no tag makes more of it than an alert");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Tags, the exemption that holds, and whether tags are waited for.
type Tagged = (Option<&'static [(&'static str, &'static str)]>, Option<usize>, bool);

#[test]
fn an_exemption_by_tag_holds_only_where_the_tag_is_known_to_be_there() {
    let policy = policy(
        "exemptions:
  - { rule: '*', tags: { env: dev }, reason: r, owner: o, expires: 2026-11-01 }
  - { rule: '*', tags: { env: dev, scope: '*' }, reason: r, owner: o, expires: never }",
    );
    let cases: [Tagged; 4] = [
        (None, None, true),
        (Some(&[]), None, false),
        (Some(&[("env", "dev")]), None, false),
        (Some(&[("env", "dev"), ("scope", "")]), Some(1), false),
    ];
    for (tags, exempt, waits) in cases {
        let got = about(Cloud::Aws, tags, |subject| {
            (policy.exemption(subject, now()).map(|(index, _)| index), policy.waits_for_tags(subject, None, now()))
        });
        assert_eq!(got, (exempt, waits), "{tags:?}");
    }
}

#[test]
fn azure_does_not_tell_upper_from_lower_case_in_ids_and_tag_keys() {
    let policy = policy(
        "modes: { overrides: [{ resource: 'ARN:aws:s3:::LOGS', mode: plan }, { tags: { ENV: prod }, mode: approve }] }",
    );
    for (cloud, expected) in [(Cloud::Azure, 0), (Cloud::Aws, usize::MAX)] {
        let source = about(cloud, Some(&[("env", "prod")]), |subject| policy.decide(subject, None).source);
        let expected = if expected == 0 { ModeSource::Override(0) } else { ModeSource::Default };
        assert_eq!(source, expected, "{cloud}");
    }
}

#[test]
fn an_explanation_names_what_decided_and_what_would_have() {
    let yaml = "
rules: { off: [aws.ec2.*] }
modes:
  default: alert
  overrides:
    - { rule: aws.s3.*, mode: plan }
    - { resource: logs, mode: enforce }
    - { resource: logs, tags: { env: dev }, mode: off }
exemptions:
  - { rule: '*', account: '1*', reason: r, owner: o, expires: 2026-11-01 }
  - { rule: '*', tags: { env: dev }, reason: r, owner: o, expires: never }";
    let explained =
        about(Cloud::Aws, None, |subject| policy(yaml).explain(subject, Some(Safety::NeedsApproval), now()));
    assert_eq!(explained.decision.source, ModeSource::Override(1));
    assert_eq!(explained.decision.capped_by, Some(Cap::UnknownTags));
    assert_eq!((explained.ended, explained.exemptions_by_tag), (vec![0], vec![1]));
    assert_eq!(explained.overrides_by_tag, [2]);
    assert!(explained.waits_for_tags && explained.exemption.is_none());
    let tags: &[(&str, &str)] = &[("env", "prod")];
    let explained =
        about(Cloud::Aws, Some(tags), |subject| policy(yaml).explain(subject, Some(Safety::NeedsApproval), now()));
    assert_eq!((explained.decision.mode, explained.decision.source), (Mode::Approve, ModeSource::Override(1)));
    let without = explained.without.expect("something else would decide");
    assert_eq!((without.mode, without.source), (Mode::Plan, ModeSource::Override(0)));
    assert!(!explained.waits_for_tags);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    const MODES: [Mode; 5] = [Mode::Off, Mode::Alert, Mode::Plan, Mode::Approve, Mode::Enforce];

    fn an_override() -> impl Strategy<Value = String> {
        let selector = prop_oneof![
            Just("rule: '*'"),
            Just("rule: aws.s3.*"),
            Just("resource: logs"),
            Just("account: '1*'"),
            Just("tags: { env: prod }"),
            Just("tags: { env: 'p*', team: web }"),
            Just("tags: { env: dev }"),
            Just("rule: aws.ec2.*"),
        ];
        (selector, proptest::sample::select(&MODES[..]))
            .prop_map(|(selector, mode)| format!("{{ {selector}, mode: {mode} }}"))
    }

    proptest! {
        /// Whatever the tags turn out to be, not knowing them never allows a write.
        #[test]
        fn not_knowing_tags_never_writes_where_knowing_them_might_not(
            overrides in proptest::collection::vec(an_override(), 0..6),
            default in proptest::sample::select(&MODES[..]),
        ) {
            let yaml = format!("modes: {{ default: {default}, overrides: [{}] }}", overrides.join(", "));
            let policy = policy(&yaml);
            let safety = Some(Safety::Automatic);
            let unknown = about(Cloud::Aws, None, |subject| policy.decide(subject, safety));
            let tag_sets: [&[(&str, &str)]; 4] =
                [&[], &[("env", "prod")], &[("env", "dev")], &[("env", "prod"), ("team", "web")]];
            for tags in tag_sets {
                let known = about(Cloud::Aws, Some(tags), |subject| policy.decide(subject, safety));
                if unknown.mode > Mode::Alert {
                    prop_assert_eq!(known.mode, unknown.mode, "{} {:?}", &yaml, tags);
                }
                prop_assert!(unknown.mode != Mode::Off || known.mode == Mode::Off, "{} {:?}", &yaml, tags);
                prop_assert!(known.capped_by != Some(Cap::UnknownTags));
            }
        }
    }
}
