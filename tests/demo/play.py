"""Plays risky changes against a local AWS and shows that Onus finds, tells, takes back and undoes them.

    play.py FOLDER-WITH-BINARIES

Everything is real but the cloud: CloudFormation deploys infra/aws/template.yaml, EventBridge invokes the aws-audit
binary, SNS and a bus tell the findings, SQS invokes aws-respond, and both run with their own roles enforced. Only the
CloudTrail records are derived, from the requests that the user really made. Exits with 1 when anything is not as it
should be.
"""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "local"))

import boto3  # noqa: E402
from botocore.config import Config  # noqa: E402

import changes  # noqa: E402
from cloudtrail import Recorder, envelope  # noqa: E402
from deploy import deploy  # noqa: E402
from serve import ACCOUNT, Server  # noqa: E402

REGION = "us-east-1"
BUS = "cloudtrail"
SOURCE = "demo.cloudtrail"
CLOSED_WITHIN = 30.0
ONUS_YAML = (HERE / "onus.yaml").read_text()

STARTED = time.monotonic()


def say(text):
    """A line of progress, with the seconds since the start."""
    print(f"{time.monotonic() - STARTED:5.1f}s  {text}", flush=True)


class Stage:
    """The local AWS, who acts in it, and where Onus is heard."""

    def __init__(self, url, binaries):
        self.url, self.binaries = url, binaries
        self.owner = self._clients("test", "test")
        self._prepare_people()
        self.owner("events").create_event_bus(Name=BUS)
        parameters = {"EventBusName": BUS, "EventSourcePrefix": "demo.", "Transport": "any", "Config": ONUS_YAML}
        self.outputs = deploy(self.owner, binaries, "onus", parameters)
        self.told = Inbox(self, "told-by-topic")
        self.on_bus = Inbox(self, "told-on-bus")
        self._subscribe()

    def _clients(self, key, secret, recorder=None):
        session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=REGION)
        if recorder:
            self.recorder = Recorder(session, recorder, ACCOUNT, REGION)
        config = Config(retries={"mode": "standard"}, s3={"addressing_style": "path"})
        return lambda service: session.client(service, endpoint_url=self.url, config=config)

    def _prepare_people(self):
        """alice, who makes the changes, and oncall, who may ask Onus for things but change nothing."""
        iam = self.owner("iam")
        alice = iam.create_user(UserName="alice")["User"]
        iam.attach_user_policy(UserName="alice", PolicyArn=changes.ADMINISTRATOR)
        key = iam.create_access_key(UserName="alice")["AccessKey"]
        identity = {
            "type": "IAMUser",
            "principalId": alice["UserId"],
            "arn": alice["Arn"],
            "accountId": ACCOUNT,
            "accessKeyId": key["AccessKeyId"],
            "userName": "alice",
        }
        self.alice = self._clients(key["AccessKeyId"], key["SecretAccessKey"], recorder=identity)
        iam.create_user(UserName="oncall")
        iam.put_user_policy(UserName="oncall", PolicyName="asks-onus", PolicyDocument=oncall_policy())
        self.oncall = iam.create_access_key(UserName="oncall")["AccessKey"]

    def _subscribe(self):
        sns, events = self.owner("sns"), self.owner("events")
        sns.subscribe(TopicArn=self.outputs["Findings"], Protocol="sqs", Endpoint=self.told.arn,
                      Attributes={"RawMessageDelivery": "true"})
        bus = self.outputs["Bus"]
        events.put_rule(Name="everything", EventBusName=bus, EventPattern=json.dumps({"account": [ACCOUNT]}))
        events.put_targets(Rule="everything", EventBusName=bus, Targets=[{"Id": "inbox", "Arn": self.on_bus.arn}])

    def send(self, record):
        """Puts a record on the bus that stands in for the account's default one."""
        answer = self.owner("events").put_events(Entries=[envelope(record, SOURCE) | {"EventBusName": BUS}])
        if answer["FailedEntryCount"]:
            raise SystemExit(f"the bus refused a record: {answer['Entries']}")

    def onus(self, *arguments):
        """Runs the command line as `oncall`, with the ledger of the stack."""
        env = {
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.oncall["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": self.oncall["SecretAccessKey"],
            "ONUS_LEDGER": self.outputs["Ledger"],
        }
        return subprocess.run([self.binaries / "onus", *arguments], env=env, text=True, capture_output=True)


def oncall_policy():
    """What a person needs to ask for an approval or an undo: read the ledger, create a request. No access to the cloud."""
    bucket = f"arn:aws:s3:::onus-ledger-{ACCOUNT}-{REGION}"
    allow = lambda action, resource: {"Effect": "Allow", "Action": action, "Resource": resource}  # noqa: E731
    return json.dumps({"Version": "2012-10-17", "Statement": [
        allow("s3:ListBucket", bucket),
        allow("s3:GetObject", f"{bucket}/*"),
        allow("s3:PutObject", f"{bucket}/requests/*"),
    ]})


class Inbox:
    """A queue that shows what was told."""

    def __init__(self, stage, name):
        self.sqs = stage.owner("sqs")
        self.arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        senders = {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}
        document = changes.policy(changes.statement("Tell", senders, "sqs:SendMessage", self.arn))
        self.url = self.sqs.create_queue(QueueName=name, Attributes={"Policy": document})["QueueUrl"]
        self.notices = []

    def fetch(self):
        """Takes what arrived since the last time; returns every notice so far."""
        while True:
            answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                self.notices.append(Notice(json.loads(message["Body"])))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            if not answer.get("Messages"):
                return self.notices


class Notice:
    """A CloudEvent that holds an OCSF Detection Finding, as a topic or a bus delivers it."""

    def __init__(self, event):
        event = event.get("detail", event)  # a bus wraps it in an event of its own
        self.ocsf = event["data"]
        self.kind = event["type"].rpartition(".")[2]
        self.change = self.ocsf["metadata"]["correlation_uid"]
        self.finding = self.ocsf["finding_info"]["uid"]
        self.rule = self.ocsf["unmapped"]["rule"]
        self.duty = self.ocsf["unmapped"]["duty"]["owner"]
        self.acts = self.ocsf["unmapped"].get("mode") == "enforce"
        self.receipt = self.ocsf["unmapped"].get("receipt", {})


def until(check, within=CLOSED_WITHIN):
    """Asks again and again until the answer is true; the answer, true or not."""
    deadline = time.monotonic() + within
    while not (answer := check()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


class Result:
    """What became of one change."""

    def __init__(self, change, event_id, sent_at):
        self.change, self.event_id, self.sent_at = change, event_id, sent_at
        self.found = self.told_on_bus = self.receipt = self.seconds = None


def play(stage):
    """Makes every change, sends its record, and waits until Onus closed it."""
    players = [cls(stage.owner, stage.alice, ACCOUNT) for cls in changes.ALL]
    for change in players:
        change.prepare()
    results = []
    for change in players:
        change.make()
        if not change.left():
            raise SystemExit(f"{change.title}: the change did not take, there is nothing to find")
        say(f"alice: {change.title} ({change.resource})")
        record = stage.recorder.last(change.event)
        result = Result(change, record["eventID"], time.monotonic())
        stage.send(record)
        if until(lambda: not change.left()):  # noqa: B023
            result.seconds = time.monotonic() - result.sent_at
        results.append(result)
    for result in results:
        collect(stage, result)
    return results


def collect(stage, result):
    """Finds what was told about a change: its finding by topic and by bus, and the receipt of the response."""

    def heard(inbox, kind):
        about = [notice for notice in inbox.fetch() if (notice.kind, notice.change) == (kind, result.event_id)]
        # Several rules may fire: the one with a response first, then the most severe.
        return max(about, key=lambda notice: (notice.acts, notice.ocsf["severity_id"]), default=None)

    result.found = until(lambda: heard(stage.told, "found"), within=10)
    result.told_on_bus = until(lambda: heard(stage.on_bus, "found"), within=10)
    result.receipt = until(lambda: heard(stage.told, "responded"), within=10)


def undo(stage, result):
    """Asks, as `oncall`, for a response to be taken back; whether Onus did it, which the command line waits for."""
    say(f"oncall: onus undo {result.found.finding} ({result.change.title})")
    answer = stage.onus("undo", result.found.finding, "--by", "oncall")
    for line in (answer.stdout + answer.stderr).splitlines():
        print(f"        {line}", flush=True)
    return answer.returncode == 0


def last_receipt(stage, result, kind):
    """The newest receipt of a kind about a finding, as the ledger holds it."""
    bucket = stage.outputs["Ledger"].removeprefix("s3://").strip("/")
    s3 = stage.owner("s3")
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"receipts/{result.found.finding}/").get("Contents", [])
    receipts = [json.loads(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()) for entry in listed]
    receipts = [receipt for receipt in receipts if receipt["kind"] == kind]
    return max(receipts, key=lambda receipt: receipt["at"], default=None)


def play_undo(stage, results):
    """One undo that works, and one that must not: its resource was changed meanwhile."""
    by_change = {type(result.change): result for result in results}
    restored, moved = by_change[changes.PublicQueue], by_change[changes.PublicTopic]

    done = undo(stage, restored)
    back = sorted(restored.change.left())
    receipt = last_receipt(stage, restored, "undo") or {}
    say(f"read back: the queue's policy is as alice wrote it again, {back} is there")

    moved.change.change_meanwhile()
    before = moved.change.document()
    say("owner: the topic gets another legitimate statement")
    refused = not undo(stage, moved)
    refusal = last_receipt(stage, moved, "undo") or {}
    same = moved.change.document() == before
    say(f"read back: the topic's policy is {'as the owner left it' if same else 'CHANGED'}")
    return [
        ("undo restored the queue", done and bool(back) and receipt.get("outcome") == "verified"),
        ("undo of the topic was refused", refused and same and refusal.get("outcome") == "refused"),
    ]


def table(results):
    """The closing table, and whether every line of it is good."""
    header = ("change", "finding", "duty", "action", "seconds", "bad part gone")
    rows = [header]
    good = True
    for result in results:
        left, lost = result.change.left(), result.change.lost()
        receipt = result.receipt.receipt if result.receipt else {}
        fine = receipt.get("outcome") == "verified" and not left and not lost and bool(result.told_on_bus)
        good = good and fine
        rows.append((
            result.change.title,
            result.found.rule if result.found else "not told",
            result.found.duty if result.found else "",
            receipt.get("remediation", "none"),
            f"{result.seconds:.1f}" if result.seconds else "",
            "yes, the rest stands" if fine else f"{receipt.get('outcome')}, left {sorted(left)}, lost {sorted(lost)}",
        ))
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    line = lambda row: "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()  # noqa: E731
    print("\n" + line(rows[0]) + "\n" + "  ".join("-" * width for width in widths))
    print("\n".join(line(row) for row in rows[1:]) + "\n")
    return good


def main():
    binaries = Path(sys.argv[1]).resolve()
    log = Path(os.environ.get("ONUS_DEMO_LOG", HERE.parents[1] / ".local/demo.log"))
    with Server("ministack", auth=True, log=log) as server:
        say(f"ministack runs at {server.url}, roles enforced; its log is {os.path.relpath(log)}")
        stage = Stage(server.url, binaries)
        say(f"CloudFormation deployed infra/aws/template.yaml: {len(stage.outputs)} outputs")
        results = play(stage)
        good = table(results)
        checks = play_undo(stage, results) if all(result.receipt for result in results) else [("undo was played", False)]
        print()
        for what, fine in checks:
            print(f"{'ok  ' if fine else 'FAIL'}  {what}")
        dead = letters(stage)
        print(f"{'FAIL' if dead else 'ok  '}  nothing was put aside{': ' + dead[0] if dead else ''}")
        say("done")
    sys.exit(0 if good and all(fine for _, fine in checks) and not dead else 1)


def letters(stage):
    """What lies in the dead letter queues."""
    sqs, bodies = stage.owner("sqs"), []
    for queue in (stage.outputs["AuditDeadLetters"], stage.outputs["ResponseDeadLetters"]):
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        bodies += [message["Body"][:500] for message in answer.get("Messages", [])]
    return bodies


if __name__ == "__main__":
    main()
