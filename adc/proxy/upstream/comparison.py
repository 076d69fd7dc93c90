"""Compares the response to a request with that to its copy."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

from adc.http.message import Request

SAME = "same"
INCOMPLETE = "incomplete"


class Facts:
    """What is compared of one response: its status, the size of its content and, if wanted, a digest. `done` once it is
    complete; a status of 0 says that there was none."""

    __slots__ = ("_digest", "done", "size", "status")

    def __init__(self, digests: bool) -> None:
        self.status = 0
        self.size = 0
        self.done = False
        self._digest = blake2b(digest_size=16) if digests else None

    def add(self, data: bytes) -> None:
        """Count content."""
        self.size += len(data)
        if self._digest is not None:
            self._digest.update(data)

    @property
    def digest(self) -> bytes:
        """The digest of the content, empty without one."""
        return b"" if self._digest is None else self._digest.digest()


class Comparison:
    """A response and that to the copy of its request; `compared` gets the result once both are complete."""

    __slots__ = ("_compared", "copy", "primary", "request")

    def __init__(self, request: Request, digests: bool, compared: Callable[[Comparison, str], None]) -> None:
        self.request = request
        self.primary = Facts(digests)
        self.copy = Facts(digests)
        self._compared = compared

    def finish(self, facts: Facts) -> None:
        """Note that one of the two has ended."""
        if not facts.done:
            facts.done = True
            if self.primary.done and self.copy.done:
                self._compared(self, difference(self.primary, self.copy))


class Observed:
    """A filter that counts the content of the response to the client and changes nothing."""

    __slots__ = ("_comparison", "changes")

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self.changes = False

    def feed(self, data: bytes, end: bool) -> bytes:
        """Return `data`."""
        facts = self._comparison.primary
        facts.add(data)
        if end:
            self._comparison.finish(facts)
        return data


def difference(primary: Facts, copy: Facts) -> str:
    """Return the first difference: `status`, `size` or `body`; `incomplete` if one of both did not come to its end."""
    if not primary.status or not copy.status:
        return INCOMPLETE
    if primary.status != copy.status:
        return "status"
    if primary.size != copy.size:
        return "size"
    return SAME if primary.digest == copy.digest else "body"
