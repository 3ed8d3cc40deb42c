"""What differs from one kind of resource to the next: spelling, verbs, default values, parts, and what is refused.

A kind that is not listed here is served all the same, with the rules that hold for all. What is listed follows the
REST API specifications (github.com/Azure/azure-rest-api-specs) and the services' documentation. Where these leave open
how a service merges a PATCH, the stricter reading is taken: an object of `replaced` replaces what was there.
"""

from dataclasses import dataclass, field

from web import Refusal

ALL = frozenset({"GET", "PUT", "PATCH", "DELETE"})
ANY_IP = "0.0.0.0"


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of resource."""

    name: str
    verbs: frozenset = ALL
    slow: frozenset = frozenset()  # verbs that begin an operation
    etag: bool = False  # has an `etag` and heeds `If-Match`
    tracked: bool = False  # lies in a location
    embedded: str = ""  # the parent's property that lists these
    default: dict | None = None  # properties of a thing that is always there
    filled: dict = field(default_factory=dict)  # properties that the service fills in
    replaced: tuple = ()  # properties that a PATCH replaces as a whole
    tags_only: bool = False  # what a PATCH may change
    created: int = 201  # what the first PUT answers
    check: object = None  # raises Refusal for properties that are wrong


def required(properties, *names):
    """Refuses properties that lack one of the names."""
    missing = [name for name in names if properties.get(name) in (None, "")]
    if missing:
        raise Refusal(400, "InvalidRequestFormat", f"Required properties are missing: {', '.join(missing)}.")


def check_rule(properties, store, address):
    """A security rule: the properties it needs, its priority's range, and that no other rule has it."""
    required(properties, "protocol", "access", "direction", "priority")
    priority = properties["priority"]
    if not isinstance(priority, int) or not 100 <= priority <= 4096:
        message = f"Security rule has invalid Priority. Value provided: {priority} Allowed range 100-4096."
        raise Refusal(400, "SecurityRuleInvalidPriority", message)
    if not any(properties.get(name) for name in ("sourceAddressPrefix", "sourceAddressPrefixes", "sourceApplicationSecurityGroups")):
        raise Refusal(400, "SecurityRuleParameterNotSpecified", "Required security rule parameters are missing: Source Address.")
    for other in store.children(address.parent, address.kind):
        theirs = other.body["properties"]
        if other.key != address.key and (theirs["priority"], theirs["direction"]) == (priority, properties["direction"]):
            message = f"Security rule {address.name} conflicts with rule {other.address.name}. Rules cannot have the same Priority and Direction."
            raise Refusal(400, "SecurityRuleConflict", message)


def check_container(properties, store, address):
    """A blob container: its account has a say in whether it may be public."""
    public = properties.get("publicAccess", "None")
    if public not in ("None", "Blob", "Container"):
        raise Refusal(400, "InvalidPublicAccess", f"`{public}` is no level of public access.")
    account = store.get(address.parent.parent)
    if public != "None" and not account.body["properties"].get("allowBlobPublicAccess"):
        raise Refusal(409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.")


def check_sql_rule(properties, _store, _address):
    """A SQL firewall rule: two IPv4 addresses in order."""
    required(properties, "startIpAddress", "endIpAddress")
    try:
        start, end = (tuple(int(part) for part in properties[name].split(".")) for name in ("startIpAddress", "endIpAddress"))
    except ValueError:
        start, end = (1,), ()
    if len(start) != 4 or len(end) != 4 or start > end:
        raise Refusal(400, "InvalidFirewallRuleAddress", "The addresses of a firewall rule are two IPv4 addresses in order.")


def check_assignment(properties, store, address):
    """A role assignment: immutable but for its texts, and one for each principal, role and scope."""
    required(properties, "principalId", "roleDefinitionId")
    same = lambda one, other: one.rpartition("/")[2].lower() == other.rpartition("/")[2].lower()  # noqa: E731
    for other in store.of_kind(address.kind):
        theirs = other.body["properties"]
        twin = theirs["principalId"] == properties["principalId"] and same(theirs["roleDefinitionId"], properties["roleDefinitionId"])
        texts = all(theirs.get(name) == properties.get(name) for name in ("condition", "description"))
        if other.key == address.key and not twin:
            message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
            raise Refusal(400, "RoleAssignmentUpdateNotPermitted", message)
        if twin and other.address.scope.lower() == address.scope.lower() and (other.key != address.key or texts):
            message = f"The role assignment already exists. The ID of the existing role assignment is {other.address.name}."
            raise Refusal(409, "RoleAssignmentExists", message)


def check_pricing(properties, _store, _address):
    """A Defender plan: one of two tiers."""
    if properties.get("pricingTier") not in ("Free", "Standard"):
        raise Refusal(400, "InvalidInput", "`pricingTier` is Free or Standard.")


def check_lock(properties, _store, _address):
    """A lock: one of two levels."""
    if properties.get("level") not in ("CanNotDelete", "ReadOnly"):
        raise Refusal(400, "LockLevelInvalid", "`level` is CanNotDelete or ReadOnly.")


def check_flow_log(properties, _store, _address):
    """A flow log: of what, and where to."""
    required(properties, "targetResourceId", "storageId")


def check_setting(properties, _store, _address):
    """A diagnostic setting: something to send, and a place to send it to."""
    places = ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId")
    if not any(properties.get(name) for name in places) or not (properties.get("logs") or properties.get("metrics")):
        raise Refusal(400, "BadRequest", "A diagnostic setting has a destination, and logs or metrics.")


NO_RULES = {"bypass": "AzureServices", "virtualNetworkRules": [], "ipRules": [], "defaultAction": "Allow"}
PLANS = ("VirtualMachines", "SqlServers", "AppServices", "StorageAccounts", "SqlServerVirtualMachines", "KeyVaults", "Arm",
         "Containers", "CosmosDbs", "CloudPosture", "OpenSourceRelationalDatabases")
PUT_GET_DELETE = frozenset({"GET", "PUT", "DELETE"})
WRITES = frozenset({"PUT", "PATCH", "DELETE"})

KNOWN = [
    Kind("Microsoft.Storage/storageAccounts", slow=frozenset({"PUT"}), tracked=True, replaced=("networkAcls", "encryption"), filled={
        "provisioningState": "Succeeded", "allowBlobPublicAccess": False, "minimumTlsVersion": "TLS1_2",
        "supportsHttpsTrafficOnly": True, "networkAcls": NO_RULES}),
    Kind("Microsoft.Storage/storageAccounts/blobServices", verbs=frozenset({"GET", "PUT"}), default={
        "deleteRetentionPolicy": {"enabled": False}, "cors": {"corsRules": []}}),
    Kind("Microsoft.Storage/storageAccounts/blobServices/containers", etag=True, check=check_container, filled={
        "publicAccess": "None", "leaseStatus": "Unlocked", "leaseState": "Available", "deleted": False}),
    Kind("Microsoft.Network/networkSecurityGroups", slow=frozenset({"PUT", "DELETE"}), etag=True, tracked=True, tags_only=True,
         filled={"provisioningState": "Succeeded"}),
    Kind("Microsoft.Network/networkSecurityGroups/securityRules", verbs=PUT_GET_DELETE, slow=frozenset({"PUT", "DELETE"}), etag=True,
         embedded="securityRules", check=check_rule, filled={"provisioningState": "Succeeded"}),
    Kind("Microsoft.Network/virtualNetworks", slow=frozenset({"PUT", "DELETE"}), etag=True, tracked=True, tags_only=True,
         filled={"provisioningState": "Succeeded"}),
    Kind("Microsoft.Network/virtualNetworks/subnets", verbs=PUT_GET_DELETE, slow=frozenset({"PUT", "DELETE"}), etag=True,
         embedded="subnets", filled={"provisioningState": "Succeeded"}),
    Kind("Microsoft.Network/publicIPAddresses", slow=frozenset({"PUT", "DELETE"}), etag=True, tracked=True, tags_only=True,
         filled={"provisioningState": "Succeeded"}),
    Kind("Microsoft.Network/networkWatchers", tracked=True, etag=True, tags_only=True, filled={"provisioningState": "Succeeded"}),
    Kind("Microsoft.Network/networkWatchers/flowLogs", slow=frozenset({"PUT", "DELETE"}), etag=True, tracked=True, tags_only=True,
         check=check_flow_log, filled={"provisioningState": "Succeeded", "enabled": False, "retentionPolicy": {"days": 0, "enabled": False}}),
    Kind("Microsoft.Sql/servers", slow=WRITES, tracked=True, filled={
        "state": "Ready", "version": "12.0", "publicNetworkAccess": "Enabled", "minimalTlsVersion": "1.2", "restrictOutboundNetworkAccess": "Disabled"}),
    Kind("Microsoft.Sql/servers/firewallRules", verbs=PUT_GET_DELETE, check=check_sql_rule),
    Kind("Microsoft.Sql/servers/databases", slow=WRITES, tracked=True, filled={"status": "Online"}),
    Kind("Microsoft.Sql/servers/auditingSettings", verbs=frozenset({"GET", "PUT"}), slow=frozenset({"PUT"}), default={"state": "Disabled"}),
    Kind("Microsoft.KeyVault/vaults", slow=frozenset({"PUT"}), tracked=True, replaced=("networkAcls", "accessPolicies"), filled={
        "provisioningState": "Succeeded", "publicNetworkAccess": "Enabled", "enableSoftDelete": True,
        "softDeleteRetentionInDays": 90, "accessPolicies": []}),
    Kind("Microsoft.Authorization/roleAssignments", verbs=PUT_GET_DELETE, check=check_assignment),
    Kind("Microsoft.Authorization/roleDefinitions", verbs=PUT_GET_DELETE),
    Kind("Microsoft.Authorization/locks", verbs=PUT_GET_DELETE, check=check_lock),
    Kind("Microsoft.Security/pricings", verbs=PUT_GET_DELETE, created=200, check=check_pricing, default={"pricingTier": "Free", "freeTrialRemainingTime": "P30D"}),
    Kind("Microsoft.DocumentDB/databaseAccounts", created=200, slow=WRITES, tracked=True, replaced=("ipRules", "virtualNetworkRules"), filled={
        "provisioningState": "Succeeded", "publicNetworkAccess": "Enabled", "disableLocalAuth": False, "ipRules": [], "virtualNetworkRules": []}),
    Kind("Microsoft.Compute/virtualMachines", slow=WRITES, tracked=True, etag=True, filled={"provisioningState": "Succeeded"}),
    Kind("Microsoft.Compute/disks", slow=WRITES, tracked=True, filled={
        "provisioningState": "Succeeded", "networkAccessPolicy": "AllowAll", "publicNetworkAccess": "Enabled"}),
    Kind("Microsoft.ContainerService/managedClusters", slow=frozenset({"PUT", "PATCH", "DELETE"}), etag=True, tracked=True, tags_only=True,
         filled={"provisioningState": "Succeeded"}),
    Kind("Microsoft.ContainerInstance/containerGroups", slow=frozenset({"PUT", "DELETE"}), tracked=True, filled={"provisioningState": "Succeeded"}),
    Kind("Microsoft.Insights/diagnosticSettings", verbs=PUT_GET_DELETE, created=200, check=check_setting),
    Kind("Microsoft.Insights/activityLogAlerts", tracked=True, filled={"enabled": True}),
    Kind("Microsoft.DBforPostgreSQL/flexibleServers", slow=WRITES, tracked=True, filled={"state": "Ready"}),
    Kind("Microsoft.DBforPostgreSQL/flexibleServers/firewallRules", verbs=PUT_GET_DELETE, slow=frozenset({"PUT", "DELETE"}), check=check_sql_rule),
    Kind("Microsoft.DBforMySQL/flexibleServers", slow=WRITES, tracked=True, filled={"state": "Ready"}),
    Kind("Microsoft.DBforMySQL/flexibleServers/firewallRules", verbs=PUT_GET_DELETE, slow=frozenset({"PUT", "DELETE"}), check=check_sql_rule),
]
BY_NAME = {kind.name.lower(): kind for kind in KNOWN}


def of(name):
    """The kind of a name in any case."""
    return BY_NAME.get(name.lower()) or Kind(name)


def spelled(name):
    """A kind's name, or the beginning of one, as Azure spells it."""
    parts = name.split("/")
    for kind in KNOWN:
        known = kind.name.split("/")
        if len(known) >= len(parts) and [part.lower() for part in known[: len(parts)]] == [part.lower() for part in parts]:
            return "/".join(known[: len(parts)])
    for kind in KNOWN:  # an unknown kind of a known provider
        if kind.name.split("/")[0].lower() == parts[0].lower():
            return "/".join([kind.name.split("/")[0], *parts[1:]])
    return name


def embedded_in(parent):
    """The kinds that a parent lists in a property of its own."""
    return [kind for kind in KNOWN if kind.embedded and kind.name.rpartition("/")[0].lower() == parent.lower()]
