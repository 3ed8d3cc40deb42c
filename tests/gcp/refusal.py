"""What an API answers when it does not carry a request out."""

# The reasons of the older APIs, by canonical status.
REASONS = {
    "ALREADY_EXISTS": "conflict",
    "CONDITION_NOT_MET": "conditionNotMet",
    "INVALID_ARGUMENT": "invalid",
    "NOT_FOUND": "notFound",
    "PERMISSION_DENIED": "forbidden",
    "UNAUTHENTICATED": "required",
}


class Refusal(Exception):
    """A request that is not carried out."""

    def __init__(self, status, canonical, message):
        super().__init__(message)
        self.status, self.canonical = status, canonical

    def body(self, old):
        """The error as the older APIs write it, or as the newer ones do."""
        error = {"code": self.status, "message": str(self)}
        if old:
            error["errors"] = [{"domain": "global", "reason": REASONS[self.canonical], "message": str(self)}]
        else:
            error["status"] = "FAILED_PRECONDITION" if self.canonical == "CONDITION_NOT_MET" else self.canonical
        return {"error": error}


def gone(name):
    return Refusal(404, "NOT_FOUND", f"`{name}` was not found")


def exists(name):
    return Refusal(409, "ALREADY_EXISTS", f"`{name}` is there already")
