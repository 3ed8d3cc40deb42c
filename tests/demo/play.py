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
from report import Notice, Result, closing, play_undo, say, table, until  # noqa: E402
from serve import ACCOUNT, Server  # noqa: E402

REGION = "us-east-1"
BUS = "cloudtrail"
SOURCE = "demo.cloudtrail"
ONUS_YAML = (HERE / "onus.yaml").read_text()

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

    def receipts(self, finding):
        """The receipts about a finding, as the ledger holds them."""
        bucket, s3 = self.outputs["Ledger"].removeprefix("s3://").strip("/"), self.owner("s3")
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"receipts/{finding}/").get("Contents", [])
        return [json.loads(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()) for entry in listed]


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
    result.found = until(lambda: result.heard(stage.told.fetch(), "found"), within=10)
    result.told_on_bus = until(lambda: result.heard(stage.on_bus.fetch(), "found"), within=10)
    result.receipt = until(lambda: result.heard(stage.told.fetch(), "responded"), within=10)


def main():
    binaries = Path(sys.argv[1]).resolve()
    log = Path(os.environ.get("ONUS_DEMO_LOG", HERE.parents[1] / ".local/demo.log"))
    with Server("ministack", auth=True, log=log) as server:
        say(f"ministack runs at {server.url}, roles enforced; its log is {os.path.relpath(log)}")
        stage = Stage(server.url, binaries)
        say(f"CloudFormation deployed infra/aws/template.yaml: {len(stage.outputs)} outputs")
        results = play(stage)
        good = table(results)
        checks = [("undo was played", False)]
        if all(result.receipt for result in results):
            by_change = {type(result.change): result for result in results}
            checks = play_undo(stage, by_change[changes.PublicQueue], by_change[changes.PublicTopic])
        good = closing(checks, letters(stage)) and good
    sys.exit(0 if good else 1)


def letters(stage):
    """What lies in the dead letter queues."""
    sqs, bodies = stage.owner("sqs"), []
    for queue in (stage.outputs["AuditDeadLetters"], stage.outputs["ResponseDeadLetters"]):
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        bodies += [message["Body"][:500] for message in answer.get("Messages", [])]
    return bodies


if __name__ == "__main__":
    main()
