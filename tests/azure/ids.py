"""Azure resource ids: what they name, at any nesting and scope.

An id is `<scope>/providers/<namespace>/<type>/<name>[/<type>/<name>…]`; the scope is empty (the tenant), a subscription,
a resource group, a management group, or another resource, which makes it an extension resource. Ids differ in case and
stay the same id. Source: "Azure Resource Manager resource id", Microsoft Learn.
"""

from dataclasses import dataclass

from kinds import spelled

GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"
SUBSCRIPTIONS = "Microsoft.Resources/subscriptions"


@dataclass(frozen=True)
class Address:
    """What a path names: one resource, or (`name` is None) all resources of a kind in a scope."""

    scope: str
    kind: str
    names: tuple
    complete: bool

    @property
    def id(self):
        """The id, spelled as Azure does it."""
        if self.kind in (GROUPS, SUBSCRIPTIONS):
            return self.scope
        namespace, *types = self.kind.split("/")
        pairs = [part for pair in zip(types, self.names) for part in pair]
        return "/".join([f"{self.scope}/providers/{namespace}", *pairs])

    @property
    def key(self):
        """The id in lower case: equal for the same resource."""
        return self.id.lower()

    @property
    def name(self):
        """The last part of the name."""
        return self.names[-1] if self.names else ""

    @property
    def parent(self):
        """The resource that this one is a part of; None for one that stands alone in its scope."""
        if len(self.names) < 2 or self.kind in (GROUPS, SUBSCRIPTIONS):
            return None
        return Address(self.scope, self.kind.rpartition("/")[0], self.names[:-1], True)

    @property
    def subscription(self):
        """The subscription's id; empty outside of one."""
        parts = self.scope.split("/")
        return parts[2] if len(parts) > 2 and parts[1] == "subscriptions" else ""

    @property
    def group(self):
        """The id of the resource group; None outside of one."""
        parts = self.scope.split("/")
        return "/".join(parts[:5]) if len(parts) > 4 and parts[3] == "resourceGroups" else None


def parse(path):
    """What a path names; None when it is no resource's or collection's."""
    parts = path.strip("/").split("/")
    lower = [part.lower() for part in parts]
    if "" in parts:
        return None
    if "providers" not in lower:
        return container(parts, lower)
    last = len(lower) - 1 - lower[::-1].index("providers")
    rest = parts[last + 1 :]
    if len(rest) < 2:
        return None
    scope = spelled_scope(parts[:last])
    types, names = rest[1::2], tuple(rest[2::2])
    return Address(scope, spelled("/".join([rest[0], *types])), names, len(types) == len(names))


def container(parts, lower):
    """A subscription, a resource group, or a list of either."""
    if lower[:1] != ["subscriptions"] or len(parts) > 4 or (len(parts) > 2 and lower[2] != "resourcegroups"):
        return None
    scope = spelled_scope(parts)
    kind = GROUPS if len(parts) > 2 else SUBSCRIPTIONS
    complete = len(parts) % 2 == 0
    return Address(scope, kind, tuple(parts[1::2]), complete)


def spelled_scope(parts):
    """A scope as Azure spells it, empty for the tenant's."""
    if not parts:
        return ""
    lower = [part.lower() for part in parts]
    if "providers" in lower:
        at = lower.index("providers")
        inner = parse("/".join(parts))
        if inner and inner.complete:
            return inner.id
        return "/".join([spelled_scope(parts[:at]), *parts[at:]])
    known = {"subscriptions": "subscriptions", "resourcegroups": "resourceGroups"}
    return "/" + "/".join(known.get(part.lower(), part) if at % 2 == 0 else part for at, part in enumerate(parts))


def within(key, scope):
    """Whether a resource lies in a scope, or is it."""
    return not scope or key == scope.lower() or key.startswith(scope.lower().rstrip("/") + "/")
