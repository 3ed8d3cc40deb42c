//! The chain of evidence: whole after whatever happened, and broken at the link that somebody touched.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test file is a test from top to bottom"
)]

mod fakes;

use fakes::chains::{APPROVE, ENFORCE, Entries, approved, entries, responded, verified, vouched, with, without};
use fakes::{Last, World, until_done};
use jiff::SignedDuration;
use onus_core::FindingId;
use onus_pipeline::Job;
use onus_pipeline::records::{Chain, Judgement};

#[tokio::test]
async fn a_chain_holds_record_decisions_images_requests_and_verdict() {
    let (world, finding) = responded().await;
    insta::assert_json_snapshot!(vouched(&entries(&world).await, &finding), @r#"
    [
      [
        "records/ID.json",
        "claims/aws/b77c002db8f14d84c8d220c79d221ec2/fake.fires.json",
        "findings/ID.json",
        "days/2026-11-02/ID",
        "judged/ID/audit-6a0f153ce835ae1726f2634bd6e80cb9.json"
      ],
      [
        "judged/ID/respond-6a0f153ce835ae1726f2634bd6e80cb9.json",
        "attempts/ID/respond-001/intent.json"
      ],
      [
        "attempts/ID/respond-001/sent-0.json",
        "attempts/ID/respond-001/sent-1.json",
        "receipts/ID/respond.json"
      ],
      [
        "requests/ID/undo-1.json",
        "attempts/ID/undo-001.1/intent.json"
      ],
      [
        "attempts/ID/undo-001.1/sent-0.json",
        "attempts/ID/undo-001.1/sent-1.json",
        "receipts/ID/undo-1.json"
      ]
    ]
    "#);
}

#[tokio::test]
async fn a_chain_holds_alarms_plans_and_who_approved_them() {
    let (world, finding) = approved().await;
    insta::assert_json_snapshot!(vouched(&entries(&world).await, &finding), @r#"
    [
      [
        "records/ID.json",
        "claims/aws/b77c002db8f14d84c8d220c79d221ec2/fake.fires.json",
        "findings/ID.json",
        "days/2026-11-02/ID",
        "judged/ID/audit-4d2e9096ba9500ad4d28045015a5e04e.json"
      ],
      [
        "alarms/ID/alarm-1e1898c1b97cc534.json"
      ],
      [
        "judged/ID/respond-1e172c6e4376771bf77c4a67a0af71e0.json",
        "plans/ID/planned-51be9bbbd85a0fed.json"
      ],
      [
        "requests/ID/approve-1.json",
        "decisions/ID.json",
        "attempts/ID/respond-001/intent.json"
      ],
      [
        "attempts/ID/respond-001/sent-0.json",
        "attempts/ID/respond-001/sent-1.json",
        "receipts/ID/respond.json"
      ],
      [
        "attempts/ID/undo-001.1/intent.json"
      ],
      [
        "attempts/ID/undo-001.1/sent-0.json",
        "attempts/ID/undo-001.1/sent-1.json",
        "receipts/ID/undo-1.json"
      ]
    ]
    "#);
}

#[tokio::test]
async fn what_decided_is_kept_as_it_stood() {
    let yaml = "
modes: { default: alert, overrides: [{ rule: fake.*, account: '111122223333', mode: enforce }] }
exemptions: [{ id: known, rule: fake.fires, reason: it is fine, owner: alice, expires: 2026-12-31 }]
";
    let world = World::new(yaml, &["fake.fires"], "fake.manual");
    world.found().await;
    let entries = entries(&world).await;
    let judged = entries.iter().find(|(key, _)| key.starts_with("judged/")).expect("kept").1;
    let judged: Judgement = serde_json::from_slice(judged).expect("a judgement");
    insta::assert_json_snapshot!(judged, @r#"
    {
      "judge": "audit",
      "at": "2026-11-02T10:00:05Z",
      "decision": {
        "mode": "plan",
        "configured": "enforce",
        "source": {
          "override": 0
        },
        "capped_by": {
          "safety": "manual_only"
        }
      },
      "line": {
        "account": "111122223333",
        "mode": "enforce",
        "rule": "fake.*"
      },
      "exemption": "known"
    }
    "#);
    assert!(entries.keys().any(|key| key.starts_with("exempted/known/")));
}

#[tokio::test]
async fn whatever_is_touched_is_named_with_its_link() {
    let mut wrong = Vec::new();
    for (world, finding) in [responded().await, approved().await] {
        let all = entries(&world).await;
        let links = vouched(&all, &finding);
        let link_of = |key: &str| {
            let key = key.replace(finding.as_str(), "ID");
            links.iter().position(|entries| entries.contains(&key)).map(|index| index + 1)
        };
        for (key, value) in all.iter().filter(|(key, _)| link_of(key).is_some()) {
            let (mut longer, link) = (value.clone(), link_of(key).expect("chained"));
            longer.push(b' ');
            let cases = [
                ("altered", with(&all, key, &longer), "is not what it was"),
                ("removed", without(&all, |k| k == key), "is gone"),
            ];
            for (what, touched, reason) in cases {
                let expected = Chain::Broken { link, reason: format!("`{key}` {reason}") };
                let found = verified(&touched, &finding).await;
                if found != expected {
                    wrong.push(format!("{key} {what}: {found}"));
                }
            }
        }
        let link_keys: Vec<&String> = all.keys().filter(|key| key.starts_with("evidence/")).collect();
        for (index, key) in link_keys.iter().enumerate() {
            let text = String::from_utf8(all[*key].clone()).expect("text");
            let dated = text.replace("2026-11-02T10:00:05Z", "2026-11-02T10:00:06Z").into_bytes();
            let cases = [
                ("altered", with(&all, key, &dated)),
                ("removed", without(&all, |k| k == *key)),
                ("garbled", with(&all, key, b"{")),
            ];
            for (what, touched) in cases {
                let found = verified(&touched, &finding).await;
                // Of two links that do not fit together a marker tells which one it was; before an intent nobody is told.
                let marked = |number: usize| {
                    matches!(number, 1)
                        || links.get(number - 1).is_some_and(|entries| {
                            entries
                                .iter()
                                .any(|key| ["plans/", "receipts/", "alarms/"].iter().any(|top| key.starts_with(top)))
                        })
                };
                let number = index + 1;
                let named = if what != "altered" || marked(number) || marked(number + 1) { number } else { number + 1 };
                if !matches!(found, Chain::Broken { link, .. } if link == named) {
                    wrong.push(format!("{key} {what}: {found}"));
                }
            }
        }
        for (one, first) in link_keys.iter().enumerate() {
            for second in &link_keys[one + 1..] {
                let swapped = with(&with(&all, first, &all[*second]), second, &all[*first]);
                let found = verified(&swapped, &finding).await;
                if !matches!(found, Chain::Broken { link, .. } if link == one + 1) {
                    wrong.push(format!("{first} and {second} swapped: {found}"));
                }
            }
        }
        let whole = verified(&all, &finding).await;
        if !matches!(whole, Chain::Whole { links: number, .. } if number == links.len()) {
            wrong.push(format!("untouched: {whole}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn two_entries_that_changed_places_are_named() {
    let (world, finding) = responded().await;
    let all = entries(&world).await;
    let chained: Vec<&String> = all
        .keys()
        .filter(|key| key.contains("/sent-") || key.contains("receipts/") || key.contains("judged/"))
        .collect();
    let mut wrong = Vec::new();
    for (index, first) in chained.iter().enumerate() {
        for second in &chained[index + 1..] {
            let swapped = with(&with(&all, first, &all[*second]), second, &all[*first]);
            let found = verified(&swapped, &finding).await;
            let named =
                matches!(&found, Chain::Broken { reason, .. } if reason.contains(*first) || reason.contains(*second));
            if !named && all[*first] != all[*second] {
                wrong.push(format!("{first} and {second}: {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn an_entry_that_was_slipped_in_is_named() {
    let (world, finding) = responded().await;
    let all = entries(&world).await;
    let mut wrong = Vec::new();
    for key in [
        "receipts/ID/refused-x.json",
        "judged/ID/respond-x.json",
        "alarms/ID/alarm-x.json",
        "plans/ID/planned-x.json",
        "decisions/ID.json",
    ] {
        let key = key.replace("ID", finding.as_str());
        let found = verified(&with(&all, &key, b"{}"), &finding).await;
        if found != (Chain::Broken { link: 6, reason: format!("`{key}` is in no link") }) {
            wrong.push(format!("{key}: {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_chain_is_whole_wherever_a_handler_died() {
    let mut wrong = Vec::new();
    for (yaml, rule) in [(ENFORCE, "fake.fires"), (APPROVE, "fake.fires"), (ENFORCE, "fake.breaks")] {
        for last in [Last::Lost, Last::Unheard] {
            let whole = World::dying(yaml, &[rule], "fake.auto", last);
            let id = FindingId::of(onus_core::Cloud::Aws, &fakes::change().uid, rule);
            let play = async |world: &World| {
                world.auditor().handle(&fakes::change()).await?;
                if rule == "fake.fires" {
                    world.responder().handle(&Job::Respond(id.clone())).await?;
                }
                Ok(())
            };
            whole.fuse.rearm(-1);
            play(&whole).await.expect("done");
            for n in 1..=whole.fuse.done() {
                let world = World::dying(yaml, &[rule], "fake.auto", last);
                world.fuse.rearm(n);
                let _ = play(&world).await;
                world.fuse.rearm(-1);
                world.clock.pass(SignedDuration::from_mins(6));
                until_done(&world, async || play(&world).await).await;
                let chain = verified(&entries(&world).await, &id).await;
                if !matches!(chain, Chain::Whole { .. }) {
                    wrong.push(format!("{yaml} {rule} {last:?} {n}: {chain}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_finding_without_a_chain_is_said_to_have_none() {
    let nobody: FindingId = "f-00000000000000000000000000".parse().expect("an id");
    assert_eq!(verified(&Entries::new(), &nobody).await, Chain::Missing);
    let listed = with(&Entries::new(), &format!("days/2026-11-02/{nobody}"), b"");
    let expected = Chain::Broken { link: 1, reason: format!("`days/2026-11-02/{nobody}` is in no link") };
    assert_eq!(verified(&listed, &nobody).await, expected);
}
