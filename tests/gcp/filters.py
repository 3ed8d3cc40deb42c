"""Filters of the Logging query language, as far as sinks here use it: comparisons with `:` and `=`, `AND`, `OR`, `NOT`, brackets.

Source: "Logging query language" (<https://cloud.google.com/logging/docs/view/logging-query-language>): comparisons ignore case, `:` asks whether
the value contains the text, and brackets after an operator hold alternatives of the value.
"""

import re

TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[()]|[:=]|[^\s()":=]+)')


class Filter:
    """One filter. Raises `ValueError` for what it does not understand: a filter that is half understood lets the wrong entries through."""

    def __init__(self, text):
        self.tokens = TOKEN.findall(text)
        if "".join(self.tokens) != re.sub(r'\s+(?=(?:[^"]*"[^"]*")*[^"]*$)', "", text):
            raise ValueError(f"cannot read the filter `{text}`")
        self.tree = self._either(self._comparison)
        if self.tokens:
            raise ValueError(f"the filter goes on at `{self.tokens[0]}`")

    def matches(self, entry):
        """Whether an entry passes."""
        return self.tree(entry)

    def _take(self, *wanted):
        if not self.tokens or (wanted and self.tokens[0] not in wanted):
            raise ValueError(f"the filter has `{self.tokens[:1]}`, where {wanted or 'more'} was expected")
        return self.tokens.pop(0)

    def _either(self, part):
        parts = [self._both(part)]
        while self.tokens and self.tokens[0] == "OR":
            self._take("OR")
            parts.append(self._both(part))
        return lambda entry: any(test(entry) for test in parts)

    def _both(self, part):
        parts = [self._single(part)]
        while self.tokens and self.tokens[0] == "AND":
            self._take("AND")
            parts.append(self._single(part))
        return lambda entry: all(test(entry) for test in parts)

    def _single(self, part):
        if self.tokens and self.tokens[0] == "NOT":
            self._take("NOT")
            test = self._single(part)
            return lambda entry: not test(entry)
        if self.tokens and self.tokens[0] == "(":
            self._take("(")
            test = self._either(part)
            self._take(")")
            return test
        return part()

    def _comparison(self):
        path, operator = self._take(), self._take(":", "=")
        contains = operator == ":"

        def value():
            text = self._take().strip('"').lower()
            return lambda entry: compare(field(entry, path), text, contains)

        return self._single(value)


def compare(found, text, contains):
    found = str(found or "").lower()
    return text in found if contains else text == found


def field(entry, path):
    """What stands at a path of names; None where there is nothing."""
    for name in path.split("."):
        entry = entry.get(name) if isinstance(entry, dict) else None
    return entry
