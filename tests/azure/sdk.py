"""Microsoft's own clients, opened on the servers that tests run: no TLS, tokens and keys that are no secrets."""

import importlib

from azure.core.pipeline.policies import SansIOHTTPPolicy

# The only account that Azurite knows without being told, and its key, as Microsoft documents them.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def management_client(service, url, token, subscription):
    """An `azure-mgmt-*` client of a server that has no TLS, with one token."""

    class Bearer(SansIOHTTPPolicy):
        def on_request(self, request):
            request.http_request.headers["Authorization"] = f"Bearer {token}"

    class Credential:
        def get_token(self, *_, **__):
            raise NotImplementedError("the token is put in by a policy of its own")

    module = importlib.import_module(f"azure.mgmt.{service}")
    client = next(value for name, value in sorted(vars(module).items()) if name.endswith(("Client", "SecurityCenter")))
    options = {"base_url": url, "authentication_policy": Bearer(), "polling_interval": 0, "retry_backoff_factor": 0.01}
    return client(Credential(), subscription, **options)
