"""Plays risky changes against a local Google Cloud and shows that Onus finds, tells, takes back and undoes them.

    play.py FOLDER-WITH-BINARIES

Real are the services, the tokens of push requests and their verification, the filter of infra/gcp/generated, the ledger's
object store, the command line, and Google's client. Played are Google's APIs and their audit log (tests/gcp, held to Google's
discovery documents), Pub/Sub's delivery and Cloud Run. Exits with 1 when anything is not as it should be.
"""

import base64
import functools
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[1:1] = [str(HERE.parent / part) for part in ("demo", "gcp")]
sys.path.insert(1, str(HERE.parent / "local"))

import changes  # noqa: E402
from google_client import called, finished, opened  # noqa: E402
from report import Notice, Result, closing, say, table, until  # noqa: E402
from serve import Server, free_ports  # noqa: E402

PROJECT = changes.PROJECT
LEDGER = "onus-ledger"
PUSHER = f"push@{PROJECT}.iam.gserviceaccount.com"
ONUS_YAML = (HERE.parent / "demo/onus.yaml").read_text()
FILTER = (ROOT / "infra/gcp/generated/sink-filter.txt").read_text()
PACE = 0.01
ATTEMPTS = 8


def passes(entry):
    """Whether the generated filter lets an entry through: `has` on the service and on the method, joined by OR."""
    payload = entry["protoPayload"]
    words = lambda text: re.findall(r'"([^"]+)"', text)  # noqa: E731
    has = lambda value, texts: any(text.lower() in value.lower() for text in texts)  # noqa: E731
    clauses = re.findall(r"serviceName:(\S+|\([^)]*\)) AND protoPayload\.methodName:(\"[^\"]*\"|\([^)]*\))", FILTER)
    return any(has(payload["serviceName"], words(one)) and has(payload["methodName"], words(other)) for one, other in clauses)


class Service:
    """A binary as Cloud Run runs it, and a Pub/Sub subscription that pushes to it with signed tokens."""

    def __init__(self, stage, binary, settings, log):
        [port] = free_ports(1)
        self.stage, self.url, self.undelivered = stage, f"http://127.0.0.1:{port}", []
        self.audience = settings["ONUS_PUSH_AUDIENCE"]
        env = {"PORT": str(port), "K_SERVICE": binary.name, "PATH": os.environ["PATH"], **settings}
        self.process = subprocess.Popen([binary], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if not until(self._listens, within=20):
            raise SystemExit(f"`{binary}` does not listen; see the log")

    def _listens(self):
        try:
            urllib.request.urlopen(self.url, timeout=1)
        except urllib.error.HTTPError:
            pass  # it answers
        except OSError:
            return False
        return True

    def push(self, data, attributes=None, token=None):
        """One push request; its status."""
        message = {"data": base64.b64encode(data.encode()).decode(), "attributes": attributes or {}, "messageId": "1",
                   "publishTime": "2026-01-31T12:00:01Z"}
        body = json.dumps({"message": message, "subscription": f"projects/{PROJECT}/subscriptions/onus"}).encode()
        if token is None:
            token = self.stage.ask(f"/-/token?audience={self.audience}&email={PUSHER}")["token"]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url, body, headers), timeout=60) as response:
                return response.status
        except urllib.error.HTTPError as error:
            return error.code

    def deliver(self, data, attributes=None):
        """Pushes a message until it is taken, with the back-off that a subscription has, and then puts it aside."""
        for attempt in range(ATTEMPTS):
            if self.push(data, attributes) in (200, 201, 202, 204):
                return
            time.sleep(min(10 * 2**attempt, 600) * PACE)
        self.undelivered.append(data)

    def stop(self):
        """Ends it."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Stage:
    """The local Google Cloud, who acts in it, and where Onus is heard."""

    def __init__(self, url, binaries, log):
        self.url, self.binaries, self.logged = url, binaries, 0
        self.owner, self.dana = self._client("carol"), self._client("dana")
        for topic in ("findings", "responses", "audit-dead-letters", "respond-dead-letters"):
            self.owner("pubsub", "projects.topics.create", name=f"projects/{PROJECT}/topics/{topic}", body={})
        self.reach = {"ONUS_GCP_ENDPOINT": url, "GCE_METADATA_HOST": url.removeprefix("http://"), "ONUS_LEDGER": f"gs://{LEDGER}/onus"}
        self.audit = self._service("audit", log)
        self.respond = self._service("respond", log)
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._deliver, daemon=True)
        self.thread.start()

    def _client(self, person):
        client = functools.cache(lambda service: opened(self.url, service, person))

        def call(service, operation, **parameters):
            answer = called(client(service), operation, parameters)
            return finished({service: client(service)}, service, answer, parameters)

        return call

    def _service(self, name, log):
        settings = {
            **self.reach,
            "ONUS_CONFIG": ONUS_YAML,
            "ONUS_ACCOUNT": PROJECT,
            "ONUS_TOPIC": f"projects/{PROJECT}/topics/findings",
            "ONUS_RESPONSES": f"projects/{PROJECT}/topics/responses",
            "ONUS_DEAD_LETTERS": f"projects/{PROJECT}/topics/{name}-dead-letters",
            "ONUS_PUSH_ACCOUNT": PUSHER,
            "ONUS_PUSH_AUDIENCE": f"https://onus-{name}.example/",
            "ONUS_PUSH_KEYS": f"{self.url}/oauth2/v3/certs",
        }
        return Service(self, self.binaries / f"gcp-{name}", settings, log)

    def ask(self, path):
        """Asks tests/gcp something that no Google answers."""
        with urllib.request.urlopen(self.url + path) as response:
            return json.load(response)

    def messages(self, topic):
        """The texts of a topic's messages so far."""
        published = self.ask(f"/-/messages?topic=projects/{PROJECT}/topics/{topic}")
        return [base64.b64decode(message["data"]).decode() for message in published]

    def objects(self, prefix):
        """The names of the ledger's objects below a prefix."""
        with urllib.request.urlopen(f"{self.url}/{LEDGER}?list-type=2&prefix={prefix}") as response:
            return re.findall("<Key>([^<]+)</Key>", response.read().decode())

    def _deliver(self):
        """Pub/Sub: pushes the responses' topic, and the bucket's news of requests, to gcp-respond, one after the other."""
        sent, told = 0, set()
        while not self.stopped.wait(0.05):
            for text in self.messages("responses")[sent:]:
                self.respond.deliver(text)
                sent += 1
            for name in self.objects("onus/requests/"):
                if name not in told:
                    told.add(name)
                    attributes = {"eventType": "OBJECT_FINALIZE", "bucketId": LEDGER, "objectId": name}
                    self.respond.deliver(json.dumps({"name": name, "bucket": LEDGER}), attributes)

    def send(self):
        """Pushes what the audit log wrote since the last time and the sink lets through; the last entry's uid, as it begins."""
        entries = self.ask("/-/log")
        new, self.logged = entries[self.logged :], len(entries)
        passed = [entry for entry in new if passes(entry)]
        if not passed:
            raise SystemExit(f"the generated filter lets nothing of {new} through")
        for entry in passed:
            self.audit.deliver(json.dumps(entry))
        last = passed[-1]
        log = urllib.parse.unquote(last["logName"])
        return f"{log}/{last['operation']['id'] if 'operation' in last else last['timestamp'][:19]}"

    def notices(self):
        """Everything that was told so far."""
        return [Notice(json.loads(text)) for text in self.messages("findings")]

    def onus(self, *arguments):
        """Runs the command line as `oncall`."""
        env = {"PATH": os.environ["PATH"], **self.reach}
        return subprocess.run([self.binaries / "onus", *arguments], env=env, text=True, capture_output=True)

    def receipts(self, finding):
        """The receipts about a finding, as the ledger holds them."""
        return [self.ask(f"/{LEDGER}/{name}") for name in self.objects(f"onus/receipts/{finding}/")]

    def put_aside(self):
        """What was given up: by the services, and by Pub/Sub."""
        dead = self.messages("audit-dead-letters") + self.messages("respond-dead-letters")
        return dead + self.audit.undelivered + self.respond.undelivered

    def stop(self):
        """Ends the services."""
        self.stopped.set()
        self.thread.join(60)
        self.audit.stop()
        self.respond.stop()


def ask(stage, result, verb):
    """Asks, as `oncall`, for an approval or an undo; whether Onus did it, which the command line waits for."""
    say(f"oncall: onus {verb} {result.found.finding} ({result.change.title})")
    answer = stage.onus(verb, result.found.finding, "--by", "oncall")
    for line in (answer.stdout + answer.stderr).splitlines():
        print(f"        {line}", flush=True)
    return answer.returncode == 0


def play(stage):
    """Makes every change, pushes its entries, and waits until Onus closed it."""
    players = [cls(stage.owner, stage.dana) for cls in changes.ALL]
    for change in players:
        change.prepare()
    stage.logged = len(stage.ask("/-/log"))
    results = []
    for change in players:
        stage.logged = len(stage.ask("/-/log"))
        change.make()
        if not change.left():
            raise SystemExit(f"{change.title}: the change did not take, there is nothing to find")
        say(f"dana: {change.title} ({change.resource})")
        result = Result(change, "", time.monotonic())
        result.event_id = stage.send()
        result.found = result.told_on_bus = until(lambda: result.heard(stage.notices(), "found"))  # noqa: B023
        if change.needs_approval and result.found:
            ask(stage, result, "approve")
        if until(lambda: not change.left()):  # noqa: B023
            result.seconds = time.monotonic() - result.sent_at
        result.receipt = until(lambda: result.heard(stage.notices(), "responded"), within=10)  # noqa: B023
        results.append(result)
    return results


def last_receipt(stage, result, kind):
    """The newest receipt of a kind about a finding."""
    receipts = [receipt for receipt in stage.receipts(result.found.finding) if receipt["kind"] == kind]
    return max(receipts, key=lambda receipt: receipt["at"], default={})


def play_undo(stage, results):
    """One undo that works, and one that must not: its resource was changed meanwhile."""
    by_change = {type(result.change): result for result in results}
    restored, moved = by_change[changes.OpenDatabase], by_change[changes.OpenSsh]

    done = ask(stage, restored, "undo")
    back = sorted(restored.change.left())
    receipt = last_receipt(stage, restored, "undo")
    say(f"read back: the database has dana's network again, {back} is there")

    moved.change.change_meanwhile()
    before = moved.change.ranges()
    say("owner: the firewall gets another legitimate source")
    refused = not ask(stage, moved, "undo")
    refusal = last_receipt(stage, moved, "undo")
    same = moved.change.ranges() == before
    say(f"read back: the firewall is {'as the owner left it' if same else 'CHANGED'}")
    return [
        ("undo restored the database's network", done and bool(back) and receipt.get("outcome") == "verified"),
        ("undo of the firewall was refused", refused and same and refusal.get("outcome") == "refused"),
    ]


def forged(stage):
    """Whether a push that Google did not sign is turned away and leaves nothing."""
    before = stage.objects("")
    statuses = {service.push("{}", token=token) for service in (stage.audit, stage.respond) for token in ("", "e30.e30.e30")}
    return statuses <= {401, 403} and stage.objects("") == before


def main():
    binaries = Path(sys.argv[1]).resolve()
    log_path = Path(os.environ.get("ONUS_DEMO_LOG", ROOT / ".local/demo-gcp.log"))
    with open(log_path, "wb") as log, Server("gcp") as server:
        say(f"Google Cloud runs at {server.url}; the services' log is {os.path.relpath(log_path)}")
        stage = Stage(server.url, binaries, log)
        try:
            say("gcp-audit and gcp-respond listen, and let in only what is signed for them")
            results = play(stage)
            good = table(results)
            checks = play_undo(stage, results) if all(result.receipt for result in results) else [("undo was played", False)]
            checks.append(("pushes that nobody signed were turned away", forged(stage)))
            good = closing(checks, stage.put_aside()) and good
        finally:
            stage.stop()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
