#!/usr/bin/env python3
"""Google Cloud's APIs as far as rules and remediations need them, on one port of the loopback interface.

    serve.py PORT

One base URL stands for every `https://<api>.googleapis.com`, for the metadata server, and for the keys that Google signs push
tokens with. Requests are told apart and checked by the discovery documents that Google publishes: what they do not describe
is refused. State is kept in memory, with the version tokens of each API, and writes with an old one are refused. Answers of
Compute Engine and Cloud SQL are operations, which have to be followed before what they do can be seen.

Access tokens are no secrets: that of a machine is `ya29.<e-mail>`, a person's is a name. What is written by somebody stands in
the audit log, and goes on to the topics of sinks whose filter it passes. Buckets tell topics of their objects, and topics push to who subscribed.

Below `/-/` is what tests ask: `/-/requests` lists the API requests so far, `/-/log` the audit log, `/-/messages?topic=…` the
messages of a topic, and `/-/token?audience=…&email=…` answers a token as Google signs it for a push request. A `POST` of
`/-/identity` with `email` and `permissions` holds somebody to these; who is not held may do everything. `/-/machine/<e-mail>` is the
metadata server of a machine with that account.
"""

import base64
import copy
import json
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import objects  # noqa: E402
import pubsub  # noqa: E402
import services  # noqa: E402
from audit_log import Log  # noqa: E402
from discovery import Document  # noqa: E402
from filters import Filter  # noqa: E402
from permissions import needed  # noqa: E402
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

METHODS = services.METHODS | pubsub.METHODS

METADATA = "/computeMetadata/v1/"
MACHINE = "/-/machine/"
ONUS = "onus@example-project.iam.gserviceaccount.com"


class Cloud:
    """Every API, and what was asked of it."""

    def __init__(self):
        self.lock = threading.RLock()
        self.documents = {api: Document(api, version) for api, version in VERSIONS.items()}
        self.state = services.State()
        self.objects = objects.Objects(self.tell_object)
        self.signer = Signer()
        self.state.tokens = self.signer.token
        self.log = Log(self.route)
        self.requests, self.held = [], {}

    def method(self, http, path):
        """The API and method that a request is for, and the parameters in its path."""
        for name in METHODS:
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
            who = caller(headers.get("authorization"))
            with self.lock:
                asked = {"api": api, **request, "headers": sorted(sent), "agent": headers.get("user-agent", ""), "who": who}
                self.requests.append(copy.deepcopy(asked))
                return 200, self.carry_out(f"{api}:{method}", who, named | dict(query), body or {}, headers.get("if-match"))
        except Refusal as refusal:
            return refusal.status, refusal.body(api in OLD)

    def carry_out(self, name, who, parameters, body, token):
        """Does what somebody asks for, if they may, and logs it."""

        def call():
            for permission in needed(name, body):
                if permission not in self.held.get(who, (permission,)):
                    raise Refusal(403, "PERMISSION_DENIED", f"`{who}` lacks `{permission}`")
            return METHODS[name](self.state, parameters, copy.deepcopy(body), token)

        read = lambda method, asked: METHODS[method](self.state, asked, {}, None)  # noqa: E731
        return self.log.call(name, who, parameters, body, call, read)

    def route(self, entry):
        """Sends a log entry to the topics of sinks that it passes the filter of."""
        for (kind, _), sink in list(self.state.things.items()):
            to_topic, _, topic = sink.get("destination", "").partition("pubsub.googleapis.com/") if kind == "sink" else ("-", "", "")
            if topic and not to_topic and not sink.get("disabled") and Filter(sink.get("filter", "")).matches(entry):
                attributes = {"logging.googleapis.com/timestamp": entry["timestamp"]}
                pubsub.deliver(self.state, topic, {"data": encoded(entry), "attributes": attributes})

    def tell_object(self, bucket, name, generation):
        """Tells topics of an object, as the notifications of its bucket say."""
        for of, notification in self.state.notifications:
            if of == bucket and name.startswith(notification.get("object_name_prefix", "")):
                attributes = {"eventType": "OBJECT_FINALIZE", "payloadFormat": "JSON_API_V1", "bucketId": bucket}
                attributes |= {"objectId": name, "objectGeneration": str(generation)}
                data = encoded({"kind": "storage#object", "bucket": bucket, "name": name, "generation": str(generation)})
                topic = notification["topic"].removeprefix("//pubsub.googleapis.com/")
                pubsub.deliver(self.state, topic, {"data": data, "attributes": attributes})


def encoded(value):
    """JSON as a message holds it."""
    return base64.b64encode(json.dumps(value).encode()).decode()


def caller(authorization):
    """The e-mail address that an access token stands for."""
    if authorization is None:
        raise Refusal(401, "UNAUTHENTICATED", "the request has no token")
    token = authorization.removeprefix("Bearer ")
    return token.removeprefix("ya29.") if token.startswith("ya29.") else f"{token}@example.com"


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
            elif path.startswith((METADATA, MACHINE)):
                self.respond(*metadata(path, headers), {"Metadata-Flavor": "Google"})
            elif path == "/oauth2/v3/certs":
                self.respond(200, cloud.signer.keys())
            elif path == "/-/token":
                self.respond(200, {"token": cloud.signer.token(asked["audience"], asked["email"])})
            elif path == "/-/identity":
                told = json.loads(body)
                cloud.held[told["email"]] = set(told["permissions"])
                self.respond(200, {})
            elif path == "/-/log":
                self.respond(200, cloud.log.entries)
            elif path == "/-/requests":
                self.respond(200, cloud.requests)
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
    email, path = path.removeprefix(MACHINE).split(METADATA, 1) if path.startswith(MACHINE) else (ONUS, path.removeprefix(METADATA))
    account = path.removeprefix("instance/service-accounts/default/")
    if account == "token":
        return 200, {"access_token": f"ya29.{email}", "expires_in": 3599, "token_type": "Bearer"}
    if account == "email":
        return 200, email.encode()
    if path == "universe/universe-domain":
        return 200, b"googleapis.com"
    return 404, {}


def main():
    Handler.cloud = Cloud()
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()


if __name__ == "__main__":
    main()
