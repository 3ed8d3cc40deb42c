#!/usr/bin/env python3
"""Validates requests to Google's APIs against the discovery documents that Google publishes with its own client.

Reads one JSON object a line from standard input: `api`, `method` (its id without the API's name), `version`, and the
request as it is sent: `http`, `path`, `query` (pairs), `headers` (names) and `body`. Prints one line for each thing that
the document does not describe, and ends with 1 when there was any. The last line says how many requests were read and which
methods they call.

It shares nothing with the table that the caller is made from: paths are matched against the document's own templates and
patterns, and bodies against its schemas, in which a member that is not described is wrong.
"""

import base64
import binascii
import importlib.util
import json
import re
import sys
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

# Headers that an API honours and that discovery documents do not list.
HEADERS = {("bigquery", "datasets.patch"): {"If-Match"}}


def folder():
    package = importlib.util.find_spec("googleapiclient")
    return Path(package.submodule_search_locations[0]) / "discovery_cache" / "documents"


def methods(resources, prefix=""):
    for name, resource in resources.items():
        for method, source in resource.get("methods", {}).items():
            yield f"{prefix}{name}.{method}", source
        yield from methods(resource.get("resources", {}), f"{prefix}{name}.")


class Document:
    """One API."""

    def __init__(self, api, version):
        self.source = json.loads((folder() / f"{api}.{version}.json").read_text())
        self.methods = dict(methods(self.source["resources"]))
        self.common = self.source["parameters"]

    def wrongs(self, request):
        method = self.methods.get(request["method"])
        if method is None:
            yield "the document has no such method"
            return
        if request["http"] != method["httpMethod"]:
            yield f"is a {request['http']}, not a {method['httpMethod']}"
        yield from self.path(method, request["path"])
        yield from self.query(method, request["query"])
        allowed = HEADERS.get((self.source["name"], request["method"]), set())
        yield from (f"header `{name}` is not known" for name in request["headers"] if name not in allowed)
        yield from self.body(method, request["body"])

    def named(self, method, path):
        """The parameters in a path, still encoded; None when the path is not the method's."""
        expression, names = "", []
        for literal, plus, name in re.findall(r"([^{]*)(?:\{(\+?)([^}]+)\})?", method["path"]):
            expression += re.escape(literal)
            if name:
                names.append(name)
                expression += "(.+)" if plus else "([^/]+)"
        found = re.fullmatch("/" + re.escape(self.source["servicePath"]) + expression, path)
        return found and dict(zip(names, found.groups()))

    def path(self, method, path):
        """Matches the path against the template, and each of its parameters against its own pattern."""
        named = self.named(method, path)
        if named is None:
            yield f"path `{path}` is not `{method['path']}`"
            return
        for name, value in named.items():
            pattern = method["parameters"][name].get("pattern", ".+")
            if not re.fullmatch(pattern.removeprefix("^").removesuffix("$"), unquote(value)):
                yield f"`{name}` is `{unquote(value)}`, which `{pattern}` does not match"
            if any(segment in (".", "..", "") for segment in value.split("/")):
                yield f"`{name}` is `{value}`, which leads elsewhere"

    def query(self, method, pairs):
        parameters = {n: p for n, p in method.get("parameters", {}).items() if p["location"] == "query"}
        names = [name for name, _ in pairs]
        for name, value in pairs:
            known = parameters.get(name) or self.common.get(name)
            if known is None:
                yield f"query parameter `{name}` is not known"
                continue
            if names.count(name) > 1 and not known.get("repeated"):
                yield f"query parameter `{name}` stands twice"
            if not fits_text(known, value):
                yield f"query parameter `{name}` is `{value}`"
        yield from (f"query lacks `{n}`" for n, p in parameters.items() if p.get("required") and n not in names)

    def body(self, method, body):
        if "request" not in method:
            if body is not None:
                yield "has a body, which the method does not take"
            return
        if body is None:
            yield "has no body, which the method takes"
            return
        yield from self.value(method["request"], body, "body")

    def value(self, schema, value, at):
        """Everything in a value that a schema does not describe. Output-only members are not to be sent either."""
        if "$ref" in schema:
            schema = self.source["schemas"][schema["$ref"]]
        kind = schema.get("type", "any")
        if kind == "object":
            if not isinstance(value, dict):
                yield f"`{at}` is no object"
                return
            for name, member in value.items():
                inner = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
                if inner is None:
                    yield f"`{at}` has no member `{name}`"
                else:
                    yield from self.value(inner, member, f"{at}.{name}")
        elif kind == "array":
            if not isinstance(value, list):
                yield f"`{at}` is no list"
                return
            for index, element in enumerate(value):
                yield from self.value(schema["items"], element, f"{at}[{index}]")
        elif not fits(schema, value):
            yield f"`{at}` is {json.dumps(value)}, expected {schema.get('format', kind)} {schema.get('enum', '')}"


def fits_text(schema, text):
    """Whether a text is a parameter of this type."""
    kind = schema.get("type", "string")
    if kind == "boolean":
        return text in ("true", "false")
    if kind in ("integer", "number"):
        return bool(re.fullmatch(r"-?[0-9]+", text))
    return fits(schema, text)


def fits(schema, value):
    """Whether a scalar is of this type, format and set of values."""
    kind, form = schema.get("type", "any"), schema.get("format", "")
    if kind == "any":
        return value is not None
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if not isinstance(value, str):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if form in ("int64", "uint64"):
        return bool(re.fullmatch(r"-?[0-9]+", value))
    if form == "byte":
        return is_base64(value)
    if form in ("date-time", "google-datetime"):
        return is_time(value)
    return True


def is_base64(text):
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        return False
    return True


def is_time(text):
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def main():
    documents, called, read, wrong = {}, set(), 0, 0
    for line in sys.stdin:
        request = json.loads(line)
        name = f"{request['api']}:{request['method']}"
        key = (request["api"], request["version"])
        if key not in documents:
            documents[key] = Document(*key)
        for problem in documents[key].wrongs(request):
            print(f"{name}: {problem}")
            wrong += 1
        read += 1
        called.add(name)
    print(f"{read} requests of {len(called)} methods: {' '.join(sorted(called))}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
