"""The permissions that each method asks for.

It shares nothing with the table that Onus's roles are made from. Pub/Sub and objects are missing: who may use them stands in policies
of their own topics and buckets. Sources, in passages that were found and read, not whole pages:

- Cloud Storage: <https://cloud.google.com/storage/docs/access-control/iam-json>, and for public access prevention
  <https://cloud.google.com/storage/docs/using-public-access-prevention>;
- Cloud SQL, but for `instances.patch`: <https://cloud.google.com/sql/docs/mysql/iam-permissions>;
- BigQuery: <https://docs.cloud.google.com/bigquery/docs/dataset-access-control>;
- Cloud Logging, creating and deleting sinks: <https://cloud.google.com/logging/docs/api/reference/rest/v2/sinks/create> and `…/delete`.

Firewall rules (`firewalls.update` asks for `compute.networks.updatePolicy` of the rule's network) are as custom roles in use have them.
The remaining lines are the method's own permission by the pattern that all of these follow, and were found on no page of the method.
"""

NEEDED = {
    "bigquery:datasets.get": ("bigquery.datasets.get",),
    "bigquery:datasets.insert": ("bigquery.datasets.create",),
    "bigquery:datasets.patch": ("bigquery.datasets.update", "bigquery.datasets.setIamPolicy"),
    "cloudresourcemanager:projects.get": ("resourcemanager.projects.get",),
    "cloudresourcemanager:projects.getIamPolicy": ("resourcemanager.projects.getIamPolicy",),
    "cloudresourcemanager:projects.setIamPolicy": ("resourcemanager.projects.setIamPolicy",),
    "compute:firewalls.get": ("compute.firewalls.get",),
    "compute:firewalls.insert": ("compute.firewalls.create", "compute.networks.updatePolicy"),
    "compute:firewalls.list": ("compute.firewalls.list",),
    "compute:firewalls.patch": ("compute.firewalls.get", "compute.firewalls.update", "compute.networks.updatePolicy"),
    "compute:firewalls.update": ("compute.firewalls.update", "compute.networks.updatePolicy"),
    "compute:globalOperations.get": ("compute.globalOperations.get",),
    "iam:projects.serviceAccounts.create": ("iam.serviceAccounts.create",),
    "iam:projects.serviceAccounts.keys.create": ("iam.serviceAccountKeys.create",),
    "iam:projects.serviceAccounts.keys.disable": ("iam.serviceAccountKeys.disable",),
    "iam:projects.serviceAccounts.keys.enable": ("iam.serviceAccountKeys.enable",),
    "iam:projects.serviceAccounts.keys.get": ("iam.serviceAccountKeys.get",),
    "logging:entries.list": ("logging.logEntries.list",),
    "logging:projects.sinks.create": ("logging.sinks.create",),
    "logging:projects.sinks.delete": ("logging.sinks.delete",),
    "logging:projects.sinks.get": ("logging.sinks.get",),
    "logging:projects.sinks.list": ("logging.sinks.list",),
    "logging:projects.sinks.update": ("logging.sinks.update",),
    "sqladmin:instances.get": ("cloudsql.instances.get",),
    "sqladmin:instances.insert": ("cloudsql.instances.create",),
    "sqladmin:instances.patch": ("cloudsql.instances.update",),
    "sqladmin:operations.get": ("cloudsql.instances.get",),
    "storage:buckets.get": ("storage.buckets.get",),
    "storage:buckets.getIamPolicy": ("storage.buckets.getIamPolicy",),
    "storage:buckets.insert": ("storage.buckets.create",),
    "storage:buckets.patch": ("storage.buckets.update",),
    "storage:buckets.setIamPolicy": ("storage.buckets.setIamPolicy",),
    "storage:notifications.insert": ("storage.buckets.update",),
}


def needed(name, body):
    """What a caller needs for a method, with what it sends."""
    more = ()
    if name == "storage:buckets.patch" and "publicAccessPrevention" in (body or {}).get("iamConfiguration", {}):
        more = ("storage.buckets.setIamPolicy",)
    return NEEDED.get(name, ()) + more
