//! State readers: what is asked of each kind, what is kept of the answers, and what it means.

use std::collections::BTreeMap;

use async_trait::async_trait;
use onus_core::{Call, CallError, CallErrorKind, Caller, ChangeSummary, Effects, Image, Resource};
use onus_gcp::{state_reader, state_readers};
use serde_json::{Value, json};

use crate::findings::{THINGS, finding};

/// Answers each operation with one answer, else that there is none. Refuses what the API would not understand.
struct Canned(BTreeMap<&'static str, Value>);

#[async_trait]
impl Caller for Canned {
    async fn call(&self, call: &Call) -> Result<Value, CallError> {
        onus_gcp::request::write(call).unwrap_or_else(|error| panic!("{error}: {call}"));
        self.0.get(call.name().as_str()).cloned().ok_or_else(|| CallError {
            call: call.name(),
            kind: CallErrorKind::NotFound,
            code: "NOT_FOUND".to_owned(),
            message: String::new(),
        })
    }
}

fn change(kind: &'static str, id: &str) -> (ChangeSummary, Resource<'static>) {
    let change = finding("x:y", kind, id, json!(null)).change;
    let resource = change.resources[0].clone();
    (change, resource)
}

async fn read(kind: &'static str, id: &str, answers: Vec<(&'static str, Value)>) -> (Image, Effects) {
    let (change, resource) = change(kind, id);
    let reader = state_reader(kind).unwrap_or_else(|| panic!("no reader of {kind}"));
    let caller = Canned(answers.into_iter().collect());
    let image = onus_core::state::read_image::<CallError>(&caller, |so_far| {
        let reads = reader.reads(&change, &resource, so_far);
        let strangers = reads.iter().filter(|read| !reader.operations().contains(&read.call.name().as_str()));
        assert_eq!(strangers.count(), 0, "{kind} reads what it does not name");
        Ok(reads)
    });
    let image = image.await.unwrap();
    let effects = reader.effects(&change, &resource, &image);
    (image, effects)
}

#[tokio::test]
async fn every_kind_is_read_by_name_and_a_thing_that_is_gone_means_nothing() {
    let kinds: Vec<&str> = state_readers().iter().map(|reader| reader.kind()).collect();
    assert_eq!(kinds, THINGS.map(|(kind, _)| kind));
    let mut wrong = Vec::new();
    for (kind, id) in THINGS.iter().filter(|(kind, _)| !kind.ends_with("/Project")) {
        let (image, effects) = read(kind, id, Vec::new()).await;
        if image.0.is_empty() || image.0.values().any(|kept| !kept.is_null()) || effects != Effects::none() {
            wrong.push(format!("{kind}: {image:?} {effects:?}"));
        }
        let (change, resource) = change(kind, "elsewhere");
        let named = Resource::new(*kind, resource.id.clone(), "");
        let reads = state_reader(kind).unwrap().reads(&change, &named, &Image::default());
        let unread = state_reader(kind).unwrap().effects(&change, &named, &Image::default());
        if !reads.is_empty() || unread.doubts.len() != 1 {
            wrong.push(format!("{kind} without a name: {reads:?} {unread:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_changes_by_itself_is_not_kept_and_version_tokens_are_not_compared() {
    let answers = |noise: &str| {
        let policy = json!({
            "kind": "storage#policy", "version": 1, "etag": noise,
            "bindings": [{ "role": "roles/storage.objectViewer", "members": ["allUsers"] }],
        });
        vec![
            ("bigquery:datasets.get", json!({ "etag": noise, "lastModifiedTime": noise, "access": [] })),
            ("compute:firewalls.get", json!({ "name": "ops", "id": noise, "creationTimestamp": noise })),
            (
                "compute:instances.get",
                json!({
                    "name": "vm", "status": noise, "lastStartTimestamp": noise, "fingerprint": noise,
                    "networkInterfaces": [{ "name": "nic0", "fingerprint": noise, "accessConfigs": [{ "name": "nat" }] }],
                    "metadata": {
                        "fingerprint": noise,
                        "items": [{ "key": "startup-script", "value": noise }, { "key": "enable-oslogin", "value": "TRUE" }],
                    },
                }),
            ),
            (
                "container:projects.locations.clusters.get",
                json!({
                    "name": "c", "status": noise, "endpoint": noise, "currentNodeCount": 3,
                    "masterAuth": { "clusterCaCertificate": noise, "clientKey": noise },
                    "nodePools": [{ "name": "p", "status": noise, "config": { "machineType": noise } }],
                }),
            ),
            (
                "sqladmin:instances.get",
                json!({ "etag": noise, "settings": { "settingsVersion": noise, "dataDiskSizeGb": noise } }),
            ),
            (
                "storage:buckets.get",
                json!({ "name": "reports", "etag": noise, "metageneration": noise, "updated": noise }),
            ),
            ("storage:buckets.getIamPolicy", policy.clone()),
            ("cloudresourcemanager:projects.getIamPolicy", policy.clone()),
            ("iam:projects.serviceAccounts.getIamPolicy", policy),
            (
                "cloudkms:projects.locations.keyRings.cryptoKeys.get",
                json!({ "name": "k", "nextRotationTime": noise, "primary": { "state": noise } }),
            ),
        ]
    };
    let mut wrong = Vec::new();
    for (kind, id) in THINGS {
        let (one, _) = read(kind, id, answers("1")).await;
        let (other, _) = read(kind, id, answers("2")).await;
        if !one.same_as(&other) {
            wrong.push(format!("{kind}: {one:?} is not {other:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let (instance, _) = read(THINGS[7].0, THINGS[7].1, answers("secret")).await;
    assert!(!format!("{instance:?}").contains("secret"), "{instance:?}");
    assert_eq!(
        instance.get("instance")["metadata"]["items"],
        json!([{ "key": "enable-oslogin", "value": "TRUE" }, { "key": "startup-script" }])
    );
}

#[tokio::test]
async fn live_state_opens_and_grants_as_a_record_does() {
    let bucket = |prevention: &str| {
        let policy = json!({ "bindings": [
            { "role": "roles/storage.objectViewer", "members": ["allUsers", "user:ann@example.com"] },
        ] });
        let bucket = json!({ "iamConfiguration": { "publicAccessPrevention": prevention } });
        vec![("storage:buckets.get", bucket), ("storage:buckets.getIamPolicy", policy)]
    };
    let principals = |effects: &Effects| -> Vec<String> {
        effects.grants.iter().map(|grant| format!("{} {}", grant.audience.as_str(), grant.principal)).collect()
    };
    let (kind, id) = THINGS[19];
    let (_, open) = read(kind, id, bucket("inherited")).await;
    assert_eq!(principals(&open), ["public allUsers", "external user:ann@example.com"]);
    let (_, shut) = read(kind, id, bucket("enforced")).await;
    assert_eq!(principals(&shut), ["external user:ann@example.com"], "prevention makes public grants void");

    let rule = json!({ "allowed": [{ "IPProtocol": "tcp", "ports": ["22"] }], "sourceRanges": ["0.0.0.0/0"] });
    let (_, rule) = read(THINGS[4].0, THINGS[4].1, vec![("compute:firewalls.get", rule)]).await;
    assert_eq!(rule.exposures().len(), 1);

    let rule = |action: &str, priority: u32, port: &str| {
        json!({ "action": action, "priority": priority, "direction": "INGRESS", "ruleTupleCount": 3,
            "match": { "srcIpRanges": ["0.0.0.0/0"], "layer4Configs": [{ "ipProtocol": "tcp", "ports": [port] }] } })
    };
    let rules = json!({ "fingerprint": "x", "rules": [rule("goto_next", 9, "1-65535"), rule("allow", 7, "22"), rule("deny", 8, "3389")] });
    for (id, method) in [
        (
            "//compute.googleapis.com/projects/shop/regions/europe-west3/firewallPolicies/edge",
            "compute:regionNetworkFirewallPolicies.get",
        ),
        ("//compute.googleapis.com/projects/shop/global/firewallPolicies/edge", "compute:networkFirewallPolicies.get"),
        ("//compute.googleapis.com/locations/global/firewallPolicies/123456", "compute:firewallPolicies.get"),
    ] {
        let (_, policy) = read(THINGS[5].0, id, vec![(method, rules.clone())]).await;
        assert_eq!(policy.exposures().iter().map(|one| one.ports).collect::<Vec<_>>(), [(22, 22)], "{method}");
    }

    let policy = json!({ "bindings": [{ "role": "roles/pubsub.publisher", "members": ["allUsers"] }] });
    let (_, topic) = read(THINGS[16].0, THINGS[16].1, vec![("pubsub:projects.topics.getIamPolicy", policy)]).await;
    assert_eq!(principals(&topic), ["public allUsers"]);

    let settings =
        json!({ "ipConfiguration": { "ipv4Enabled": true, "authorizedNetworks": [{ "value": "0.0.0.0/0" }] } });
    let database = json!({ "databaseVersion": "POSTGRES_17", "settings": settings });
    let (_, database) = read(THINGS[18].0, THINGS[18].1, vec![("sqladmin:instances.get", database)]).await;
    assert_eq!(database.exposures().iter().map(|one| one.ports).collect::<Vec<_>>(), [(5432, 5432)]);

    let dataset = json!({ "access": [{ "role": "READER", "specialGroup": "allAuthenticatedUsers" }] });
    let (_, dataset) = read(THINGS[0].0, THINGS[0].1, vec![("bigquery:datasets.get", dataset)]).await;
    assert_eq!(principals(&dataset), ["any_authenticated allAuthenticatedUsers"]);
}
