"""The permissions that each method asks for, from the reference page of the method (<https://cloud.google.com/iam/docs/permissions-reference>).

It shares nothing with the table that Onus's roles are made from. Pub/Sub and objects are missing: who may use them stands in policies
of their own topics and buckets.
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


def needed(name):
    """What a caller needs for a method."""
    return NEEDED.get(name, ())
