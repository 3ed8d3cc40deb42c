"""Plays risky changes against a local Azure and shows that Onus finds, tells, takes back and undoes them.

    play.py FOLDER-WITH-BINARIES

Real are the functions with their host.json and function.json, the roles and event filters of infra/azure/generated, the
ledger and the queues on Azurite, the command line, and Microsoft's clients. Played are Azure Resource Manager and its
Activity Log (tests/azure, proven by the same clients), Event Grid between them, and the Functions host. Three changes
come by Event Grid, which tells of ends and no bodies, two by an Event Hub, which tells of beginnings too. Exits with 1 when anything is not as it should be.
"""

import base64
import functools
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[1:1] = [str(HERE.parent / part) for part in ("demo", "local", "azure")]

from azure.storage.blob import BlobServiceClient  # noqa: E402
from azure.storage.queue import QueueSasPermissions, QueueServiceClient, generate_queue_sas  # noqa: E402

import changes  # noqa: E402
from functions_host import FunctionApp, create  # noqa: E402
from report import Notice, Result, closing, follow, play_undo, say, table  # noqa: E402
from sdk import ACCOUNT, KEY, management_client  # noqa: E402
from serve import Server  # noqa: E402

SUBSCRIPTION, GROUP = "00000000-0000-0000-0000-000000000001", "shop"
CONTAINER = "ledger"
QUEUES = ("responses", "audit-dead-letters", "respond-dead-letters")
ONUS_YAML = (HERE.parent / "demo/onus.yaml").read_text()
GENERATED = ROOT / "infra/azure/generated"
BY_EVENT_HUB = (changes.OpenRdp, changes.NewOwner)


def roles():
    """The actions of each generated role, by the role's name in the template."""
    resources = json.loads((GENERATED / "roles.json").read_text())["resources"]
    actions = lambda role: role["properties"]["permissions"][0]["actions"]  # noqa: E731
    return {role["name"].split("'")[1]: actions(role) for role in resources}


def subscribed():
    """The operations that the generated Event Grid subscriptions let through, in lower case."""
    resources = json.loads((GENERATED / "events.json").read_text())["resources"]
    filters = [entry for resource in resources for entry in resource["properties"].get("filter", {}).get("advancedFilters", [])]
    wanted = [entry["values"] for entry in filters if (entry["key"], entry["operatorType"]) == ("data.operationName", "StringIn")]
    return {value.lower() for values in wanted for value in values}


def cloud_event(event):
    """An event in the schema that the generated subscriptions ask for: CloudEvents 1.0."""
    return {"specversion": "1.0", "id": event["id"], "source": event["topic"], "subject": event["subject"].lstrip("/"),
            "type": event["eventType"], "time": event["eventTime"], "data": event["data"]}


class Stage:
    """The local Azure, who acts in it, and where Onus is heard."""

    def __init__(self, arm, azurite, binaries, log):
        self.arm, self.binaries = arm, binaries
        blob, queue = (f"{url}/{ACCOUNT}" for url in azurite.urls)
        self.connection = (f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
                           f"BlobEndpoint={blob};QueueEndpoint={queue};")
        self.queues = QueueServiceClient.from_connection_string(self.connection)
        self.ledger = BlobServiceClient.from_connection_string(self.connection).create_container(CONTAINER)
        for name in QUEUES:
            create(self.queues.get_queue_client(name))
        self.owner = self._clients("owner-token")
        self.alice = self._clients(self.identity("alice", kind="User", ip="203.0.113.10")["token"])
        self.heard = 0
        self.storage = {"AZURE_STORAGE_ENDPOINT": blob, "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT, "AZURE_STORAGE_ACCOUNT_KEY": KEY}
        self.audit = self._app("azure-audit", roles()["onus-audit"], log)
        self.respond = self._app("azure-respond", roles()["onus-respond"], log)
        self.respond.listen(self.connection)
        threading.Thread(target=self._tell_requests, daemon=True).start()

    def _clients(self, token):
        return functools.cache(lambda service: management_client(service, self.arm, token, SUBSCRIPTION))

    def control(self, path, body=None):
        """Asks tests/azure something that no Azure answers."""
        data = json.dumps(body).encode() if body is not None else None
        with urllib.request.urlopen(urllib.request.Request(f"{self.arm}/-/{path}", data)) as response:
            return json.loads(response.read() or "null")

    def identity(self, name, **more):
        """Makes somebody known."""
        return self.control("identity", {"name": name, **more})

    def _app(self, name, actions, log):
        """A function app with the settings of infra/azure/main.json, as an identity that may do what its role says."""
        identity = self.identity(name, kind="ServicePrincipal", actions=actions)
        settings = {
            **self.storage,
            "ONUS_ARM_ENDPOINT": self.arm,
            "IDENTITY_ENDPOINT": f"{self.arm}/msi/token",
            "IDENTITY_HEADER": identity["header"],
            "ONUS_LEDGER": f"azblob://{CONTAINER}/onus",
            "ONUS_CONFIG": ONUS_YAML,
            "ONUS_ACCOUNT": SUBSCRIPTION,
            "ONUS_TOPIC": f"{self.arm}/topics/onus-findings/api/events",
            "ONUS_RESPONSES": self._queue_url("responses"),
            "ONUS_RESPONSES_QUEUE": "responses",
            "ONUS_DEAD_LETTERS": self._queue_url("audit-dead-letters" if name == "azure-audit" else "respond-dead-letters"),
            "ONUS_EVENT_HUB": "audit",
            "ONUS_LOG": "info",
        }
        return FunctionApp(ROOT / "infra/azure/functions" / name, self.binaries / name, settings, log)

    def _queue_url(self, queue):
        """A queue's URL with a signature: Azurite takes tokens over TLS only."""
        granted = QueueSasPermissions(add=True)
        signature = generate_queue_sas(ACCOUNT, queue, KEY, permission=granted, expiry="2099-01-01T00:00:00Z", protocol="https,http")
        return f"{self.queues.get_queue_client(queue).url}?{signature}"

    def _tell_requests(self):
        """Event Grid, which tells the queue of every blob below `onus/requests/`."""
        told = set()
        while not self.respond.stopped.wait(0.1):
            for blob in self.ledger.list_blobs("onus/requests/"):
                if blob.name in told:
                    continue
                told.add(blob.name)
                subject = f"/blobServices/default/containers/{CONTAINER}/blobs/{blob.name}"
                event = {"specversion": "1.0", "type": "Microsoft.Storage.BlobCreated", "subject": subject, "id": blob.etag,
                         "source": f"/subscriptions/{SUBSCRIPTION}", "data": {"api": "PutBlob"}}
                self.queues.get_queue_client("responses").send_message(base64.b64encode(json.dumps(event).encode()).decode())

    def send(self, change):
        """Brings what the Activity Log wrote since the last time to azure-audit; the correlation id of the change's operation."""
        records = self.control("records?shape=event_hub")
        events = self.control("records?shape=event_grid")
        new, self.heard = records[self.heard :], len(records)
        correlation = new[-1]["correlationId"]
        if isinstance(change, BY_EVENT_HUB):
            # The end before the beginning, as can happen.
            self.audit.event_hub([json.dumps({"records": new[::-1]})])
        else:
            wanted = subscribed()
            for event in events:
                if event["data"]["correlationId"] == correlation and event["data"]["operationName"].lower() in wanted:
                    self.audit.event_grid(cloud_event(event))
        return correlation

    def notices(self):
        """Everything that was told so far."""
        return [Notice(event) for event in self.control("events")]

    def onus(self, *arguments):
        """Runs the command line as `oncall`, who reaches the ledger and nothing else."""
        env = {"PATH": os.environ["PATH"], **self.storage, "ONUS_LEDGER": f"azblob://{CONTAINER}/onus"}
        return subprocess.run([self.binaries / "onus", *arguments], env=env, text=True, capture_output=True)

    def receipts(self, finding):
        """The receipts about a finding, as the ledger holds them."""
        names = [blob.name for blob in self.ledger.list_blobs(f"onus/receipts/{finding}/")]
        return [json.loads(self.ledger.download_blob(name).readall()) for name in names]

    def put_aside(self):
        """What lies in the dead letter and poison queues, and what Event Grid and Event Hubs could not deliver."""
        queues = [self.queues.get_queue_client(queue.name) for queue in self.queues.list_queues()]
        dead = [queue for queue in queues if queue.queue_name != "responses"]
        return [message.content for queue in dead for message in queue.peek_messages()] + self.audit.undelivered

    def stop(self):
        """Ends the functions."""
        self.respond.stop()
        self.audit.stop()


def play(stage):
    """Makes every change, sends its records, and waits until Onus closed it."""
    players = [cls(stage.owner, stage.alice, SUBSCRIPTION, GROUP) for cls in changes.ALL]
    for change in players:
        change.prepare()
    stage.heard = len(stage.control("records?shape=event_hub"))
    results = []
    for change in players:
        change.make()
        if not change.left():
            raise SystemExit(f"{change.title}: the change did not take, there is nothing to find")
        way = "Event Hub" if isinstance(change, BY_EVENT_HUB) else "Event Grid"
        say(f"alice: {change.title} ({change.resource}), told by {way}")
        result = Result(change, "", time.monotonic())
        result.event_id = stage.send(change)
        results.append(follow(stage, result))
    return results


def read_only(stage):
    """Whether azure-audit changed nothing: what the Activity Log tells of it."""
    records = stage.control("records?shape=event_hub")
    audit = stage.identity("azure-audit", kind="ServicePrincipal", actions=roles()["onus-audit"])["object_id"]
    schemas = "http://schemas.microsoft.com/identity/claims/objectidentifier"
    return all(record["identity"]["claims"][schemas] != audit for record in records)


def main():
    binaries = Path(sys.argv[1]).resolve()
    log_path = Path(os.environ.get("ONUS_DEMO_LOG", ROOT / ".local/demo-azure.log"))
    with open(log_path, "wb") as log, Server("arm") as arm, Server("azurite") as azurite:
        say(f"Azure Resource Manager runs at {arm.url}, Azurite at {azurite.url}; the functions' log is {os.path.relpath(log_path)}")
        stage = Stage(arm.url, azurite, binaries, log)
        try:
            say(f"azure-audit and azure-respond run with the roles of {os.path.relpath(GENERATED / 'roles.json', ROOT)}")
            results = play(stage)
            good = table(results)
            checks = [("undo was played", False)]
            if all(result.receipt for result in results):
                by_change = {type(result.change): result for result in results}
                checks = play_undo(stage, by_change[changes.OpenDatabase], by_change[changes.OpenRdp])
            checks.append(("azure-audit wrote nothing to Azure", read_only(stage)))
            good = closing(checks, stage.put_aside()) and good
        finally:
            stage.stop()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
