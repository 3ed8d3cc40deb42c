"""Plays risky changes against a local Google Cloud and shows that Onus finds, tells, takes back and undoes them.

    play.py FOLDER-WITH-BINARIES

Real are the services, the roles and the sink's filter of infra/gcp/generated, the command line, and Google's own client. Played
is Google Cloud (tests/gcp, held to the discovery documents that Google publishes): its APIs, the audit log of what is done through
them, sinks, topics that push with signed tokens, and the bucket of the ledger. Exits with 1 when anything is not as it should be.
"""

import base64
import functools
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[1:1] = [str(HERE.parent / part) for part in ("demo", "local", "gcp")]

import changes  # noqa: E402
from google_client import called, finished, opened  # noqa: E402
from report import Notice, Result, closing, follow, play_undo, say, table, until  # noqa: E402
from serve import Server, free_ports  # noqa: E402

PROJECT = changes.PROJECT
LEDGER = "onus-ledger"
ONUS_YAML = (HERE.parent / "demo/onus.yaml").read_text()
GENERATED = ROOT / "infra/gcp/generated"
LISTENS_WITHIN = 20.0
TOPICS = ("onus-changes", "onus-responses", "onus-findings", "onus-audit-dead-letters", "onus-respond-dead-letters")


def account(name):
    """The e-mail address of a service account."""
    return f"{name}@{PROJECT}.iam.gserviceaccount.com"


def topic(name):
    """A topic's full name."""
    return f"projects/{PROJECT}/topics/{name}"


class Service:
    """One Cloud Run service: its binary with the environment of infra/gcp/services.tf."""

    def __init__(self, binary, env, log):
        [port] = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        env = {"PATH": os.environ["PATH"], "PORT": str(port), "K_SERVICE": binary.name, **env}
        self.process = subprocess.Popen([binary], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if not until(lambda: self.push(b"", None) or self.process.poll() is not None, LISTENS_WITHIN) or self.process.poll() is not None:
            self.stop()
            raise SystemExit(f"`{binary}` does not listen; see the log")

    def push(self, body, token):
        """The status of a push; 0 when nobody listens."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            return urllib.request.urlopen(urllib.request.Request(f"{self.url}/", body, headers), timeout=60).status
        except urllib.error.HTTPError as answer:
            return answer.code
        except OSError:
            return 0

    def stop(self):
        """Ends it, as Cloud Run does."""
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Stage:
    """The local Google Cloud, who acts in it, and where Onus is heard."""

    def __init__(self, url, binaries, log):
        self.url, self.binaries = url, binaries
        self.owner, self.dana = self._client("carol"), self._client("dana")
        for name in TOPICS:
            self.owner("pubsub", "projects.topics.create", name=topic(name), body={})
        self.audit = self._service("audit", log, {"ONUS_RESPONSES": topic("onus-responses")})
        try:
            self.respond = self._service("respond", log, {})
        except SystemExit:
            self.audit.stop()
            raise
        self._subscribe("onus-changes", self.audit, "audit", 5, False)
        self._subscribe("onus-responses", self.respond, "respond", 15, True)
        self._tell_requests()

    def control(self, path, body=None):
        """Asks tests/gcp something that no Google Cloud answers."""
        data = json.dumps(body).encode() if body is not None else None
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/-/{path}", data)) as response:
            return json.loads(response.read())

    def token(self, audience, email):
        """A token as Google signs it for a push."""
        return self.control(f"token?{urllib.parse.urlencode({'audience': audience, 'email': email})}")["token"]

    def _client(self, person):
        client = functools.cache(lambda service: opened(self.url, service, person))

        def call(service, operation, **parameters):
            answer = called(client(service), operation, parameters)
            return finished({service: client(service)}, service, answer, parameters)

        return call

    def _environment(self, email):
        return {"ONUS_GCP_ENDPOINT": self.url, "GCE_METADATA_HOST": f"{self.url.removeprefix('http://')}/-/machine/{email}"}

    def _service(self, name, log, more):
        """A service that may do what its generated role says, and nothing else."""
        role = json.loads((GENERATED / f"{name}-role.json").read_text())
        email = account(f"onus-{name}")
        self.control("identity", {"email": email, "permissions": role["permissions"]})
        env = {
            **self._environment(email),
            "ONUS_CONFIG": ONUS_YAML,
            "ONUS_LEDGER": f"gs://{LEDGER}/onus",
            "ONUS_ACCOUNT": PROJECT,
            "ONUS_TOPIC": topic("onus-findings"),
            "ONUS_DEAD_LETTERS": topic(f"onus-{name}-dead-letters"),
            "ONUS_PUSH_ACCOUNT": account("onus-push"),
            "ONUS_PUSH_AUDIENCE": f"onus-{name}",
            "ONUS_PUSH_KEYS": f"{self.url}/oauth2/v3/certs",
            "ONUS_OWN_PRINCIPALS": f"{account('onus-audit')},{account('onus-respond')}",
            "ONUS_LOG": "info",
            **more,
        }
        return Service(self.binaries / f"gcp-{name}", env, log)

    def _subscribe(self, name, service, which, backoff, ordered):
        """A subscription as infra/gcp/services.tf has it."""
        token = {"serviceAccountEmail": account("onus-push"), "audience": f"onus-{which}"}
        body = {
            "topic": topic(name), "ackDeadlineSeconds": 310, "enableMessageOrdering": ordered,
            "pushConfig": {"pushEndpoint": f"{service.url}/", "oidcToken": token},
            "deadLetterPolicy": {"deadLetterTopic": topic(f"onus-{which}-dead-letters"), "maxDeliveryAttempts": 20},
            "retryPolicy": {"minimumBackoff": f"{backoff}s", "maximumBackoff": "600s"},
        }
        self.owner("pubsub", "projects.subscriptions.create", name=f"projects/{PROJECT}/subscriptions/{name}", body=body)

    def _tell_requests(self):
        """The ledger's bucket, which tells the topic of what people ask for."""
        self.owner("storage", "buckets.insert", project=PROJECT, body={"name": LEDGER})
        body = {"topic": f"//pubsub.googleapis.com/{topic('onus-responses')}", "payload_format": "JSON_API_V1",
                "event_types": ["OBJECT_FINALIZE"], "object_name_prefix": "onus/requests/"}
        self.owner("storage", "notifications.insert", bucket=LEDGER, body=body)

    def listen(self):
        """From now on the sink sends what passes the generated filter."""
        sink = {"name": "onus-changes", "destination": f"pubsub.googleapis.com/{topic('onus-changes')}",
                "filter": (GENERATED / "sink-filter.txt").read_text()}
        self.owner("logging", "projects.sinks.create", parent=f"projects/{PROJECT}", uniqueWriterIdentity=True, body=sink)

    def messages(self, name):
        """What was published to a topic, decoded."""
        found = self.control(f"messages?topic={topic(name)}")
        return [json.loads(base64.b64decode(message["data"])) for message in found]

    def notices(self):
        """Everything that was told so far."""
        return [Notice(event) for event in self.messages("onus-findings")]

    def put_aside(self):
        """What lies in the dead letters."""
        return [json.dumps(message) for name in TOPICS if "dead" in name for message in self.messages(name)]

    def onus(self, *arguments):
        """Runs the command line as `oncall`, who reaches the ledger and nothing else."""
        self.control("identity", {"email": "oncall@example.com", "permissions": []})
        env = {"PATH": os.environ["PATH"], "ONUS_LEDGER": f"gs://{LEDGER}/onus", **self._environment("oncall@example.com")}
        return subprocess.run([self.binaries / "onus", *arguments], env=env, text=True, capture_output=True)

    def receipts(self, finding):
        """The receipts about a finding, as the ledger holds them."""
        names = self._object(f"?list-type=2&prefix=onus/receipts/{finding}/").split("<Key>")[1:]
        return [json.loads(self._object(f"/{name.partition('</Key>')[0]}")) for name in names]

    def _object(self, path):
        with urllib.request.urlopen(f"{self.url}/{LEDGER}{path}") as response:
            return response.read().decode()

    def stop(self):
        """Ends the services."""
        self.respond.stop()
        self.audit.stop()


def uid(entry):
    """How the uid of a change begins that an entry tells of."""
    name = urllib.parse.unquote(entry["logName"])
    return f"{name}/{entry['operation']['id'] if 'operation' in entry else entry['timestamp']}"


def play(stage):
    """Makes every change and waits until Onus closed it."""
    players = [cls(stage.owner, stage.dana) for cls in changes.ALL]
    for change in players:
        change.prepare()
    stage.listen()
    results = []
    for change in players:
        result = Result(change, "", time.monotonic())
        change.make()
        [entry, *_] = [entry for entry in reversed(stage.control("log")) if who(entry) == "dana@example.com"]
        result.event_id = uid(entry)
        say(f"dana: {change.title} ({change.resource}), {entry['protoPayload']['methodName']}")
        results.append(follow(stage, result))
    return results


def who(entry):
    """Who did what an entry tells of."""
    return entry["protoPayload"]["authenticationInfo"]["principalEmail"]


def play_thieves(stage, results):
    """Pushes that Google did not sign, or not for this service: they are turned away, and nothing is touched."""
    entry = stage.control("log")[-1]
    data = {"audit": entry, "respond": {"undo": results[0].found.finding, "by": "mallory"}}
    forged = {}
    with Server("gcp") as other:
        for name in data:
            query = urllib.parse.urlencode({"audience": f"onus-{name}", "email": account("onus-push")})
            with urllib.request.urlopen(f"{other.url}/-/token?{query}") as response:
                forged[name] = json.load(response)["token"]
    tokens = {
        "no token": (lambda _: None, 401),
        "a token signed by somebody else": (forged.get, 403),
        "a token for another audience": (lambda _: stage.token("https://other.example/", account("onus-push")), 403),
        "a token of another account": (lambda name: stage.token(f"onus-{name}", account("thief")), 403),
    }
    touched = lambda: (len(stage.control("requests")), stage._object("?list-type=2"), len(stage.control("log")))  # noqa: E731
    before, lines = touched(), []
    for what, (token, expected) in tokens.items():
        statuses = {}
        for name, service in (("audit", stage.audit), ("respond", stage.respond)):
            message = {"data": base64.b64encode(json.dumps(data[name]).encode()).decode(), "messageId": "1"}
            body = json.dumps({"message": message, "subscription": "s"}).encode()
            statuses[name] = service.push(body, token(name))
        say(f"mallory pushes with {what}: {statuses}")
        lines.append((f"{what} is answered {expected}", set(statuses.values()) == {expected}))
    return [*lines, ("and nothing was touched", touched() == before)]


def within_roles(stage):
    """Whether the services wrote only what they may: gcp-audit nothing at all, and gcp-respond nothing that was refused."""
    entries = [entry for entry in stage.control("log") if who(entry).startswith("onus-")]
    return bool(entries) and all(who(entry) == account("onus-respond") and not entry["protoPayload"].get("status") for entry in entries)


def main():
    binaries = Path(sys.argv[1]).resolve()
    log_path = Path(os.environ.get("ONUS_DEMO_LOG", ROOT / ".local/demo-gcp.log"))
    with open(log_path, "wb") as log, Server("gcp") as gcp:
        say(f"Google Cloud runs at {gcp.url}; the services' log is {os.path.relpath(log_path)}")
        stage = Stage(gcp.url, binaries, log)
        try:
            say(f"gcp-audit and gcp-respond run with the roles of {os.path.relpath(GENERATED, ROOT)}, the sink with its filter")
            results = play(stage)
            good = table(results)
            checks = [("undo was played", False)]
            if all(result.receipt for result in results):
                by_change = {type(result.change): result for result in results}
                checks = play_undo(stage, by_change[changes.OpenDatabase], by_change[changes.OpenSsh]) + play_thieves(stage, results)
            checks.append(("gcp-audit wrote nothing to Google Cloud, gcp-respond nothing that was refused", within_roles(stage)))
            good = closing(checks, stage.put_aside()) and good
        finally:
            stage.stop()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
