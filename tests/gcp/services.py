"""What each method of each API does. Tokens, defaults and operations are those of the real services, as their reference pages
describe them.
"""

import base64
import copy
import itertools

from refusal import Refusal, exists, gone

PROJECT_NUMBER = "123456789012"


class State:
    """Everything that is there, by kind and name."""

    def __init__(self):
        self.things, self.versions, self.operations, self.messages = {}, {}, {}, {}
        self.subscriptions, self.notifications = {}, []
        self.numbers = itertools.count(1)

    def get(self, kind, name):
        try:
            return copy.deepcopy(self.things[kind, name])
        except KeyError:
            raise gone(name) from None

    def put(self, kind, name, thing):
        self.things[kind, name] = copy.deepcopy(thing)
        self.versions[kind, name] = self.version(kind, name) + 1
        return self.get(kind, name)

    def make(self, kind, name, thing):
        if (kind, name) in self.things:
            raise exists(name)
        return self.put(kind, name, thing)

    def delete(self, kind, name):
        self.get(kind, name)
        del self.things[kind, name]

    def version(self, kind, name):
        return self.versions.get((kind, name), 0)

    def etag(self, kind, name):
        """The version as base64, as policies have it."""
        return base64.b64encode(b"\x06\x13" + self.version(kind, name).to_bytes(6, "big")).decode()


def require(token, current):
    """Refuses a write that was made on an older version."""
    if token is not None and token != current:
        raise Refusal(412, "CONDITION_NOT_MET", "the resource has changed since it was read")


def merge(target, patch):
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    target = target if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = merge(target.get(name), value)
    return target


def policy_of(state, name):
    policy = copy.deepcopy(state.things.get(("policy", name), {"bindings": []}))
    conditional = any("condition" in binding for binding in policy["bindings"])
    return policy | {"version": 3 if conditional else 1, "etag": state.etag("policy", name)}


def set_policy(state, name, policy, moved=(409, "ABORTED")):
    """Writes bindings alone; a token that is not the current one is refused, as each API words it."""
    current = policy_of(state, name)
    if "etag" in policy and policy["etag"] != current["etag"]:
        raise Refusal(*moved, "there were concurrent policy changes")
    bindings = [binding for binding in policy.get("bindings", []) if binding.get("members")]
    if policy.get("version", 0) < 3 and any("condition" in binding for binding in bindings + current["bindings"]):
        raise Refusal(400, "INVALID_ARGUMENT", "a policy with conditions has version 3")
    state.put("policy", name, {"bindings": bindings})
    return policy_of(state, name)


# Cloud Storage


def bucket_of(state, name):
    bucket = state.get("bucket", name)
    version = state.version("bucket", name)
    return bucket | {"kind": "storage#bucket", "metageneration": str(version), "etag": state.etag("bucket", name)}


def insert_bucket(state, p, body, _):
    defaults = {
        "location": "EU", "storageClass": "STANDARD", "timeCreated": "2026-01-31T12:00:00Z",
        "iamConfiguration": {"publicAccessPrevention": "inherited", "uniformBucketLevelAccess": {"enabled": True}},
    }
    state.make("bucket", body["name"], merge(defaults, body))
    return bucket_of(state, body["name"])


def patch_bucket(state, p, body, _):
    current = bucket_of(state, p["bucket"])
    require(p.get("ifMetagenerationMatch"), current["metageneration"])
    state.put("bucket", p["bucket"], merge(state.get("bucket", p["bucket"]), body))
    return bucket_of(state, p["bucket"])


def get_bucket_policy(state, p, *_):
    state.get("bucket", p["bucket"])
    policy = policy_of(state, f"buckets/{p['bucket']}")
    if policy["version"] > int(p.get("optionsRequestedPolicyVersion", 1)):
        raise Refusal(400, "INVALID_ARGUMENT", "the policy has conditions: ask for version 3")
    return policy | {"kind": "storage#policy", "resourceId": f"projects/_/buckets/{p['bucket']}"}


def set_bucket_policy(state, p, body, _):
    state.get("bucket", p["bucket"])
    return set_policy(state, f"buckets/{p['bucket']}", body, (412, "CONDITION_NOT_MET"))


def insert_notification(state, p, body, _):
    """What a bucket tells of its objects goes to a topic."""
    state.get("bucket", p["bucket"])
    made = body | {"kind": "storage#notification", "id": str(next(state.numbers))}
    state.notifications.append((p["bucket"], made))
    return made


# Compute Engine and Cloud SQL: what an operation does is done when it is asked for the second time.


def begin(state, key, effect, **shape):
    name = f"operation-{next(state.numbers)}"
    operation = {"name": name, "status": "PENDING"} | shape
    state.operations[key + name] = [operation, effect, 0]
    return dict(operation)


def asked(state, key):
    try:
        entry = state.operations[key]
    except KeyError:
        raise gone(key) from None
    operation, effect, times = entry
    entry[2] += 1
    operation["status"] = "RUNNING" if times == 0 else "DONE"
    if times == 1:
        effect()
    return dict(operation)


def rule_name(p):
    return f"{p['project']}/{p['firewall']}"


def get_rule(state, p, *_):
    return state.get("firewall", rule_name(p))


def completed(rule):
    """A rule with what the service fills in."""
    rule = {"direction": "INGRESS", "priority": 1000, "disabled": False, "logConfig": {"enable": False}} | rule
    sources = ("sourceRanges", "sourceTags", "sourceServiceAccounts")
    if rule["direction"] == "INGRESS" and not any(rule.get(name) for name in sources):
        rule["sourceRanges"] = ["0.0.0.0/0"]
    return rule


def page(state, things, member, p, size):
    """A page of a list: so many things, and the token of the next page where there is one."""
    start = int(p.get("pageToken") or 0)
    answer = {member: things[start : start + size]}
    return answer | ({"nextPageToken": str(start + size)} if start + size < len(things) else {})


def list_rules(state, p, *_):
    names = sorted(name for kind, name in state.things if kind == "firewall" and name.startswith(f"{p['project']}/"))
    return page(state, [state.get("firewall", name) for name in names], "items", p, int(p.get("maxResults") or 2))


def insert_rule(state, p, body, _):
    name = rule_name(p | {"firewall": body["name"]})
    made = {"kind": "compute#firewall", "id": str(next(state.numbers)), "creationTimestamp": "2026-01-31T04:00:00-08:00"}
    return begin(state, p["project"], lambda: state.make("firewall", name, completed(body) | made), kind="compute#operation")


def write_rule(whole):
    def write(state, p, body, _):
        current = get_rule(state, p)
        kept = {key: current[key] for key in ("kind", "id", "creationTimestamp")}
        rule = completed(body | kept) if whole else merge(current, body)
        effect = lambda: state.put("firewall", rule_name(p), rule)
        return begin(state, p["project"], effect, kind="compute#operation")

    return write


def instance_of(state, name):
    instance = state.get("sql", name)
    instance["settings"]["settingsVersion"] = str(state.version("sql", name))
    for network in instance["settings"].get("ipConfiguration", {}).get("authorizedNetworks", []):
        network["kind"] = "sql#aclEntry"
    return instance | {"kind": "sql#instance", "state": "RUNNABLE", "etag": state.etag("sql", name)}


def insert_instance(state, p, body, _):
    name = f"{p['project']}/{body['name']}"
    body = merge({"project": p["project"], "settings": {"tier": "db-f1-micro", "dataDiskSizeGb": "10"}}, body)
    return begin(state, p["project"], lambda: state.make("sql", name, body), kind="sql#operation", targetProject=p["project"])


def patch_instance(state, p, body, _):
    name = f"{p['project']}/{p['instance']}"
    version = body.get("settings", {}).pop("settingsVersion", None)
    if version is not None and version != instance_of(state, name)["settings"]["settingsVersion"]:
        raise Refusal(412, "CONDITION_NOT_MET", "the settings have changed since they were read")
    instance = merge(state.get("sql", name), body)
    return begin(state, p["project"], lambda: state.put("sql", name, instance), kind="sql#operation", targetProject=p["project"])


# Identity and Access Management


def create_account(state, p, body, _):
    project = p["name"].removeprefix("projects/")
    email = f"{body['accountId']}@{project}.iam.gserviceaccount.com"
    name = f"{p['name']}/serviceAccounts/{email}"
    return state.make("account", name, {"name": name, "email": email, "uniqueId": str(next(state.numbers))})


def create_key(state, p, *_):
    state.get("account", p["name"])
    name = f"{p['name']}/keys/{next(state.numbers):040x}"
    key = {"name": name, "keyType": "USER_MANAGED", "keyOrigin": "GOOGLE_PROVIDED", "keyAlgorithm": "KEY_ALG_RSA_2048"}
    return state.make("key", name, key)


def switch_key(disabled):
    def switch(state, p, *_):
        key = state.get("key", p["name"])
        key.pop("disabled", None)
        state.put("key", p["name"], key | ({"disabled": True} if disabled else {}))
        return {}

    return switch


# BigQuery


def dataset_of(state, p):
    name = f"{p['projectId']}/{p['datasetId']}"
    return state.get("dataset", name) | {"kind": "bigquery#dataset", "etag": state.etag("dataset", name)}


def insert_dataset(state, p, body, _):
    dataset = body["datasetReference"]["datasetId"]
    owners = [{"role": "OWNER", "specialGroup": "projectOwners"}]
    state.make("dataset", f"{p['projectId']}/{dataset}", {"location": "EU", "access": owners} | body)
    return dataset_of(state, p | {"datasetId": dataset})


def patch_dataset(state, p, body, token):
    require(token, dataset_of(state, p)["etag"])
    if p.get("updateMode") == "UPDATE_ACL":
        body = {"access": body["access"]}
    name = f"{p['projectId']}/{p['datasetId']}"
    state.put("dataset", name, merge(state.get("dataset", name), body))
    return dataset_of(state, p)


# Cloud Logging


def create_sink(state, p, body, _):
    own = p.get("uniqueWriterIdentity") == "true"
    agent = f"service-{PROJECT_NUMBER}@gcp-sa-logging.iam.gserviceaccount.com" if own else "cloud-logs@system.gserviceaccount.com"
    made = {"writerIdentity": f"serviceAccount:{agent}", "createTime": "2026-01-31T12:00:00Z"}
    name = f"{p['parent']}/sinks/{body['name']}"
    told = {member: value for member, value in body.items() if value not in (None, False, "", [])}
    return state.make("sink", name, told | made | {"resourceName": name})


def update_sink(state, p, body, _):
    sink = state.get("sink", p["sinkName"])
    own = "cloud-logs@system" not in sink["writerIdentity"]
    if own and p.get("uniqueWriterIdentity") != "true":
        raise Refusal(400, "INVALID_ARGUMENT", "a sink with a writer of its own keeps it")
    for member in p["updateMask"].split(","):
        sink.pop(member, None)
        # What is false is left out, as proto3 writes it.
        sink |= {member: body[member]} if body.get(member) not in (None, False, "", []) else {}
    return state.put("sink", p["sinkName"], sink)


def list_sinks(state, p, *_):
    names = sorted(name for kind, name in state.things if kind == "sink" and name.startswith(f"{p['parent']}/sinks/"))
    return page(state, [state.get("sink", name) for name in names], "sinks", p, int(p.get("pageSize") or 2))


def delete_sink(state, p, *_):
    state.delete("sink", p["sinkName"])
    return {}


METHODS = {
    "bigquery:datasets.get": lambda s, p, *_: dataset_of(s, p),
    "bigquery:datasets.insert": insert_dataset,
    "bigquery:datasets.patch": patch_dataset,
    "cloudresourcemanager:projects.get": lambda s, p, *_: {"name": p["name"], "labels": {}},
    "cloudresourcemanager:projects.getIamPolicy": lambda s, p, *_: policy_of(s, p["resource"]),
    "cloudresourcemanager:projects.setIamPolicy": lambda s, p, body, _: set_policy(s, p["resource"], body["policy"]),
    "compute:firewalls.get": get_rule,
    "compute:firewalls.insert": insert_rule,
    "compute:firewalls.list": list_rules,
    "compute:firewalls.patch": write_rule(False),
    "compute:firewalls.update": write_rule(True),
    "compute:globalOperations.get": lambda s, p, *_: asked(s, p["project"] + p["operation"]),
    "iam:projects.serviceAccounts.create": create_account,
    "iam:projects.serviceAccounts.keys.create": create_key,
    "iam:projects.serviceAccounts.keys.disable": switch_key(True),
    "iam:projects.serviceAccounts.keys.enable": switch_key(False),
    "iam:projects.serviceAccounts.keys.get": lambda s, p, *_: s.get("key", p["name"]),
    "logging:projects.sinks.create": create_sink,
    "logging:projects.sinks.delete": delete_sink,
    "logging:projects.sinks.get": lambda s, p, *_: s.get("sink", p["sinkName"]),
    "logging:projects.sinks.list": list_sinks,
    "logging:projects.sinks.update": update_sink,
    "sqladmin:instances.get": lambda s, p, *_: instance_of(s, f"{p['project']}/{p['instance']}"),
    "sqladmin:instances.insert": insert_instance,
    "sqladmin:instances.patch": patch_instance,
    "sqladmin:operations.get": lambda s, p, *_: asked(s, p["project"] + p["operation"]),
    "storage:buckets.get": lambda s, p, *_: bucket_of(s, p["bucket"]),
    "storage:buckets.getIamPolicy": get_bucket_policy,
    "storage:buckets.insert": insert_bucket,
    "storage:buckets.patch": patch_bucket,
    "storage:buckets.setIamPolicy": set_bucket_policy,
    "storage:notifications.insert": insert_notification,
}
