#!/usr/bin/env python3
"""Google Cloud's APIs as far as rules and remediations need them, on one port of the loopback interface.

    serve.py PORT

One base URL stands for every `https://<api>.googleapis.com`, for the metadata server, and for the keys that Google signs push
tokens with. Requests are told apart and checked by the discovery documents that Google publishes: what they do not describe
is refused. State is kept in memory, with the version tokens of each API, and writes with an old one are refused. Answers of
Compute Engine and Cloud SQL are operations, which have to be followed before what they do can be seen.

Below `/-/` is what tests ask: `/-/requests` lists the API requests so far, `/-/log` the entries of the audit log that they left, `/-/messages?topic=…` the messages of a topic,
and `/-/token?audience=…&email=…` answers a token as Google signs it for a push request.
"""

import copy
import json
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import objects  # noqa: E402
import services  # noqa: E402
from audit_log import Log  # noqa: E402
from discovery import Document  # noqa: E402
from refusal import Refusal  # noqa: E402
from signing import Signer  # noqa: E402

VERSIONS = {
    "bigquery": "v2",
    "cloudresourcemanager": "v3",
    "compute": "v1",
    "iam": "v1",
    "logging": "v2",
    "pubsub": "v1",
    "sqladmin": "v1",
    "storage": "v1",
}

# APIs whose errors name reasons, and no canonical status.
OLD = ("compute", "sqladmin", "storage")

METADATA = "/computeMetadata/v1/"
TOKEN = {"access_token": "ya29.local", "expires_in": 3599, "token_type": "Bearer"}


class Cloud:
    """Every API, and what was asked of it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.documents = {api: Document(api, version) for api, version in VERSIONS.items()}
        self.state = services.State()
        self.objects = objects.Objects()
        self.signer = Signer()
        self.log = Log()
        self.requests = []

    def method(self, http, path):
        """The API and method that a request is for, and the parameters in its path."""
        for name in services.METHODS:
            api, _, method = name.partition(":")
            document = self.documents[api]
            source = document.methods[method]
            named = document.named(source, path) if source["httpMethod"] == http else None
            if named is not None and not list(document.path(source, path)):
                return api, method, {key: urllib.parse.unquote(value) for key, value in named.items()}
        raise Refusal(404, "NOT_FOUND", f"no API has `{http} {path}`")

    def answer(self, http, path, query, headers, body):
        api, method, named = self.method(http, path)
        try:
            body = json.loads(body) if body else None
            sent = {"If-Match"} if "if-match" in headers else set()
            request = {"method": method, "http": http, "path": path, "query": query, "headers": sent, "body": body}
            wrongs = list(self.documents[api].wrongs(request))
            if wrongs:
                raise Refusal(400, "INVALID_ARGUMENT", "; ".join(wrongs))
            if headers.get("authorization") is None:
                raise Refusal(401, "UNAUTHENTICATED", "the request has no token")
            with self.lock:
                agent = headers.get("user-agent", "")
                asked = {"api": api, **request, "headers": sorted(sent), "agent": agent}
                self.requests.append(copy.deepcopy(asked))
                return 200, self.call(f"{api}:{method}", named | dict(query), body or {}, headers)
        except Refusal as refusal:
            return refusal.status, refusal.body(api in OLD)


    def call(self, name, parameters, body, headers):
        """Does what was asked, and logs it."""
        call = lambda: services.METHODS[name](self.state, parameters, body, headers.get("if-match"))
        read = lambda method, asked: services.METHODS[method](self.state, asked, {}, None)
        token = headers["authorization"].removeprefix("Bearer ")
        return self.log.call(name, token, parameters, body, call, read)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    cloud: Cloud

    def respond(self, status, body, headers=()):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def handle_request(self):
        path, _, query = self.path.partition("?")
        pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        cloud, asked = self.cloud, dict(pairs)
        try:
            if path == "/":
                self.respond(200, {"ready": True}, {"Metadata-Flavor": "Google"})
            elif path.startswith(METADATA):
                self.respond(*metadata(path.removeprefix(METADATA), headers), {"Metadata-Flavor": "Google"})
            elif path == "/oauth2/v3/certs":
                self.respond(200, cloud.signer.keys())
            elif path == "/-/token":
                self.respond(200, {"token": cloud.signer.token(asked["audience"], asked["email"])})
            elif path == "/-/requests":
                self.respond(200, cloud.requests)
            elif path == "/-/log":
                self.respond(200, cloud.log.entries)
            elif path == "/-/messages":
                self.respond(200, cloud.state.messages.get(asked["topic"], []))
            elif cloud.objects.has(urllib.parse.unquote(path)):
                with cloud.lock:
                    self.respond(*cloud.objects.answer(self.command, urllib.parse.unquote(path), asked, headers, body))
            else:
                self.respond(*cloud.answer(self.command, path, pairs, headers, body), {"Content-Type": "application/json"})
        except Refusal as refusal:
            self.respond(refusal.status, refusal.body(False))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_request

    def log_message(self, *_):
        pass


def metadata(path, headers):
    """What the metadata server of a machine answers about its service account."""
    if headers.get("metadata-flavor") != "Google":
        return 403, {}
    account = path.removeprefix("instance/service-accounts/default/")
    if account == "token":
        return 200, TOKEN
    if account == "email":
        return 200, b"onus@example-project.iam.gserviceaccount.com"
    if path == "universe/universe-domain":
        return 200, b"googleapis.com"
    return 404, {}


def main():
    Handler.cloud = Cloud()
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()


if __name__ == "__main__":
    main()
