"""The Cloud Audit Log of what was done: one LogEntry for each write, two for an operation, and refusals with their code.

What each service writes of a call differs; the shapes are those that Google documents ("Audit logs overview", "Understand audit
logs", and the services' own pages on audit logging).
"""

import copy
import itertools
from datetime import UTC, datetime

AUDIT = "type.googleapis.com/google.cloud.audit.AuditLog"
CODES = {400: 3, 401: 16, 403: 7, 404: 5, 409: 10, 412: 9}


def typed(name, body):
    """A request as it is logged, with its type."""
    return {"@type": f"type.googleapis.com/{name}", **copy.deepcopy(body)}


def members(policy):
    """Each role and member of a policy."""
    return {(binding["role"], member) for binding in policy.get("bindings", []) for member in binding.get("members", [])}


def deltas(before, after):
    """What became of a policy, as `bindingDeltas` have it."""
    changes = [("REMOVE", *pair) for pair in sorted(before - after)] + [("ADD", *pair) for pair in sorted(after - before)]
    return [{"action": action, "role": role, "member": member} for action, role, member in changes]


def policy_delta(before, after):
    """`serviceData` of a call that set a policy."""
    data = {"policyDelta": {"bindingDeltas": deltas(members(before), members(after))}}
    return {"serviceData": typed("google.iam.v1.logging.AuditData", data)}


def bucket_policy(p, body, before, after):
    return "storage.setIamPermissions", f"projects/_/buckets/{p['bucket']}", policy_delta(before, after)


def bucket(p, body, before, after):
    return "storage.buckets.update", f"projects/_/buckets/{p['bucket']}", {}  # the log holds no body


def project_policy(p, body, before, after):
    project = p["resource"].removeprefix("projects/")
    request = typed("google.iam.v1.SetIamPolicyRequest", {"resource": project, "policy": body["policy"]})
    return "SetIamPolicy", p["resource"], policy_delta(before, after) | {"request": request}


def firewall(verb):
    def shape(p, body, before, after):
        name = p.get("firewall") or body["name"]
        body = {"alloweds" if key == "allowed" else key: value for key, value in body.items()}
        request = typed(f"compute.firewalls.{verb}", body)
        return f"v1.compute.firewalls.{verb}", f"projects/{p['project']}/global/firewalls/{name}", {"request": request}

    return shape


def sql_instance(p, body, before, after):
    request = {"project": p["project"], "instance": p["instance"], "body": body}
    logged = {"request": typed("google.cloud.sql.v1.SqlInstancesUpdateRequest", request)}
    return "cloudsql.instances.update", f"projects/{p['project']}/instances/{p['instance']}", logged


def key(p, body, before, after):
    request = typed("google.iam.admin.v1.CreateServiceAccountKeyRequest", {"name": p["name"], "private_key_type": 2})
    response = typed("google.iam.admin.v1.ServiceAccountKey", {"name": after.get("name"), "key_type": 1, "key_origin": 2})
    return "google.iam.admin.v1.CreateServiceAccountKey", p["name"], {"request": request, "response": response}


def key_switch(verb):
    def shape(p, body, before, after):
        request = typed(f"google.iam.admin.v1.{verb}ServiceAccountKeyRequest", {"name": p["name"]})
        return f"google.iam.admin.v1.{verb}ServiceAccountKey", p["name"], {"request": request}

    return shape


def dataset(p, body, before, after):
    def granted(thing):
        roles = {"READER": "roles/bigquery.dataViewer", "WRITER": "roles/bigquery.dataEditor", "OWNER": "roles/bigquery.dataOwner"}
        entries = [(roles.get(entry.get("role")), entry) for entry in thing.get("access", []) if "role" in entry]
        return {(role, entry.get("iamMember") or entry.get("specialGroup") or entry.get("groupByEmail") or entry.get("userByEmail"))
                for role, entry in entries}

    change = {"reason": "UPDATE", "bindingDeltas": deltas(granted(before), granted(after))}
    metadata = typed("google.cloud.audit.BigQueryAuditMetadata", {"datasetChange": change})
    name = f"projects/{p['projectId']}/datasets/{p['datasetId']}"
    return "google.cloud.bigquery.v2.DatasetService.UpdateDataset", name, {"metadata": metadata}


def sink_update(p, body, before, after):
    request = {"sinkName": p["sinkName"], "sink": body, "updateMask": p["updateMask"]}
    logged = {"request": typed("google.logging.v2.UpdateSinkRequest", request)}
    return "google.logging.v2.ConfigServiceV2.UpdateSink", p["sinkName"], logged


def sink_delete(p, body, before, after):
    request = typed("google.logging.v2.DeleteSinkRequest", {"sinkName": p["sinkName"]})
    return "google.logging.v2.ConfigServiceV2.DeleteSink", p["sinkName"], {"request": request}


# Writes that are logged: the name of the service, what it writes, and the method that reads what is written.
LOGGED = {
    "bigquery:datasets.patch": ("bigquery", dataset, "bigquery:datasets.get"),
    "cloudresourcemanager:projects.setIamPolicy": ("cloudresourcemanager", project_policy, "cloudresourcemanager:projects.getIamPolicy"),
    "compute:firewalls.insert": ("compute", firewall("insert"), None),
    "compute:firewalls.patch": ("compute", firewall("patch"), None),
    "compute:firewalls.update": ("compute", firewall("update"), None),
    "iam:projects.serviceAccounts.keys.create": ("iam", key, None),
    "iam:projects.serviceAccounts.keys.disable": ("iam", key_switch("Disable"), None),
    "iam:projects.serviceAccounts.keys.enable": ("iam", key_switch("Enable"), None),
    "logging:projects.sinks.delete": ("logging", sink_delete, None),
    "logging:projects.sinks.update": ("logging", sink_update, None),
    "sqladmin:instances.patch": ("cloudsql", sql_instance, None),
    "storage:buckets.patch": ("storage", bucket, None),
    "storage:buckets.setIamPolicy": ("storage", bucket_policy, "storage:buckets.getIamPolicy"),
}


class Log:
    """The entries so far, oldest first. `tell` is told of each."""

    def __init__(self, tell):
        self.entries, self.running, self.numbers, self.tell = [], {}, itertools.count(1), tell

    def call(self, name, who, parameters, body, call, read):
        """Carries a call out and writes what the service would. `read` answers what another method does."""
        if name not in LOGGED:
            answer = call()
            self._ended(answer)
            return answer
        service, shape, reader = LOGGED[name]
        asked = {**parameters, "optionsRequestedPolicyVersion": 3}
        before = read(reader, asked) if reader else {}
        body = copy.deepcopy(body)
        try:
            answer = call()
        except Exception as refusal:
            status = {"code": CODES.get(getattr(refusal, "status", 500), 13), "message": str(refusal)}
            self._stamp(entry_of(service, who, shape(parameters, body, before, before), status))
            raise
        after = read(reader, asked) if reader else answer
        entry = entry_of(service, who, shape(parameters, body, before, after), {})
        if answer.get("kind") == "sql#operation":
            self.running[answer["name"]] = entry
            return answer
        if answer.get("kind") == "compute#operation":
            entry["operation"] = {"id": answer["name"], "producer": "compute.googleapis.com", "first": True}
            entry["protoPayload"]["response"] = typed("operation", {"name": answer["name"], "status": "RUNNING"})
            self.running[answer["name"]] = entry
        self._stamp(entry)
        return answer

    def _ended(self, answer):
        """Writes of an operation's end: of Compute Engine's the call again, with its type alone for a request; of Cloud SQL's the only
        entry."""
        done = answer.get("kind", "").endswith("#operation") and answer.get("status") == "DONE"
        first = self.running.pop(answer["name"], None) if done else None
        if first is None:
            return
        last = copy.deepcopy(first)
        if "operation" in last:
            last["operation"] = {"id": answer["name"], "producer": "compute.googleapis.com", "last": True}
            payload = last["protoPayload"]
            payload["request"] = {"@type": payload["request"]["@type"]}
            payload.pop("response", None)
        self._stamp(last)

    def _stamp(self, entry):
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        entry |= {"timestamp": now, "receiveTimestamp": now, "insertId": f"local{next(self.numbers):08x}"}
        self.entries.append(entry)
        self.tell(entry)


def entry_of(service, mail, shape, status):
    """An entry of what somebody called, without the times."""
    method, name, payload = shape
    project = name.split("/")[1] if not name.startswith("projects/_/") else "example-project"
    kind = "serviceAccount" if mail.endswith("gserviceaccount.com") else "user"
    return {
        "protoPayload": {
            "@type": AUDIT,
            "status": status,
            "authenticationInfo": {"principalEmail": mail, "principalSubject": f"{kind}:{mail}"},
            "requestMetadata": {"callerIp": "203.0.113.10", "callerSuppliedUserAgent": "google-cloud-sdk gcloud/540.0.0"},
            "serviceName": f"{service}.googleapis.com",
            "methodName": method,
            "resourceName": name,
            **payload,
        },
        "resource": {"type": "project", "labels": {"project_id": project}},
        "severity": "ERROR" if status else "NOTICE",
        "logName": f"projects/{project}/logs/cloudaudit.googleapis.com%2Factivity",
    }
