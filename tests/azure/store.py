"""The resources of the Azure that tests play, and how PUT and PATCH change them."""

import copy
import itertools

import kinds
from ids import GROUPS, SUBSCRIPTIONS, Address, parse, within
from web import Refusal

VERSIONS = itertools.count(1)
READ_ONLY = ("id", "name", "type", "etag", "systemData")
OWNER, CONTRIBUTOR, READER, ACCESS_ADMINISTRATOR = (
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
)
ROLES = {OWNER: ("Owner", ["*"]), CONTRIBUTOR: ("Contributor", ["*"]), READER: ("Reader", ["*/read"]),
         ACCESS_ADMINISTRATOR: ("User Access Administrator", ["*/read", "Microsoft.Authorization/*"])}


class Resource:
    """One resource. `body` is what its maker wrote and the service filled in, without the embedded parts."""

    def __init__(self, address, body):
        self.address, self.key, self.body = address, address.key, body
        self.touch()

    def touch(self):
        """Gives it a new version."""
        self.etag = f'W/"00000000-0000-4000-8000-{next(VERSIONS):012x}"'


class Store:
    """Every resource, by lower-case id, in the order of their making."""

    def __init__(self):
        self.resources = {}

    def get(self, address):
        """The resource, also one that is always there; None when there is none."""
        found = self.resources.get(address.key)
        return found or self._always_there(address)

    def _always_there(self, address):
        kind = kinds.of(address.kind)
        if kind.name.endswith("/roleDefinitions") and address.name.lower() in ROLES:
            role, actions = ROLES[address.name.lower()]
            properties = {"roleName": role, "type": "BuiltInRole", "permissions": [{"actions": actions, "notActions": []}]}
            return Resource(address, {"properties": properties})
        if kind.default is None or (address.parent and not self.get(address.parent)):
            return None
        if kind.name.endswith("/pricings") and address.name.lower() not in {plan.lower() for plan in kinds.PLANS}:
            return None
        return Resource(address, {"properties": copy.deepcopy(kind.default)})

    def of_kind(self, kind):
        """Every resource of a kind."""
        return [resource for resource in self.resources.values() if resource.address.kind.lower() == kind.lower()]

    def children(self, parent, kind):
        """A resource's parts of one kind."""
        return [child for child in self.of_kind(kind) if child.address.parent and child.address.parent.key == parent.key]

    def listed(self, address):
        """What a list of a kind in a scope holds: the resources that lie there, at any depth for a scope that is no parent."""
        if address.names:
            parent = Address(address.scope, address.kind.rpartition("/")[0], address.names, True)
            return self.children(parent, address.kind)
        found = [resource for resource in self.of_kind(address.kind) if within(resource.key, address.scope)]
        if address.kind == "Microsoft.Security/pricings":
            plans = [Address(address.scope, address.kind, (plan,), True) for plan in kinds.PLANS]
            found += [self._always_there(plan) for plan in plans if plan.key not in self.resources]
        if address.kind == "Microsoft.Authorization/roleDefinitions":
            found += [self._always_there(Address(address.scope, address.kind, (role,), True)) for role in ROLES]
        return found

    def require_place(self, address):
        """Refuses a resource whose parent, group or subscription is not there."""
        if address.parent and not self.get(address.parent):
            message = f"Can not perform requested operation on nested resource. Parent resource '{address.parent.name}' not found."
            raise Refusal(404, "ParentResourceNotFound", message)
        if address.subscription and f"/subscriptions/{address.subscription}".lower() not in self.resources:
            raise Refusal(404, "SubscriptionNotFound", f"The subscription '{address.subscription}' could not be found.")
        if address.group and address.kind != GROUPS and address.group.lower() not in self.resources:
            raise Refusal(404, "ResourceGroupNotFound", f"Resource group '{address.group.rpartition('/')[2]}' could not be found.")

    def view(self, resource):
        """A resource as a GET shows it, with its embedded parts."""
        kind, address = kinds.of(resource.address.kind), resource.address
        body = {"id": address.id, "name": address.name, "type": address.kind}
        if kind.etag:
            body["etag"] = resource.etag
        body |= copy.deepcopy(resource.body)
        for part in kinds.embedded_in(address.kind):
            body.setdefault("properties", {})[part.embedded] = [self.view(child) for child in self.children(address, part.name)]
        return body

    def lay(self, address, body):
        """Puts a resource there as a PUT leaves it, and its embedded parts with it."""
        body = {name: copy.deepcopy(value) for name, value in body.items() if name not in READ_ONLY}
        parts = {}
        for part in kinds.embedded_in(address.kind):
            parts[part] = body.get("properties", {}).pop(part.embedded, None) or []
        old = self.resources.get(address.key)
        resource = self.resources.setdefault(address.key, Resource(address, body))
        resource.body = body
        if old:
            resource.touch()
        for part, items in parts.items():
            self._lay_parts(resource, part, items)
        self._touch_parent(address)
        return resource

    def _lay_parts(self, parent, kind, items):
        wanted = [Address(parent.address.scope, kind.name, (*parent.address.names, item["name"]), True) for item in items]
        keep = {address.key for address in wanted}
        for child in self.children(parent.address, kind.name):
            if child.key not in keep:
                del self.resources[child.key]
        for address, item in zip(wanted, items):
            body = {"properties": filled(kind, item.get("properties", {}))}
            old = self.resources.get(address.key)
            if old and old.body == body:
                continue  # an untouched part keeps its version
            if kind.check:
                kind.check(body["properties"], self, address)
            self.resources[address.key] = Resource(old.address if old else address, body)

    def _touch_parent(self, address):
        if kinds.of(address.kind).embedded and address.parent.key in self.resources:
            self.resources[address.parent.key].touch()

    def remove(self, address):
        """Takes a resource away, with everything below it."""
        gone = [key for key in self.resources if within(key, address.id)]
        for key in gone:
            del self.resources[key]
        self._touch_parent(address)
        return bool(gone)


def filled(kind, properties, before=None):
    """Properties with what the service fills in: of an update, read-only states stay, the rest falls back to the default."""
    return {**copy.deepcopy(kind.filled), **computed(before), **copy.deepcopy(properties)}


def computed(before):
    """Properties that the service made at the creation and that nobody writes."""
    return {name: before[name] for name in ("vaultUri", "creationTime", "uniqueId") if before and name in before}


def merged(kind, old, patch):
    """A resource body after a PATCH: objects are merged, null removes, and what `replaced` names is replaced."""

    def merge(target, change, path):
        for name, value in change.items():
            whole = path == ("properties",) and name in kind.replaced
            if value is None:
                target.pop(name, None)
            elif isinstance(value, dict) and isinstance(target.get(name), dict) and not whole and name != "tags":
                merge(target[name], value, (*path, name))
            else:
                target[name] = copy.deepcopy(value)
        return target

    return merge(copy.deepcopy(old), {name: value for name, value in patch.items() if name not in READ_ONLY}, ())


def seeded(store, id_, body):
    """Lays a resource without asking anything; for tests."""
    address = parse(id_)
    kind = kinds.of(address.kind)
    if address.kind not in (GROUPS, SUBSCRIPTIONS):
        body = body | {"properties": filled(kind, body.get("properties", {}))}
    return store.lay(address, body)
