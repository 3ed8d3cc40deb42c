"""Calls a local Azure with Microsoft's own clients for tests, one JSON line in, one JSON line out.

    client.py arm URL TOKEN SUBSCRIPTION    or    client.py storage BLOB-URL QUEUE-URL

In: `{"service":"storage","operation":"blob_containers.update","parameters":{…}}`. Out: `{"ok":{…}}` or
`{"error":{"code":…,"message":…}}`. So tests prepare and read state with Microsoft's own clients, and not with the one
under test. For `arm`, `service` is the name of an `azure-mgmt-*` package, `operation` a method of its client, and the
answer is as Azure Resource Manager wrote it; a method that begins an operation is followed to its end. For `storage`,
`service` is `blob` or `queue`, and `Blob` and `Queue` below list the operations.
"""

import json
import sys

from azure.core.exceptions import AzureError, ResourceExistsError
from sdk import ACCOUNT, KEY, management_client


class Blob:
    """Blob Storage: `create_container`, `put`, `get`, `list`."""

    def __init__(self, url):
        from azure.storage.blob import BlobServiceClient

        self.client = BlobServiceClient(f"{url}/{ACCOUNT}", credential=KEY)

    def create_container(self, container):
        try:
            self.client.create_container(container)
        except ResourceExistsError:
            pass  # it is there, which is all that was asked

    def put(self, container, name, text):
        self.client.get_blob_client(container, name).upload_blob(text.encode(), overwrite=True)

    def get(self, container, name):
        return self.client.get_blob_client(container, name).download_blob().readall().decode()

    def list(self, container, prefix=""):
        return [blob.name for blob in self.client.get_container_client(container).list_blobs(prefix)]


class Queue:
    """Queue Storage: `create`, `send`, `take` (every message, and removes it), `count`, `signed` (a URL for who has no key)."""

    def __init__(self, url):
        from azure.storage.queue import QueueServiceClient

        self.client = QueueServiceClient(f"{url}/{ACCOUNT}", credential=KEY)

    def create(self, queue):
        try:
            self.client.create_queue(queue)
        except ResourceExistsError:
            pass  # it is there, which is all that was asked

    def send(self, queue, text):
        self.client.get_queue_client(queue).send_message(text)

    def take(self, queue):
        texts, client = [], self.client.get_queue_client(queue)
        for message in client.receive_messages(messages_per_page=32):
            texts.append(message.content)
            client.delete_message(message)
        return texts

    def signed(self, queue):
        from azure.storage.queue import QueueSasPermissions, generate_queue_sas

        granted = QueueSasPermissions(add=True, process=True)
        end = "2099-01-01T00:00:00Z"
        signature = generate_queue_sas(ACCOUNT, queue, KEY, permission=granted, expiry=end, protocol="https,http")
        return f"{self.client.get_queue_client(queue).url}?{signature}"

    def count(self, queue):
        return self.client.get_queue_client(queue).get_queue_properties().approximate_message_count


class Management:
    """The `azure-mgmt-*` clients, by the names of their packages."""

    def __init__(self, url, token, subscription):
        self.url, self.token, self.subscription, self.clients = url, token, subscription, {}

    def call(self, service, operation, parameters):
        if service not in self.clients:
            self.clients[service] = management_client(service, self.url, self.token, self.subscription)
        method = self.clients[service]
        for name in operation.split("."):
            method = getattr(method, name)
        answer = method(**parameters)
        if operation.rpartition(".")[2].startswith("begin_"):
            answer = answer.result()
        return plain(answer)


def plain(answer):
    """What a client returned, as the JSON that the server sent."""
    if answer is None or isinstance(answer, (str, int, float, bool)):
        return answer
    if hasattr(answer, "serialize") and not hasattr(answer, "keys"):
        return answer.serialize(keep_readonly=True)
    if hasattr(answer, "as_dict"):
        return answer.as_dict()
    if isinstance(answer, dict):
        return answer
    return [plain(item) for item in answer]


def call_of(arguments):
    """The function that answers requests, for the arguments of the command line."""
    if arguments[0] == "arm":
        return Management(*arguments[1:]).call
    services = {"blob": Blob(arguments[1]), "queue": Queue(arguments[2])}
    return lambda service, operation, parameters: getattr(services[service], operation)(**parameters)


def main():
    call = call_of(sys.argv[1:])
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            reply = {"ok": call(asked["service"], asked["operation"], asked["parameters"])}
        except AzureError as error:
            code = getattr(getattr(error, "error", None), "code", None) or getattr(error, "error_code", None)
            reply = {"error": {"code": str(code or type(error).__name__), "message": str(error)}}
        print(json.dumps(reply, default=str), flush=True)


if __name__ == "__main__":
    main()
