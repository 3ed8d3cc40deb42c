//! Which IAM permissions a call needs. The custom roles are written from this.

/// The permissions of every method of the table, sorted. Where a method answers with an operation, what polling it needs
/// is included, because the caller polls.
///
/// Sources: the "IAM Permissions" section of each method's reference page, and
/// - BigQuery: <https://docs.cloud.google.com/bigquery/docs/dataset-access-control> (access entries need the permissions on
///   IAM policies since March 2026),
/// - Cloud Storage: <https://cloud.google.com/storage/docs/access-control/iam-json> and, for public access prevention,
///   <https://cloud.google.com/storage/docs/using-public-access-prevention>,
/// - Cloud SQL: <https://cloud.google.com/sql/docs/mysql/iam-permissions>.
const PERMISSIONS: &[(&str, &str, &[&str])] = &[
    ("bigquery", "datasets.get", &["bigquery.datasets.get", "bigquery.datasets.getIamPolicy"]),
    (
        "bigquery",
        "datasets.patch",
        &["bigquery.datasets.get", "bigquery.datasets.setIamPolicy", "bigquery.datasets.update"],
    ),
    ("bigquery", "tables.get", &["bigquery.tables.get"]),
    ("cloudkms", "projects.locations.keyRings.cryptoKeys.cryptoKeyVersions.get", &["cloudkms.cryptoKeyVersions.get"]),
    ("cloudkms", "projects.locations.keyRings.cryptoKeys.get", &["cloudkms.cryptoKeys.get"]),
    ("cloudkms", "projects.locations.keyRings.cryptoKeys.getIamPolicy", &["cloudkms.cryptoKeys.getIamPolicy"]),
    ("cloudresourcemanager", "projects.get", &["resourcemanager.projects.get"]),
    ("cloudresourcemanager", "projects.getIamPolicy", &["resourcemanager.projects.getIamPolicy"]),
    ("cloudresourcemanager", "projects.setIamPolicy", &["resourcemanager.projects.setIamPolicy"]),
    ("compute", "disks.get", &["compute.disks.get"]),
    ("compute", "firewallPolicies.get", &["compute.firewallPolicies.get"]),
    ("compute", "firewalls.get", &["compute.firewalls.get"]),
    ("compute", "firewalls.list", &["compute.firewalls.list"]),
    ("compute", "firewalls.patch", FIREWALL),
    ("compute", "firewalls.update", FIREWALL),
    ("compute", "globalOperations.get", &["compute.globalOperations.get"]),
    ("compute", "images.get", &["compute.images.get"]),
    ("compute", "images.getIamPolicy", &["compute.images.getIamPolicy"]),
    ("compute", "instances.get", &["compute.instances.get"]),
    ("compute", "networkFirewallPolicies.get", &["compute.firewallPolicies.get"]),
    ("compute", "regionNetworkFirewallPolicies.get", &["compute.firewallPolicies.get"]),
    ("compute", "regionOperations.get", &["compute.regionOperations.get"]),
    ("compute", "snapshots.get", &["compute.snapshots.get"]),
    ("compute", "sslPolicies.get", &["compute.sslPolicies.get"]),
    ("compute", "subnetworks.get", &["compute.subnetworks.get"]),
    ("compute", "targetHttpsProxies.get", &["compute.targetHttpsProxies.get"]),
    ("compute", "zoneOperations.get", &["compute.zoneOperations.get"]),
    ("container", "projects.locations.clusters.get", &["container.clusters.get"]),
    ("iam", "projects.serviceAccounts.getIamPolicy", &["iam.serviceAccounts.getIamPolicy"]),
    ("iam", "projects.serviceAccounts.keys.disable", &["iam.serviceAccountKeys.disable"]),
    ("iam", "projects.serviceAccounts.keys.enable", &["iam.serviceAccountKeys.enable"]),
    ("iam", "projects.serviceAccounts.keys.get", &["iam.serviceAccountKeys.get"]),
    ("logging", "entries.list", &["logging.logEntries.list"]),
    ("logging", "locations.buckets.get", &["logging.buckets.get"]),
    ("logging", "sinks.create", &["logging.sinks.create"]),
    ("logging", "sinks.delete", &["logging.sinks.delete"]),
    ("logging", "sinks.get", &["logging.sinks.get"]),
    ("logging", "sinks.list", &["logging.sinks.list"]),
    ("logging", "sinks.update", &["logging.sinks.update"]),
    ("pubsub", "projects.subscriptions.acknowledge", &["pubsub.subscriptions.consume"]),
    ("pubsub", "projects.subscriptions.pull", &["pubsub.subscriptions.consume"]),
    ("pubsub", "projects.topics.get", &["pubsub.topics.get"]),
    ("pubsub", "projects.topics.getIamPolicy", &["pubsub.topics.getIamPolicy"]),
    ("pubsub", "projects.topics.publish", &["pubsub.topics.publish"]),
    ("secretmanager", "projects.secrets.get", &["secretmanager.secrets.get"]),
    ("secretmanager", "projects.secrets.getIamPolicy", &["secretmanager.secrets.getIamPolicy"]),
    ("sqladmin", "instances.get", &["cloudsql.instances.get"]),
    ("sqladmin", "instances.patch", &["cloudsql.instances.get", "cloudsql.instances.update"]),
    ("sqladmin", "operations.get", &["cloudsql.instances.get"]),
    ("storage", "buckets.get", &["storage.buckets.get"]),
    ("storage", "buckets.getIamPolicy", &["storage.buckets.getIamPolicy"]),
    ("storage", "buckets.patch", &["storage.buckets.get", "storage.buckets.setIamPolicy", "storage.buckets.update"]),
    ("storage", "buckets.setIamPolicy", &["storage.buckets.setIamPolicy"]),
];

const FIREWALL: &[&str] = &[
    "compute.firewalls.get",
    "compute.firewalls.update",
    "compute.globalOperations.get",
    "compute.networks.updatePolicy",
];

/// The IAM permissions that one call needs, sorted; empty for a method that the operations table does not hold, which
/// cannot be called.
///
/// `api` is the discovery name (`sqladmin`), `method` the method's id without it (`instances.patch`). Permissions that a call
/// needs only for some parameters are not included, unless a remediation sends such parameters.
pub fn iam_permissions(api: &str, method: &str) -> &'static [&'static str] {
    PERMISSIONS.iter().find(|(a, m, _)| (*a, *m) == (api, method)).map_or(&[], |(.., permissions)| *permissions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_names_the_methods_of_the_operations_table() {
        let named: Vec<String> = PERMISSIONS.iter().map(|(api, method, _)| format!("{api}:{method}")).collect();
        assert_eq!(named, crate::operations::operations().collect::<Vec<_>>());
        let unsorted = PERMISSIONS.iter().filter(|(.., list)| list.is_empty() || !list.is_sorted());
        assert_eq!(unsorted.count(), 0);
    }
}
