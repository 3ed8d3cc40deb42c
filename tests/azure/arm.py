"""Azure Resource Manager, as far as tests need it: any resource, with the manners that a caller has to know.

Versions, tokens, permissions, 200/201/202/204, ETags, nested resources, operations that take their time, throttling,
paging, locks. What is peculiar to a kind of resource is in `kinds.py`. Source: "Azure Resource Manager resource provider
contract" (github.com/cloud-and-ai-microsoft/resource-provider-contract) and the REST API specifications.

Switches (`POST /-/switch`): `throttle`, `fail` and `fail_after` (`{"times": 2, "match": "PATCH .*storage", "status": 503,
"after": 1}`), `asynchronous` (kinds whose writes take their time), `synchronous` (kinds whose do not), `polls` (how often an
operation answers `InProgress`), `operation_fails` (the error that operations end with), `page_size`.
"""

import itertools
import re
import uuid

import ids
import kinds
from activity_log import Log
from identities import Directory, Identity
from ids import GROUPS, SUBSCRIPTIONS, Address, within
from store import Store, filled, merged, seeded
from web import Cloud, Refusal, Response

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = "shop"
VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview|-alpha|-beta)?", re.IGNORECASE)
AUDIENCES = ("https://management.azure.com", "https://management.core.windows.net")
OPERATIONS = "providers/Microsoft.Resources/locations/global/operationStatuses/"
NUMBERS = itertools.count(1)


class Pending:
    """An operation that was begun and is asked after."""

    def __init__(self, finish, polls, address, delete):
        self.finish, self.polls, self.address, self.delete = finish, polls, address, delete
        self.error = None
        self.done = False


class Arm(Cloud):
    """The state of one Azure, and the answers to requests."""

    def reset(self):
        super().reset()
        self.store, self.log, self.directory, self.pending, self.events = Store(), Log(), Directory(), {}, []
        seeded(self.store, f"/subscriptions/{SUBSCRIPTION}", {"subscriptionId": SUBSCRIPTION, "displayName": "shop", "state": "Enabled"})
        seeded(self.store, f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}", {"location": "westeurope"})

    def control(self, request, name):
        if name == "seed":
            for resource in request.json():
                seeded(self.store, resource["id"], resource["body"])
            return Response(204)
        if name == "identity":
            identity = self.directory.add(Identity(**request.json()))
            return Response(200, {"token": f"{identity.name}-token", "header": f"{identity.name}-header", "object_id": identity.object_id})
        if name == "records":
            return Response(200, self.log.shaped(request.query["shape"], int(request.query.get("since", 0))))
        if name == "events":
            return Response(200, self.events)
        if name == "without_body":
            self.log.without_body = request.json()
            return Response(204)
        return super().control(request, name)

    def refuse(self, request, refusal):
        headers = {"x-ms-request-id": str(uuid.uuid4()), **refusal.headers}
        return Response(refusal.status, {"error": {"code": refusal.code, "message": str(refusal), **refusal.more}}, headers)

    def answer(self, request):
        if request.path == "/msi/token":
            return self.directory.token(request)
        if request.path == "/":
            return Response(200, {})
        if request.path.startswith("/topics/"):
            return self._publish(request)
        identity = self.directory.caller(request, AUDIENCES)
        self._version(request)
        self._misbehave(request, "throttle", 429)
        self._misbehave(request, "fail", 503)
        response = self._dispatch(request, identity)
        if request.method not in ("GET", "HEAD"):
            self._misbehave(request, "fail_after", 500)
        response.headers.setdefault("x-ms-request-id", str(uuid.uuid4()))
        response.headers.setdefault("x-ms-correlation-request-id", str(uuid.uuid4()))
        return response

    def _publish(self, request):
        """Event Grid: a custom topic's endpoint, `/topics/<name>/api/events`, which takes CloudEvents one or many at a time."""
        self.directory.caller(request, ("https://eventgrid.azure.net",))
        sent = request.json()
        self.events += sent if isinstance(sent, list) else [sent]
        return Response(200)

    def _version(self, request):
        version = next((value for name, value in request.query.items() if name.lower() == "api-version"), None)
        if not version:
            message = "The api-version query parameter (?api-version=) is required for all requests."
            raise Refusal(400, "MissingApiVersionParameter", message)
        if not VERSION.fullmatch(version):
            raise Refusal(400, "InvalidApiVersionParameter", f"The api-version '{version}' is invalid.")

    def _misbehave(self, request, name, status):
        switch = self.switches.get(name) or {}
        if switch.get("times", 0) < 1 or not re.search(switch.get("match", ""), f"{request.method} {request.path}", re.IGNORECASE):
            return
        switch["times"] -= 1
        status = switch.get("status", status)
        headers = {"Retry-After": str(switch["after"])} if "after" in switch else {}
        code = {429: "TooManyRequests", 503: "ServerBusy"}.get(status, "InternalServerError")
        raise Refusal(status, code, "The request is turned away for now.", headers)

    def _dispatch(self, request, identity):
        if OPERATIONS.lower() in request.path.lower():
            return self._operation_status(request, request.path.rpartition("/")[2])
        of_subscription = re.fullmatch(r"(/subscriptions/[^/]+)/resources", request.path, re.IGNORECASE)
        if of_subscription and request.method == "GET":
            return self._list_all(request, identity, of_subscription[1])
        address = ids.parse(request.path)
        if address is None:
            raise Refusal(404, "InvalidResourceType", f"`{request.path}` names no resource.")
        if request.method == "POST":
            return self._act(request, identity, address)
        if address.complete and request.method in ("GET", "HEAD"):
            self._permit(identity, address, "read")
            return self._get(request, address)
        if request.method == "GET":
            self._permit(identity, address, "read")
            return self._list(request, address)
        if not address.complete or request.method == "HEAD":
            raise Refusal(405, "MethodNotAllowed", f"{request.method} is not allowed on a collection.")
        return self._change(request, identity, address)

    def _permit(self, identity, address, verb):
        action = address.kind
        if not identity.may(f"{action}/{verb}"):
            message = (f"The client '{identity.name}' with object id '{identity.object_id}' does not have authorization to perform "
                       f"action '{action}/{verb}' over scope '{address.id}'.")
            raise Refusal(403, "AuthorizationFailed", message)
        return f"{action}/{verb}"

    def _found(self, address):
        resource = self.store.get(address)
        if resource is None:
            self.store.require_place(address)
            code = "ResourceGroupNotFound" if address.kind == GROUPS else "ResourceNotFound"
            message = f"The Resource '{address.kind.partition('/')[2]}/{address.name}' was not found."
            raise Refusal(404, code, message)
        return resource

    def _shown(self, status, resource, headers=None):
        etag = {"ETag": resource.etag} if kinds.of(resource.address.kind).etag else {}
        return Response(status, self.store.view(resource), etag | (headers or {}))

    def _get(self, request, address):
        resource = self._found(address)
        return Response(204) if request.method == "HEAD" else self._shown(200, resource)

    def _list(self, request, address):
        if address.names:
            self._found(Address(address.scope, address.kind.rpartition("/")[0], address.names, True))
        found = self.store.listed(address)
        if address.kind == "Microsoft.Authorization/roleAssignments":
            found = self._assignments(request, address)
        if address.kind == "Microsoft.Insights/diagnosticSettings":  # of this resource, not of what lies in it
            found = [resource for resource in found if resource.address.scope.lower() == address.scope.lower()]
        return self._page(request, [self.store.view(resource) for resource in found])

    def _list_all(self, request, identity, subscription):
        """Every resource of a subscription that lies in a location, without its properties."""
        if not identity.may("Microsoft.Resources/subscriptions/resources/read"):
            raise Refusal(403, "AuthorizationFailed", f"The client '{identity.name}' may not list the resources of the subscription.")
        found = [one for one in self.store.resources.values() if within(one.key, subscription) and kinds.of(one.address.kind).tracked]
        return self._page(request, [{key: value for key, value in self.store.view(one).items() if key != "properties"} for one in found])

    def _page(self, request, found):
        size = int(self.switches.get("page_size", 1000))
        start = int(request.query.get("$skiptoken", 0))
        body = {"value": found[start : start + size]}
        if start + size < len(found):
            version = request.query.get("api-version", "")
            body["nextLink"] = f"{request.host()}{request.raw}?api-version={version}&$skiptoken={start + size}"
        return Response(200, body)

    def _assignments(self, request, address):
        wanted = request.query.get("$filter", "")
        above = [r for r in self.store.of_kind(address.kind) if within(address.scope.lower(), r.address.scope)]
        below = [r for r in self.store.of_kind(address.kind) if within(r.address.scope.lower(), address.scope) and r not in above]
        found = above if "atscope()" in wanted.lower() else above + below
        principal = re.search(r"principalId eq '?([^' ]+)'?", wanted, re.IGNORECASE)
        return [r for r in found if not principal or r.body["properties"]["principalId"].lower() == principal[1].lower()]

    def _act(self, request, identity, address):
        """A POST: the last part of the path is an action, not a type."""
        if address.complete:
            raise Refusal(405, "MethodNotAllowed", "POST needs an action.")
        owner, action = address.kind.rpartition("/")[::2]
        target = Address(address.scope, owner, address.names, True)
        if address.names:
            self._found(target)
        self._permit(identity, target, f"{action}/action")
        operation = self.log.begin(request, identity, target, f"{owner}/{action}/action")
        answer = {"keys": [{"keyName": "key1", "permissions": "FULL", "value": "ZXhhbXBsZQ=="}]} if action.lower() == "listkeys" else {}
        operation.succeed(200)
        return Response(200, answer)

    def _change(self, request, identity, address):
        """A PUT, PATCH or DELETE: recorded, whatever becomes of it."""
        verb = "delete" if request.method == "DELETE" else "write"
        existing = self.store.get(address)
        named = existing.address if existing else address
        operation = self.log.begin(request, identity, named, f"{named.kind}/{verb}")
        try:
            self._permit(identity, address, verb)
            self._unlocked(address, request.method)
            kind = kinds.of(address.kind)
            if request.method not in kind.verbs:
                raise Refusal(405, "MethodNotAllowed", f"{request.method} is not allowed on {kind.name}.")
            self._precondition(request, kind, address)
            if request.method == "DELETE":
                return self._delete(request, operation, kind, address)
            return self._write(request, operation, kind, address)
        except Refusal as refusal:
            operation.fail(refusal.status, {"code": refusal.code, "message": str(refusal)})
            raise

    def _unlocked(self, address, method):
        for lock in self.store.of_kind("Microsoft.Authorization/locks"):
            level = lock.body["properties"].get("level")
            covers = within(address.key, lock.address.scope) and address.kind != lock.address.kind
            if covers and (level == "ReadOnly" or method == "DELETE"):
                message = f"The scope '{address.id}' cannot perform the operation because following scope(s) are locked: '{lock.address.scope}'."
                raise Refusal(409, "ScopeLocked", message)

    def _precondition(self, request, kind, address):
        existing, match, none = self.store.get(address), request.headers.get("if-match"), request.headers.get("if-none-match")
        if none == "*" and existing:
            raise Refusal(412, "PreconditionFailed", "The resource is there already.")
        if match and kind.etag and match != "*" and (existing is None or match.strip('"') != existing.etag.strip('"')):
            message = f"The condition '{match}' in the If-Match header was not satisfied."
            raise Refusal(412, "PreconditionFailed", message)
        if match == "*" and existing is None:
            raise Refusal(412, "PreconditionFailed", "The resource is not there.")

    def _body(self, request):
        try:
            body = request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise Refusal(400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.")
        return body

    def _wanted(self, request, kind, address, existing):
        """The body that a write leaves, and the resource's own checks of it."""
        body = self._body(request)
        before = existing.body.get("properties") if existing else None
        if request.method == "PATCH":
            if existing is None:
                self._found(address)
            if kind.tags_only and set(body) - {"tags"}:
                raise Refusal(400, "InvalidRequestContent", f"A PATCH of {kind.name} changes tags only.")
            whole = merged(kind, self.store.view(existing), body)
        else:
            if kind.tracked and not body.get("location") and existing is None:
                raise Refusal(400, "LocationRequired", "The location property is required for this definition.")
            whole = {"location": existing.body["location"]} | body if existing and "location" in existing.body else dict(body)
            if address.kind not in (GROUPS, SUBSCRIPTIONS):
                whole["properties"] = filled(kind, body.get("properties") or {}, before)
            special(address, whole)
        if kind.check:
            kind.check(whole["properties"], self.store, address)
        return whole

    def _write(self, request, operation, kind, address):
        self.store.require_place(address)
        if address.kind == "Microsoft.KeyVault/vaults/accessPolicies":
            return self._access_policies(request, operation, address)
        existing = self.store.get(address)
        whole = self._wanted(request, kind, address, existing)
        status = 200 if existing else kind.created
        if not self._takes_time(kind, request.method):
            resource = self.store.lay(address, whole)
            operation.succeed(status, self.store.view(resource))
            return self._shown(status, resource)
        if existing is None:
            visible = dict(whole, properties=dict(whole.get("properties", {}), provisioningState="Creating"))
            self.store.lay(address, visible)
        return self._begin(request, operation, address, status, lambda: self.store.lay(address, whole), known=existing)

    def _access_policies(self, request, operation, address):
        vault = self._found(address.parent)
        asked = self._body(request).get("properties", {}).get("accessPolicies", [])
        who = lambda policy: (policy.get("tenantId"), policy.get("objectId"), policy.get("applicationId"))  # noqa: E731
        kept = {who(policy): policy for policy in vault.body["properties"]["accessPolicies"]}
        for policy in asked:
            if address.name.lower() == "remove":
                kept.pop(who(policy), None)
            else:
                kept[who(policy)] = policy
        policies = asked if address.name.lower() == "replace" else list(kept.values())
        vault.body["properties"]["accessPolicies"] = policies
        operation.succeed(200)
        return Response(200, {"id": address.id, "type": address.kind, "properties": {"accessPolicies": policies}})

    def _delete(self, request, operation, kind, address):
        existing = self.store.get(address)
        if existing is None:
            operation.succeed(204)
            return Response(204)
        if self._takes_time(kind, "DELETE"):
            return self._begin(request, operation, address, 202, lambda: self.store.remove(address), delete=True)
        body = self.store.view(existing)
        self.store.remove(address)
        operation.succeed(200)
        return Response(200, body) if "Authorization" in address.kind else Response(200)

    def _takes_time(self, kind, verb):
        named = lambda switch: kind.name.lower() in [name.lower() for name in self.switches.get(switch, [])]  # noqa: E731
        return named("asynchronous") or (verb in kind.slow and not named("synchronous"))

    def _begin(self, request, operation, address, status, finish, delete=False, known=None):
        """Takes a request and answers before it is carried out."""
        number = f"00000000-0000-4000-8000-{next(NUMBERS):012d}"

        def end():
            error = self.switches.get("operation_fails")
            if error:
                operation.fail(error.get("status", 409), error)
                return error
            finish()
            resource = self.store.get(address)
            operation.succeed(200, self.store.view(resource) if resource else None)
            return None

        self.pending[number] = Pending(end, int(self.switches.get("polls", 1)), address, delete)
        operation.accept(202 if status == 200 else status)
        url = f"{request.host()}/subscriptions/{address.subscription}/{OPERATIONS}{number}?api-version=2016-03-30"
        headers = {"Azure-AsyncOperation": url, "Location": f"{url}&result=true", "Retry-After": "0"}
        resource = self.store.get(address)
        slow_status = 202 if delete or address.kind.startswith(("Microsoft.Sql", "Microsoft.Storage")) else status
        if resource is None or slow_status == 202:
            return Response(202, None, headers)
        response = self._shown(slow_status, resource, headers)
        view = self.store.view(resource)
        view.setdefault("properties", {})["provisioningState"] = "Updating" if known else "Creating"
        return Response(slow_status, view, response.headers)

    def _operation_status(self, request, number):
        pending = self.pending.get(number)
        if pending is None:
            raise Refusal(404, "OperationNotFound", f"There is no operation '{number}'.")
        result = request.query.get("result") == "true"
        if not pending.done and pending.polls > 0:
            pending.polls -= 1
            headers = {"Retry-After": "0"} | ({"Location": f"{request.host()}{request.raw}?api-version=2016-03-30&result=true"} if result else {})
            return Response(202, None, headers) if result else Response(200, {"name": number, "status": "InProgress"}, headers)
        if not pending.done:
            pending.error, pending.done = pending.finish(), True
        if pending.error:
            error = {"code": pending.error["code"], "message": pending.error["message"]}
            return Response(200 if not result else pending.error.get("status", 409), {"name": number, "status": "Failed", "error": error})
        if not result:
            return Response(200, {"name": number, "status": "Succeeded"})
        resource = self.store.get(pending.address)
        return Response(204) if pending.delete or resource is None else self._shown(200, resource)


def special(address, whole):
    """What a service writes into a new resource beside the values of `kinds.py`."""
    if address.kind == "Microsoft.KeyVault/vaults":
        whole["properties"].setdefault("vaultUri", f"https://{address.name}.vault.azure.net/")
    if address.kind == "Microsoft.Authorization/roleAssignments":
        whole["properties"] = {"scope": address.scope or "/"} | whole["properties"]
        role = whole["properties"].get("roleDefinitionId", "").rpartition("/")[2]
        prefix = f"/subscriptions/{address.subscription}" if address.subscription else ""
        whole["properties"]["roleDefinitionId"] = f"{prefix}/providers/Microsoft.Authorization/roleDefinitions/{role}"
