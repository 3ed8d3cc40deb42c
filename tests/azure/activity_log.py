"""The Activity Log of what was done through the Azure that tests play, in each shape that Azure delivers it in.

One operation makes a Start record, an Accept record when it takes its time, and a Success or Failure record; Event Grid
tells of the end only, and without bodies. Sources: "Azure activity log event schema" and "Azure subscription as an Event
Grid source", Microsoft Learn.
"""

import http
import json
import uuid
from datetime import UTC, datetime

from identities import TENANT
from store import OWNER

MANAGEMENT = "https://management.azure.com"
STATUS = {"Start": "Started", "Accept": "Accepted", "Success": "Succeeded", "Failure": "Failed"}


class Operation:
    """One write, deletion or action, and the records that it left so far."""

    def __init__(self, log, request, identity, address, action):
        self.log, self.identity, self.address, self.action = log, identity, address, action
        self.method, self.url = request.method, MANAGEMENT + request.raw
        self.client_request = request.headers.get("x-ms-client-request-id", str(uuid.uuid4()))
        self.correlation = request.headers.get("x-ms-correlation-request-id", str(uuid.uuid4()))
        body = request.body.decode(errors="replace")
        bare = any(address.kind.lower() == kind.lower() for kind in log.without_body)
        self._note("Start", {"requestbody": body} if body and not bare else {})

    def accept(self, status):
        """The provider took the request and works on it."""
        self._note("Accept", {"statusCode": http.HTTPStatus(status).phrase.replace(" ", "")}, status)

    def succeed(self, status, answer=None):
        """The operation is done."""
        more = {"statusCode": http.HTTPStatus(status).phrase.replace(" ", ""), "serviceRequestId": str(uuid.uuid4())}
        if answer:
            more["responseBody"] = json.dumps(answer)
        self._note("Success", more, status)

    def fail(self, status, error):
        """The operation was refused, or came to a bad end."""
        more = {"statusCode": http.HTTPStatus(status).phrase.replace(" ", ""), "statusMessage": json.dumps({"error": error})}
        self._note("Failure", more, status)

    def _note(self, result, properties, status=None):
        self.log.records.append(Record(self, result, properties, status))


class Record:
    """One record, in no shape yet."""

    def __init__(self, operation, result, properties, status):
        self.operation, self.result, self.properties, self.status = operation, result, properties, status
        self.time = datetime.now(UTC)
        self.event_id = str(uuid.uuid4())

    def _authorization(self):
        operation, address = self.operation, self.operation.address
        scope = f"/subscriptions/{address.subscription}" if address.subscription else "/"
        return {
            "scope": address.id or "/",
            "action": operation.action,
            "evidence": {
                "role": "Owner",
                "roleAssignmentScope": scope,
                "roleAssignmentId": uuid.uuid5(uuid.NAMESPACE_DNS, operation.identity.name).hex,
                "roleDefinitionId": OWNER.replace("-", ""),
                "principalId": operation.identity.object_id.replace("-", ""),
                "principalType": operation.identity.kind,
            },
        }

    def event_hub(self):
        """An element of `records`, as diagnostic settings send it to Event Hubs: ids and operations in upper case."""
        operation = self.operation
        phrase = http.HTTPStatus(self.status).phrase.replace(" ", "") if self.status else ""
        message = {"eventCategory": "Administrative", "entity": operation.address.id, "message": operation.action}
        return {
            "time": self.time.strftime("%Y-%m-%dT%H:%M:%S.%f0Z"),
            "resourceId": operation.address.id.upper(),
            "operationName": operation.action.upper(),
            "category": "Administrative",
            "resultType": self.result,
            "resultSignature": f"{STATUS[self.result]}.{phrase}",
            "durationMs": 0 if self.result == "Start" else 118,
            "callerIpAddress": operation.identity.ip,
            "correlationId": operation.correlation,
            "identity": {"authorization": self._authorization(), "claims": operation.identity.claims()},
            "level": "Error" if self.result == "Failure" else "Information",
            "location": "global",
            "tenantId": TENANT,
            "properties": self.properties | message,
        }

    def event_grid(self):
        """An event in the Event Grid schema; None for a record that Event Grid does not tell of."""
        if self.result not in ("Success", "Failure"):
            return None
        operation, address = self.operation, self.operation.address
        verb = {"write": "Write", "delete": "Delete"}.get(operation.action.rpartition("/")[2], "Action")
        return {
            "id": self.event_id,
            "topic": f"/subscriptions/{address.subscription}",
            "subject": address.id,
            "eventType": f"Microsoft.Resources.Resource{verb}{self.result}",
            "eventTime": self.time.strftime("%Y-%m-%dT%H:%M:%S.%f0Z"),
            "data": {
                "authorization": self._authorization(),
                "claims": operation.identity.claims(),
                "correlationId": operation.correlation,
                "httpRequest": {"clientRequestId": operation.client_request, "clientIpAddress": operation.identity.ip,
                                "method": operation.method, "url": operation.url},
                "resourceProvider": address.kind.split("/")[0],
                "resourceUri": address.id,
                "operationName": operation.action,
                "status": STATUS[self.result],
                "subscriptionId": address.subscription,
                "tenantId": TENANT,
            },
            "dataVersion": "2",
            "metadataVersion": "1",
        }


class Log:
    """The records so far. `without_body` names kinds whose providers log no request body."""

    def __init__(self):
        self.records, self.without_body = [], []

    def begin(self, request, identity, address, action):
        """A request that changes something begins."""
        return Operation(self, request, identity, address, action)

    def shaped(self, shape, since=0):
        """The records from a position on, in a shape: `event_hub` or `event_grid`."""
        shaped = (getattr(record, shape)() for record in self.records[since:])
        return [record for record in shaped if record]
