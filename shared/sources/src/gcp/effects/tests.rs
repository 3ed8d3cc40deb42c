//! Effects of whole records, through the decoder, and of live state.

use onus_core::effect::{Direction, Protocol};
use onus_core::{Effects, Json};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::Decoded;
use crate::gcp::audit;

/// The effects of one call in project `example-project`, with members laid over its payload.
fn effects(method: &str, payload: &Value) -> Effects {
    let (service, method) = method.split_once(' ').expect("service method");
    let mut whole = json!({
        "serviceName": format!("{service}.googleapis.com"), "methodName": method, "resourceName": "projects/example-project/things/it",
    });
    for (member, value) in payload.as_object().into_iter().flatten() {
        whole[member] = value.clone();
    }
    let text = json!({
        "logName": "projects/example-project/logs/cloudaudit.googleapis.com%2Factivity", "insertId": "a1",
        "timestamp": "2026-01-02T03:04:05Z", "resource": {"type": "any", "labels": {"project_id": "example-project"}},
        "protoPayload": whole,
    })
    .to_string();
    match audit::decode(&text) {
        Ok(Decoded::Change(change)) => change.effects().clone(),
        other => panic!("{text}: {other:?}"),
    }
}

/// Effects in short, one line each: `+ public allUsers roles/x read binding`, `> tcp 22-22 0.0.0.0/0`, `? about`.
fn told(effects: &Effects) -> Vec<String> {
    let grants = effects.grants.iter().map(|grant| {
        let account = grant.account.as_ref().map_or(String::new(), |account| format!(" @{account}"));
        let (audience, level) = (grant.audience.as_str(), grant.level.as_str());
        format!("+ {audience}{account} {} {} {level} {}", grant.principal, grant.actions.join(","), grant.via)
    });
    let openings = effects.openings.iter().map(|opening| {
        let arrow = match (opening.allow, opening.direction) {
            (true, Direction::Ingress) => ">",
            (true, Direction::Egress) => "<",
            (false, _) => "!",
        };
        let mut from: Vec<String> = opening.sources.iter().map(ToString::to_string).collect();
        from.extend(opening.peers.iter().cloned());
        let id = opening.rule_id.as_ref().map_or(String::new(), |id| format!(" #{id}"));
        format!("{arrow} {} {}-{} {}{id}", opening.protocol, opening.ports.0, opening.ports.1, from.join(","))
    });
    let doubts = effects.doubts.iter().map(|doubt| format!("? {}", doubt.about));
    grants.chain(openings).chain(doubts).collect()
}

/// Compares every case and reports all that differ.
fn check(cases: &[(&str, Value, &[&str])]) {
    let mut wrong = Vec::new();
    for (method, payload, expected) in cases {
        let found = told(&effects(method, payload));
        if found != *expected {
            wrong.push(format!("{method} {payload}\n  found    {found:?}\n  expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_policy_call_added_is_granted() {
    let add = json!([
        {"action": "ADD", "role": "roles/storage.objectViewer", "member": "allUsers"},
        {"action": "REMOVE", "role": "roles/owner", "member": "user:bob@example.com"},
    ]);
    let removed = json!([{"action": "REMOVE", "role": "roles/storage.objectViewer", "member": "allUsers"}]);
    let whole = json!({"bindings": [
        {"role": "roles/owner", "members": ["user:ann@example.com", "deleted:user:x@example.com?uid=1"]},
        {"role": "roles/viewer", "members": ["serviceAccount:app@example-project.iam.gserviceaccount.com"]},
    ]});
    let public = "+ public allUsers roles/storage.objectViewer read binding";
    check(&[
        (
            "storage storage.setIamPermissions",
            json!({"serviceData": {"policyDelta": {"bindingDeltas": add}}}),
            &[public],
        ),
        ("artifactregistry SetIamPolicy", json!({"metadata": {"policyDelta": {"bindingDeltas": add}}}), &[public]),
        ("storage storage.setIamPermissions", json!({"serviceData": {"policyDelta": {"bindingDeltas": removed}}}), &[]),
        // The comparison counts, not the whole policy beside it.
        (
            "cloudresourcemanager SetIamPolicy",
            json!({"serviceData": {"policyDelta": {"bindingDeltas": removed}}, "request": {"policy": whole}}),
            &[],
        ),
        ("cloudresourcemanager SetIamPolicy", json!({"serviceData": {"policyDelta": {"auditConfigDeltas": []}}}), &[]),
        (
            "compute v1.compute.images.setIamPolicy",
            json!({"request": {"policy": whole}}),
            &[
                "+ external @example.com user:ann@example.com roles/owner admin binding",
                "+ internal @example-project serviceAccount:app@example-project.iam.gserviceaccount.com roles/viewer read binding",
            ],
        ),
        ("cloudkms SetIamPolicy", json!({"request": {"policy": {}}}), &[]),
        ("cloudkms SetIamPolicy", json!({}), &["? request.policy"]),
        (
            "iam google.iam.admin.v1.SetIAMPolicy",
            json!({"serviceData": {"policyDelta": {"bindingDeltas": [
                {"action": 1, "role": "roles/iam.serviceAccountTokenCreator", "member": "user:eve@example.org",
                 "condition": {"expression": "true"}}]}}}),
            &["+ external @example.org user:eve@example.org roles/iam.serviceAccountTokenCreator admin binding"],
        ),
        (
            "cloudresourcemanager InsertProjectOwnershipInvite",
            json!({"request": {"member": "user:eve@example.org"}}),
            &["+ external @example.org user:eve@example.org roles/owner admin binding"],
        ),
        ("storage storage.buckets.create", json!({"serviceData": {"policyDelta": {"bindingDeltas": add}}}), &[public]),
        ("storage storage.buckets.create", json!({}), &[]),
        ("storage storage.buckets.delete", json!({"serviceData": {"policyDelta": {"bindingDeltas": add}}}), &[]),
    ]);
}

#[test]
fn a_grant_names_the_very_part_that_gives_it() {
    let effects = effects(
        "storage storage.setIamPermissions",
        &json!({"resourceName": "projects/_/buckets/reports", "serviceData": {"policyDelta": {"bindingDeltas": [
            {"action": "ADD", "role": "roles/viewer", "member": "allUsers", "condition": {"expression": "resource.name == 'x'"}}]}}}),
    );
    let [grant] = effects.grants.as_slice() else { panic!("{effects:?}") };
    assert_eq!(grant.resource, "//storage.googleapis.com/reports");
    assert_eq!(grant.part.as_deref(), Some("roles/viewer allUsers if resource.name == 'x'"));
}

#[test]
fn a_dataset_s_access_is_told_in_every_age_of_the_log() {
    let old = json!({"entries": [
        {"role": "OWNER", "specialGroup": "PROJECT_OWNERS", "viewName": {}},
        {"role": "READER", "specialGroup": "ALL_AUTHENTICATED_USERS"},
        {"role": "WRITER", "userEmail": "eve@example.org"},
        {"viewName": {"datasetId": "d"}},
    ]});
    let everyone = "+ any_authenticated allAuthenticatedUsers READER read access";
    let eve = "+ external @example.org user:eve@example.org WRITER write access";
    check(&[
        (
            "bigquery google.cloud.bigquery.v2.DatasetService.UpdateDataset",
            json!({"metadata": {"datasetChange": {"bindingDeltas": [
                {"action": "ADD", "role": "roles/bigquery.dataViewer", "member": "allUsers"},
                {"action": "REMOVE", "role": "roles/bigquery.dataOwner", "member": "allUsers"}]}}}),
            &["+ public allUsers roles/bigquery.dataViewer read binding"],
        ),
        (
            "bigquery google.cloud.bigquery.v2.DatasetService.InsertDataset",
            json!({"metadata": {"datasetCreation": {"dataset": {"acl": {"policy": {"bindings": [
                {"role": "roles/bigquery.dataViewer", "members": ["allAuthenticatedUsers"]}]}}}}}}),
            &["+ any_authenticated allAuthenticatedUsers roles/bigquery.dataViewer read binding"],
        ),
        (
            "bigquery datasetservice.update",
            json!({"serviceData": {"datasetUpdateRequest": {"resource": {"acl": old}}}}),
            &[everyone, eve],
        ),
        (
            "bigquery datasetservice.insert",
            json!({"serviceData": {"datasetInsertRequest": {"resource": {"acl": {}}}, "datasetInsertResponse": {"resource": {"acl": old}}}}),
            &[everyone, eve],
        ),
        (
            "bigquery google.cloud.bigquery.v2.DatasetService.PatchDataset",
            json!({"metadata": {"datasetChange": {"reason": "UPDATE"}}}),
            &[],
        ),
        ("bigquery google.cloud.bigquery.v2.DatasetService.PatchDataset", json!({}), &["? request"]),
    ]);
    let live = json!({"access": [
        {"role": "READER", "specialGroup": "allAuthenticatedUsers"},
        {"role": "READER", "iamMember": "allUsers"},
        {"role": "OWNER", "userByEmail": "app@example-project.iam.gserviceaccount.com"},
        {"role": "OWNER", "specialGroup": "projectOwners"},
        {"role": "READER", "domain": "example.org"},
        {"view": {"projectId": "p", "datasetId": "d", "tableId": "t"}},
    ]});
    let owner = Owner { resource: "d", project: "example-project" };
    let effects = Effects { grants: dataset_grants(&Json::from_value(&live), owner), ..Effects::none() };
    assert_eq!(
        told(&effects),
        [
            "+ any_authenticated allAuthenticatedUsers READER read access",
            "+ public allUsers READER read access",
            "+ internal @example-project serviceAccount:app@example-project.iam.gserviceaccount.com OWNER admin access",
            "+ external @example.org domain:example.org READER read access",
        ]
    );
}

#[test]
fn an_access_list_of_a_bucket_grants_what_its_entries_say() {
    let acl = json!([
        {"entity": "allUsers", "role": "READER"},
        {"entity": "user-eve@example.org", "role": "OWNER"},
        {"entity": "project-owners-123", "role": "OWNER"},
    ]);
    let owner = Owner { resource: "b", project: "example-project" };
    let effects = Effects { grants: acl_grants(&Json::from_value(&acl), owner), ..Effects::none() };
    assert_eq!(
        told(&effects),
        ["+ public allUsers READER read acl", "+ external @example.org user:eve@example.org OWNER admin acl"]
    );
}

#[test]
fn a_firewall_rule_opens_what_it_allows() {
    let insert = "compute v1.compute.firewalls.insert";
    let patch = "compute beta.compute.firewalls.patch";
    let rule = |with: Value| {
        let mut rule = json!({"alloweds": [{"IPProtocol": "tcp", "ports": ["22"]}], "sourceRanges": ["0.0.0.0/0"]});
        for (member, value) in with.as_object().into_iter().flatten() {
            rule[member] = value.clone();
        }
        json!({"request": rule})
    };
    check(&[
        (insert, rule(json!({})), &["> tcp 22-22 0.0.0.0/0"]),
        (insert, rule(json!({"sourceRanges": null})), &["> tcp 22-22 0.0.0.0/0"]),
        (insert, rule(json!({"sourceRanges": [], "sourceTags": ["web"]})), &["> tcp 22-22 web"]),
        (insert, rule(json!({"sourceRanges": null, "sourceServiceAccounts": ["a@p"]})), &["> tcp 22-22 a@p"]),
        (insert, rule(json!({"disabled": true})), &[]),
        (insert, rule(json!({"disabled": "true"})), &[]),
        (insert, rule(json!({"direction": "EGRESS", "sourceRanges": null})), &["< tcp 22-22 0.0.0.0/0"]),
        (
            insert,
            rule(
                json!({"alloweds": [{"IPProtocol": "udp", "ports": ["20-25", "53"]}, {"IPProtocol": "all"}, {"IPProtocol": "50"}]}),
            ),
            &[
                "> udp 20-25 0.0.0.0/0",
                "> udp 53-53 0.0.0.0/0",
                "> any 0-65535 0.0.0.0/0",
                "> protocol 50 0-65535 0.0.0.0/0",
            ],
        ),
        (insert, json!({"request": {"denieds": [{"IPProtocol": "all"}]}}), &["! any 0-65535 0.0.0.0/0"]),
        (
            insert,
            json!({"request": {"allowed": [{"IPProtocol": "tcp", "ports": ["x"]}]}}),
            &["> tcp 0-65535 0.0.0.0/0", "? ports x"],
        ),
        (insert, rule(json!({"sourceRanges": ["nonsense"]})), &["> tcp 22-22 ", "? network nonsense"]),
        (insert, json!({"request": {"name": "x"}}), &["? request.alloweds"]),
        (patch, rule(json!({})), &["> tcp 22-22 0.0.0.0/0"]),
        (patch, json!({"request": {"alloweds": [{"IPProtocol": "tcp"}]}}), &["? request.sourceRanges"]),
        (patch, json!({"request": {"sourceRanges": ["0.0.0.0/0"]}}), &["? request.alloweds"]),
        (patch, json!({"request": {"disabled": false}}), &["? request.alloweds"]),
        (patch, json!({"request": {"disabled": true}}), &[]),
        (patch, json!({"request": {"description": "x"}}), &[]),
    ]);
}

#[test]
fn a_rule_of_a_firewall_policy_opens_what_it_allows() {
    let add = "compute v1.compute.networkFirewallPolicies.addRule";
    let rule = |action: &str, matched: Value| json!({"request": {"priority": 100, "action": action, "match": matched}});
    let ssh = json!([{"ipProtocol": "tcp", "ports": ["22"]}]);
    check(&[
        (
            add,
            rule("allow", json!({"srcIpRanges": ["0.0.0.0/0"], "layer4Configs": ssh})),
            &["> tcp 22-22 0.0.0.0/0 #100"],
        ),
        (add, rule("allow", json!({"layer4Configs": ssh})), &["> tcp 22-22 0.0.0.0/0,::/0 #100"]),
        (
            add,
            rule("deny", json!({"srcIpRanges": ["0.0.0.0/0"], "layer4Configs": ssh})),
            &["! tcp 22-22 0.0.0.0/0 #100"],
        ),
        (add, rule("goto_next", json!({"layer4Configs": ssh})), &[]),
        (
            add,
            rule("allow", json!({"srcAddressGroups": ["g"], "layer4Configs": ssh})),
            &["> tcp 22-22 g #100", "? srcAddressGroups g"],
        ),
        (add, json!({"request": {"priority": 100}}), &["? request.match"]),
    ]);
}

#[test]
fn databases_and_machines_open_what_they_let_in() {
    let update = "cloudsql cloudsql.instances.update";
    let body = |configuration: Value| json!({"request": {"body": {"databaseVersion": "POSTGRES_15", "settings": {"ipConfiguration": configuration}}}});
    let networks = json!([{"name": "all", "value": "0.0.0.0/0"}]);
    let insert = "compute v1.compute.instances.insert";
    check(&[
        (update, body(json!({"authorizedNetworks": networks})), &["> tcp 5432-5432 0.0.0.0/0 #0.0.0.0/0"]),
        (update, body(json!({"authorizedNetworks": networks, "ipv4Enabled": false})), &[]),
        (update, body(json!({"authorizedNetworks": []})), &[]),
        (
            update,
            body(json!({"sslMode": "ENCRYPTED_ONLY"})),
            &["? request.body.settings.ipConfiguration.authorizedNetworks"],
        ),
        (
            update,
            json!({"request": {"settings": {"ipConfiguration": {"authorizedNetworks": networks}}}}),
            &["> tcp 0-65535 0.0.0.0/0 #0.0.0.0/0"],
        ),
        (update, json!({}), &["? request.body.settings"]),
        ("cloudsql cloudsql.instances.create", body(json!({})), &[]),
        (
            insert,
            json!({"request": {"networkInterfaces": [{"accessConfigs": [{}]}]}}),
            &["> any 0-65535 0.0.0.0/0 #External NAT"],
        ),
        (insert, json!({"request": {"networkInterfaces": [{"network": "n"}]}}), &[]),
        (insert, json!({"request": {"sourceInstanceTemplate": "t"}}), &["? request.sourceInstanceTemplate"]),
        (
            "compute v1.compute.instances.addAccessConfig",
            json!({"request": {"name": "nat"}}),
            &["> any 0-65535 0.0.0.0/0 #nat"],
        ),
    ]);
}

#[test]
fn what_the_log_left_out_is_in_doubt() {
    let split = json!({
        "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity", "insertId": "a1", "timestamp": "2026-01-02T03:04:05Z",
        "split": {"uid": "s", "index": 0, "totalSplits": 2}, "resource": {"type": "any", "labels": {}},
        "protoPayload": {"serviceName": "x.googleapis.com", "methodName": "SetIamPolicy", "metadata": {"policyDelta": {"bindingDeltas": [
            {"action": "ADD", "role": "roles/viewer", "member": "allUsers"}]}}},
    })
    .to_string();
    let Ok(Decoded::Change(change)) = audit::decode(&split) else { panic!("a change") };
    assert_eq!(told(change.effects()), ["+ public allUsers roles/viewer read binding", "? split"]);
    let split = split.replace("policyDelta", "somethingElse");
    let Ok(Decoded::Change(change)) = audit::decode(&split) else { panic!("a change") };
    assert_eq!(told(change.effects()), ["? request", "? split"]);
}

proptest! {
    #[test]
    fn a_rule_without_a_source_is_as_open_as_one_from_everywhere(port in 1u16.., egress: bool) {
        let direction = if egress { "EGRESS" } else { "INGRESS" };
        let ranges = if egress { "destinationRanges" } else { "sourceRanges" };
        let mut firewall = json!({"direction": direction, "allowed": [{"IPProtocol": "tcp", "ports": [port.to_string()]}]});
        let without = firewall_openings(&Json::from_value(&firewall), "f");
        firewall[ranges] = json!(["0.0.0.0/0"]);
        let with = firewall_openings(&Json::from_value(&firewall), "f");
        prop_assert_eq!(&without, &with);
        let exposures = with.exposures();
        prop_assert_eq!(exposures.len(), 1);
        prop_assert_eq!(with.openings.first().map(|o| (o.protocol, o.ports)), Some((Protocol::Tcp, (port, port))));
    }
}
