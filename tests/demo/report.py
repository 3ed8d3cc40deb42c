"""What the demos of all clouds say, wait for and print at the end."""

import time

CLOSED_WITHIN = 30.0
STARTED = time.monotonic()


def say(text):
    """A line of progress, with the seconds since the start."""
    print(f"{time.monotonic() - STARTED:5.1f}s  {text}", flush=True)


def until(check, within=CLOSED_WITHIN):
    """Asks again and again until the answer is true; the answer, true or not."""
    deadline = time.monotonic() + within
    while not (answer := check()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


class Notice:
    """A CloudEvent that holds an OCSF Detection Finding, as a topic or a bus delivers it."""

    def __init__(self, event):
        event = event.get("detail", event)  # a bus wraps it in an event of its own
        self.ocsf = event["data"]
        self.kind = event["type"].rpartition(".")[2]
        self.change = self.ocsf["metadata"]["correlation_uid"]
        self.finding = self.ocsf["finding_info"]["uid"]
        self.rule = self.ocsf["unmapped"]["rule"]
        self.duty = self.ocsf["unmapped"]["duty"]["owner"]
        self.acts = self.ocsf["unmapped"].get("mode") == "enforce"
        self.receipt = self.ocsf["unmapped"].get("receipt", {})


class Result:
    """What became of one change. `event_id` is how the uid of the change begins."""

    def __init__(self, change, event_id, sent_at):
        self.change, self.event_id, self.sent_at = change, event_id, sent_at
        self.found = self.told_on_bus = self.receipt = self.seconds = None

    def heard(self, notices, kind):
        """What was told about the change. Several rules may fire: the one with a response first, then the most severe."""
        about = [notice for notice in notices if notice.kind == kind and notice.change.startswith(self.event_id)]
        return max(about, key=lambda notice: (notice.acts, notice.ocsf["severity_id"]), default=None)


def ask(stage, result, verb):
    """Asks, as `oncall`, for an approval or an undo; whether Onus did it, which the command line waits for."""
    say(f"oncall: onus {verb} {result.found.finding} ({result.change.title})")
    answer = stage.onus(verb, result.found.finding, "--by", "oncall")
    for line in (answer.stdout + answer.stderr).splitlines():
        print(f"        {line}", flush=True)
    return answer.returncode == 0


def follow(stage, result):
    """Waits until a change was told, asks for the approval that it needs, and waits until it was taken back."""
    change = result.change
    result.found = result.told_on_bus = until(lambda: result.heard(stage.notices(), "found"))
    if change.needs_approval and until(lambda: result.heard(stage.notices(), "planned")):
        ask(stage, result, "approve")
    if until(lambda: not change.left()):
        result.seconds = time.monotonic() - result.sent_at
    result.receipt = until(lambda: result.heard(stage.notices(), "responded"), within=10)
    return result


def play_undo(stage, restored, moved):
    """One undo that works, and one that must not: somebody else changed the `state` of its resource meanwhile."""
    done = ask(stage, restored, "undo")
    back = sorted(restored.change.left())
    receipt = last_receipt(stage, restored, "undo")
    say(f"read back: {restored.change.resource} has {back} again")

    moved.change.change_meanwhile()
    before = moved.change.state()
    say(f"owner: {moved.change.resource} gets another legitimate entry")
    refused = not ask(stage, moved, "undo")
    refusal = last_receipt(stage, moved, "undo")
    same = moved.change.state() == before
    say(f"read back: {moved.change.resource} is {'as the owner left it' if same else 'CHANGED'}")
    return [
        (f"undo of \"{restored.change.title}\" restored it", done and bool(back) and receipt.get("outcome") == "verified"),
        (f"undo of \"{moved.change.title}\" was refused", refused and same and refusal.get("outcome") == "refused"),
    ]


def last_receipt(stage, result, kind):
    """The newest receipt of a kind about a finding."""
    receipts = [receipt for receipt in stage.receipts(result.found.finding) if receipt["kind"] == kind]
    return max(receipts, key=lambda receipt: receipt["at"], default={})


def table(results):
    """Prints the closing table; whether every line of it is good."""
    header = ("change", "finding", "duty", "action", "seconds", "bad part gone")
    rows = [header]
    good = True
    for result in results:
        left, lost = result.change.left(), result.change.lost()
        receipt = result.receipt.receipt if result.receipt else {}
        fine = receipt.get("outcome") == "verified" and not left and not lost and bool(result.told_on_bus)
        good = good and fine
        rows.append((
            result.change.title,
            result.found.rule if result.found else "not told",
            result.found.duty if result.found else "",
            receipt.get("remediation", "none"),
            f"{result.seconds:.1f}" if result.seconds else "",
            "yes, the rest stands" if fine else f"{receipt.get('outcome')}, left {sorted(left)}, lost {sorted(lost)}",
        ))
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    line = lambda row: "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()  # noqa: E731
    print("\n" + line(rows[0]) + "\n" + "  ".join("-" * width for width in widths))
    print("\n".join(line(row) for row in rows[1:]) + "\n")
    return good


def closing(checks, dead):
    """Prints what was checked beside the table and what was put aside; whether all of it is good."""
    print()
    for what, fine in checks:
        print(f"{'ok  ' if fine else 'FAIL'}  {what}")
    print(f"{'FAIL' if dead else 'ok  '}  nothing was put aside{': ' + dead[0] if dead else ''}")
    say("done")
    return all(fine for _, fine in checks) and not dead
