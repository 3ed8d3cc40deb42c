//! Every Azure remediation, the whole way: a change is made, its records are audited, the bad part is taken back, and an undo brings
//! it back, or is refused where somebody changed the resource meanwhile. Requests are real, through the real binaries, and each
//! function may do only what its role would hold.
//!
//! The first time the records come from an Event Hub, with the request's body; the second time from Event Grid, without, so that
//! live state decides.

mod changes;
mod memory;
mod platform;
mod restorations;

use std::panic::{AssertUnwindSafe, catch_unwind};

use changes::Case;
use onus_rules::Catalog;
use platform::{Platform, Shape};
use serde_json::{Value, json};

/// Finds, responds, approves where that is needed, and checks that the bad part alone is gone. Tells the finding, and whether a
/// person had to approve.
fn take_back(platform: &Platform, case: &Case, shape: Shape) -> (String, bool) {
    assert_ne!(platform.read(case), case.good, "the change did not take");
    let finding = platform.find(case, shape);
    platform.respond(&finding);
    let approved = platform.receipt(&finding, "respond.json").is_none();
    if approved {
        platform.approve(&finding);
    }
    let receipt = platform.receipt(&finding, "respond.json");
    let receipt = receipt.unwrap_or_else(|| panic!("no receipt: {:?}", platform.receipts(&finding)));
    assert_eq!(receipt["outcome"], "verified", "{receipt}");
    assert_eq!(platform.read(case), case.good, "the bad part alone is gone");
    (finding, approved)
}

fn undone(platform: &Platform, case: &Case) -> String {
    let bad = platform.read(case);
    let (finding, approved) = take_back(platform, case, Shape::EventHub);
    platform.request("undo", &finding);
    let receipt = platform.receipt(&finding, "undo-1.json");
    let receipt = receipt.unwrap_or_else(|| panic!("no undo: {:?}", platform.receipts(&finding)));
    assert_eq!(receipt["outcome"], "verified", "{receipt}");
    assert_eq!(platform.read(case), bad, "the undo restores what was there");
    format!("{}, undo verified", if approved { "approved, verified" } else { "verified" })
}

fn refused(platform: &Platform, case: &Case) -> String {
    let (finding, _) = take_back(platform, case, Shape::EventGrid);
    (case.moves)(platform);
    let moved = platform.read(case);
    assert_ne!(moved, case.good, "the other change did not take");
    platform.request("undo", &finding);
    let receipts = platform.receipts(&finding);
    assert!(receipts.iter().all(|(name, _)| name != "undo-1.json"), "{receipts:?}");
    let is_refusal = |receipt: &Value| receipt["kind"] == "undo" && receipt["outcome"] == "refused";
    assert!(receipts.iter().any(|(_, receipt)| is_refusal(receipt)), "{receipts:?}");
    assert_eq!(platform.read(case), moved, "a refused undo changes nothing");
    "moved: undo refused".to_owned()
}

#[test]
fn every_azure_remediation_takes_back_undoes_and_refuses() {
    let platform = Platform::new();
    let mut wrong = Vec::new();
    let only = std::env::var("ONUS_ONLY").unwrap_or_default();
    for (name, make) in changes::ALL.iter().chain(restorations::ALL).filter(|(name, _)| name.contains(&only)) {
        let mut row = Vec::new();
        let mut try_out = |number: u32, run: fn(&Platform, &Case) -> String| {
            let tried = catch_unwind(AssertUnwindSafe(|| {
                let case = make(&platform, number);
                (case.name, run(&platform, &case))
            }));
            match tried {
                Ok((change, outcome)) => row.push(format!("{change}: {outcome}")),
                Err(panic) => {
                    let text = panic.downcast_ref::<String>().cloned();
                    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
                    row.push("FAILED".to_owned());
                    wrong.push(format!("{name} ({number}): {}", text.unwrap_or_default()));
                }
            }
        };
        try_out(1, undone);
        try_out(2, refused);
        println!("{name:<48} | {}", row.join(" | "));
    }
    assert!(wrong.is_empty(), "{} round trips failed:\n{}", wrong.len(), wrong.join("\n\n"));
}

/// The change that a remediation takes back, by the remediation's id.
fn case(platform: &Platform, remedy: &str, number: u32) -> Case {
    let (_, make) = changes::ALL.iter().find(|(name, _)| *name == remedy).expect("it is played");
    make(platform, number)
}

#[test]
fn what_resource_manager_puts_in_the_way_is_borne_or_told() {
    let platform = Platform::new();

    // Throttled, and operations that take their time.
    platform
        .azure
        .switch(&json!({ "polls": 3, "throttle": { "times": 2, "match": "GET .*firewallRules", "after": 0 } }));
    let slow = case(&platform, "azure.postgresql.delete_firewall_rule", 1);
    let (finding, _) = take_back(&platform, &slow, Shape::EventHub);
    let sent = platform.receipt(&finding, "respond.json").expect("a receipt")["sent"].as_array().map(Vec::len);
    assert_eq!(sent, Some(1), "one call, however often it was looked after");
    platform.azure.switch(&json!({ "polls": 0 }));

    // Done, but the answer is lost: the host brings the job again, and nothing is done twice.
    let lost = case(&platform, "azure.sql.delete_firewall_rule", 3);
    let finding = platform.find(&lost, Shape::EventHub);
    platform.azure.switch(&json!({ "fail_after": { "times": 1, "match": "DELETE .*firewallRules" } }));
    assert!(!platform.try_respond(&finding), "a job whose end is unknown is not done");
    assert_eq!(platform.read(&lost), lost.good);
    let deletions = || platform.azure.requests().iter().filter(|request| request["method"] == "DELETE").count();
    let before = deletions();
    platform.respond(&finding);
    assert_eq!(platform.receipt(&finding, "respond.json").expect("a receipt")["outcome"], "verified");
    assert_eq!(deletions(), before, "it was gone already");
    platform.request("undo", &finding);
    assert_eq!(platform.receipt(&finding, "undo-1.json").expect("an undo")["outcome"], "verified");

    // Deleted, and never read before: nobody makes something up, and it is said.
    let unknown = restorations::never_read_lock(&platform);
    let finding = platform.find(&unknown, Shape::EventHub);
    platform.respond(&finding);
    let receipts = platform.receipts(&finding);
    let is_refusal =
        |receipt: &Value| receipt["outcome"] == "refused" && receipt.to_string().contains("cannot be restored");
    assert!(!receipts.is_empty() && receipts.iter().all(|(_, receipt)| is_refusal(receipt)), "{receipts:?}");
    assert_eq!(platform.read(&unknown), Value::Null);

    // Locked: nobody may write, and trying again would not help.
    let locked = case(&platform, "azure.storage.disable_container_public_access", 4);
    let bad = platform.read(&locked);
    let finding = platform.find(&locked, Shape::EventGrid);
    let lock = format!("{}/providers/Microsoft.Authorization/locks/frozen", locked.id);
    platform.azure.seed(&lock, &json!({ "properties": { "level": "ReadOnly" } }));
    platform.respond(&finding);
    let receipt = platform.receipt(&finding, "respond.json");
    let receipt = receipt.unwrap_or_else(|| panic!("no receipt: {:?}", platform.receipts(&finding)));
    assert!(receipt["outcome"] != "verified" && receipt.to_string().contains("ScopeLocked"), "{receipt}");
    assert_eq!(platform.read(&locked), bad);
}

#[test]
fn every_azure_remediation_is_named_by_a_rule_and_played() {
    let ids = onus_azure::remediations().iter().map(|remediation| remediation.spec().id);
    let ids: Vec<&str> = ids.collect();
    let named = |id: &str| Catalog::embedded().rules().any(|rule| rule.remedy.as_deref() == Some(id));
    let played = |id: &str| changes::ALL.iter().chain(restorations::ALL).any(|(name, _)| *name == id);
    let missing: Vec<&str> = ids.into_iter().filter(|id| !named(id) || !played(id)).collect();
    assert!(missing.is_empty(), "not named or not played: {missing:?}");
}
