"""Measures how long aws-audit takes to start, beside a function that does nothing, in the same run.

    measure.py FOLDER-WITH-BINARIES [RUNS]

Two times per run: process start to the first `/next` (the platform's init), and process start to the answer of an event
with one finding, published to SNS and EventBridge on a local AWS. Prints the median of each and their ratio.
"""

import json
import statistics
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "local"))

import boto3
import certifi  # noqa: E402
from serve import ACCOUNT, Server  # noqa: E402


class Runtime:
    """The Lambda Runtime API for one process and one event."""

    def __init__(self, event):
        self.body = json.dumps(event).encode()
        self.next_at = self.answered_at = self.answer = None
        self.answered = threading.Event()
        runtime = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                now = time.perf_counter()
                if runtime.next_at is not None:
                    runtime.answered.wait()
                    time.sleep(60)  # there is no second event; the process is ended meanwhile
                    return
                runtime.next_at = now
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", "00000000-0000-4000-8000-000000000000")
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + 60) * 1000)))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:x")
                self.send_header("Content-Length", str(len(runtime.body)))
                self.end_headers()
                self.wfile.write(runtime.body)

            def do_POST(self):
                runtime.answered_at = time.perf_counter()
                runtime.answer = self.path, self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                runtime.answered.set()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # the measured process was ended, its connections with it
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def run(self, binary, env):
        """Milliseconds to the first `/next` and to the answer."""
        api = f"127.0.0.1:{self.server.server_port}"
        env = env | {
            "AWS_LAMBDA_RUNTIME_API": api,
            "AWS_LAMBDA_FUNCTION_NAME": "measured",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
        }
        started = time.perf_counter()
        process = subprocess.Popen([binary], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if not self.answered.wait(30) or not self.answer[0].endswith("/response"):
                raise SystemExit(f"{binary} did not answer: {self.answer}")
        finally:
            process.kill()
            process.wait()
            self.server.shutdown()
        return (self.next_at - started) * 1000, (self.answered_at - started) * 1000


def stage(url):
    """A ledger, a topic and a bus; the environment that names them."""
    client = lambda service: boto3.client(  # noqa: E731
        service, endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    client("s3").create_bucket(Bucket="onus-ledger")
    client("events").create_event_bus(Name="onus")
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "ONUS_LEDGER": "s3://onus-ledger/",
        "ONUS_TOPIC": client("sns").create_topic(Name="findings")["TopicArn"],
        "ONUS_BUS": "onus",
        "ONUS_ACCOUNT": ACCOUNT,
        "ONUS_LOG": "error",
        # As the template: one bundle, not a directory.
        "SSL_CERT_FILE": certifi.where(),
    }


def stopped_trail(number):
    """An event that one rule fires on without reading state; each is another record."""
    return {
        "version": "0", "id": "1", "detail-type": "AWS API Call via CloudTrail", "source": "aws.cloudtrail", "account": ACCOUNT,
        "time": "2026-01-31T12:00:00Z", "region": "us-east-1", "resources": [],
        "detail": {
            "eventVersion": "1.11", "eventID": f"cold-{number}", "eventTime": "2026-01-31T12:00:00Z",
            "eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging", "awsRegion": "us-east-1",
            "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/alice", "accountId": ACCOUNT},
            "requestParameters": {"name": "trail"}, "responseElements": None, "readOnly": False, "eventType": "AwsApiCall",
            "recipientAccountId": ACCOUNT,
        },
    }


def main():
    binaries, runs = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20
    times = {"hello": [], "aws-audit": []}
    with Server("moto") as server:
        env = stage(server.url)
        for number in range(-2, runs):  # the first two warm the file cache
            for name, path, more in (("hello", binaries / "examples/hello", {}), ("aws-audit", binaries / "aws-audit", env)):
                measured = Runtime(stopped_trail(number)).run(path, more)
                if number >= 0:
                    times[name].append(measured)
    medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in times.items()}
    print(f"median of {runs}, ms       first /next   first answer")
    for name, (init, answer) in medians.items():
        print(f"{name:<24} {init:>11.1f}   {answer:>12.1f}")
    ratios = [audit / hello for audit, hello in zip(medians["aws-audit"], medians["hello"])]
    print(f"{'ratio':<24} {ratios[0]:>11.1f}   {ratios[1]:>12.1f}")


if __name__ == "__main__":
    main()
