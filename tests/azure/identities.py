"""Who may call the Azure that tests play: tokens, and the endpoint that hands them to managed identities.

The endpoint is App Service's: `GET /msi/token?resource=…&api-version=2019-08-01` with the header `X-IDENTITY-HEADER`.
Source: "How to use managed identities for App Service and Azure Functions", Microsoft Learn.
"""

import fnmatch
import itertools
import time
import uuid

from web import Refusal, Response

TENANT = "00000000-0000-0000-0000-0000000000aa"
NUMBERS = itertools.count(1)
LIFETIME = 24 * 3600


class Identity:
    """A person or an application. `actions` are patterns of what it may do; None is everything."""

    def __init__(self, name, kind="User", actions=None, object_id=None, application=None, ip="203.0.113.10"):
        self.name, self.kind, self.ip = name, kind, ip
        self.actions = [action.lower() for action in actions] if actions is not None else None
        self.object_id = object_id or str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
        self.application = application or str(uuid.uuid5(uuid.NAMESPACE_DNS, f"application of {name}"))

    def may(self, action):
        """Whether an action is among the allowed ones."""
        return self.actions is None or any(fnmatch.fnmatchcase(action.lower(), pattern) for pattern in self.actions)

    def claims(self):
        """The claims of its token that the Activity Log shows."""
        soap, schemas = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims", "http://schemas.microsoft.com/identity/claims"
        claims = {
            "aud": "https://management.core.windows.net/",
            "iss": f"https://sts.windows.net/{TENANT}/",
            "appid": self.application,
            f"{schemas}/objectidentifier": self.object_id,
            f"{schemas}/tenantid": TENANT,
            "ver": "1.0",
        }
        if self.kind == "User":
            upn = f"{self.name}@example.com"
            return claims | {"appidacr": "0", "ipaddr": self.ip, "name": self.name, f"{soap}/upn": upn, f"{soap}/name": upn,
                             f"{schemas}/scope": "user_impersonation", "idtyp": "user"}
        return claims | {"appidacr": "2", "idtyp": "app"}


class Directory:
    """Every identity and the tokens that it was given."""

    def __init__(self):
        self.by_header, self.by_token = {}, {}
        self.add(Identity("owner"))

    def add(self, identity):
        """Makes an identity known. Its first token is `<name>-token`, the secret of its endpoint `<name>-header`."""
        self.by_header[f"{identity.name}-header"] = identity
        self.by_token[f"{identity.name}-token"] = (identity, "https://management.azure.com")
        return identity

    def token(self, request):
        """Answers a managed identity's request for a token."""
        identity = self.by_header.get(request.headers.get("x-identity-header"))
        if identity is None:
            raise Refusal(401, "Unauthorized", "The header X-IDENTITY-HEADER is missing or wrong.")
        resource = request.query.get("resource")
        if not resource or request.query.get("api-version") != "2019-08-01":
            raise Refusal(400, "BadRequest", "`resource` and `api-version=2019-08-01` are needed.")
        token = f"{identity.name}-token-{next(NUMBERS)}"
        self.by_token[token] = (identity, resource.rstrip("/"))
        expires = str(int(time.time()) + LIFETIME)
        return Response(200, {"access_token": token, "expires_on": expires, "resource": resource, "token_type": "Bearer",
                              "client_id": identity.application})

    def caller(self, request, audiences):
        """Who sent a request. Refuses a token that is missing, unknown, or meant for something else."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        challenge = {"WWW-Authenticate": f'Bearer authorization_uri="https://login.windows.net/{TENANT}"'}
        if scheme.lower() != "bearer" or not token:
            raise Refusal(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.", challenge)
        identity, audience = self.by_token.get(token, (None, ""))
        if identity is None:
            raise Refusal(401, "InvalidAuthenticationToken", "The access token is invalid.", challenge)
        if audience not in audiences:
            message = f"The access token has been obtained from wrong audience or resource '{audience}'."
            raise Refusal(401, "InvalidAuthenticationTokenAudience", message, challenge)
        return identity
