"""The HTTP half of the clouds that tests play themselves: requests in, responses out, one at a time.

A cloud is a class with `answer(request)`; what it raises as `Refusal` becomes the response. Everything below `/-/` is
not the cloud's but the test's: `/-/requests` lists what was asked, `/-/switch` sets how the cloud misbehaves, `/-/reset`
forgets everything. What else there is, the cloud's own `control` says.
"""

import json
import re
import socket
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LONGEST_BODY = 8 << 20


class Request:
    """One request. `path` has its percent signs decoded, `raw` has not; header names are lower-case."""

    def __init__(self, method, target, headers, body):
        raw, _, query = target.partition("?")
        self.method, self.raw, self.body = method, re.sub("//+", "/", raw), body
        self.path = urllib.parse.unquote(self.raw)
        pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
        self.query = dict(pairs)
        self.queries = {name: [value for other, value in pairs if other == name] for name, _ in pairs}
        self.headers = {name.lower(): value for name, value in headers.items()}

    def json(self):
        """The body as JSON; None when there is none. Raises `ValueError`."""
        return json.loads(self.body) if self.body else None

    def host(self):
        """The URL that the caller reached this server by, without a path."""
        return f"http://{self.headers.get('host', '127.0.0.1')}"

    def noted(self):
        """What `/-/requests` tells of it."""
        try:
            body = self.json()
        except ValueError:
            body = self.body.decode(errors="replace")
        headers = {name: value for name, value in self.headers.items() if name != "authorization"}
        return {"method": self.method, "path": self.path, "query": self.query, "headers": headers, "body": body}


class Response:
    """One response: bytes go as they are, None goes empty, anything else as JSON."""

    def __init__(self, status, body=None, headers=None):
        self.status, self.headers = status, dict(headers or {})
        if body is None or isinstance(body, bytes):
            self.body = body or b""
        else:
            self.body = json.dumps(body).encode()
            self.headers.setdefault("Content-Type", "application/json; charset=utf-8")


class Refusal(Exception):
    """A request that the cloud does not carry out."""

    def __init__(self, status, code, message, headers=None, **more):
        super().__init__(message)
        self.status, self.code, self.headers, self.more = status, code, headers or {}, more


class Cloud:
    """What every played cloud has. Subclasses answer requests, word refusals, and hold their state in what `reset` makes."""

    def __init__(self):
        self.lock = threading.RLock()
        self.reset()

    def reset(self):
        """Forgets everything."""
        self.requests, self.switches = [], {}

    def answer(self, request):
        """Carries a request out, under the lock. May raise `Refusal`."""
        raise NotImplementedError

    def refuse(self, request, refusal):
        """A refusal in the cloud's own words."""
        raise NotImplementedError

    def control(self, request, name):
        """A test's own request below `/-/`; None when there is no such thing."""
        if name == "requests":
            return Response(200, self.requests)
        if name == "switch":
            self.switches |= request.json()
            return Response(200, self.switches)
        if name == "reset":
            self.reset()
            return Response(204)
        return None

    def handle(self, request):
        """Answers one request, whatever it is."""
        with self.lock:
            if request.path.startswith("/-/"):
                return self.control(request, request.path[3:]) or Response(404, {"error": f"no {request.path}"})
            self.requests.append(request.noted())
            try:
                return self.answer(request)
            except Refusal as refusal:
                return self.refuse(request, refusal)


class Handler(BaseHTTPRequestHandler):
    """Reads requests from one connection and writes the responses."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet
    cloud = None

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(min(int(self.headers.get("Content-Length") or 0), LONGEST_BODY))

    def _handle(self):
        request = Request(self.command, self.path, self.headers, self._body())
        response = self.cloud.handle(request)
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status not in (204, 304):
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD" and response.status not in (204, 304):
            self.wfile.write(response.body)
        self.wfile.flush()

    do_GET = do_PUT = do_PATCH = do_POST = do_DELETE = do_HEAD = do_OPTIONS = _handle


def serve(cloud, port):
    """Serves a cloud on the loopback interface until the process ends."""
    handler = type("CloudHandler", (Handler,), {"cloud": cloud})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    server.serve_forever()
