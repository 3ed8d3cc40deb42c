#!/usr/bin/env python3
"""Calls a local Google Cloud with Google's own client for tests, one JSON line in, one JSON line out.

    client.py URL

In: `{"service":"storage","operation":"buckets.get","parameters":{…}}`, named as in the discovery documents, the body as `body`.
Out: `{"ok":{…}}` or `{"error":{"code":…,"message":…}}`, the code a canonical status or a reason. Operations are followed to their
end. So tests prepare and read state with Google's own client, and not with the one under test.
"""

import json
import sys

from google_client import called, finished, opened
from googleapiclient.errors import HttpError


def main():
    clients = {}
    for line in sys.stdin:
        call = json.loads(line)
        service, parameters = call["service"], call["parameters"]
        if service not in clients:
            clients[service] = opened(sys.argv[1], service)
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
