#!/usr/bin/env python3
"""Scores findings against labelled events: recall, false alarms, and the reason for each miss.

usage: score.py EVENTS_DIR NAME < findings.jsonl

EVENTS_DIR/NAME.labels.jsonl says, per 0-based record, what another project's rule expects. A label is its author's verdict, not truth;
`reasons.json` beside this script says why we differ where we do on purpose. A record without labels whose source is a real account's
background (`invictus-ir`) should be silent: what fires there is listed.
"""

import collections
import json
import pathlib
import sys


def load(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def main():
    folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
    labels = {label["record"]: label for label in load(folder / f"{name}.labels.jsonl")}
    reasons = json.loads((pathlib.Path(__file__).parent / "reasons.json").read_text(encoding="utf-8"))
    fired, undecided = collections.defaultdict(set), collections.defaultdict(set)
    for line in sys.stdin:
        row = json.loads(line)
        (fired if row["verdict"] == "fires" else undecided)[row["source"]["record"]].add(row["rule"])

    expected = [(n, label) for n, entry in labels.items() for label in entry.get("labels", []) if label["expected"]]
    unexpected = [(n, label) for n, entry in labels.items() for label in entry.get("labels", []) if not label["expected"]]

    misses = collections.Counter()
    hits = maybe = 0
    for record, label in expected:
        if fired[record]:
            hits += 1
        elif undecided[record]:
            maybe += 1
            misses[label["rule"], "asks for live state: " + ", ".join(sorted(undecided[record]))] += 1
        else:
            misses[label["rule"], reasons["missed"].get(label["rule"], "NO REASON GIVEN")] += 1
    print(f"expected to fire: {len(expected)}; fired {hits}, asked for live state {maybe}, silent {len(expected) - hits - maybe}")
    if expected:
        print(f"recall: {hits / len(expected):.3f} fired, {(hits + maybe) / len(expected):.3f} fired or asked")
    for (rule, reason), count in sorted(misses.items()):
        print(f"  {count:3} {rule}: {reason}")

    alarms = collections.Counter()
    for record, label in unexpected:
        for rule in fired[record]:
            alarms[label["rule"], rule, reasons["fired"].get(rule, "NO REASON GIVEN")] += 1
    print(f"expected to be silent: {len(unexpected)}; labels on records where a rule of ours fired: {sum(alarms.values())}")
    for (label, rule, reason), count in sorted(alarms.items()):
        print(f"  {count:3} {label}: {rule} fired: {reason}")

    background = [n for n, entry in labels.items() if not entry.get("labels") and "invictus-ir" in entry.get("source", "")]
    noise = collections.Counter(rule for n in background for rule in fired[n])
    print(f"background records: {len(background)}; with a finding: {sum(1 for n in background if fired[n])}")
    for rule, count in noise.most_common():
        print(f"  {count:3} {rule}")


if __name__ == "__main__":
    main()
