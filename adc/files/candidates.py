"""The names that are tried for the path of a request, in order: what nginx calls try_files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

URI: Final = "$uri"
"""Stands in a candidate for the path of the request."""


class Candidate(NamedTuple):
    """A name beneath the root: the file `before`, or with `of_path` the path of the request between `before` and
    `behind`. `folder`: it names a folder, whose index is sent."""

    before: bytes
    of_path: bool
    behind: bytes
    folder: bool

    def name(self, path_name: bytes, slash: bool) -> bytes | None:
        """Return the name for `path_name`, which is that of the request's path; None if no file can have it. `slash`:
        the path ends in a slash, so that it names no file, nor the beginning of the name of one."""
        if not self.of_path:
            return self.before
        if slash and not self.folder and not self.behind.startswith(b"/"):
            return None
        joined = (
            b"%b/%b%b" % (self.before, path_name, self.behind) if self.before else path_name + self.behind
        )
        return joined.strip(b"/")


THE_PATH: Final = Candidate(b"", True, b"", False)
"""The candidate `$uri`."""


class Candidates(NamedTuple):
    """What is tried in order, and the status of the response if nothing exists."""

    tried: tuple[Candidate, ...]
    status: int


def candidates(texts: Sequence[str]) -> Candidates:
    """Return the candidates that `texts` write as the option `try` does: `$uri.html`, `/index.html`, `=404`."""
    status = 404
    tried = []
    for text in texts:
        if text.startswith("="):
            status = int(text[1:])
        else:
            tried.append(_candidate(text))
    return Candidates(tuple(tried), status)


def _candidate(text: str) -> Candidate:
    before, uri, behind = text.partition(URI)
    folder = text.endswith("/")
    return Candidate(before.strip("/").encode(), bool(uri), behind.removesuffix("/").encode(), folder)
