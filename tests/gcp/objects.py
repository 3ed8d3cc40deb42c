"""Cloud Storage's objects by its XML API, as the ledger uses it: put, get and list
(<https://cloud.google.com/storage/docs/xml-api/overview>). Buckets that only hold objects need not be made.
"""

import hashlib
from xml.sax.saxutils import escape

# No other path of an API starts with such a name.
PREFIX = "/onus-"


class Objects:
    """Every object, by bucket and name."""

    def __init__(self, created=lambda bucket, name, generation: None):
        self.buckets, self.created = {}, created
        self.generation = 0

    @staticmethod
    def has(path):
        return path.startswith(PREFIX)

    def answer(self, http, path, query, headers, body):
        """Status, body and headers."""
        bucket, _, name = path.lstrip("/").partition("/")
        held = self.buckets.setdefault(bucket, {})
        if http == "GET" and not name:
            return 200, self.listed(held, query), {"Content-Type": "application/xml"}
        if http == "PUT":
            wanted = headers.get("x-goog-if-generation-match")
            current = held.get(name, (b"", 0))[1]
            if wanted is not None and int(wanted) != current:
                return 412, error("PreconditionFailed"), {}
            self.generation += 1
            held[name] = (body, self.generation)
            self.created(bucket, name, self.generation)
            return 200, b"", described(held[name])
        if name not in held:
            return 404, error("NoSuchKey"), {}
        return 200, held[name][0], described(held[name])

    @staticmethod
    def listed(held, query):
        """All names below a prefix, in one page."""
        start, delimiter = query.get("prefix", ""), query.get("delimiter")
        contents, folders = [], set()
        for name in sorted(name for name in held if name.startswith(start) and name > query.get("start-after", "")):
            folder, found, _ = name.removeprefix(start).partition(delimiter) if delimiter else (name, "", "")
            if found:
                folders.add(start + folder + delimiter)
                continue
            body, generation = held[name]
            contents.append(
                f"<Contents><Key>{escape(name)}</Key><Generation>{generation}</Generation><Size>{len(body)}</Size>"
                f'<LastModified>2026-01-31T12:00:00.000Z</LastModified><ETag>"{etag(body)}"</ETag></Contents>'
            )
        prefixes = "".join(f"<CommonPrefixes><Prefix>{escape(f)}</Prefix></CommonPrefixes>" for f in sorted(folders))
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{''.join(contents)}{prefixes}</ListBucketResult>".encode()


def etag(body):
    return hashlib.md5(body).hexdigest()


def described(entry):
    body, generation = entry
    return {
        "ETag": f'"{etag(body)}"',
        "x-goog-generation": str(generation),
        "Last-Modified": "Sat, 31 Jan 2026 12:00:00 GMT",
    }


def error(code):
    return f"<Error><Code>{code}</Code></Error>".encode()
