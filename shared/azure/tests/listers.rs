//! What is listed has the ids that records name, and what has no list of its own is listed below others.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test file is a test from top to bottom"
)]

use onus_azure::operations::{ResourceId, operation};
use onus_core::{Actor, Call, ChangeSummary, Cloud, Lister, Origin, Outcome};
use serde_json::{Value, json};

const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";

fn place() -> ChangeSummary {
    ChangeSummary {
        uid: String::new(),
        time: "2026-05-01T12:00:00Z".parse().unwrap(),
        cloud: Cloud::Azure,
        account: SUBSCRIPTION.to_owned(),
        region: String::new(),
        service: String::new(),
        action: String::new(),
        actor: Actor::default(),
        origin: Origin::default(),
        outcome: Outcome::Succeeded,
        resources: Vec::new(),
    }
}

fn lister(kind: &str) -> &'static dyn Lister {
    *onus_azure::listers().iter().find(|lister| lister.kind() == kind).unwrap_or_else(|| panic!("no {kind}"))
}

fn id(rest: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/Web/providers/{rest}")
}

fn answer(ids: &[&str]) -> Value {
    json!({ "value": ids.iter().map(|rest| json!({ "id": id(rest) })).collect::<Vec<_>>() })
}

/// Every call is one of the table, of the lister's own, and about what the operation is about.
fn is_sound(lister: &dyn Lister, call: &Call) {
    let known = operation(&call.service, &call.operation).unwrap_or_else(|| panic!("{call}"));
    let id = ResourceId::parse(call.parameters["id"].as_str().unwrap()).unwrap();
    assert!(known.on.is_empty() || id.is_of(known.on), "{call}");
    assert!(known.paged, "half a list must not pass for the whole: {call}");
    assert!(lister.operations().contains(&call.name().as_str()), "{call}");
}

#[test]
fn what_is_listed_has_the_ids_that_records_name() {
    let there = answer(&[
        "Microsoft.KeyVault/vaults/ExampleKeys/providers/Microsoft.Insights/diagnosticSettings/To-Workspace",
        "Microsoft.Network/networkWatchers/NetworkWatcher_westeurope/flowLogs/Front",
        "Microsoft.Network/networkSecurityGroups/Front",
    ]);
    let listed: Vec<String> = onus_azure::listers()
        .iter()
        .flat_map(|lister| lister.resources(&place(), &there))
        .map(|resource| format!("{} {} {}", resource.kind, resource.id, resource.name))
        .collect();
    assert_eq!(listed.len(), 3, "each by its own lister alone: {listed:?}");
    let mut wrong = Vec::new();
    for event in ["insights/diagnostic_setting_delete", "network/flow_log_delete", "network/security_group_write"] {
        let file = format!("{}/../../events/azure/{event}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read(&file).unwrap();
        onus_sources::scan(event, &text, &mut |entry| {
            let Ok(onus_sources::Decoded::Change(change)) = entry.result else { return };
            let resource = change.resource().unwrap();
            let named = format!("{} {} {}", resource.kind, resource.id, resource.name);
            if !listed.contains(&named) {
                wrong.push(named);
            }
        })
        .unwrap();
    }
    assert!(wrong.is_empty(), "{wrong:?} not in {listed:?}");
}

#[test]
fn settings_are_listed_of_what_logs_and_of_the_subscription_itself() {
    let lister = lister("Microsoft.Insights/diagnosticSettings");
    let there = answer(&[
        "Microsoft.KeyVault/vaults/Keys",
        "Microsoft.Storage/storageAccounts/logs",
        "Microsoft.Compute/disks/data",
        "Microsoft.Sql/servers/db/databases/orders",
    ]);
    let asked = lister.below(&place(), &there);
    let ids: Vec<&str> = asked.iter().map(|read| read.call.parameters["id"].as_str().unwrap()).collect();
    let below = |rest: &str| id(rest).to_lowercase();
    assert_eq!(
        ids,
        [
            below("Microsoft.KeyVault/vaults/Keys"),
            below("Microsoft.Storage/storageAccounts/logs/blobServices/default"),
            below("Microsoft.Sql/servers/db/databases/orders"),
            format!("/subscriptions/{SUBSCRIPTION}"),
        ]
    );
    let exported = json!({ "value": [{ "id": format!("/subscriptions/{SUBSCRIPTION}/providers/microsoft.insights/diagnosticSettings/export") }] });
    assert_eq!(lister.resources(&place(), &exported)[0].name, "export");
}

#[test]
fn every_listed_kind_has_a_reader_and_every_call_is_sound() {
    let there = answer(&["Microsoft.KeyVault/vaults/Keys", "Microsoft.Network/networkWatchers/west"]);
    let mut below = 0;
    for lister in onus_azure::listers() {
        assert!(onus_azure::state_reader(lister.kind()).is_some(), "{}", lister.kind());
        is_sound(*lister, &lister.list(&place()).call);
        for read in lister.below(&place(), &there) {
            is_sound(*lister, &read.call);
            below += 1;
        }
    }
    assert_eq!(below, 3);
}
