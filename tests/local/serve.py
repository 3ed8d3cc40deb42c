"""Runs a local cloud on free ports of the loopback interface for as long as its caller lives.

    serve.py ministack [--auth]    serve.py moto    serve.py azurite    serve.py arm    serve.py gcp

Prints the URLs on one line when the server answers, then waits for standard input to close. So a test that is killed
leaves no server behind. Azurite has two URLs, Blob's and Queue's; the others have one.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ACCOUNT = "123456789012"
HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
AZURITE = Path(sys.prefix).parent / "node/node_modules/.bin/azurite"
READY_WITHIN = 30.0


def free_ports(count):
    """Ports of the loopback interface that nobody listens on now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def ministack(ports, auth):
    """The command line and the environment of ministack."""
    return [BIN / "ministack"], {
        "AUTH": "true" if auth else "false",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(ports[0]),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "LAMBDA_EXECUTOR": "local",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports[0]}",
    }


def moto(ports, _):
    """The command line and the environment of moto."""
    argv = [BIN / "moto_server", "-H", "127.0.0.1", "-p", str(ports[0])]
    return argv, {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}


def azurite(ports, _):
    """The command line of Azurite: Blob and Queue Storage, and Table Storage, which nobody here uses."""
    if not AZURITE.exists():
        raise SystemExit(f"`{AZURITE}` is missing\nhint: run `make local`")
    options = ["--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    for service, port in zip(("blob", "queue", "table"), ports):
        options += [f"--{service}Host", "127.0.0.1", f"--{service}Port", str(port)]
    return [AZURITE, *options], {}


def arm(ports, _):
    """The command line of tests/azure: Azure Resource Manager."""
    return [sys.executable, HERE.parent / "azure/serve.py", str(ports[0])], {}


def gcp(ports, _):
    """The command line of tests/gcp: Google Cloud's APIs."""
    return [sys.executable, HERE.parent / "gcp/serve.py", str(ports[0])], {}


# Each server by name: what starts it, how many ports it listens on, and how many of them its callers use.
KINDS = {"ministack": (ministack, 1, 1), "moto": (moto, 1, 1), "azurite": (azurite, 3, 2), "arm": (arm, 1, 1), "gcp": (gcp, 1, 1)}


def environment():
    """This process's environment, without credentials of a real AWS account."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return env | {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


class Server:
    """A running server. Use it in a `with` statement."""

    def __init__(self, kind, auth=False, log=None):
        if kind not in KINDS:
            raise SystemExit(f"`{kind}` is no server, expected one of {', '.join(KINDS)}")
        command, listens, used = KINDS[kind]
        ports = free_ports(listens)
        self.urls = [f"http://127.0.0.1:{port}" for port in ports[:used]]
        self.url = self.urls[0]
        self.home = tempfile.TemporaryDirectory(prefix=f"onus-{kind}-")
        self.log_path = Path(log) if log else Path(self.home.name) / "server.log"
        argv, env = command(ports, auth)
        env = environment() | env | {"TMPDIR": self.home.name}
        with open(self.log_path, "wb") as out:
            self.process = subprocess.Popen(argv, env=env, cwd=self.home.name, stdout=out, stderr=out)
        for url in self.urls:
            self._await(kind, url)

    def _await(self, kind, url):
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                urllib.request.urlopen(url, timeout=1)
                return
            except urllib.error.HTTPError:
                return  # it answers
            except OSError:
                time.sleep(0.05)
        text = self.log_path.read_text(errors="replace")[-2000:]
        self.stop()
        raise SystemExit(f"{kind} did not start:\n{text}")

    def stop(self):
        """Ends the server and removes its files."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.home.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def main():
    with Server(sys.argv[1], auth="--auth" in sys.argv[2:]) as server:
        print(*server.urls, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
