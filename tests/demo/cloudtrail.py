"""The CloudTrail record that AWS would have written for a request that was really made.

No emulator writes usable records, so the demo derives them from the request and its answer. The casing follows the
records that AWS publishes: members start lower-case, EC2 wraps lists in `{"items": […]}`, S3 keeps header names and
sub-resource markers, IAM policies stay strings, S3 bucket policies become objects.
"""

import json
import uuid
from datetime import UTC, datetime

LOGGED_RESPONSES = {"RequestId", "ResponseMetadata"}


def lower_first(name):
    """`BucketName` → `bucketName`, `DBInstanceIdentifier` → `dBInstanceIdentifier`."""
    return name[:1].lower() + name[1:]


class Recorder:
    """Notes every request that a boto3 session makes, as CloudTrail would."""

    def __init__(self, session, identity, account, region):
        self.identity, self.account, self.region = identity, account, region
        self.records = []
        self._asked = None
        session.events.register("provide-client-params", self._note_request)
        session.events.register("after-call", self._note_answer)

    def _note_request(self, params, model, **_):
        self._asked = (model, params)

    def _note_answer(self, model, parsed, **_):
        asked, params = self._asked or (None, None)
        if asked is None or asked.name != model.name or model.name.startswith(("Get", "List", "Describe")):
            return
        error = parsed.get("Error") if "Error" in parsed else None
        self.records.append(self._record(model, params, parsed, error))

    def _record(self, model, params, answer, error):
        service = model.service_model.endpoint_prefix
        record = {
            "eventVersion": "1.11",
            "userIdentity": self.identity,
            "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": f"{service}.amazonaws.com",
            "eventName": model.name,
            "awsRegion": "us-east-1" if service == "iam" else self.region,
            "sourceIPAddress": "203.0.113.10",
            "userAgent": "aws-cli/2.31.0",
            "requestParameters": request_parameters(model, params),
            "responseElements": response_elements(model, answer),
            "requestID": str(uuid.uuid4()),
            "eventID": str(uuid.uuid4()),
            "readOnly": False,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": self.account,
            "eventCategory": "Management",
        }
        if error:
            record |= {"errorCode": error["Code"], "errorMessage": error["Message"], "responseElements": None}
        return record

    def last(self, event_name):
        """The newest record of an operation."""
        return next(record for record in reversed(self.records) if record["eventName"] == event_name)


def request_parameters(model, params):
    """`requestParameters` of one request."""
    if model.service_model.service_name == "s3":
        return s3_parameters(model, params)
    return shaped(model.input_shape, params, model.service_model.metadata["protocol"] == "ec2", request=True)


def response_elements(model, answer):
    """`responseElements` of one answer; `None` when there is nothing in it."""
    kept = {key: value for key, value in answer.items() if key not in LOGGED_RESPONSES}
    ec2 = model.service_model.metadata["protocol"] == "ec2"
    if not kept or model.output_shape is None or model.service_model.service_name == "s3":
        return {"requestId": str(uuid.uuid4()), "_return": True} if ec2 else None
    elements = shaped(model.output_shape, kept, ec2, request=False)
    if ec2 and "return" in elements:
        elements["_return"] = elements.pop("return")
    return elements


def shaped(shape, value, ec2, request):
    """One value in CloudTrail's casing. Keys of maps are data and stay as they are."""
    if shape.type_name == "structure":
        members = {}
        for name, member in shape.members.items():
            if name in value:
                wire = member.serialization.get("name", name) if ec2 else name
                members[lower_first(wire)] = shaped(member, value[name], ec2, request)
            elif ec2 and request and member.type_name == "list" and shape.name == "IpPermission":
                members[lower_first(member.serialization.get("name", name))] = {}
        return members
    if shape.type_name == "list":
        items = [shaped(shape.member, item, ec2, request) for item in value]
        return ({"items": items} if items else {}) if ec2 else items
    if shape.type_name == "map":
        return {key: shaped(shape.value, item, ec2, request) for key, item in value.items()}
    return value.isoformat() if isinstance(value, datetime) else value


def s3_parameters(model, params):
    """S3 logs the bucket, the host, a marker for the sub-resource, headers by name, and a policy as an object."""
    bucket = params["Bucket"]
    logged = {"bucketName": bucket, "Host": f"{bucket}.s3.us-east-1.amazonaws.com"}
    marker = model.http["requestUri"].partition("?")[2].partition("&")[0]
    if marker:
        logged[marker] = ""
    for name, member in model.input_shape.members.items():
        if name in params and member.serialization.get("location") == "header":
            logged[member.serialization["name"]] = [params[name]]
    if "Policy" in params:
        logged["bucketPolicy"] = json.loads(params["Policy"])
    for name in ("PublicAccessBlockConfiguration", "AccessControlPolicy", "OwnershipControls"):
        if name in params:
            logged[name] = params[name]
    return logged


def envelope(record, source):
    """An entry for PutEvents: what EventBridge wraps around the record."""
    return {"Source": source, "DetailType": "AWS API Call via CloudTrail", "Detail": json.dumps(record)}
