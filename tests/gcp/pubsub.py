"""Pub/Sub: topics, subscriptions that push with tokens as Google signs them, and subscriptions that are pulled.

Messages of one ordering key are delivered one after the other, each until it was taken or has moved to the dead letters. Sources: "Push
subscriptions", "Message ordering" and "Handle message failures" (<https://cloud.google.com/pubsub/docs/push>). `PACE` shortens the waits between
attempts, so that they do not take a test's time.
"""

import collections
import datetime
import itertools
import json
import threading
import time
import urllib.error
import urllib.request

from refusal import Refusal, gone

PACE = 0.01
TAKEN = (102, 200, 201, 202, 204)


def seconds(text, default):
    """`5s` as seconds."""
    return float(text.removesuffix("s")) if text else default


class Subscription:
    """One push subscription; its workers are threads that end when there is nothing left to deliver."""

    def __init__(self, name, body, tokens, publish):
        self.name, self.body, self.tokens, self.publish = name, body, tokens, publish
        self.lock, self.waiting = threading.Lock(), {}
        self.unordered = 0

    def add(self, message):
        """Takes a message for delivery."""
        with self.lock:
            self.unordered += 1
            key = message.get("orderingKey") if self.body.get("enableMessageOrdering") else None
            key = key or self.unordered
            if key in self.waiting:
                self.waiting[key].append(message)
                return
            self.waiting[key] = collections.deque([message])
        threading.Thread(target=self._work, args=(key,), daemon=True).start()

    def _work(self, key):
        while True:
            with self.lock:
                if not self.waiting[key]:
                    del self.waiting[key]
                    return
                message = self.waiting[key].popleft()
            self._deliver(message)

    def _deliver(self, message):
        dead, retry = self.body.get("deadLetterPolicy", {}), self.body.get("retryPolicy", {})
        wait, longest = seconds(retry.get("minimumBackoff"), 10), seconds(retry.get("maximumBackoff"), 600)
        for attempt in range(1, dead.get("maxDeliveryAttempts", 100) + 1):
            if self._push(message, attempt):
                return
            time.sleep(wait * PACE)
            wait = min(wait * 2, longest)
        if dead:
            source = {"CloudPubSubDeadLetterSourceSubscription": self.name.rpartition("/")[2]}
            self.publish(dead["deadLetterTopic"], message | {"attributes": message.get("attributes", {}) | source})

    def _push(self, message, attempt):
        """One attempt; whether it was taken."""
        config = self.body["pushConfig"]
        body = {"message": message, "subscription": self.name}
        body |= {"deliveryAttempt": attempt} if "deadLetterPolicy" in self.body else {}
        headers = {"Content-Type": "application/json"}
        if "oidcToken" in config:
            oidc = config["oidcToken"]
            token = self.tokens(oidc.get("audience") or config["pushEndpoint"], oidc["serviceAccountEmail"])
            headers["Authorization"] = f"Bearer {token}"
        try:
            request = urllib.request.Request(config["pushEndpoint"], json.dumps(body).encode(), headers)
            with urllib.request.urlopen(request, timeout=float(self.body.get("ackDeadlineSeconds", 10))) as response:
                return response.status in TAKEN
        except OSError:
            return False


class Pulled:
    """One subscription that is asked. What is not acknowledged before its deadline comes back."""

    def __init__(self, name, body):
        self.name, self.body, self.lock, self.kept = name, body, threading.Lock(), []
        self.numbers = itertools.count(1)

    def add(self, message):
        """Keeps a message until it is acknowledged."""
        with self.lock:
            self.kept.append({"message": message, "free": 0.0, "ack": None})

    def pull(self, most):
        """Gives out what nobody holds."""
        with self.lock:
            now = time.monotonic()
            given = [entry for entry in self.kept if entry["free"] <= now][:most]
            for entry in given:
                entry |= {"free": now + self.body.get("ackDeadlineSeconds", 10), "ack": f"{self.name}:{next(self.numbers)}"}
            return [{"ackId": entry["ack"], "message": entry["message"]} for entry in given]

    def acknowledge(self, ids):
        """Forgets what was handled."""
        with self.lock:
            self.kept = [entry for entry in self.kept if entry["ack"] not in ids]


def deliver(state, topic, message):
    """Publishes one message to whoever subscribed; its id."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    message = message | {"messageId": str(next(state.numbers)), "publishTime": now}
    state.messages[topic].append(message)
    for subscription in state.subscriptions.values():
        if subscription.body["topic"] == topic:
            subscription.add(message)
    return message["messageId"]


def create_topic(state, p, *_):
    state.messages.setdefault(p["name"], [])
    return {"name": p["name"]}


def publish(state, p, body, _):
    if p["topic"] not in state.messages:
        raise gone(p["topic"])
    return {"messageIds": [deliver(state, p["topic"], message) for message in body["messages"]]}


def create_subscription(state, p, body, _):
    if body["topic"] not in state.messages:
        raise gone(body["topic"])
    if p["name"] in state.subscriptions:
        raise Refusal(409, "ALREADY_EXISTS", f"`{p['name']}` is there already")
    if "pushConfig" in body:
        tell = lambda topic, message: deliver(state, topic, message)  # noqa: E731
        state.subscriptions[p["name"]] = Subscription(p["name"], body, state.tokens, tell)
    else:
        state.subscriptions[p["name"]] = Pulled(p["name"], body)
    return body | {"name": p["name"], "state": "ACTIVE"}


def pulled(state, name):
    subscription = state.subscriptions.get(name)
    if subscription is None:
        raise gone(name)
    if not isinstance(subscription, Pulled):
        raise Refusal(400, "FAILED_PRECONDITION", f"`{name}` pushes")
    return subscription


def pull(state, p, body, _):
    if int(body.get("maxMessages", 0)) < 1:
        raise Refusal(400, "INVALID_ARGUMENT", "maxMessages has to be positive")
    messages = pulled(state, p["subscription"]).pull(body["maxMessages"])
    return {"receivedMessages": messages} if messages else {}


def acknowledge(state, p, body, _):
    pulled(state, p["subscription"]).acknowledge(set(body["ackIds"]))
    return {}


METHODS = {
    "pubsub:projects.subscriptions.acknowledge": acknowledge,
    "pubsub:projects.subscriptions.create": create_subscription,
    "pubsub:projects.subscriptions.pull": pull,
    "pubsub:projects.topics.create": create_topic,
    "pubsub:projects.topics.publish": publish,
}
