#!/usr/bin/env python3
"""Calls a local Google Cloud with Google's own client for tests, one JSON line in, one JSON line out.

    client.py URL

In: `{"service":"storage","operation":"buckets.get","parameters":{…}}`, named as in the discovery documents, the body as `body`.
Out: `{"ok":{…}}` or `{"error":{"code":…,"message":…}}`, the code a canonical status or a reason. Operations are followed to their
end. So tests prepare and read state with Google's own client, and not with the one under test.
"""

import json
import sys

import httplib2
from discovery import Document
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

VERSIONS = {"bigquery": "v2", "cloudresourcemanager": "v3", "logging": "v2"}


class WithToken(httplib2.Http):
    """The client refuses to send real credentials over plain HTTP; these are none."""

    def request(self, uri, method="GET", body=None, headers=None, **more):
        return super().request(uri, method, body, {**(headers or {}), "authorization": "Bearer test"}, **more)


def called(service, operation, parameters):
    """Walks `projects.serviceAccounts.create` down the client's resources and calls it."""
    *resources, method = operation.split(".")
    for resource in resources:
        service = getattr(service, resource)()
    named = {name.replace(".", "_").replace("-", "_"): value for name, value in parameters.items()}
    return getattr(service, method)(**named).execute()


def finished(clients, service, answer, parameters):
    """The answer; an operation's last, if it is one."""
    kind = answer.get("kind") if isinstance(answer, dict) else None
    polls = {"compute#operation": "globalOperations.get", "sql#operation": "operations.get"}
    while kind in polls and answer["status"] != "DONE":
        named = {"project": parameters["project"], "operation": answer["name"]}
        answer = called(clients[service], polls[kind], named)
    return answer


def main():
    clients = {}
    for line in sys.stdin:
        call = json.loads(line)
        service, parameters = call["service"], call["parameters"]
        if service not in clients:
            version = VERSIONS.get(service, "v1")
            options = {"api_endpoint": f"{sys.argv[1]}/{Document(service, version).source['servicePath']}"}
            clients[service] = build(service, version, http=WithToken(), client_options=options, static_discovery=True)
        try:
            answer = called(clients[service], call["operation"], parameters)
            reply = {"ok": finished(clients, service, answer, parameters)}
        except HttpError as error:
            told = json.loads(error.content)["error"]
            code = told.get("status") or told["errors"][0]["reason"]
            reply = {"error": {"code": code, "message": told["message"]}}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
