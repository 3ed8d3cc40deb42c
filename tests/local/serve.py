"""Runs a local AWS on a free port of the loopback interface for as long as its caller lives.

    serve.py ministack [--auth]    or    serve.py moto

Prints the URL on one line when the server answers, then waits for standard input to close. So a test that is killed
leaves no server behind.
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
BIN = Path(sys.executable).parent
READY_WITHIN = 30.0


def free_port():
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def command(kind, port, auth):
    """The command line and the environment that start one server."""
    url = f"http://127.0.0.1:{port}"
    env = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    env |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    if kind == "moto":
        return [BIN / "moto_server", "-H", "127.0.0.1", "-p", str(port)], env | {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}
    if kind == "ministack":
        return [BIN / "ministack"], env | {
            "AUTH": "true" if auth else "false",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "LAMBDA_EXECUTOR": "local",
            "AWS_ENDPOINT_URL": url,
        }
    raise SystemExit(f"`{kind}` is no server, expected `ministack` or `moto`")


class Server:
    """A running server. Use it in a `with` statement."""

    def __init__(self, kind, auth=False, log=None):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.home = tempfile.TemporaryDirectory(prefix=f"onus-{kind}-")
        self.log_path = Path(log) if log else Path(self.home.name) / "server.log"
        argv, env = command(kind, self.port, auth)
        env["TMPDIR"] = self.home.name
        with open(self.log_path, "wb") as out:
            self.process = subprocess.Popen(argv, env=env, cwd=self.home.name, stdout=out, stderr=out)
        self._await(kind)

    def _await(self, kind):
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                urllib.request.urlopen(self.url, timeout=1)
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
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
