"""The risky changes that the demo's user makes in Google Cloud, and how to tell that only the bad part of each is gone.

Each change prepares what was there before, makes the risky request with Google's own client, and reads back what stands:
`left()` names the bad parts that are still there, `lost()` the legitimate ones that are missing.
"""

PROJECT = "example-project"


class Change:
    """One risky change. `owner` prepares and reads; `user` is the person who makes the change."""

    title = resource = ""
    needs_approval = False

    def __init__(self, owner, user):
        self.owner, self.user = owner, user

    def prepare(self):
        """Makes what was there before."""

    def make(self):
        """Makes the risky change."""
        raise NotImplementedError

    def left(self):
        """Bad parts that are still there."""
        raise NotImplementedError

    def lost(self):
        """Legitimate parts that are gone."""
        return set()


class PublicBucket(Change):
    """A public bucket may be a website: a person has to approve."""

    title = "bucket made public"
    resource = "quarterly-reports"
    needs_approval = True
    good, bad = "group:press@example.com", "allUsers"

    def _set(self, client, members):
        policy = {"version": 3, "bindings": [{"role": "roles/storage.objectViewer", "members": members}]}
        client("storage", "buckets.setIamPolicy", bucket=self.resource, body=policy)

    def prepare(self):
        self.owner("storage", "buckets.insert", project=PROJECT, body={"name": self.resource})
        self._set(self.owner, [self.good])

    def make(self):
        self._set(self.user, [self.good, self.bad])

    def _members(self):
        policy = self.owner("storage", "buckets.getIamPolicy", bucket=self.resource, optionsRequestedPolicyVersion=3)
        return {member for binding in policy["bindings"] for member in binding["members"]}

    def left(self):
        return self._members() & {self.bad}

    def lost(self):
        return {self.good} - self._members()


class OpenSsh(Change):
    title = "port 22 opened to two halves of the internet"
    resource = "bastion"
    private, bad = ("192.0.2.0/24", "10.0.0.0/8"), ("0.0.0.0/1", "128.0.0.0/1")

    def patch(self, client, ranges):
        """Writes the rule's sources."""
        body = {"sourceRanges": list(ranges)}
        client("compute", "firewalls.patch", project=PROJECT, firewall=self.resource, body=body)

    def prepare(self):
        body = {"name": self.resource, "network": "global/networks/default", "sourceRanges": list(self.private),
                "allowed": [{"IPProtocol": "tcp", "ports": ["22"]}]}
        self.owner("compute", "firewalls.insert", project=PROJECT, body=body)

    def make(self):
        self.patch(self.user, (*self.private, *self.bad))

    def state(self):
        """The sources that the rule lets in now."""
        return set(self.owner("compute", "firewalls.get", project=PROJECT, firewall=self.resource)["sourceRanges"])

    def left(self):
        return self.state() & set(self.bad)

    def lost(self):
        return set(self.private) - self.state()

    def change_meanwhile(self):
        """Somebody else's change after Onus took the bad sources back."""
        self.patch(self.owner, (*self.private, "198.51.100.0/24"))


class OpenDatabase(Change):
    title = "database opened to every address"
    resource = "orders"
    office, bad = {"name": "office", "value": "192.0.2.0/24"}, {"name": "everywhere", "value": "0.0.0.0/0"}

    def _settings(self, *networks):
        return {"settings": {"ipConfiguration": {"ipv4Enabled": True, "authorizedNetworks": list(networks)}}}

    def prepare(self):
        body = {"name": self.resource, "databaseVersion": "POSTGRES_17", **self._settings(self.office)}
        self.owner("sqladmin", "instances.insert", project=PROJECT, body=body)

    def make(self):
        body = self._settings(self.office, self.bad)
        self.user("sqladmin", "instances.patch", project=PROJECT, instance=self.resource, body=body)

    def _networks(self):
        instance = self.owner("sqladmin", "instances.get", project=PROJECT, instance=self.resource)
        return {network["value"] for network in instance["settings"]["ipConfiguration"].get("authorizedNetworks", [])}

    def left(self):
        return self._networks() & {self.bad["value"]}

    def lost(self):
        return {self.office["value"]} - self._networks()


class ForeignOwner(Change):
    """Whoever owned the project may have been meant to: a person has to approve."""

    title = "project given to an owner from outside"
    resource = f"projects/{PROJECT}"
    needs_approval = True
    good, bad = "user:carol@example.com", "user:eve@example.org"

    def _set(self, client, owners):
        policy = {"version": 3, "bindings": [{"role": "roles/owner", "members": owners}]}
        client("cloudresourcemanager", "projects.setIamPolicy", resource=self.resource, body={"policy": policy})

    def prepare(self):
        self._set(self.owner, [self.good])

    def make(self):
        self._set(self.user, [self.good, self.bad])

    def _owners(self):
        asked = {"options": {"requestedPolicyVersion": 3}}
        policy = self.owner("cloudresourcemanager", "projects.getIamPolicy", resource=self.resource, body=asked)
        return {member for binding in policy["bindings"] for member in binding["members"]}

    def left(self):
        return self._owners() & {self.bad}

    def lost(self):
        return {self.good} - self._owners()


class DisabledSink(Change):
    title = "log sink disabled"
    resource = "audit-archive"

    def prepare(self):
        sink = {"name": self.resource, "destination": "storage.googleapis.com/example-audit-archive", "filter": "logName:cloudaudit"}
        self.owner("logging", "projects.sinks.create", parent=f"projects/{PROJECT}", uniqueWriterIdentity=True, body=sink)

    def make(self):
        self.user("logging", "projects.sinks.update", sinkName=f"projects/{PROJECT}/sinks/{self.resource}", updateMask="disabled",
                  uniqueWriterIdentity=True, body={"disabled": True})

    def _sink(self):
        return self.owner("logging", "projects.sinks.get", sinkName=f"projects/{PROJECT}/sinks/{self.resource}")

    def left(self):
        return {"disabled"} if self._sink().get("disabled") else set()

    def lost(self):
        return set() if self._sink().get("filter") == "logName:cloudaudit" else {"filter"}


ALL = (PublicBucket, OpenSsh, OpenDatabase, ForeignOwner, DisabledSink)
