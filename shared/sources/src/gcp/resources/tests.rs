//! Resources of whole records, through the decoder.

use serde_json::{Value, json};

use crate::Decoded;
use crate::gcp::audit;

/// Each resource of one record as `kind id name`.
fn resources(method: &str, name: &str, labels: &Value, bodies: &Value) -> Vec<String> {
    let (service, method) = method.split_once(' ').expect("service method");
    let mut labels = labels.clone();
    labels["project_id"] = json!("p");
    let mut payload = json!({"serviceName": service, "methodName": method, "resourceName": name});
    for (member, body) in bodies.as_object().into_iter().flatten() {
        payload[member] = body.clone();
    }
    let text = json!({
        "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity", "insertId": "a1", "timestamp": "2026-01-02T03:04:05Z",
        "resource": {"type": "any", "labels": labels}, "protoPayload": payload,
    })
    .to_string();
    match audit::decode(&text) {
        Ok(Decoded::Change(change)) => {
            change.resources.iter().map(|r| format!("{} {} {}", r.kind, r.id, r.name)).collect()
        }
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "one table")]
fn every_service_s_names_become_asset_names() {
    let none = json!({});
    let cluster = json!({"cluster_name": "c", "location": "europe-west4"});
    let account = json!({"email_id": "app@p.iam.gserviceaccount.com"});
    let key = json!({"response": {"name": "projects/p/serviceAccounts/app@p.iam.gserviceaccount.com/keys/k1"}});
    let cases: Vec<(&str, &str, Value, Value, Vec<&str>)> = vec![
        (
            "compute.googleapis.com v1.compute.firewalls.insert",
            "projects/p/global/firewalls/f",
            none.clone(),
            none.clone(),
            vec!["compute.googleapis.com/Firewall //compute.googleapis.com/projects/p/global/firewalls/f f"],
        ),
        (
            "compute.googleapis.com v1.compute.targetHttpsProxies.setSslPolicy",
            "projects/p/global/targetHttpsProxies/t",
            none.clone(),
            none.clone(),
            vec![
                "compute.googleapis.com/TargetHttpsProxy //compute.googleapis.com/projects/p/global/targetHttpsProxies/t t",
            ],
        ),
        (
            "compute.googleapis.com v1.compute.instances.insert",
            "projects/p/zones/z/instances/i",
            none.clone(),
            none.clone(),
            vec!["compute.googleapis.com/Instance //compute.googleapis.com/projects/p/zones/z/instances/i i"],
        ),
        (
            "storage.googleapis.com storage.objects.update",
            "projects/_/buckets/b/objects/a/objects/c.txt",
            none.clone(),
            none.clone(),
            vec![
                "storage.googleapis.com/Object //storage.googleapis.com/projects/_/buckets/b/objects/a/objects/c.txt a/objects/c.txt",
                "storage.googleapis.com/Bucket //storage.googleapis.com/b b",
            ],
        ),
        (
            "storage.googleapis.com storage.buckets.create",
            "",
            json!({"bucket_name": "b"}),
            none.clone(),
            vec!["storage.googleapis.com/Bucket //storage.googleapis.com/b b"],
        ),
        (
            "cloudresourcemanager.googleapis.com SetIamPolicy",
            "projects/p",
            none.clone(),
            none.clone(),
            vec!["cloudresourcemanager.googleapis.com/Project //cloudresourcemanager.googleapis.com/projects/p p"],
        ),
        (
            "cloudresourcemanager.googleapis.com SetIamPolicy",
            "organizations/1",
            none.clone(),
            none.clone(),
            vec![
                "cloudresourcemanager.googleapis.com/Organization //cloudresourcemanager.googleapis.com/organizations/1 1",
            ],
        ),
        (
            "iam.googleapis.com google.iam.admin.v1.CreateServiceAccountKey",
            "projects/-/serviceAccounts/123",
            account.clone(),
            key.clone(),
            vec![
                "iam.googleapis.com/ServiceAccountKey //iam.googleapis.com/projects/p/serviceAccounts/app@p.iam.gserviceaccount.com/keys/k1 k1",
                "iam.googleapis.com/ServiceAccount //iam.googleapis.com/projects/p/serviceAccounts/app@p.iam.gserviceaccount.com app@p.iam.gserviceaccount.com",
            ],
        ),
        (
            "iam.googleapis.com google.iam.admin.v1.SetIAMPolicy",
            "projects/-/serviceAccounts/123",
            account.clone(),
            none.clone(),
            vec![
                "iam.googleapis.com/ServiceAccount //iam.googleapis.com/projects/p/serviceAccounts/app@p.iam.gserviceaccount.com app@p.iam.gserviceaccount.com",
            ],
        ),
        (
            "cloudsql.googleapis.com cloudsql.instances.update",
            "instances/db",
            none.clone(),
            none.clone(),
            vec!["sqladmin.googleapis.com/Instance //cloudsql.googleapis.com/projects/p/instances/db db"],
        ),
        (
            "cloudsql.googleapis.com cloudsql.instances.update",
            "",
            json!({"database_id": "p:db"}),
            none.clone(),
            vec!["sqladmin.googleapis.com/Instance //cloudsql.googleapis.com/projects/p/instances/db db"],
        ),
        (
            "bigquery.googleapis.com datasetservice.insert",
            "projects/p/datasets",
            none.clone(),
            json!({"serviceData": {"datasetInsertRequest": {"resource": {"datasetName": {"projectId": "p", "datasetId": "d"}}}}}),
            vec!["bigquery.googleapis.com/Dataset //bigquery.googleapis.com/projects/p/datasets/d d"],
        ),
        (
            "bigquery.googleapis.com google.cloud.bigquery.v2.TableService.InsertTable",
            "projects/p/datasets/d/tables/t",
            none.clone(),
            none.clone(),
            vec![
                "bigquery.googleapis.com/Table //bigquery.googleapis.com/projects/p/datasets/d/tables/t t",
                "bigquery.googleapis.com/Dataset //bigquery.googleapis.com/projects/p/datasets/d d",
            ],
        ),
        (
            "cloudkms.googleapis.com DestroyCryptoKeyVersion",
            "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
            none.clone(),
            none.clone(),
            vec![
                "cloudkms.googleapis.com/CryptoKeyVersion //cloudkms.googleapis.com/projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1 1",
                "cloudkms.googleapis.com/CryptoKey //cloudkms.googleapis.com/projects/p/locations/l/keyRings/r/cryptoKeys/k k",
                "cloudkms.googleapis.com/KeyRing //cloudkms.googleapis.com/projects/p/locations/l/keyRings/r r",
            ],
        ),
        (
            "logging.googleapis.com google.logging.v2.ConfigServiceV2.DeleteSink",
            "projects/p/sinks/s",
            none.clone(),
            none.clone(),
            vec!["logging.googleapis.com/LogSink //logging.googleapis.com/projects/p/sinks/s s"],
        ),
        (
            "logging.googleapis.com google.logging.v2.ConfigServiceV2.CreateSink",
            "projects/p",
            none.clone(),
            json!({"request": {"sink": {"name": "s"}}}),
            vec!["logging.googleapis.com/LogSink //logging.googleapis.com/projects/p/sinks/s s"],
        ),
        (
            "container.googleapis.com google.container.v1.ClusterManager.UpdateCluster",
            "projects/p/locations/l/clusters/c",
            none.clone(),
            none.clone(),
            vec!["container.googleapis.com/Cluster //container.googleapis.com/projects/p/locations/l/clusters/c c"],
        ),
        (
            "container.googleapis.com google.container.v1.ClusterManager.CreateCluster",
            "projects/p/locations/l",
            none.clone(),
            json!({"request": {"cluster": {"name": "c"}}, "response": {"name": "operation-1"}}),
            vec!["container.googleapis.com/Cluster //container.googleapis.com/projects/p/locations/l/clusters/c c"],
        ),
        (
            "k8s.io io.k8s.authorization.rbac.v1.clusterrolebindings.create",
            "rbac.authorization.k8s.io/v1/clusterrolebindings/n",
            cluster.clone(),
            none.clone(),
            vec![
                "rbac.authorization.k8s.io/ClusterRoleBinding //container.googleapis.com/projects/p/locations/europe-west4/clusters/c/k8s/clusterrolebindings/n n",
                "container.googleapis.com/Cluster //container.googleapis.com/projects/p/locations/europe-west4/clusters/c c",
            ],
        ),
        (
            "k8s.io io.k8s.core.v1.pods.exec.create",
            "core/v1/namespaces/default/pods/x/exec",
            cluster.clone(),
            none.clone(),
            vec![
                "k8s.io/Pod //container.googleapis.com/projects/p/locations/europe-west4/clusters/c/k8s/namespaces/default/pods/x/exec x",
                "container.googleapis.com/Cluster //container.googleapis.com/projects/p/locations/europe-west4/clusters/c c",
            ],
        ),
        (
            "run.googleapis.com google.cloud.run.v1.Services.SetIamPolicy",
            "namespaces/p/services/s",
            json!({"location": "europe-west1"}),
            none.clone(),
            vec!["run.googleapis.com/Service //run.googleapis.com/projects/p/locations/europe-west1/services/s s"],
        ),
        (
            "pubsub.googleapis.com google.pubsub.v1.Publisher.CreateTopic",
            "projects/p/topics/t",
            none.clone(),
            none.clone(),
            vec!["pubsub.googleapis.com/Topic //pubsub.googleapis.com/projects/p/topics/t t"],
        ),
        (
            "dns.googleapis.com dns.managedZones.patch",
            "managedZones/z",
            none.clone(),
            none.clone(),
            vec!["dns.googleapis.com/ManagedZone //dns.googleapis.com/projects/p/managedZones/z z"],
        ),
        ("dns.googleapis.com dns.managedZones.patch", "", none.clone(), none.clone(), vec![]),
    ];
    let mut wrong = Vec::new();
    for (method, name, labels, bodies, expected) in &cases {
        let found = resources(method, name, labels, bodies);
        if found != *expected {
            wrong.push(format!("{method} {name}:\n  {found:#?}\n  {expected:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
