"""Google's own client, opened on a server that stands for every API of Google Cloud."""

import httplib2
from discovery import Document
from googleapiclient.discovery import build

VERSIONS = {"bigquery": "v2", "cloudresourcemanager": "v3", "logging": "v2"}


class WithToken(httplib2.Http):
    """The client refuses to send real credentials over plain HTTP; these are none. Who acts is `<token>@example.com`."""

    def __init__(self, token="test"):
        super().__init__()
        self.token = token

    def request(self, uri, method="GET", body=None, headers=None, **more):
        return super().request(uri, method, body, {**(headers or {}), "authorization": f"Bearer {self.token}"}, **more)


def called(service, operation, parameters):
    """Walks `projects.serviceAccounts.create` down the client's resources and calls it."""
    *resources, method = operation.split(".")
    for resource in resources:
        service = getattr(service, resource)()
    named = {name.replace(".", "_").replace("-", "_"): value for name, value in parameters.items()}
    return getattr(service, method)(**named).execute()


def finished(clients, service, answer, parameters):
    """The answer; an operation's last, if it is one."""
    kind = answer.get("kind") if isinstance(answer, dict) else None
    polls = {"compute#operation": "globalOperations.get", "sql#operation": "operations.get"}
    while kind in polls and answer["status"] != "DONE":
        named = {"project": parameters["project"], "operation": answer["name"]}
        answer = called(clients[service], polls[kind], named)
    return answer


def opened(url, service, token="test"):
    """Google's client of one API on a server that stands for all of them."""
    version = VERSIONS.get(service, "v1")
    options = {"api_endpoint": f"{url}/{Document(service, version).source['servicePath']}"}
    return build(service, version, http=WithToken(token), client_options=options, static_discovery=True)
