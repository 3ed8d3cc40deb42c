#!/usr/bin/env python3
"""Validates lines of JSON against the published OCSF schema of the version that each line names.

Reads standard input: one CloudEvent with an OCSF event in `data`, or a bare OCSF event, on each line. Lists every error by line
and path. Exit 0: all valid; 1: at least one invalid; 2: nothing to read.

Needs `ocsf-json-schema==1.2.0` and `jsonschema` (schemas come with the package: no network).
"""

import json
import re
import sys
from functools import cache

from jsonschema import Draft202012Validator
from ocsf_json_schema import get_ocsf_schema
from ocsf_json_schema.embedded import OcsfJsonSchemaEmbedded

CLOUDEVENT = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "minLength": 1, "pattern": r"^[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+$"},
        "type": {"type": "string", "minLength": 1},
        "subject": {"type": "string", "minLength": 1},
        "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"type": "string", "minLength": 1},
    },
}


@cache
def schema_of(version: str):
    return OcsfJsonSchemaEmbedded(get_ocsf_schema(version))


@cache
def validator_of(version: str, class_uid: int, profiles: tuple):
    schema = schema_of(version)
    name = schema.lookup_class_name_from_uid(class_uid)
    return Draft202012Validator(schema.get_class_schema(name, list(profiles)))


def problems(line: str):
    try:
        event = json.loads(line)
    except ValueError as error:
        yield f"no JSON: {error}"
        return
    if "specversion" in event:
        for error in Draft202012Validator(CLOUDEVENT).iter_errors(event):
            yield f"envelope {error.json_path}: {error.message}"
        if not all(re.fullmatch("[a-z0-9]+", name) for name in event):
            yield "envelope: attribute names are lower-case letters and digits"
        event = event.get("data", {})
    try:
        metadata = event["metadata"]
        validator = validator_of(metadata["version"], event["class_uid"], tuple(metadata.get("profiles", ())))
    except (KeyError, ValueError) as error:
        yield f"no class to validate against: {error}"
        return
    for error in validator.iter_errors(event):
        yield f"{error.json_path}: {error.message}"
    if event.get("type_uid") != event.get("class_uid", 0) * 100 + event.get("activity_id", 0):
        yield "$.type_uid: is not class_uid * 100 + activity_id"


def main() -> int:
    lines = [line for line in sys.stdin if line.strip()]
    if not lines:
        print("nothing to validate", file=sys.stderr)
        return 2
    wrong = [f"line {number}: {problem}" for number, line in enumerate(lines, 1) for problem in problems(line)]
    for problem in wrong:
        print(problem, file=sys.stderr)
    print(f"{len(lines)} events, {len(wrong)} problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
