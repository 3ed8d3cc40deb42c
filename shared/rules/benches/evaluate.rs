//! Twenty rules on one event of 1.7 KB, beside a hand-written check of the same conditions.
//!
//! Run with `cargo bench -p onus-rules`. Both sides start from the same decoded change; the last line is their ratio.
#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "a benchmark")]

use std::hint::black_box;
use std::time::Instant;

use criterion::Criterion;
use onus_core::{Audience, Change, Verdict};
use onus_rules::{Catalog, Settings, Subject};
use onus_sources::Decoded;
use onus_sources::aws::cloudtrail;

/// What the rules ask, as the catalogue does: members of the request, the actor, effects, lists, globs, regular expressions.
const CONDITIONS: [&str; 20] = [
    "request.publiclyAccessible == true && request.engine == 'oracle'",
    "truthy(request.publiclyAccessible) && falsy(request.storageEncrypted)",
    "request.storageEncrypted == false",
    "request.deletionProtection == false && request.engine in ['mysql', 'postgres']",
    "int_of(request.backupRetentionPeriod) < 7",
    "request.backupRetentionPeriod == 0",
    "list(request.vpcSecurityGroupIds).exists(g, g == 'sg-0badc0ffee0badc0f')",
    "actor.kind == 'Root' && actor.invoked_by == null",
    "actor.invoked_by == 'cloudformation.amazonaws.com'",
    "change.region == 'us-gov-west-1'",
    "grants.exists(g, g.audience == 'public')",
    "grants.exists(g, g.audience == 'external' && !(g.account in settings.trusted_accounts))",
    "exposures.exists(e, reaches(e, [22, 3389]))",
    "glob(request.dBInstanceIdentifier, 'prod-*-public')",
    "regex(request.dBInstanceIdentifier, '^tmp-[0-9]+$')",
    "has(request.masterUserPassword) && request.masterUserPassword != '****'",
    "request.iAMDatabaseAuthentication == false || request.caCertificateIdentifier == 'rds-ca-2019'",
    "size(list(request.enabledCloudwatchLogsExports)) == 0",
    "request.copyTagsToSnapshot == false && request.missing.deeper == 'x'",
    "any_ci(request.licenseModel, ['bring-your-own-license'])",
];

/// The same, by hand.
fn by_hand(change: &Change<'_>, settings: &Settings) -> usize {
    let request = change.request.json();
    let text = |key: &str| request.get_ci(key).as_str();
    let truth = |key: &str| request.get_ci(key).as_bool();
    let number = |key: &str| request.get_ci(key).as_i64();
    let name = text("dBInstanceIdentifier").unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let effects = change.effects();
    let trusted = |account: &Option<String>| account.as_ref().is_some_and(|a| settings.trusted_accounts.contains(a));
    let fires = [
        truth("publiclyAccessible") == Some(true) && text("engine") == Some("oracle"),
        truth("publiclyAccessible") == Some(true) && truth("storageEncrypted") == Some(false),
        truth("storageEncrypted") == Some(false),
        truth("deletionProtection") == Some(false)
            && ["mysql", "postgres"].contains(&text("engine").unwrap_or_default()),
        number("backupRetentionPeriod").is_some_and(|days| days < 7),
        number("backupRetentionPeriod") == Some(0),
        request.get_ci("vpcSecurityGroupIds").each().iter().any(|id| id.as_str() == Some("sg-0badc0ffee0badc0f")),
        change.actor.kind == "Root" && change.actor.invoked_by.is_none(),
        change.actor.invoked_by.as_deref() == Some("cloudformation.amazonaws.com"),
        change.region == "us-gov-west-1",
        effects.grants.iter().any(|grant| grant.audience == Audience::Public),
        effects.grants.iter().any(|grant| grant.audience == Audience::External && !trusted(&grant.account)),
        effects.exposures().iter().any(|e| [22, 3389].iter().any(|port| (e.ports.0..=e.ports.1).contains(port))),
        lower.starts_with("prod-") && lower.ends_with("-public"),
        lower.strip_prefix("tmp-").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit())),
        text("masterUserPassword").is_some_and(|password| password != "****"),
        truth("iAMDatabaseAuthentication") == Some(false) || text("caCertificateIdentifier") == Some("rds-ca-2019"),
        request.get_ci("enabledCloudwatchLogsExports").each().is_empty(),
        truth("copyTagsToSnapshot") == Some(false) && request.get_ci("missing").get_ci("deeper").as_str() == Some("x"),
        text("licenseModel").is_some_and(|model| model.eq_ignore_ascii_case("bring-your-own-license")),
    ];
    fires.iter().filter(|fires| **fires).count()
}

fn by_rules(catalog: &Catalog, change: &Change<'_>, settings: &Settings) -> usize {
    let subject = Subject::new(change, None, settings);
    let fires = |rule| matches!(subject.evaluate(rule), Ok(Verdict::Fires));
    catalog.candidates(change).filter(|rule| fires(rule)).count()
}

fn catalog() -> Catalog {
    let file = |(number, when): (usize, &&str)| {
        let text = format!(
            "title: t\nstatus: stable\nseverity: low\nduty: {{ area: configuration_and_settings, service: RDS }}\nwhy: w\n\
             respond: [r]\nwatch: {{ source: aws.cloudtrail, actions: ['rds:ModifyDBInstance', 'rds:Other{number}'] }}\n\
             when: \"{when}\"\n"
        );
        (format!("aws/rds/rule_{number}.yaml"), text)
    };
    Catalog::load(CONDITIONS.iter().enumerate().map(file)).unwrap_or_else(|errors| panic!("{errors}"))
}

/// An event of the size that CloudTrail's have on average.
const EVENT: &str = r#"{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLEROLEID0001:dana","arn":"arn:aws:sts::111122223333:assumed-role/Developer/dana","accountId":"111122223333","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLEROLEID0001","arn":"arn:aws:iam::111122223333:role/Developer","accountId":"111122223333","userName":"Developer"},"attributes":{"creationDate":"2026-03-02T08:01:11Z","mfaAuthenticated":"true"}}},"eventTime":"2026-03-02T09:34:17Z","eventSource":"rds.amazonaws.com","eventName":"ModifyDBInstance","awsRegion":"eu-central-1","sourceIPAddress":"192.0.2.10","userAgent":"aws-cli/2.22.7 md/awscrt#0.23.4 ua/2.0 os/linux","requestParameters":{"dBInstanceIdentifier":"prod-orders","engine":"postgres","applyImmediately":true,"publiclyAccessible":false,"storageEncrypted":true,"deletionProtection":true,"backupRetentionPeriod":14,"vpcSecurityGroupIds":["sg-0f1e2d3c4b5a69788","sg-00112233445566778"],"masterUserPassword":"****","iAMDatabaseAuthentication":true,"caCertificateIdentifier":"rds-ca-rsa2048-g1","enabledCloudwatchLogsExports":["postgresql","upgrade"],"copyTagsToSnapshot":true,"licenseModel":"postgresql-license","allowMajorVersionUpgrade":false},"responseElements":{"dBInstanceIdentifier":"prod-orders","dBInstanceStatus":"available","engine":"postgres","engineVersion":"16.4","multiAZ":true,"storageType":"gp3","endpoint":{"address":"prod-orders.example.eu-central-1.rds.amazonaws.com","port":5432},"dBSubnetGroup":{"dBSubnetGroupName":"private","vpcId":"vpc-0a1b2c3d"}},"requestID":"7f6d2a51-0016-4c3e-9d52-0a1b2c3d4e5f","eventID":"8afe4f3c-19c1-5071-95e4-726fa5e57db0","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}"#;

fn decode(text: &str) -> Change<'_> {
    match cloudtrail::decode(text) {
        Ok(Decoded::Change(change)) => *change,
        other => panic!("the event does not decode: {other:?}"),
    }
}

/// Nanoseconds per run: the best of many short batches, which a busy machine disturbs least.
fn best(mut run: impl FnMut() -> usize) -> f64 {
    const BATCH: u32 = 200;
    let batch = |_| {
        let start = Instant::now();
        for _ in 0..BATCH {
            black_box(run());
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(BATCH)
    };
    (0..1000).map(batch).fold(f64::INFINITY, f64::min)
}

fn main() {
    let (catalog, change, settings) = (catalog(), decode(EVENT), Settings::default());
    assert_eq!(by_rules(&catalog, &change, &settings), by_hand(&change, &settings), "both sides find the same");
    let mut criterion = Criterion::default().configure_from_args();
    criterion.bench_function("20 rules", |bench| bench.iter(|| by_rules(&catalog, black_box(&change), &settings)));
    criterion.bench_function("by hand", |bench| bench.iter(|| by_hand(black_box(&change), &settings)));
    for (condition, rule) in CONDITIONS.iter().zip(catalog.rules()).filter(|_| std::env::var_os("EACH").is_some()) {
        let time = best(|| usize::from(Subject::new(&change, None, &settings).evaluate(rule).is_ok()));
        println!("{time:7.0} ns  {condition}");
    }
    criterion.final_summary();
    let rules = best(|| by_rules(&catalog, black_box(&change), &settings));
    let hand = best(|| by_hand(black_box(&change), &settings));
    println!(
        "event of {} bytes, 20 rules: {rules:.0} ns; by hand: {hand:.0} ns; ratio {:.1}",
        EVENT.len(),
        rules / hand
    );
}
