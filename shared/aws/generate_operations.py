#!/usr/bin/env python3
"""Writes the operations table of the AWS caller from the service models that botocore publishes.

    pip install botocore==<BOTOCORE below>
    python3 shared/aws/generate_operations.py           # after a change of operations.txt or of the version
    python3 shared/aws/generate_operations.py --check   # fails when a file is not what would be written

For each service named in operations/operations.txt it writes operations/<service>.json: the operations named, the
shapes they reach, and where the service is not found under its usual host name. Documentation, enumerations, limits
and patterns are left out: the caller does not need them. partitions.json says which host names a region's services
have.
"""

import json
import sys
from pathlib import Path

BOTOCORE = "1.43.106"

HERE = Path(__file__).parent / "operations"
PROTOCOLS = ("json", "query", "ec2", "rest-json", "rest-xml")

METADATA = (
    "apiVersion", "awsQueryCompatible", "endpointPrefix", "jsonVersion", "protocol", "serviceId", "signingName",
    "targetPrefix", "xmlNamespace",
)
OPERATION = ("http", "input", "output", "endpoint", "httpChecksum", "httpChecksumRequired")
SHAPE = (
    "type", "members", "member", "key", "value", "required", "payload", "document", "union", "flattened",
    "locationName", "xmlNamespace", "timestampFormat",
)
REFERENCE = (
    "shape", "location", "locationName", "queryName", "flattened", "xmlNamespace", "xmlAttribute", "timestampFormat",
    "jsonvalue", "idempotencyToken", "hostLabel", "resultWrapper",
)
PAGINATOR = ("input_token", "output_token", "result_key", "more_results")


def pick(source, keys):
    return {key: source[key] for key in keys if key in source}


def reference(source):
    return pick(source, REFERENCE)


def shape(source):
    kept = pick(source, SHAPE)
    for key in ("member", "key", "value"):
        if key in kept:
            kept[key] = reference(kept[key])
    if "members" in kept:
        kept["members"] = {name: reference(member) for name, member in kept["members"].items()}
    return kept


def references(kept):
    yield from (kept[key] for key in ("member", "key", "value") if key in kept)
    yield from kept.get("members", {}).values()


def operation(source, paginator):
    kept = pick(source, OPERATION)
    for key in ("input", "output"):
        if key in kept:
            kept[key] = reference(kept[key])
    kept["http"] = pick(kept["http"], ("method", "requestUri"))
    if kept.pop("httpChecksumRequired", False):
        sys.exit("an operation demands Content-MD5, which the caller does not write")
    if kept.pop("httpChecksum", {}).get("requestChecksumRequired"):
        kept["checksumRequired"] = True
    if paginator and "result_key" in paginator:
        pages = pick(paginator, PAGINATOR)
        for key in ("input_token", "output_token", "result_key"):
            pages[key] = pages[key] if isinstance(pages[key], list) else [pages[key]]
        kept["paginator"] = pages
    return kept


def name_flattened(shapes):
    """A flattened list is written under its own name. Where a model names its items instead, moves the name there."""
    for kept in shapes.values():
        for member in kept.get("members", {}).values():
            target = shapes[member["shape"]]
            flattened = member.get("flattened") or target.get("flattened")
            item = target.get("member", {}).get("locationName")
            if target["type"] == "list" and flattened and item and "locationName" not in member:
                member["locationName"] = item


def name_payloads(shapes):
    """The root of a body that is one member is named after the shape, as in Smithy; botocore names it after the member.
    Where the two differ, gives the shape the member's name."""
    for kept in shapes.values():
        if "payload" in kept:
            member = kept["members"][kept["payload"]]
            target = shapes[member["shape"]]
            if target["type"] == "structure" and member.get("locationName", member["shape"]) != member["shape"]:
                target["locationName"] = member["locationName"]


def reachable(model, operations):
    """The shapes that the operations' inputs and outputs lead to, by name."""
    found = {}
    waiting = [kept[key]["shape"] for kept in operations.values() for key in ("input", "output") if key in kept]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = shape(model["shapes"][name])
            waiting.extend(ref["shape"] for ref in references(found[name]))
    name_flattened(found)
    name_payloads(found)
    return dict(sorted(found.items()))


def hosts(partitions, prefix):
    """Where a service is one for a whole partition, and regions where its host name is not the usual one."""
    everywhere, special = {}, {}
    for partition in partitions:
        service = partition["services"].get(prefix, {})
        endpoints = service.get("endpoints", {})
        if service.get("isRegionalized") is False and service.get("partitionEndpoint") in endpoints:
            endpoint = endpoints[service["partitionEndpoint"]]
            region = endpoint["credentialScope"]["region"]
            everywhere[partition["partition"]] = {"hostname": endpoint["hostname"], "region": region}
            continue
        for region, endpoint in endpoints.items():
            usual = f"{prefix}.{region}.{partition['dnsSuffix']}"
            hostname = endpoint.get("hostname", usual)
            if hostname != usual and region in partition["regions"] and not endpoint.get("deprecated"):
                special[region] = hostname
    return pick({"global": everywhere, "hostnames": special}, [k for k, v in (("global", everywhere), ("hostnames", special)) if v])


def table(loader, service, names, partitions):
    model = loader.load_service_model(service, "service-2")
    try:
        pages = loader.load_service_model(service, "paginators-1")["pagination"]
    except Exception:  # botocore's loader raises its own type for "there is none"
        pages = {}
    metadata = pick(model["metadata"], METADATA)
    supported = [p for p in model["metadata"].get("protocols", [metadata["protocol"]]) if p in PROTOCOLS]
    if not supported:
        sys.exit(f"`{service}` speaks none of the protocols {', '.join(PROTOCOLS)}")
    metadata["protocol"] = metadata["protocol"] if metadata["protocol"] in supported else supported[0]
    if "awsQueryCompatible" in metadata:
        metadata["awsQueryCompatible"] = True
    operations = {name: operation(model["operations"][name], pages.get(name)) for name in sorted(names)}
    return {
        "name": service,
        "metadata": metadata,
        "hosts": hosts(partitions, metadata["endpointPrefix"]),
        "operations": operations,
        "shapes": reachable(model, operations),
    }


def write(value):
    """JSON with one operation or shape per line, so that a difference shows what changed."""
    lines = []
    for key, part in value.items():
        if key in ("operations", "shapes", "partitions"):
            inner = ",\n".join(f"    {json.dumps(name)}: {json.dumps(item)}" for name, item in part.items())
            lines.append(f"  {json.dumps(key)}: {{\n{inner}\n  }}")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(part)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def generate():
    try:
        import botocore
        from botocore.loaders import Loader
    except ImportError:
        sys.exit(f"botocore is not installed: pip install botocore=={BOTOCORE}")
    if botocore.__version__ != BOTOCORE:
        sys.exit(f"botocore is {botocore.__version__}, expected {BOTOCORE}: pip install botocore=={BOTOCORE}")
    loader = Loader(include_default_search_paths=False)
    loader.search_paths.append(str(Path(botocore.__file__).parent / "data"))
    named = {}
    for line in (HERE / "operations.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            service, name = line.split(":")
            named.setdefault(service, set()).add(name)
    endpoints = loader.load_data("endpoints")["partitions"]
    files = {f"{s}.json": write(table(loader, s, names, endpoints)) for s, names in sorted(named.items())}
    partitions = {
        p["id"]: {"suffix": p["outputs"]["dnsSuffix"], "regions": p["regionRegex"], "known": sorted(p["regions"])}
        for p in loader.load_data("partitions")["partitions"]
    }
    for partition in partitions.values():
        partition["prefixes"] = prefixes(partition.pop("regions"), partition.pop("known"))
    files["partitions.json"] = write({"partitions": partitions})
    return files


def prefixes(regex, known):
    """What the regions of a partition start with, from its regular expression: `us-gov-`, or `us-`, `eu-`, …"""
    head = regex.removeprefix("^").replace("\\-", "-").split("\\w")[0]
    before, _, rest = head.partition("(")
    inside, _, after = rest.partition(")")
    found = [f"{before}{part}{after}" for part in inside.split("|")]
    lost = [r for r in known if "global" not in r and not any(r.startswith(prefix) for prefix in found)]
    if lost:
        sys.exit(f"regions {lost} do not match {found}: read `{regex}` anew")
    return found


def main():
    files = generate()
    stale = [name for name, text in files.items() if not (HERE / name).is_file() or (HERE / name).read_text() != text]
    stale += [path.name for path in HERE.glob("*.json") if path.name not in files]
    if "--check" in sys.argv[1:]:
        if stale:
            sys.exit(f"not up to date: {', '.join(sorted(stale))}: run python3 shared/aws/generate_operations.py")
        return
    for path in HERE.glob("*.json"):
        path.unlink()
    for name, text in files.items():
        (HERE / name).write_text(text)
    print(f"{len(files) - 1} services, {sum(len(text) for text in files.values())} bytes")


if __name__ == "__main__":
    main()
