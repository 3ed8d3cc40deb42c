//! The bad changes that round trips play, one for each remediation.

use onus_tests::client::Client;
use serde_json::{Value, json};

/// One bad change that was just made.
pub struct Case {
    /// The remediation that takes it back.
    pub remedy: &'static str,
    /// Its record.
    pub record: Value,
    /// Reads what the change and the remediation act on.
    pub read: Box<dyn Fn(&Client) -> Value>,
    /// What is to be read once the bad part alone is gone.
    pub good: Value,
    /// Somebody else's change to the same thing.
    pub moves: Box<dyn Fn(&Client)>,
}

/// Makes a change. The number keeps names apart.
pub type Make = fn(&Client, u32) -> Case;

/// Every change, by remediation.
pub const ALL: &[(&str, Make)] = &[
    ("gcp.bigquery.remove_public_access", public_dataset),
    ("gcp.compute.narrow_firewall", open_port),
    ("gcp.iam.disable_service_account_key", new_key),
    ("gcp.logging.restore_sink", disabled_sink),
    ("gcp.resourcemanager.remove_members", foreign_owner),
    ("gcp.sql.remove_authorized_networks", open_database),
    ("gcp.storage.enforce_public_access_prevention", lifted_prevention),
    ("gcp.storage.remove_public_members", public_bucket),
];

/// Things with two states only: any other change is the undo itself.
pub const CANNOT_MOVE: &[&str] = &["gcp.iam.disable_service_account_key"];

/// A log entry of a call that dana made and that succeeded. `payload` is what the service writes of it.
pub fn entry(project: &str, service: &str, method: &str, name: &str, payload: Value) -> Value {
    let mut told = json!({
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "status": {},
        "authenticationInfo": { "principalEmail": "dana@example.com", "principalSubject": "user:dana@example.com" },
        "requestMetadata": { "callerIp": "203.0.113.10", "callerSuppliedUserAgent": "google-cloud-sdk gcloud/540.0.0" },
        "serviceName": format!("{service}.googleapis.com"),
        "methodName": method,
        "resourceName": name,
    });
    for (member, value) in payload.as_object().expect("members") {
        told[member.as_str()] = value.clone();
    }
    json!({
        "protoPayload": told,
        "insertId": format!("{method}-{name}"),
        "resource": { "type": "project", "labels": { "project_id": project } },
        "timestamp": "2026-01-31T12:00:00.123456Z",
        "severity": "NOTICE",
        "logName": format!("projects/{project}/logs/cloudaudit.googleapis.com%2Factivity"),
        "receiveTimestamp": "2026-01-31T12:00:01Z",
    })
}

/// What the log compares of a policy before and after.
fn delta(role: &str, member: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/google.iam.v1.logging.AuditData",
        "policyDelta": { "bindingDeltas": [{ "action": "ADD", "role": role, "member": member }] },
    })
}

/// A list in a fixed order, its elements' lists too.
pub fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.iter().map(sorted).collect();
            elements.sort_by_cached_key(Value::to_string);
            Value::Array(elements)
        }
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), sorted(member))).collect(),
        other => other.clone(),
    }
}

/// A binding that an older version of the policy would lose.
fn until_may() -> Value {
    let condition = json!({ "title": "until May", "expression": "request.time < timestamp('2026-05-01T00:00:00Z')" });
    json!({ "role": "roles/viewer", "members": ["group:auditors@example.com"], "condition": condition })
}

pub fn public_bucket(gcp: &Client, number: u32) -> Case {
    let (bucket, viewer) = (format!("reports-{number}"), "roles/storage.objectViewer");
    let bindings = move |members: Value| json!([{ "role": viewer, "members": members }, until_may()]);
    let set = {
        let bucket = bucket.clone();
        move |gcp: &Client, members: Value| {
            let body = json!({ "version": 3, "bindings": bindings(members) });
            gcp.call("storage", "buckets.setIamPolicy", json!({ "bucket": bucket, "body": body }));
        }
    };
    gcp.call("storage", "buckets.insert", json!({ "project": "example-project", "body": { "name": bucket } }));
    set(gcp, json!(["allUsers", "group:press@example.com"]));
    let name = format!("projects/_/buckets/{bucket}");
    let payload = json!({ "serviceData": delta(viewer, "allUsers") });
    Case {
        remedy: "gcp.storage.remove_public_members",
        record: entry("example-project", "storage", "storage.setIamPermissions", &name, payload),
        read: Box::new(move |gcp| {
            let asked = json!({ "bucket": bucket, "optionsRequestedPolicyVersion": 3 });
            sorted(&gcp.call("storage", "buckets.getIamPolicy", asked)["bindings"])
        }),
        good: sorted(&bindings(json!(["group:press@example.com"]))),
        moves: Box::new(move |gcp| set(gcp, json!(["group:press@example.com", "user:erin@example.com"]))),
    }
}

fn lifted_prevention(gcp: &Client, number: u32) -> Case {
    let bucket = format!("backups-{number}");
    let patch = {
        let bucket = bucket.clone();
        move |gcp: &Client, body: Value| {
            gcp.call("storage", "buckets.patch", json!({ "bucket": bucket, "body": body }));
        }
    };
    let prevention = |word: &str| json!({ "iamConfiguration": { "publicAccessPrevention": word } });
    gcp.call("storage", "buckets.insert", json!({ "project": "example-project", "body": { "name": bucket } }));
    let public = json!({ "bindings": [{ "role": "roles/storage.objectViewer", "members": ["allUsers"] }] });
    gcp.call("storage", "buckets.setIamPolicy", json!({ "bucket": bucket, "body": public }));
    patch(gcp, prevention("enforced"));
    patch(gcp, prevention("inherited"));
    let name = format!("projects/_/buckets/{bucket}");
    Case {
        remedy: "gcp.storage.enforce_public_access_prevention",
        record: entry("example-project", "storage", "storage.buckets.update", &name, json!({})),
        read: Box::new(move |gcp| {
            let bucket = gcp.call("storage", "buckets.get", json!({ "bucket": bucket }));
            json!([bucket["iamConfiguration"]["publicAccessPrevention"], bucket["labels"]])
        }),
        good: json!(["enforced", null]),
        moves: Box::new(move |gcp| patch(gcp, json!({ "labels": { "team": "shop" } }))),
    }
}

fn open_port(gcp: &Client, number: u32) -> Case {
    let (project, rule) = ("example-project", format!("ops-{number}"));
    let ranges = json!(["0.0.0.0/0", "192.0.2.0/24", "35.191.0.0/16"]);
    let allowed = json!([{ "IPProtocol": "tcp", "ports": ["22"] }]);
    let body =
        json!({ "name": rule, "network": "global/networks/default", "allowed": allowed, "sourceRanges": ranges });
    gcp.call("compute", "firewalls.insert", json!({ "project": project, "body": body }));
    let name = format!("projects/{project}/global/firewalls/{rule}");
    let request = json!({
        "@type": "type.googleapis.com/compute.firewalls.insert", "name": rule, "direction": "INGRESS",
        "alloweds": allowed, "sourceRanges": ranges,
    });
    let named = json!({ "project": project, "firewall": rule });
    let other = {
        let mut patch = named.clone();
        patch["body"] = json!({ "sourceRanges": ["192.0.2.0/24", "35.191.0.0/16", "198.51.100.7/32"] });
        patch
    };
    Case {
        remedy: "gcp.compute.narrow_firewall",
        record: entry(project, "compute", "v1.compute.firewalls.insert", &name, json!({ "request": request })),
        read: Box::new(move |gcp| {
            let rule = gcp.call("compute", "firewalls.get", named.clone());
            json!([sorted(&rule["sourceRanges"]), rule["disabled"], rule["allowed"]])
        }),
        good: json!([["192.0.2.0/24", "35.191.0.0/16"], false, allowed]),
        moves: Box::new(move |gcp| drop(gcp.call("compute", "firewalls.patch", other.clone()))),
    }
}

fn open_database(gcp: &Client, number: u32) -> Case {
    let (project, instance) = ("example-project", format!("orders-{number}"));
    let office = json!({ "name": "office", "value": "192.0.2.0/24" });
    let settings = |networks: Value| json!({ "settings": { "ipConfiguration": { "ipv4Enabled": true, "authorizedNetworks": networks } } });
    let mut made = settings(json!([office]));
    made["name"] = json!(instance);
    made["databaseVersion"] = json!("POSTGRES_17");
    gcp.call("sqladmin", "instances.insert", json!({ "project": project, "body": made }));
    let patch = {
        let instance = instance.clone();
        move |gcp: &Client, networks: Value| {
            let parameters = json!({ "project": project, "instance": instance, "body": settings(networks) });
            gcp.call("sqladmin", "instances.patch", parameters);
        }
    };
    let opened = json!([office, { "name": "everywhere", "value": "0.0.0.0/0" }]);
    patch(gcp, opened.clone());
    let name = format!("projects/{project}/instances/{instance}");
    let request = json!({
        "@type": "type.googleapis.com/google.cloud.sql.v1.SqlInstancesUpdateRequest", "project": project,
        "instance": instance, "body": settings(opened),
    });
    let (good, another) = (json!(["192.0.2.0/24"]), json!([office, { "name": "lab", "value": "198.51.100.0/24" }]));
    Case {
        remedy: "gcp.sql.remove_authorized_networks",
        record: entry(project, "cloudsql", "cloudsql.instances.update", &name, json!({ "request": request })),
        read: Box::new(move |gcp| {
            let answer = gcp.call("sqladmin", "instances.get", json!({ "project": project, "instance": instance }));
            let networks = answer["settings"]["ipConfiguration"]["authorizedNetworks"].as_array().cloned();
            sorted(&networks.unwrap_or_default().iter().map(|network| network["value"].clone()).collect())
        }),
        good,
        moves: Box::new(move |gcp| patch(gcp, another.clone())),
    }
}

fn foreign_owner(gcp: &Client, number: u32) -> Case {
    let project = format!("shop-{number}");
    let resource = format!("projects/{project}");
    let bindings = |owners: Value, viewers: Value| {
        json!([
            { "role": "roles/owner", "members": owners },
            { "role": "roles/viewer", "members": viewers },
            until_may(),
        ])
    };
    let set = {
        let resource = resource.clone();
        move |gcp: &Client, owners: Value, viewers: Value| {
            let body = json!({ "policy": { "version": 3, "bindings": bindings(owners, viewers) } });
            gcp.call("cloudresourcemanager", "projects.setIamPolicy", json!({ "resource": resource, "body": body }));
        }
    };
    let (own, viewers) = (json!(["user:dana@example.com"]), json!(["user:partner@agency.example"]));
    set(gcp, json!(["user:dana@example.com", "user:eve@example.org"]), viewers.clone());
    let policy =
        json!({ "bindings": bindings(json!(["user:dana@example.com", "user:eve@example.org"]), viewers.clone()) });
    let payload = json!({
        "serviceData": delta("roles/owner", "user:eve@example.org"),
        "request": {
            "@type": "type.googleapis.com/google.iam.v1.SetIamPolicyRequest", "resource": project, "policy": policy,
        },
    });
    let read = resource.clone();
    let good = sorted(&bindings(own.clone(), viewers));
    Case {
        remedy: "gcp.resourcemanager.remove_members",
        record: entry(&project, "cloudresourcemanager", "SetIamPolicy", &resource, payload),
        read: Box::new(move |gcp| {
            let asked = json!({ "resource": read, "body": { "options": { "requestedPolicyVersion": 3 } } });
            sorted(&gcp.call("cloudresourcemanager", "projects.getIamPolicy", asked)["bindings"])
        }),
        good,
        moves: Box::new(move |gcp| set(gcp, own.clone(), json!(["user:erin@example.com"]))),
    }
}

fn new_key(gcp: &Client, number: u32) -> Case {
    let project = "example-project";
    let account = json!({ "name": format!("projects/{project}"), "body": { "accountId": format!("app-{number}") } });
    let account = gcp.call("iam", "projects.serviceAccounts.create", account);
    let made = json!({ "name": account["name"], "body": {} });
    let key = gcp.call("iam", "projects.serviceAccounts.keys.create", made)["name"].clone();
    let payload = json!({
        "request": {
            "@type": "type.googleapis.com/google.iam.admin.v1.CreateServiceAccountKeyRequest",
            "name": format!("projects/-/serviceAccounts/{}", account["email"].as_str().expect("an address")),
            "private_key_type": 2,
        },
        "response": {
            "@type": "type.googleapis.com/google.iam.admin.v1.ServiceAccountKey", "name": key, "key_type": 1,
            "key_origin": 2,
        },
    });
    let name = format!("projects/-/serviceAccounts/{}", account["uniqueId"].as_str().expect("a number"));
    let mut record = entry(project, "iam", "google.iam.admin.v1.CreateServiceAccountKey", &name, payload);
    record["resource"]["labels"]["email_id"] = account["email"].clone();
    Case {
        remedy: "gcp.iam.disable_service_account_key",
        record,
        read: Box::new(move |gcp| {
            gcp.call("iam", "projects.serviceAccounts.keys.get", json!({ "name": key }))["disabled"].clone()
        }),
        good: json!(true),
        moves: Box::new(|_| {}),
    }
}

fn public_dataset(gcp: &Client, number: u32) -> Case {
    let (project, dataset) = ("example-project", format!("sales_{number}"));
    let body = json!({ "datasetReference": { "projectId": project, "datasetId": dataset } });
    gcp.call("bigquery", "datasets.insert", json!({ "projectId": project, "body": body }));
    let patch = {
        let dataset = dataset.clone();
        move |gcp: &Client, body: Value| {
            let parameters = json!({ "projectId": project, "datasetId": dataset, "body": body });
            gcp.call("bigquery", "datasets.patch", parameters);
        }
    };
    let own = json!([
        { "role": "OWNER", "specialGroup": "projectOwners" },
        { "role": "READER", "groupByEmail": "analysts@example.com" },
        { "view": { "projectId": project, "datasetId": "public", "tableId": "totals" } },
    ]);
    let mut opened = own.as_array().expect("a list").clone();
    opened.push(json!({ "role": "READER", "specialGroup": "allAuthenticatedUsers" }));
    patch(gcp, json!({ "access": opened }));
    let name = format!("projects/{project}/datasets/{dataset}");
    let change = json!({
        "action": "ADD", "role": "roles/bigquery.dataViewer", "member": "allAuthenticatedUsers",
    });
    let payload = json!({ "metadata": {
        "@type": "type.googleapis.com/google.cloud.audit.BigQueryAuditMetadata",
        "datasetChange": { "reason": "UPDATE", "bindingDeltas": [change] },
    } });
    Case {
        remedy: "gcp.bigquery.remove_public_access",
        record: entry(project, "bigquery", "google.cloud.bigquery.v2.DatasetService.UpdateDataset", &name, payload),
        read: Box::new(move |gcp| {
            let answer = gcp.call("bigquery", "datasets.get", json!({ "projectId": project, "datasetId": dataset }));
            json!([sorted(&answer["access"]), answer["description"]])
        }),
        good: json!([sorted(&own), null]),
        moves: Box::new(move |gcp| patch(gcp, json!({ "description": "of this year" }))),
    }
}

fn disabled_sink(gcp: &Client, number: u32) -> Case {
    let (project, sink) = ("example-project", format!("audit-{number}"));
    let name = format!("projects/{project}/sinks/{sink}");
    let destination = "storage.googleapis.com/example-audit-archive";
    let made = json!({ "name": sink, "destination": destination, "filter": "logName:cloudaudit" });
    let parent = format!("projects/{project}");
    gcp.call(
        "logging",
        "projects.sinks.create",
        json!({ "parent": parent, "uniqueWriterIdentity": true, "body": made }),
    );
    let update = {
        let name = name.clone();
        move |gcp: &Client, mask: &str, body: Value| {
            let parameters =
                json!({ "sinkName": name, "updateMask": mask, "uniqueWriterIdentity": true, "body": body });
            gcp.call("logging", "projects.sinks.update", parameters);
        }
    };
    update(gcp, "disabled", json!({ "disabled": true }));
    let request = json!({
        "@type": "type.googleapis.com/google.logging.v2.UpdateSinkRequest", "sinkName": name, "updateMask": "disabled",
        "sink": { "name": sink, "destination": destination, "disabled": true }, "uniqueWriterIdentity": true,
    });
    let method = "google.logging.v2.ConfigServiceV2.UpdateSink";
    let record = entry(project, "logging", method, &name, json!({ "request": request }));
    Case {
        remedy: "gcp.logging.restore_sink",
        record,
        read: Box::new(move |gcp| {
            let sink = gcp.call("logging", "projects.sinks.get", json!({ "sinkName": name }));
            json!([sink["disabled"], sink["filter"], sink["destination"]])
        }),
        good: json!([null, "logName:cloudaudit", destination]),
        moves: Box::new(move |gcp| update(gcp, "filter", json!({ "filter": "severity>=ERROR" }))),
    }
}
