//! What is listed has the ids that records name, wherever it is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test file is a test from top to bottom")]

use onus_core::{Actor, ChangeSummary, Cloud, Origin, Outcome};
use serde_json::json;

fn place(account: &str) -> ChangeSummary {
    ChangeSummary {
        uid: String::new(),
        time: "2026-05-01T12:00:00Z".parse().unwrap(),
        cloud: Cloud::Gcp,
        account: account.to_owned(),
        region: String::new(),
        service: String::new(),
        action: String::new(),
        actor: Actor::default(),
        origin: Origin::default(),
        outcome: Outcome::Succeeded,
        resources: Vec::new(),
    }
}

fn listed(place: &ChangeSummary) -> Vec<String> {
    let answer = json!({ "items": [{ "name": "example-ssh" }], "sinks": [{ "name": "example-audit" }, {}] });
    let listers = onus_gcp::listers().iter().filter(|lister| lister.applies(place));
    let resources = listers.flat_map(|lister| lister.resources(place, &answer));
    resources.map(|resource| format!("{} {} {}", resource.kind, resource.id, resource.name)).collect()
}

#[test]
fn what_is_listed_has_the_ids_that_records_name() {
    let listed = listed(&place("example-project"));
    let mut wrong = Vec::new();
    for event in ["logging/delete_sink", "logging/update_sink", "compute/firewalls_insert"] {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/gcp/");
        let text = std::fs::read_to_string(format!("{root}{event}.json")).unwrap();
        let Ok(onus_sources::Decoded::Change(change)) = onus_sources::gcp::audit::decode(&text) else {
            panic!("{event} decodes to no change")
        };
        let resource = change.resource().unwrap();
        let named = format!("{} {} {}", resource.kind, resource.id, resource.name);
        if !listed.contains(&named) {
            wrong.push(named);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?} not in {listed:?}");
}

#[test]
fn every_listed_kind_has_a_reader_and_every_call_can_be_written() {
    for account in ["example-project", "organizations/7", "folders/8"] {
        let place = place(account);
        for lister in onus_gcp::listers().iter().filter(|lister| lister.applies(&place)) {
            let call = lister.list(&place).call;
            onus_gcp::request::write(&call).unwrap_or_else(|error| panic!("{error}: {call}"));
            assert!(lister.operations().contains(&call.name().as_str()), "{call}");
            assert!(onus_gcp::state_reader(lister.kind()).is_some(), "{}", lister.kind());
        }
    }
}

#[test]
fn an_organisation_has_sinks_and_no_firewall_rules() {
    let expected =
        "logging.googleapis.com/LogSink //logging.googleapis.com/organizations/7/sinks/example-audit example-audit";
    assert_eq!(listed(&place("organizations/7")), [expected]);
}
