//! Bad changes in shapes that are easily got wrong: what each was, what there is, and what shall be left.

use onus_core::{Audience, Finding, Grant};
use serde_json::{Value, json};

use super::findings::{finding, granted};
use onus_core::proof::{Case, World};

/// What a finding says beside its call.
pub(crate) trait Has: Sized {
    fn grants(self, grants: &[Grant]) -> Self;
    fn opens(self, sources: &[&str]) -> Self;
    fn decided_by_state(self) -> Self;
    fn answered(self, response: Value) -> Self;
}

pub(crate) fn world<const N: usize>(things: [(&str, Value); N]) -> World {
    things.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

pub(crate) fn all() -> Vec<Case> {
    [bucket_members(), prevention(), firewalls(), databases(), projects(), keys(), datasets(), sinks()]
        .into_iter()
        .flatten()
        .collect()
}

const VIEWER: &str = "roles/storage.objectViewer";

pub(crate) fn bucket(operation: &str) -> Finding {
    finding(operation, "storage.googleapis.com/Bucket", "//storage.googleapis.com/reports", json!(null))
}

fn binding(role: &str, members: &[&str]) -> Value {
    json!({ "role": role, "members": members })
}

fn policy(bindings: &[Value]) -> Value {
    json!({ "bindings": bindings })
}

/// A binding under a condition, which an older version of the policy would lose.
fn until_may(role: &str, members: &[&str]) -> Value {
    let condition = json!({ "title": "until May", "expression": "request.time < timestamp('2026-05-01T00:00:00Z')" });
    json!({ "role": role, "members": members, "condition": condition })
}

fn bucket_members() -> Vec<Case> {
    let case = |name, finding, bindings: &[Value], left: &[Value]| Case {
        name,
        remediation: "gcp.storage.remove_public_members",
        finding,
        world: world([("bucket-policy/reports", policy(bindings)), ("bucket-policy/other", policy(bindings))]),
        healed: vec![("bucket-policy/reports", policy(left))],
    };
    let own = binding("roles/storage.legacyBucketOwner", &["projectEditor:shop", "projectOwner:shop"]);
    let everyone = granted(VIEWER, "allUsers", Audience::Public);
    let signed_in = granted("roles/storage.objectCreator", "allAuthenticatedUsers", Audience::AnyAuthenticated);
    let partner = granted(VIEWER, "user:ann@partner.example", Audience::External);
    vec![
        case(
            "everyone beside others in one binding, and a conditional one",
            bucket("storage:setIamPermissions").grants(&[everyone.clone(), partner]),
            &[
                own.clone(),
                binding(VIEWER, &["allUsers", "user:ann@partner.example"]),
                until_may(VIEWER, &["allUsers", "group:auditors@example.com"]),
            ],
            &[
                own.clone(),
                binding(VIEWER, &["user:ann@partner.example"]),
                until_may(VIEWER, &["allUsers", "group:auditors@example.com"]),
            ],
        ),
        case(
            "a binding of nobody else leaves, a public one of before stays",
            bucket("storage:setIamPermissions").grants(&[signed_in]),
            &[
                own.clone(),
                binding("roles/storage.objectCreator", &["allAuthenticatedUsers"]),
                binding(VIEWER, &["allUsers"]),
            ],
            &[own.clone(), binding(VIEWER, &["allUsers"])],
        ),
        case(
            "the record does not tell: every public member",
            bucket("storage:setIamPermissions").decided_by_state(),
            &[
                own.clone(),
                binding(VIEWER, &["allUsers", "domain:example.com"]),
                until_may(VIEWER, &["allAuthenticatedUsers"]),
            ],
            &[own, binding(VIEWER, &["domain:example.com"])],
        ),
    ]
}

fn prevention() -> Vec<Case> {
    let bucket_of =
        |configuration: Value| json!({ "name": "reports", "location": "EU", "iamConfiguration": configuration });
    let configuration = |prevention: &str| {
        bucket_of(json!({ "publicAccessPrevention": prevention, "uniformBucketLevelAccess": { "enabled": true } }))
    };
    let case = |name, before| Case {
        name,
        remediation: "gcp.storage.enforce_public_access_prevention",
        finding: bucket("storage:buckets.update").decided_by_state(),
        world: world([("bucket/reports", before), ("bucket/other", configuration("inherited"))]),
        healed: vec![("bucket/reports", configuration("enforced"))],
    };
    vec![
        case("inherited", configuration("inherited")),
        case("the old word", configuration("unspecified")),
        case("not said", bucket_of(json!({ "uniformBucketLevelAccess": { "enabled": true } }))),
    ]
}

pub(crate) const RULE: &str = "//compute.googleapis.com/projects/shop/global/firewalls/ops";

pub(crate) fn rule_change(operation: &str) -> Finding {
    finding(operation, "compute.googleapis.com/Firewall", RULE, json!(null))
}

pub(crate) fn rule(sources: &Value) -> Value {
    let mut rule = json!({
        "name": "ops", "network": "https://www.googleapis.com/compute/v1/projects/shop/global/networks/default",
        "priority": 1000, "direction": "INGRESS", "disabled": false, "logConfig": { "enable": true },
        "allowed": [{ "IPProtocol": "tcp", "ports": ["22", "3389"] }],
    });
    rule.as_object_mut().unwrap().extend(sources.as_object().unwrap().clone());
    rule
}

fn firewalls() -> Vec<Case> {
    let case = |name, finding: Finding, before: Value, left: Value| Case {
        name,
        remediation: "gcp.compute.narrow_firewall",
        finding,
        world: world([("firewall/shop/ops", rule(&before)), ("firewall/shop/web", rule(&before))]),
        healed: vec![("firewall/shop/ops", rule(&left))],
    };
    let ranges = |ranges: &[&str]| json!({ "sourceRanges": ranges });
    let insert = || rule_change("compute:firewalls.insert");
    let health = ["35.191.0.0/16", "130.211.0.0/22"];
    vec![
        case(
            "the internet beside an office and the health checks",
            insert().opens(&["0.0.0.0/0", "192.0.2.0/24", health[0], health[1]]),
            ranges(&["0.0.0.0/0", "192.0.2.0/24", health[0], health[1]]),
            ranges(&["192.0.2.0/24", health[0], health[1]]),
        ),
        case(
            "the internet in halves, written with host bits, and an address that was added later",
            insert().opens(&["0.0.0.0/1", "128.0.0.0/1"]),
            ranges(&["1.2.3.4/1", "128.0.0.0/1", "198.51.100.7"]),
            ranges(&["198.51.100.7"]),
        ),
        case(
            "the internet alone",
            insert().opens(&["0.0.0.0/0", "::/0"]),
            ranges(&["0.0.0.0/0", "::/0"]),
            json!({ "sourceRanges": ["0.0.0.0/0", "::/0"], "disabled": true }),
        ),
        case(
            "no source at all is the internet",
            insert().opens(&["0.0.0.0/0"]),
            json!({}),
            json!({ "disabled": true }),
        ),
        case(
            "the internet beside tags",
            rule_change("compute:firewalls.patch").opens(&["0.0.0.0/0"]).decided_by_state(),
            json!({ "sourceRanges": ["0.0.0.0/0"], "sourceTags": ["bastion"], "targetTags": ["db"] }),
            json!({ "sourceTags": ["bastion"], "targetTags": ["db"] }),
        ),
    ]
}

pub(crate) const DATABASE: &str = "//cloudsql.googleapis.com/projects/shop/instances/orders";

pub(crate) fn database_change() -> Finding {
    finding("cloudsql:instances.update", "sqladmin.googleapis.com/Instance", DATABASE, json!(null))
}

pub(crate) fn database(networks: &Value) -> Value {
    json!({
        "name": "orders", "project": "shop", "region": "europe-west3", "databaseVersion": "POSTGRES_17",
        "settings": {
            "tier": "db-f1-micro", "availabilityType": "REGIONAL", "userLabels": { "team": "shop" },
            "ipConfiguration": { "ipv4Enabled": true, "sslMode": "ENCRYPTED_ONLY", "authorizedNetworks": networks },
        },
    })
}

fn databases() -> Vec<Case> {
    let entry = |value: &str, name: &str| json!({ "value": value, "name": name });
    let office = json!({ "value": "192.0.2.0/24", "name": "office", "expirationTime": "2027-01-01T00:00:00Z" });
    let case = |name, finding, before: Value, left: Value| Case {
        name,
        remediation: "gcp.sql.remove_authorized_networks",
        finding,
        world: world([("sql/shop/orders", database(&before)), ("sql/shop/users", database(&before))]),
        healed: vec![("sql/shop/orders", database(&left))],
    };
    vec![
        case(
            "the internet beside an office",
            database_change().opens(&["192.0.2.0/24"]).opens(&["0.0.0.0/0"]),
            json!([office, entry("0.0.0.0/0", "all")]),
            json!([office]),
        ),
        case("the internet alone", database_change().opens(&["0.0.0.0/0"]), json!([entry("0.0.0.0/0", "")]), json!([])),
    ]
}

pub(crate) fn project_change(request: Value) -> Finding {
    let id = "//cloudresourcemanager.googleapis.com/projects/shop";
    finding("cloudresourcemanager:SetIamPolicy", "cloudresourcemanager.googleapis.com/Project", id, request)
}

fn projects() -> Vec<Case> {
    let agent = "serviceAccount:service-1@gcp-sa-aiplatform.iam.gserviceaccount.com";
    let owner = binding("roles/owner", &["user:ann@example.com"]);
    let before = [
        binding("roles/owner", &["user:ann@example.com", "user:mallory@gmail.com"]),
        binding("roles/editor", &[agent, "serviceAccount:deploy@shop.iam.gserviceaccount.com"]),
        binding("roles/viewer", &["user:bob@example.com", "user:mallory@gmail.com", "user:partner@agency.example"]),
        until_may("roles/viewer", &["user:mallory@gmail.com"]),
    ];
    let added = [
        granted("roles/owner", "user:mallory@gmail.com", Audience::External),
        granted("roles/viewer", "user:mallory@gmail.com", Audience::External),
        granted("roles/editor", "serviceAccount:deploy@shop.iam.gserviceaccount.com", Audience::Internal),
        granted("roles/viewer", "user:bob@example.com", Audience::Internal),
        granted("roles/editor", agent, Audience::Service),
    ];
    let audited = |bindings: &[Value]| {
        let logs = json!([{ "service": "allServices", "auditLogConfigs": [{ "logType": "DATA_READ" }] }]);
        json!({ "bindings": bindings, "auditConfigs": logs })
    };
    let asked = json!({ "policy": { "bindings": before } });
    vec![Case {
        name: "an outsider and a robot of our own, beside members of before, trusted ones and an agent",
        remediation: "gcp.resourcemanager.remove_members",
        finding: project_change(asked).grants(&added),
        world: world([("project-policy/shop", audited(&before)), ("project-policy/other", audited(&before))]),
        healed: vec![(
            "project-policy/shop",
            audited(&[
                owner,
                binding("roles/editor", &[agent]),
                binding("roles/viewer", &["user:bob@example.com", "user:partner@agency.example"]),
                until_may("roles/viewer", &["user:mallory@gmail.com"]),
            ]),
        )],
    }]
}

pub(crate) const KEY: &str = "projects/shop/serviceAccounts/deploy@shop.iam.gserviceaccount.com/keys/0a1b2c";

pub(crate) fn key_change() -> Finding {
    let account = "//iam.googleapis.com/projects/shop/serviceAccounts/deploy@shop.iam.gserviceaccount.com";
    finding("iam:CreateServiceAccountKey", "iam.googleapis.com/ServiceAccount", account, json!(null))
}

fn keys() -> Vec<Case> {
    let key = |disabled: Option<bool>| {
        let mut key = json!({ "name": KEY, "keyType": "USER_MANAGED", "keyOrigin": "GOOGLE_PROVIDED" });
        if let Some(disabled) = disabled {
            key["disabled"] = json!(disabled);
        }
        key
    };
    let case = |name, finding| Case {
        name,
        remediation: "gcp.iam.disable_service_account_key",
        finding,
        world: [(format!("key/{KEY}"), key(None))].into(),
        healed: vec![(
            "key/projects/shop/serviceAccounts/deploy@shop.iam.gserviceaccount.com/keys/0a1b2c",
            key(Some(true)),
        )],
    };
    let named = format!("//iam.googleapis.com/{KEY}").leak();
    let uploaded = finding("iam:UploadServiceAccountKey", "iam.googleapis.com/ServiceAccountKey", named, json!(null));
    vec![
        case("the answer names the key", key_change().answered(json!({ "name": KEY, "key_type": 1 }))),
        case("the resource names the key", uploaded),
    ]
}

pub(crate) fn dataset_change(operation: &str) -> Finding {
    let id = "//bigquery.googleapis.com/projects/shop/datasets/sales";
    finding(operation, "bigquery.googleapis.com/Dataset", id, json!(null))
}

fn datasets() -> Vec<Case> {
    let owners = json!({ "role": "OWNER", "specialGroup": "projectOwners" });
    let analyst = json!({ "role": "READER", "userByEmail": "ann@example.com" });
    let view = json!({ "view": { "projectId": "shop", "datasetId": "public", "tableId": "totals" } });
    let everyone = json!({ "role": "READER", "iamMember": "allUsers" });
    let signed_in = json!({ "role": "READER", "specialGroup": "allAuthenticatedUsers" });
    let writers = json!({ "role": "WRITER", "specialGroup": "allAuthenticatedUsers" });
    let case = |name, finding, before: Value, left: Value| Case {
        name,
        remediation: "gcp.bigquery.remove_public_access",
        finding,
        world: world([
            ("dataset/shop/sales", json!({ "description": "orders", "access": before })),
            ("dataset/shop/other", json!({ "access": before })),
        ]),
        healed: vec![("dataset/shop/sales", json!({ "description": "orders", "access": left }))],
    };
    let reader = granted("roles/bigquery.dataViewer", "allAuthenticatedUsers", Audience::AnyAuthenticated);
    let as_entry = Grant { actions: vec!["READER".to_owned()], via: "access".to_owned(), ..reader.clone() };
    vec![
        case(
            "everyone with an account may read, as the policy's comparison tells it",
            dataset_change("bigquery:SetIamPolicy").grants(&[reader]),
            json!([owners, analyst, view, signed_in, writers]),
            json!([owners, analyst, view, writers]),
        ),
        case(
            "the same, as an entry of the access list tells it",
            dataset_change("bigquery:UpdateDataset").grants(&[as_entry]),
            json!([owners, signed_in]),
            json!([owners]),
        ),
        case(
            "the record does not tell: every public entry",
            dataset_change("bigquery:UpdateDataset").decided_by_state(),
            json!([owners, analyst, view, everyone, signed_in, writers]),
            json!([owners, analyst, view]),
        ),
    ]
}

pub(crate) fn sink_change(operation: &str, sink: &str, request: Value) -> Finding {
    let id: &'static str = format!("//logging.googleapis.com/{sink}").leak();
    finding(operation, "logging.googleapis.com/LogSink", id, request)
}

pub(crate) fn sink(disabled: Option<bool>, writer: &str) -> Value {
    let mut sink = json!({
        "name": "audit", "destination": "storage.googleapis.com/shop-logs", "filter": "logName:cloudaudit",
        "exclusions": [{ "name": "noise", "filter": "severity<INFO" }], "writerIdentity": writer,
    });
    if let Some(disabled) = disabled {
        sink["disabled"] = json!(disabled);
    }
    sink
}

fn sinks() -> Vec<Case> {
    let own = "serviceAccount:service-1@gcp-sa-logging.iam.gserviceaccount.com";
    let shared = "serviceAccount:cloud-logs@system.gserviceaccount.com";
    let (of_project, of_organization) = ("projects/shop/sinks/audit", "organizations/7/sinks/audit");
    let case = |name, place: &'static str, key, writer: &str, mask: &str| Case {
        name,
        remediation: "gcp.logging.restore_sink",
        finding: sink_change(
            "logging:UpdateSink",
            place,
            json!({ "sinkName": place, "updateMask": mask, "sink": { "disabled": true } }),
        ),
        world: world([
            ("sink/projects/shop/sinks/audit", sink(Some(true), writer)),
            ("sink/organizations/7/sinks/audit", sink(Some(true), writer)),
        ]),
        healed: vec![(key, sink(Some(false), writer))],
    };
    vec![
        case("of a project", of_project, "sink/projects/shop/sinks/audit", own, "disabled"),
        case("with the shared writer", of_project, "sink/projects/shop/sinks/audit", shared, "filter,disabled"),
        case("of an organisation", of_organization, "sink/organizations/7/sinks/audit", own, "disabled"),
    ]
}
