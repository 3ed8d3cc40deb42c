"""Calls a local AWS with boto3 for tests, one JSON line in, one JSON line out.

    client.py URL

In: `{"service":"s3","operation":"PutBucketPolicy","parameters":{…}}`. Out: `{"ok":{…}}` or `{"error":{"code":…,"message":…}}`.
So tests prepare and read state with AWS's own client, and not with the one under test.
"""

import base64
import json
import sys

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError


def given(value):
    """Parameters as boto3 takes them: `{"$base64": "…"}` stands for bytes."""
    if isinstance(value, list):
        return [given(item) for item in value]
    if isinstance(value, dict):
        return base64.b64decode(value["$base64"]) if "$base64" in value else {k: given(v) for k, v in value.items()}
    return value


def without_account_in_host(request, **_):
    """S3 Control puts the account in front of the host name, which an address has no room for; the header names it too."""
    request.url = request.url.replace("://123456789012.", "://", 1)


def main():
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, inject_host_prefix=False)
    clients = {}
    for line in sys.stdin:
        call = json.loads(line)
        service = call["service"]
        if service not in clients:
            clients[service] = session.client(service, endpoint_url=sys.argv[1], config=config)
            clients[service].meta.events.register("before-sign.s3-control", without_account_in_host)
        try:
            answer = getattr(clients[service], xform_name(call["operation"]))(**given(call["parameters"]))
            answer.pop("ResponseMetadata", None)
            if hasattr(answer.get("Body"), "read"):
                answer["Body"] = answer["Body"].read().decode()
            reply = {"ok": answer}
        except ClientError as error:
            reply = {"error": {"code": error.response["Error"]["Code"], "message": error.response["Error"]["Message"]}}
        print(json.dumps(reply, default=str), flush=True)


if __name__ == "__main__":
    main()
