use jiff::{SignedDuration, Timestamp};
use onus_core::sink::Links;
use onus_core::{Call, Image, Ledger, Mode, Resource, Step};
use onus_pipeline::records::PlanRecord;
use serde_json::json;

use onus_pipeline::ApprovalLinks;

use super::*;

const SHOWN: &str = "2026-11-02T10:00:00Z";
const ATTACK: &str = "<script>alert(1)</script>\"'&\u{202e}";

struct Fixed(Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn key() -> ApprovalKey {
    ApprovalKey::new("a key of thirty-two bytes or more").unwrap()
}

fn links() -> ApprovalLinks {
    ApprovalLinks::new("https://onus.example.com/", key(), SignedDuration::from_hours(72)).unwrap()
}

/// A finding whose every text an attacker chose.
fn finding() -> Finding {
    serde_json::from_value(json!({
        "id": "f-0123456789abcdef0123456789", "rule": "aws.s3.bucket_made_public", "title": "Bucket made public",
        "severity": "high", "why": "", "respond": [], "controls": [], "references": [], "remedy": "fake",
        "duty": { "area": "configuration_and_settings", "service": "S3", "model": "paas", "owner": "customer" },
        "change": {
            "uid": "e-1", "time": SHOWN, "cloud": "aws", "account": "111122223333", "region": "eu-west-1", "service": "s3",
            "action": ATTACK, "actor": { "kind": "IAMUser", "id": ATTACK, "principal": "", "account": "" },
            "origin": { "address": "203.0.113.7", "user_agent": ATTACK }, "outcome": { "status": "succeeded" },
            "resources": [{ "kind": "AWS::S3::Bucket", "id": ATTACK, "name": ATTACK }],
        },
        "effects": serde_json::to_value(onus_core::Effects::none()).unwrap(),
        "from_state": false, "request": null, "response": null, "found_at": SHOWN,
    }))
    .unwrap()
}

async fn waiting(now: &str) -> (ApprovalPage, Arc<dyn Ledger>, Links) {
    let ledger = onus_ledger::open("memory://", &onus_ledger::Options::default()).unwrap();
    let finding = finding();
    let call = Call::aws("s3", "PutBucketPolicy", "eu-west-1", json!({ "Bucket": ATTACK }));
    let plan = Plan {
        finding: finding.id.clone(),
        remediation: "fake".to_owned(),
        resource: Resource::new("AWS::S3::Bucket", ATTACK, ATTACK),
        steps: vec![Step { title: ATTACK.to_owned(), call, inverse: None }],
        before: Image::default(),
    };
    let made = links().of(&plan, at(SHOWN));
    let put = async |key: String, value: serde_json::Value| {
        ledger.create(&key, value.to_string().into_bytes()).await.unwrap();
    };
    put(format!("findings/{}.json", finding.id), json!(finding)).await;
    let entry = format!("plans/{}/{}.json", finding.id, plan.key());
    put(entry, json!(PlanRecord { mode: Mode::Approve, at: at(SHOWN), plan })).await;
    let page = ApprovalPage::new(key(), Records::new(Arc::clone(&ledger)), Arc::new(Fixed(at(now))));
    (page, ledger, made)
}

fn token(link: &str) -> &str {
    link.split_once('?').unwrap().1
}

#[tokio::test]
async fn opening_a_link_shows_the_plan_and_answers_nothing() {
    let (page, ledger, links) = waiting(SHOWN).await;
    for (link, title) in [(&links.approve, "Approve this response?"), (&links.deny, "Deny this response?")] {
        for method in ["GET", "HEAD"] {
            let shown = page.respond(method, token(link), "", "203.0.113.7").await.unwrap();
            assert_eq!(shown.status, 200);
            assert!(shown.html.contains(title) && shown.html.contains("s3:PutBucketPolicy"), "{}", shown.html);
        }
    }
    assert!(ledger.list("requests").await.unwrap().is_empty());
}

#[tokio::test]
async fn what_an_attacker_named_is_text_on_the_page() {
    let (page, _, links) = waiting(SHOWN).await;
    let shown = page.respond("GET", token(&links.approve), "", "").await.unwrap();
    assert!(!shown.html.contains("<script") && !shown.html.contains('\u{202e}'), "{}", shown.html);
    assert!(shown.html.contains("&lt;script&gt;"), "{}", shown.html);
    for query in ["t=%22%3E%3Cscript%3E", "t=<script>", "", "t=%FF%00"] {
        let refused = page.respond("GET", query, "", "").await.unwrap();
        assert_eq!(refused.status, 403);
        assert!(!refused.html.contains("<script"), "{}", refused.html);
    }
}

#[tokio::test]
async fn the_form_answers_once_with_the_name_and_the_address() {
    let (page, ledger, links) = waiting(SHOWN).await;
    let form = format!("{}&by=Al%C3%ADce+A%0A{}", token(&links.approve), "x".repeat(300));
    let done = page.respond("POST", "", &form, "203.0.113.7").await.unwrap();
    assert_eq!(done.status, 200, "{}", done.html);
    let keys = ledger.list("requests").await.unwrap();
    assert_eq!(keys.len(), 1);
    let job = Records::new(Arc::clone(&ledger)).requested(&keys[0]).await.unwrap().unwrap();
    let onus_pipeline::Job::Approve { by, plan, .. } = &job else { panic!("{job:?}") };
    assert!(by.starts_with("Alíce Axxx") && by.ends_with(" (approval link, from 203.0.113.7)"), "{by}");
    assert!(plan.as_deref().is_some_and(|plan| plan.starts_with("planned-")));
    for link in [&links.approve, &links.deny] {
        let again = page.respond("POST", "", &format!("{}&by=bob", token(link)), "").await.unwrap();
        assert_eq!(again.status, 409, "{}", again.html);
    }
    assert_eq!(ledger.list("requests").await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_late_forged_or_not_asked_like_this_changes_nothing() {
    let (page, ledger, links) = waiting("2026-11-05T10:00:00Z").await;
    let good = token(&links.approve);
    let cases = [
        ("POST", good.to_owned(), 403),
        ("GET", good.to_owned(), 403),
        ("POST", good.replace(".approve.", ".deny."), 403),
        ("POST", String::new(), 403),
        ("PUT", good.to_owned(), 405),
        ("POST", "t=".to_owned() + &"x".repeat(LONGEST_FORM), 413),
    ];
    for (method, text, status) in cases {
        let got = page.respond(method, &text, &text, "").await.unwrap();
        assert_eq!(got.status, status, "{method} {text}");
    }
    assert!(ledger.list("requests").await.unwrap().is_empty());
}
