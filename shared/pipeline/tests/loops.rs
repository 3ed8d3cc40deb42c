//! No loops: what Onus did itself is known by ids alone, and who undoes it again and again is named and let be.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test file is a test from top to bottom"
)]

mod fakes;

use std::sync::Arc;

use fakes::{Estate, Last, Nowhere, World, approve, until_done};
use jiff::SignedDuration;
use onus_core::{Actor, Notice, Origin, Safety, Severity};
use onus_pipeline::{Cap, Config, Done, Job, Policy, Subject};

const OWN: &str = "
modes: { default: enforce }
settings:
  own_principals:
    - AROAONUSRESPOND
    - 11111111-aaaa-4aaa-8aaa-000000000001
    - 22222222-bbbb-4bbb-8bbb-000000000002
    - onus-respond@onus-prod.iam.gserviceaccount.com
";

fn actor(kind: &str, id: &str, principal: &str, account: &str, issuer: Option<&str>) -> Actor<'static> {
    let own = |text: &str| text.to_owned().into();
    let issuer = issuer.map(own);
    Actor { kind: own(kind), id: own(id), principal: own(principal), account: own(account), issuer, ..Actor::default() }
}

#[test]
fn own_changes_are_known_by_unique_id_and_every_look_alike_is_judged_like_anybody() {
    let policy = Policy::from(&Config::<Nowhere>::parse("onus.yaml", OWN).expect("reads"));
    let (us, them) = ("111122223333", "444455556666");
    let role = |account: &str, session: &str| format!("arn:aws:sts::{account}:assumed-role/onus-respond/{session}");
    let app = "11111111-aaaa-4aaa-8aaa-000000000001";
    let object = "22222222-bbbb-4bbb-8bbb-000000000002";
    let email = "onus-respond@onus-prod.iam.gserviceaccount.com";
    let delegated = |delegate: &'static str| Actor {
        delegates: vec![delegate.into()],
        ..actor("ServiceAccount", email, email, "onus-prod", None)
    };
    let cases = [
        (
            "the role",
            actor("AssumedRole", &role(us, "onus"), "AROAONUSRESPOND:onus", us, Some("AROAONUSRESPOND")),
            true,
        ),
        (
            "the role, under another session name",
            actor("AssumedRole", &role(us, "x"), "AROAONUSRESPOND:x", us, Some("AROAONUSRESPOND")),
            true,
        ),
        (
            "the application",
            actor("Application", "", "33333333-0000-4000-8000-000000000003", "tenant", Some(app)),
            true,
        ),
        ("the managed identity", actor("ManagedIdentity", "", object, "tenant", None), true),
        ("the service account itself", actor("ServiceAccount", email, email, "onus-prod", None), true),
        (
            "a role of that name in another account",
            actor("AssumedRole", &role(them, "onus"), "AROAOTHERROLE:onus", them, Some("AROAOTHERROLE")),
            false,
        ),
        (
            "a role of that name made again",
            actor("AssumedRole", &role(us, "onus"), "AROAMADEAGAIN:onus", us, Some("AROAMADEAGAIN")),
            false,
        ),
        (
            "a session named like the id",
            actor(
                "AssumedRole",
                &role(us, "AROAONUSRESPOND"),
                "AROAOTHERROLE:AROAONUSRESPOND",
                us,
                Some("AROAOTHERROLE"),
            ),
            false,
        ),
        (
            "a user named like the id",
            actor("IAMUser", "arn:aws:iam::111122223333:user/AROAONUSRESPOND", "AIDAUSER", us, None),
            false,
        ),
        (
            "an id that begins like it",
            actor("AssumedRole", &role(us, "onus"), "AROAONUSRESPONDX:onus", us, Some("AROAONUSRESPONDX")),
            false,
        ),
        (
            "the beginning of the id",
            actor("AssumedRole", &role(us, "onus"), "AROAONUS:onus", us, Some("AROAONUS")),
            false,
        ),
        (
            "the id in other letters",
            actor("AssumedRole", &role(us, "onus"), "aroaonusrespond:onus", us, Some("aroaonusrespond")),
            false,
        ),
        (
            "a federated name with the id before a colon",
            actor("WebIdentityUser", "", "AROAONUSRESPOND:web", us, None),
            false,
        ),
        ("a record without ids", actor("", "", "", "", None), false),
        ("empty ids", actor("AssumedRole", "", "", us, Some("")), false),
        (
            "an application with that display name",
            actor(
                "Application",
                "onus-respond",
                "44444444-0000-4000-8000-000000000004",
                "tenant",
                Some("55555555-0000-4000-8000-000000000005"),
            ),
            false,
        ),
        (
            "the application's id as a name",
            actor(
                "User",
                app,
                "66666666-0000-4000-8000-000000000006",
                "tenant",
                Some("04b07795-8ddb-461a-bbee-02f9e1bf7b46"),
            ),
            false,
        ),
        ("somebody through the service account", delegated("mallory@example.com"), false),
        ("a service account that stands in for it", delegated("build@other.iam.gserviceaccount.com"), false),
        (
            "the same name in another project",
            actor(
                "ServiceAccount",
                "onus-respond@onus-pr0d.iam.gserviceaccount.com",
                "onus-respond@onus-pr0d.iam.gserviceaccount.com",
                "onus-pr0d",
                None,
            ),
            false,
        ),
        ("a person with the address as a display name", actor("User", email, "mallory@example.com", "", None), false),
    ];
    let mut wrong = Vec::new();
    for (what, actor, own) in cases {
        let subject = Subject {
            cloud: onus_core::Cloud::Aws,
            tags: None,
            rule: "aws.s3.bucket_made_public",
            controls: &[],
            severity: Severity::High,
            account: us,
            resource: None,
            actor: &actor,
        };
        let decision = policy.decide(&subject, Some(Safety::Automatic));
        if policy.is_own(&actor) != own || (decision.capped_by == Some(Cap::OwnChange)) != own {
            wrong.push(what);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_user_agent_or_address_that_claims_to_be_onus_changes_nothing() {
    let world = World::new(OWN, &["fake.fires"], "fake.auto");
    let origin = Origin { address: "onus-respond".into(), user_agent: "onus/1 AROAONUSRESPOND".into() };
    let change = onus_core::Change { origin, ..fakes::change() };
    let report = world.auditor().handle(&change).await.expect("audited");
    world.responder().handle(&Job::Respond(report.outcomes[0].finding.clone())).await.expect("done");
    assert_eq!(world.cloud.has(), ["good"]);
}

/// Who re-applies a description of what should be.
fn terraform() -> Actor<'static> {
    let arn = "arn:aws:sts::111122223333:assumed-role/deploy/ci-run-7";
    actor("AssumedRole", arn, "AROADEPLOY:ci-run-7", "111122223333", Some("AROADEPLOY"))
}

fn alarms(world: &World) -> Vec<String> {
    let told = world.sinks[0].told.lock().expect("unpoisoned");
    told.iter()
        .filter_map(|notice| match notice {
            Notice::Alarm { reason, .. } => Some(reason.clone()),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_writer_that_applies_every_few_seconds_gets_at_most_k_writes_and_is_named_once() {
    for k in [1, 3, 5] {
        let world = World::new(
            &format!("modes: {{ default: enforce }}\nsettings: {{ opposition: {{ responses: {k} }} }}"),
            &[],
            "",
        );
        let estate = Arc::new(Estate::default());
        let responder = world.responder_of(&estate);
        // A change every seven seconds, for longer than the window and past the hour of the budget.
        for n in 0..600 {
            estate.add("it", "bad");
            let finding = world.found_on(&format!("e-{n}"), "it", None, terraform()).await;
            world.clock.pass(SignedDuration::from_secs(7));
            responder.handle(&Job::Respond(finding.id)).await.expect("done");
        }
        assert_eq!(estate.writes().len(), k);
        let alarms = alarms(&world);
        assert_eq!(alarms.len(), 1, "{alarms:?}");
        let named = ["estate.auto", "arn:aws:fake:::it", "assumed-role/deploy/ci-run-7", "AROADEPLOY", "ci-run-7"];
        let missing: Vec<_> = named.into_iter().filter(|part| !alarms[0].contains(part)).collect();
        assert!(missing.is_empty(), "{missing:?} in {}", alarms[0]);

        // Elsewhere nothing is stopped, and after an hour of quiet here neither.
        estate.add("other", "bad");
        let finding = world.found_on("other", "other", None, terraform()).await;
        responder.handle(&Job::Respond(finding.id)).await.expect("done");
        assert!(estate.has("other").is_empty());
        world.clock.pass(SignedDuration::from_mins(61));
        let finding = world.found_on("later", "it", None, terraform()).await;
        responder.handle(&Job::Respond(finding.id)).await.expect("done");
        assert!(estate.has("it").is_empty());
    }
}

#[tokio::test]
async fn deliveries_that_come_late_do_not_hide_a_tug_of_war() {
    // Twenty changes were made before the first was ever answered; each is applied again as soon as it was taken back.
    let world = World::new("modes: { default: enforce }", &[], "");
    let estate = Arc::new(Estate::default());
    let responder = world.responder_of(&estate);
    let mut findings = Vec::new();
    for n in 0..20 {
        findings.push(world.found_on(&format!("e-{n}"), "it", None, terraform()).await.id);
    }
    for finding in findings.into_iter().rev() {
        estate.add("it", "bad");
        responder.handle(&Job::Respond(finding)).await.expect("done");
    }
    assert_eq!((estate.writes().len(), alarms(&world).len()), (3, 1));
}

#[tokio::test]
async fn changes_that_undo_nothing_of_each_other_are_all_taken_back() {
    let world = World::new("modes: { default: enforce }", &[], "");
    let estate = Arc::new(Estate::default());
    let mut findings = Vec::new();
    for n in 0..10 {
        let statement = format!("bad-{n}");
        estate.add("it", &statement);
        findings.push(world.found_on(&format!("e-{n}"), "it", Some(&statement), terraform()).await.id);
    }
    for finding in findings {
        world.responder_of(&estate).handle(&Job::Respond(finding)).await.expect("done");
    }
    assert!(estate.has("it").is_empty(), "{:?}", estate.has("it"));
    assert_eq!((estate.writes().len(), alarms(&world).len()), (10, 0));
}

#[tokio::test]
async fn a_stopped_response_waits_for_a_person() {
    let world = World::new("modes: { default: enforce }\nsettings: { opposition: { responses: 1 } }", &[], "");
    let estate = Arc::new(Estate::default());
    let responder = world.responder_of(&estate);
    for uid in ["e-1", "e-2"] {
        estate.add("it", "bad");
        let finding = world.found_on(uid, "it", None, terraform()).await.id;
        let done = responder.handle(&Job::Respond(finding.clone())).await.expect("done");
        if uid == "e-2" {
            assert!(matches!(done, Done::Planned { .. }), "{done:?}");
            assert_eq!(estate.has("it"), ["bad"]);
            responder.handle(&approve(&finding)).await.expect("done");
            assert!(estate.has("it").is_empty());
        }
    }
}

#[tokio::test]
async fn a_handler_that_dies_over_each_write_does_not_fight_on() {
    // The resource is broken again whenever a handler died: only the ledger knows how often it was answered.
    for n in 1..30 {
        let world = World::dying("modes: { default: enforce }", &["fake.fires"], "fake.auto", Last::Unheard);
        world.cloud.set(&["bad-1"]);
        let job = Job::Respond(world.found().await);
        for _ in 0..12 {
            world.cloud.set(&["bad-1"]);
            world.fuse.rearm(n);
            let _ = world.responder().handle(&job).await;
            world.fuse.rearm(-1);
            world.clock.pass(SignedDuration::from_mins(4));
        }
        until_done(&world, async || world.responder().handle(&job).await).await;
        let writes = world.cloud.writes().len();
        assert!(writes <= 4, "{n}: {writes} writes");
    }
}

#[tokio::test]
async fn the_tool_is_told_by_what_it_calls_itself() {
    let cases = [
        ("APN/1.0 HashiCorp/1.0 Terraform/1.9.0 (+https://www.terraform.io)", "", "calls itself Terraform"),
        ("APN/1.0 Pulumi/1.0 (3.1.0)", "", "calls itself Pulumi"),
        ("cloudformation.amazonaws.com", "cloudformation.amazonaws.com", "calls itself CloudFormation"),
        ("aws-cli/2", "", "user agent `aws-cli/2`"),
    ];
    let mut wrong = Vec::new();
    for (user_agent, invoked_by, expected) in cases {
        let world = World::new("modes: { default: enforce }\nsettings: { opposition: { responses: 1 } }", &[], "");
        let estate = Arc::new(Estate::default());
        for uid in ["e-1", "e-2"] {
            estate.add("it", "bad");
            let invoked_by = Some(invoked_by).filter(|service| !service.is_empty()).map(Into::into);
            let actor = Actor { invoked_by, ..terraform() };
            let finding = world.found_by(uid, "it", actor, user_agent).await;
            world.responder_of(&estate).handle(&Job::Respond(finding.id)).await.expect("done");
        }
        let alarms = alarms(&world);
        if !alarms.first().is_some_and(|reason| reason.contains(expected)) {
            wrong.push(format!("{user_agent}: {alarms:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
