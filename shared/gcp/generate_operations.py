#!/usr/bin/env python3
"""Writes the operations table of the Google Cloud caller from the discovery documents that Google publishes.

    pip install --no-deps google-api-python-client==<CLIENT below>
    python3 shared/gcp/generate_operations.py           # after a change of operations.txt or of the version
    python3 shared/gcp/generate_operations.py --check   # fails when a file is not what would be written

For each API named in operations/operations.txt it writes operations/<api>.json: where the API is, the methods named
with their path, parameters and pages, and the schemas that their request bodies reach. Descriptions are left out, and
so are the schemas of answers: the caller does not need them.
"""

import importlib.metadata
import importlib.util
import json
import re
import sys
from pathlib import Path

CLIENT = "2.202.0"

# Which version of each API. Where an API has several in use, the one that gcloud and the Terraform provider call.
VERSIONS = {
    "bigquery": "v2",
    "cloudkms": "v1",
    "cloudresourcemanager": "v3",
    "compute": "v1",
    "container": "v1",
    "iam": "v1",
    "logging": "v2",
    "pubsub": "v1",
    "secretmanager": "v1",
    "sqladmin": "v1",
    "storage": "v1",
}

# Headers that a method honours and that discovery documents do not list. BigQuery takes an entity tag in `If-Match`, as
# its own client libraries send it (google-cloud-bigquery, `Client.update_dataset`).
HEADERS = {("bigquery", "datasets.patch"): "If-Match"}

HERE = Path(__file__).parent / "operations"
SCHEMA = ("$ref", "type", "format", "enum")


def documents():
    """The folder of discovery documents in the installed client. Nothing of the client is imported."""
    try:
        installed = importlib.metadata.version("google-api-python-client")
    except importlib.metadata.PackageNotFoundError:
        installed = "not installed"
    if installed != CLIENT:
        sys.exit(f"google-api-python-client is {installed}: pip install --no-deps google-api-python-client=={CLIENT}")
    package = importlib.util.find_spec("googleapiclient")
    return Path(package.submodule_search_locations[0]) / "discovery_cache" / "documents"


def methods(resources, prefix=""):
    """Every method below a `resources` member, by its dotted name."""
    for name, resource in resources.items():
        for method, source in resource.get("methods", {}).items():
            yield f"{prefix}{name}.{method}", source
        yield from methods(resource.get("resources", {}), f"{prefix}{name}.")


def segments(pattern):
    """`^projects/[^/]+/sinks/[^/]+$` as `projects/*/sinks/*`: what a path parameter that holds slashes is made of."""
    inner = pattern.removeprefix("^").removesuffix("$").replace("[^/]+", "*")
    if not re.fullmatch(r"[A-Za-z*]+(/[A-Za-z*]+)*", inner):
        sys.exit(f"`{pattern}` is no pattern of path segments")
    return inner


def parameter(name, source, path):
    kept = {"in": source["location"]}
    if source.get("required") or source["location"] == "path":
        kept["required"] = True
    if source.get("repeated"):
        kept["repeated"] = True
    if source["type"] != "string":
        kept["type"] = source["type"]
    if source["location"] == "path" and "{+" + name + "}" in path:
        kept["segments"] = segments(source["pattern"])
    return kept


def pages(source, schemas):
    """The member whose lists are joined over the pages; absent for a method that answers in one."""
    if "pageToken" not in source.get("parameters", {}):
        return None
    answer = schemas[source["response"]["$ref"]]["properties"]
    if "nextPageToken" not in answer:
        return None
    lists = [name for name, member in answer.items() if member.get("type") == "array" and name != "unreachable"]
    if len(lists) != 1:
        sys.exit(f"{source['id']}: which of {lists} holds the page's items?")
    return lists[0]


def operation(api, name, source, schemas):
    kept = {"method": source["httpMethod"], "path": source["path"]}
    parameters = {n: parameter(n, p, source["path"]) for n, p in sorted(source.get("parameters", {}).items())}
    if (api, name) in HEADERS:
        parameters[HEADERS[api, name]] = {"in": "header"}
    if parameters:
        kept["parameters"] = parameters
    if "request" in source:
        kept["request"] = source["request"]["$ref"]
    joined = pages(source, schemas)
    if joined:
        kept["pages"] = joined
    if source.get("response", {}).get("$ref") == "Operation":
        kept["operation"] = True
    return kept


def schema(source):
    kept = {key: source[key] for key in SCHEMA if key in source}
    if "items" in source:
        kept["items"] = schema(source["items"])
    if "properties" in source:
        kept["properties"] = {name: schema(member) for name, member in sorted(source["properties"].items())}
    if "additionalProperties" in source:
        kept["additionalProperties"] = schema(source["additionalProperties"])
    return kept


def references(kept):
    if "$ref" in kept:
        yield kept["$ref"]
    for inner in [kept.get("items"), kept.get("additionalProperties"), *kept.get("properties", {}).values()]:
        if inner:
            yield from references(inner)


def reachable(schemas, operations):
    """The schemas that request bodies lead to, by name."""
    found = {}
    waiting = [kept["request"] for kept in operations.values() if "request" in kept]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = schema(schemas[name])
            waiting.extend(references(found[name]))
    return dict(sorted(found.items()))


def table(folder, api, names):
    document = json.loads((folder / f"{api}.{VERSIONS[api]}.json").read_text())
    known = dict(methods(document["resources"]))
    unknown = sorted(names - set(known))
    if unknown:
        sys.exit(f"{api} {VERSIONS[api]} has no {', '.join(unknown)}")
    schemas = document["schemas"]
    operations = {name: operation(api, name, known[name], schemas) for name in sorted(names)}
    return {
        "name": api,
        "version": document["version"],
        "revision": document["revision"],
        "root": document["rootUrl"],
        "base": document["servicePath"],
        "operations": operations,
        "schemas": reachable(schemas, operations),
    }


def write(value):
    """JSON with one method or schema per line, so that a difference shows what changed."""
    lines = []
    for key, part in value.items():
        if key in ("operations", "schemas") and part:
            inner = ",\n".join(f"    {json.dumps(name)}: {json.dumps(item)}" for name, item in part.items())
            lines.append(f"  {json.dumps(key)}: {{\n{inner}\n  }}")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(part)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def generate():
    named = {}
    for line in (HERE / "operations.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            api, name = line.split(":")
            named.setdefault(api, set()).add(name)
    folder = documents()
    return {f"{api}.json": write(table(folder, api, names)) for api, names in sorted(named.items())}


def main():
    files = generate()
    stale = [name for name, text in files.items() if not (HERE / name).is_file() or (HERE / name).read_text() != text]
    stale += [path.name for path in HERE.glob("*.json") if path.name not in files]
    if "--check" in sys.argv[1:]:
        if stale:
            sys.exit(f"not up to date: {', '.join(sorted(stale))}: run python3 shared/gcp/generate_operations.py")
        return
    for path in HERE.glob("*.json"):
        path.unlink()
    for name, text in files.items():
        (HERE / name).write_text(text)
    print(f"{len(files)} APIs, {sum(len(text) for text in files.values())} bytes")


if __name__ == "__main__":
    main()
