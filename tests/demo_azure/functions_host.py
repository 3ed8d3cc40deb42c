"""The Azure Functions host, as far as a custom handler can tell: it reads host.json and function.json, starts the handler's
binary, hands over what triggers bring, and tries again or puts aside as those files say.

The host itself is not to be had here. Sources: "Azure Functions custom handlers" (payloads), "Azure Functions error
handling and retries", "Azure Queue storage trigger" and "Event Grid message delivery and retry", Microsoft Learn. `PACE`
shortens every wait, so that a retry does not take a demo's time.
"""

import base64
import json
import os
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueServiceClient
from serve import free_ports

PACE = 0.01
READY_WITHIN = 20.0
INVOCATION_WITHIN = 60.0

# Event Grid's schedule of retries in seconds, as far as a demo needs it; what is left then goes to the dead letters.
EVENT_GRID_RETRIES = (10, 30, 60, 300)


def seconds(text):
    """`00:01:30` as seconds."""
    hours, minutes, rest = (float(part) for part in text.split(":"))
    return hours * 3600 + minutes * 60 + rest


class FunctionApp:
    """One function app: its folder as it is deployed, its binary, and its app settings."""

    def __init__(self, folder, binary, settings, log):
        self.host = json.loads((folder / "host.json").read_text())
        self.bindings, self.policies = {}, {}
        for path in sorted(folder.glob("*/function.json")):
            function = json.loads(path.read_text())
            [self.bindings[path.parent.name]] = [binding for binding in function["bindings"] if binding["direction"] == "in"]
            self.policies[path.parent.name] = function.get("retry")
        executable = self.host["customHandler"]["description"]["defaultExecutablePath"]
        if Path(binary).name != executable:
            raise SystemExit(f"host.json of {folder.name} starts `{executable}`, not `{binary}`")
        [port] = free_ports(1)
        self.url, self.settings = f"http://127.0.0.1:{port}", settings
        self.undelivered, self.stopped = [], threading.Event()
        env = {"FUNCTIONS_CUSTOMHANDLER_PORT": str(port), "PATH": os.environ["PATH"], **settings}
        self.process = subprocess.Popen([binary], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._await()

    def _await(self):
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                urllib.request.urlopen(self.url, timeout=1)
                return
            except urllib.error.HTTPError:
                return  # it answers
            except OSError:
                time.sleep(0.02)
        raise SystemExit(f"`{self.process.args[0]}` does not listen; see the log")

    def function(self, trigger):
        """The name of the function with a trigger."""
        return next(name for name, binding in self.bindings.items() if binding["type"] == trigger)

    def invoke(self, name, data, metadata):
        """One invocation; whether the handler did it. Anything but a 2xx with the fields of an answer is a failure."""
        body = {"Data": {self.bindings[name]["name"]: data}, "Metadata": {**metadata, "sys": {"MethodName": name}}}
        request = urllib.request.Request(f"{self.url}/{name}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=INVOCATION_WITHIN) as response:
                return {"Outputs", "Logs", "ReturnValue"} <= set(json.load(response))
        except (OSError, ValueError):
            return False

    def event_grid(self, event):
        """Event Grid brings an event, and brings it again while it is not taken."""
        name = self.function("eventGridTrigger")
        for wait in (0, *EVENT_GRID_RETRIES):
            self.stopped.wait(wait * PACE)
            if self.invoke(name, event, {}):
                return
        self.undelivered.append(json.dumps(event))

    def event_hub(self, messages):
        """An Event Hub brings a batch, with the retries of function.json; afterwards the checkpoint moves on."""
        name = self.function("eventHubTrigger")
        policy, wait = self.policies[name], seconds(self.policies[name]["minimumInterval"])
        for _ in range(1 + policy["maxRetryCount"]):
            if self.invoke(name, json.dumps(messages), {"PartitionContext": {"PartitionId": "0"}}):
                return
            self.stopped.wait(wait * PACE)
            wait = min(wait * 2, seconds(policy["maximumInterval"]))
        self.undelivered += messages

    def listen(self, connection):
        """Takes the messages of the queue that function.json names, in a thread of its own, until it is stopped."""
        self.thread = threading.Thread(target=self._listen, args=(connection,), daemon=True)
        self.thread.start()

    def _listen(self, connection):
        name, options = self.function("queueTrigger"), self.host["extensions"]["queues"]
        queue = self.settings[self.bindings[name]["queueName"].strip("%")]
        service = QueueServiceClient.from_connection_string(connection)
        client, poison = service.get_queue_client(queue), service.get_queue_client(f"{queue}-poison")
        visible = max(1, int(seconds(options["visibilityTimeout"]) * PACE))
        while not self.stopped.wait(0.05):
            for message in client.receive_messages(max_messages=options["batchSize"], visibility_timeout=int(INVOCATION_WITHIN)):
                text = base64.b64decode(message.content).decode() if options["messageEncoding"] == "base64" else message.content
                # What is no JSON object arrives as a text; an object arrives as a text that holds it.
                if self.invoke(name, json.dumps(text), {"DequeueCount": str(message.dequeue_count), "Id": message.id}):
                    client.delete_message(message)
                elif message.dequeue_count >= options["maxDequeueCount"]:
                    create(poison)
                    poison.send_message(message.content)
                    client.delete_message(message)
                else:
                    client.update_message(message, visibility_timeout=visible)

    def stop(self):
        """Ends the handler."""
        self.stopped.set()
        if hasattr(self, "thread"):
            self.thread.join(INVOCATION_WITHIN)
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def create(queue):
    """Makes a queue that may be there."""
    try:
        queue.create_queue()
    except ResourceExistsError:
        pass  # it is there, which is all that was asked
