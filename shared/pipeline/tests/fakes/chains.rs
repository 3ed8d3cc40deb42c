//! Ledgers that somebody touched, and what `onus verify` says of them.

use std::collections::BTreeMap;

use jiff::civil::date;
use onus_core::{CallErrorKind, FindingId};
use onus_ledger::Options;
use onus_pipeline::Job;
use onus_pipeline::records::{Chain, Link, Records, Traces};

use super::{World, approve, undo};

pub const ENFORCE: &str = "modes: { default: enforce }";
pub const APPROVE: &str = "modes: { default: approve }";

/// Every entry of a ledger, by key.
pub type Entries = BTreeMap<String, Vec<u8>>;

pub async fn entries(world: &World) -> Entries {
    let mut entries = Entries::new();
    for key in world.keys().await {
        let value = world.store.read(&key).await.expect("reads").expect("there");
        entries.insert(key, value);
    }
    entries
}

/// Looks at a finding in a ledger of these entries, as `onus verify` does.
pub async fn look(entries: &Entries, finding: &FindingId) -> (Chain, Traces) {
    let store = onus_ledger::open("memory://", &Options::default()).expect("memory opens");
    for (key, value) in entries {
        store.create(key, value.clone()).await.expect("creates");
    }
    let records = Records::new(store);
    let traces = records.traces(date(2026, 11, 2), date(2026, 11, 3)).await.expect("reads");
    (records.verify(finding, &traces).await.expect("reads"), traces)
}

pub async fn verified(entries: &Entries, finding: &FindingId) -> Chain {
    look(entries, finding).await.0
}

pub fn with(entries: &Entries, key: &str, value: &[u8]) -> Entries {
    let mut changed = entries.clone();
    changed.insert(key.to_owned(), value.to_vec());
    changed
}

pub fn without(entries: &Entries, gone: impl Fn(&str) -> bool) -> Entries {
    entries.iter().filter(|(key, _)| !gone(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Found, responded to and undone.
pub async fn responded() -> (World, FindingId) {
    let world = World::new(ENFORCE, &["fake.fires"], "fake.auto");
    let finding = world.found().await;
    world.responder().handle(&Job::Respond(finding.clone())).await.expect("done");
    world.truth().request(&undo(&finding), world.clock_now()).await.expect("asked");
    world.responder().handle(&undo(&finding)).await.expect("undone");
    (world, finding)
}

/// Found, shown, approved, responded to and undone; a reading of tags that failed told an alarm before that.
pub async fn approved() -> (World, FindingId) {
    let yaml = "modes: { default: approve, overrides: [{ tags: { env: prod }, mode: enforce }] }";
    let world = World::new(yaml, &["fake.fires"], "fake.auto");
    world.cloud.refuse("Tags", CallErrorKind::Denied);
    let finding = world.found().await;
    world.responder().handle(&Job::Respond(finding.clone())).await.expect("shown");
    world.truth().request(&approve(&finding), world.clock_now()).await.expect("asked");
    world.responder().handle(&approve(&finding)).await.expect("done");
    world.responder().handle(&undo(&finding)).await.expect("undone");
    (world, finding)
}

/// The entries that each link vouches for, `ID` standing for the finding.
pub fn vouched(entries: &Entries, finding: &FindingId) -> Vec<Vec<String>> {
    let links = entries.iter().filter(|(key, _)| key.starts_with("evidence/"));
    let links = links.map(|(_, bytes)| serde_json::from_slice::<Link>(bytes).expect("a link"));
    links
        .map(|link| link.entries.into_iter().map(|entry| entry.key.replace(finding.as_str(), "ID")).collect())
        .collect()
}
