"""The risky changes that the demo's user makes in Azure, and how to tell that only the bad part of each is gone.

Each change prepares what was there before, makes the risky request with Microsoft's own client, and reads back what
stands: `left()` names the bad parts that are still there, `lost()` the legitimate ones that are missing.
"""

OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
TENANT = "00000000-0000-0000-0000-0000000000aa"
CONTRACTOR = "00000000-0000-0000-0000-0000000000b1"
PLACE = {"location": "westeurope"}


class Change:
    """One risky change. `owner` prepares and reads; `user` is the person who makes the change."""

    title = resource = ""
    needs_approval = False

    def __init__(self, owner, user, subscription, group):
        self.owner, self.user, self.group = owner, user, group
        self.scope = f"/subscriptions/{subscription}"

    def prepare(self):
        """Makes what was there before."""

    def make(self):
        """Makes the risky change."""
        raise NotImplementedError

    def left(self):
        """Bad parts that are still there."""
        raise NotImplementedError

    def lost(self):
        """Legitimate parts that are gone."""
        return set()


class PublicContainer(Change):
    title = "container made public"
    resource = "holiday-pictures"
    account = "shoppictures"

    def prepare(self):
        storage = self.owner("storage")
        account = PLACE | {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {"allowBlobPublicAccess": True}}
        storage.storage_accounts.begin_create(self.group, self.account, account).result()
        container = {"properties": {"metadata": {"team": "marketing"}}}
        storage.blob_containers.create(self.group, self.account, self.resource, container)

    def make(self):
        public = {"properties": {"publicAccess": "Container"}}
        self.user("storage").blob_containers.update(self.group, self.account, self.resource, public)

    def _container(self):
        return self.owner("storage").blob_containers.get(self.group, self.account, self.resource)

    def left(self):
        public = self._container().as_dict()["properties"].get("publicAccess", "None")
        return set() if public == "None" else {f"access for everyone: {public}"}

    def lost(self):
        return set() if self._container().metadata == {"team": "marketing"} else {"metadata"}


class OpenRdp(Change):
    """Adds two halves of the internet to a rule that lets two private networks in."""

    title = "port 3389 opened to two halves of the internet"
    resource, rule = "terminal", "remote-desktop"
    private, bad = ("10.0.0.0/8", "192.168.10.0/24"), ("0.0.0.0/1", "128.0.0.0/1")

    def _body(self, sources):
        return {"properties": {
            "protocol": "Tcp", "access": "Allow", "direction": "Inbound", "priority": 200, "sourcePortRange": "*",
            "destinationPortRange": "3389", "destinationAddressPrefix": "*", "sourceAddressPrefixes": list(sources)}}

    def write(self, client, sources):
        """Writes the rule with other sources."""
        client("network").security_rules.begin_create_or_update(self.group, self.resource, self.rule, self._body(sources)).result()

    def prepare(self):
        group = PLACE | {"properties": {"securityRules": [{"name": self.rule, **self._body(self.private)}]}}
        self.owner("network").network_security_groups.begin_create_or_update(self.group, self.resource, group).result()

    def make(self):
        self.write(self.user, (*self.private, *self.bad))

    def state(self):
        """The sources that the rule lets in now."""
        rule = self.owner("network").security_rules.get(self.group, self.resource, self.rule).as_dict()["properties"]
        return set(rule.get("sourceAddressPrefixes") or [rule.get("sourceAddressPrefix")])

    def left(self):
        return self.state() & set(self.bad)

    def lost(self):
        return set(self.private) - self.state()

    def change_meanwhile(self):
        """Somebody else's change after Onus took the bad sources back."""
        self.write(self.owner, (*self.private, "192.168.20.0/24"))


class OpenDatabase(Change):
    title = "database server opened to every address"
    resource = "orders"

    def prepare(self):
        sql = self.owner("sql")
        sql.servers.begin_create_or_update(self.group, self.resource, PLACE).result()
        sql.firewall_rules.create_or_update(self.group, self.resource, "office", self._range("203.0.113.1", "203.0.113.9"))

    def _range(self, start, end):
        return {"properties": {"startIpAddress": start, "endIpAddress": end}}

    def make(self):
        everything = self._range("0.0.0.0", "255.255.255.255")
        self.user("sql").firewall_rules.create_or_update(self.group, self.resource, "for-the-weekend", everything)

    def _rules(self):
        return {rule.name for rule in self.owner("sql").firewall_rules.list_by_server(self.group, self.resource)}

    def left(self):
        return self._rules() & {"for-the-weekend"}

    def lost(self):
        return {"office"} - self._rules()


class NewOwner(Change):
    title = "Owner of the subscription assigned to a contractor"
    resource = "00000000-0000-0000-0000-0000000000f2"

    def _assign(self, client, name, role):
        role = f"{self.scope}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        body = {"properties": {"principalId": CONTRACTOR, "principalType": "User", "roleDefinitionId": role}}
        client("authorization").role_assignments.create(self.scope, name, body)

    def prepare(self):
        self._assign(self.owner, "00000000-0000-0000-0000-0000000000f1", READER)

    def make(self):
        self._assign(self.user, self.resource, OWNER)

    def _roles(self):
        assignments = self.owner("authorization").role_assignments.list_for_subscription()
        return {entry.role_definition_id.rpartition("/")[2] for entry in assignments if entry.principal_id == CONTRACTOR}

    def left(self):
        return {"Owner"} if OWNER in self._roles() else set()

    def lost(self):
        return {"Reader"} if READER not in self._roles() else set()


class OpenVault(Change):
    """Somebody's applications may live off the open door: a person has to approve."""

    title = "key vault opened to every network"
    resource = "shop-secrets"
    needs_approval = True
    office = "203.0.113.0/24"

    def _acls(self, action):
        return {"properties": {"networkAcls": {
            "defaultAction": action, "bypass": "AzureServices", "ipRules": [{"value": self.office}], "virtualNetworkRules": []}}}

    def prepare(self):
        properties = {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}, **self._acls("Deny")["properties"]}
        self.owner("keyvault").vaults.begin_create_or_update(self.group, self.resource, PLACE | {"properties": properties}).result()

    def make(self):
        self.user("keyvault").vaults.update(self.group, self.resource, self._acls("Allow"))

    def _now(self):
        vault = self.owner("keyvault").vaults.get(self.group, self.resource).as_dict()
        return vault["properties"]["networkAcls"]

    def left(self):
        return {"every network"} if self._now()["defaultAction"] == "Allow" else set()

    def lost(self):
        return {self.office} - {rule["value"] for rule in self._now().get("ipRules", [])}


ALL = (PublicContainer, OpenRdp, OpenDatabase, NewOwner, OpenVault)
