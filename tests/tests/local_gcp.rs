//! The local Google Cloud is what it claims to be: Google's own client makes, reads and changes every kind of resource there, and is refused
//! what Google refuses.

use onus_tests::local_gcp::{LocalGcp, PERSON, PROJECT};
use serde_json::{Value, json};

/// One kind of resource, and how Google's client of it makes, reads and changes one.
struct Life {
    service: &'static str,
    create: (&'static str, Value),
    get: (&'static str, Value),
    update: (&'static str, Value),
    /// Where the change shows in what is read, and as what.
    shows: (&'static str, Value),
}

impl Life {
    fn lead(&self, gcp: &LocalGcp) -> Result<(), String> {
        let call = |(method, parameters): &(&str, Value)| {
            let answer = gcp.client.ask(self.service, method, parameters.clone());
            answer.map_err(|code| format!("{}: {method} {parameters}: {code}", self.service))
        };
        let (path, wanted) = &self.shows;
        call(&self.create)?;
        let before = call(&self.get)?.pointer(path).cloned().unwrap_or_default();
        if before == *wanted {
            return Err(format!("{}: {path} is {wanted} before the change", self.service));
        }
        call(&self.update)?;
        let after = call(&self.get)?.pointer(path).cloned().unwrap_or_default();
        if after == *wanted { Ok(()) } else { Err(format!("{}: {path} is {after}, not {wanted}", self.service)) }
    }
}

#[allow(clippy::too_many_lines, reason = "a table of what each kind of resource is sent")]
fn lives() -> Vec<Life> {
    let project = format!("projects/{PROJECT}");
    let viewers = |member: &str| json!([{ "role": "roles/viewer", "members": [member] }]);
    let opened = json!({ "settings": { "ipConfiguration": { "authorizedNetworks": [{ "value": "192.0.2.0/24" }] } } });
    vec![
        Life {
            service: "storage",
            create: ("buckets.insert", json!({ "project": PROJECT, "body": { "name": "pictures" } })),
            get: ("buckets.get", json!({ "bucket": "pictures" })),
            update: ("buckets.patch", json!({ "bucket": "pictures", "body": { "labels": { "team": "shop" } } })),
            shows: ("/labels/team", json!("shop")),
        },
        Life {
            service: "storage",
            create: ("buckets.insert", json!({ "project": PROJECT, "body": { "name": "reports" } })),
            get: ("buckets.getIamPolicy", json!({ "bucket": "reports" })),
            update: (
                "buckets.setIamPolicy",
                json!({ "bucket": "reports", "body": { "bindings": viewers("user:a@example.com") } }),
            ),
            shows: ("/bindings", viewers("user:a@example.com")),
        },
        Life {
            service: "compute",
            create: (
                "firewalls.insert",
                json!({ "project": PROJECT, "body": { "name": "ssh", "allowed": [{ "IPProtocol": "tcp" }] } }),
            ),
            get: ("firewalls.get", json!({ "project": PROJECT, "firewall": "ssh" })),
            update: ("firewalls.patch", json!({ "project": PROJECT, "firewall": "ssh", "body": { "disabled": true } })),
            shows: ("/disabled", json!(true)),
        },
        Life {
            service: "sqladmin",
            create: ("instances.insert", json!({ "project": PROJECT, "body": { "name": "orders" } })),
            get: ("instances.get", json!({ "project": PROJECT, "instance": "orders" })),
            update: ("instances.patch", json!({ "project": PROJECT, "instance": "orders", "body": opened })),
            shows: ("/settings/ipConfiguration/authorizedNetworks/0/value", json!("192.0.2.0/24")),
        },
        Life {
            service: "cloudresourcemanager",
            create: ("projects.setIamPolicy", json!({ "resource": project, "body": { "policy": { "bindings": [] } } })),
            get: ("projects.getIamPolicy", json!({ "resource": project, "body": {} })),
            update: (
                "projects.setIamPolicy",
                json!({ "resource": project, "body": { "policy": { "bindings": viewers("user:b@example.com") } } }),
            ),
            shows: ("/bindings", viewers("user:b@example.com")),
        },
        Life {
            service: "bigquery",
            create: (
                "datasets.insert",
                json!({ "projectId": PROJECT, "body": { "datasetReference": { "projectId": PROJECT, "datasetId": "sales" } } }),
            ),
            get: ("datasets.get", json!({ "projectId": PROJECT, "datasetId": "sales" })),
            update: (
                "datasets.patch",
                json!({ "projectId": PROJECT, "datasetId": "sales", "body": { "description": "of this year" } }),
            ),
            shows: ("/description", json!("of this year")),
        },
        Life {
            service: "logging",
            create: (
                "projects.sinks.create",
                json!({ "parent": project, "body": { "name": "archive", "destination": "storage.googleapis.com/archive" } }),
            ),
            get: ("projects.sinks.get", json!({ "sinkName": format!("{project}/sinks/archive") })),
            update: (
                "projects.sinks.update",
                json!({ "sinkName": format!("{project}/sinks/archive"), "updateMask": "disabled", "body": { "disabled": true } }),
            ),
            shows: ("/disabled", json!(true)),
        },
    ]
}

#[test]
fn googles_own_client_makes_reads_and_changes_every_kind_of_resource() {
    let gcp = LocalGcp::start();
    let wrong: Vec<String> = lives().iter().filter_map(|life| life.lead(&gcp).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_key_is_made_disabled_and_enabled() {
    let gcp = LocalGcp::start();
    let call = |method: &str, parameters: Value| {
        gcp.client.call("iam", &format!("projects.serviceAccounts.{method}"), parameters)
    };
    let account = call("create", json!({ "name": format!("projects/{PROJECT}"), "body": { "accountId": "app" } }));
    let key = call("keys.create", json!({ "name": account["name"], "body": {} }));
    let named = json!({ "name": key["name"], "body": {} });
    let disabled = || call("keys.get", json!({ "name": key["name"] }))["disabled"].clone();
    assert_eq!(disabled(), Value::Null, "proto3 leaves out what is false");
    call("keys.disable", named.clone());
    assert_eq!(disabled(), json!(true));
    call("keys.enable", named);
    assert_eq!(disabled(), Value::Null);
}

#[test]
fn a_write_on_an_older_version_is_refused() {
    let gcp = LocalGcp::start();
    for life in &lives() {
        life.lead(&gcp).unwrap();
    }
    let old = json!("BhMAAAAAAAA=");
    let cases = [
        (
            "storage",
            "buckets.setIamPolicy",
            json!({ "bucket": "reports", "body": { "etag": old, "bindings": [] } }),
            "conditionNotMet",
        ),
        (
            "storage",
            "buckets.patch",
            json!({ "bucket": "pictures", "ifMetagenerationMatch": "1", "body": {} }),
            "conditionNotMet",
        ),
        (
            "sqladmin",
            "instances.patch",
            json!({ "project": PROJECT, "instance": "orders", "body": { "settings": { "settingsVersion": "1" } } }),
            "conditionNotMet",
        ),
        (
            "cloudresourcemanager",
            "projects.setIamPolicy",
            json!({ "resource": format!("projects/{PROJECT}"), "body": { "policy": { "etag": old, "bindings": [] } } }),
            "ABORTED",
        ),
    ];
    let wrong: Vec<String> = cases
        .into_iter()
        .filter_map(|(service, method, parameters, wanted)| {
            let answer = gcp.client.ask(service, method, parameters);
            (answer != Err(wanted.to_owned())).then(|| format!("{service}:{method}: {answer:?}, not {wanted}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_written_is_logged_and_routed_by_a_sinks_filter() {
    let gcp = LocalGcp::start();
    let topic = format!("projects/{PROJECT}/topics/changes");
    gcp.client.call("pubsub", "projects.topics.create", json!({ "name": topic, "body": {} }));
    let sink = json!({
        "name": "changes", "destination": format!("pubsub.googleapis.com/{topic}"),
        "filter": r#"logName:"cloudaudit" AND (protoPayload.serviceName:"STORAGE" AND protoPayload.methodName:("buckets.update" OR "setIam"))"#,
    });
    gcp.client.call(
        "logging",
        "projects.sinks.create",
        json!({ "parent": format!("projects/{PROJECT}"), "body": sink }),
    );
    for life in &lives() {
        life.lead(&gcp).unwrap();
    }
    let methods = |entries: Vec<Value>| -> Vec<String> {
        entries.iter().map(|entry| entry["protoPayload"]["methodName"].as_str().expect("a method").to_owned()).collect()
    };
    let routed = gcp.messages(&topic).iter().map(|message| decoded(&message["data"])).collect();
    assert_eq!(methods(routed), ["storage.buckets.update", "storage.setIamPermissions"]);
    let logged = methods(gcp.log());
    assert_eq!(
        logged,
        [
            "storage.buckets.update",
            "storage.setIamPermissions",
            "v1.compute.firewalls.insert",
            "v1.compute.firewalls.insert",
            "v1.compute.firewalls.patch",
            "v1.compute.firewalls.patch",
            "cloudsql.instances.update",
            "SetIamPolicy",
            "SetIamPolicy",
            "google.cloud.bigquery.v2.DatasetService.UpdateDataset",
            "google.logging.v2.ConfigServiceV2.UpdateSink",
        ],
        "an operation of Compute Engine has a beginning and an end"
    );
}

fn decoded(data: &Value) -> Value {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(data.as_str().expect("data")).expect("base64");
    serde_json::from_slice(&bytes).expect("an entry")
}

#[test]
fn who_lacks_a_permission_is_refused_and_the_refusal_is_logged() {
    let gcp = LocalGcp::start();
    gcp.client.call("storage", "buckets.insert", json!({ "project": PROJECT, "body": { "name": "pictures" } }));
    gcp.hold(PERSON, &["storage.buckets.get"]);
    gcp.client.call("storage", "buckets.get", json!({ "bucket": "pictures" }));
    let refused =
        gcp.client.ask("storage", "buckets.patch", json!({ "bucket": "pictures", "body": { "labels": { "a": "b" } } }));
    assert_eq!(refused, Err("forbidden".to_owned()));
    let bucket = gcp.client.call("storage", "buckets.get", json!({ "bucket": "pictures" }));
    assert_eq!(bucket["labels"], Value::Null, "nothing was changed");
    let entry = gcp.log().pop().expect("an entry");
    assert_eq!(entry["protoPayload"]["status"]["code"], 7, "{entry}");
    assert_eq!(entry["protoPayload"]["authenticationInfo"]["principalEmail"], PERSON);
}
