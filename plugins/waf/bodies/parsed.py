"""What a body processor leaves: arguments, files, flags, and what it could not parse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

Pair = tuple[bytes, bytes]
"""The key as received, and the value."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the body processors; the defaults are ModSecurity's."""

    argument_separator: bytes = b"&"
    arguments: int = 1_000
    json_depth: int = 512
    no_files_bytes: int = 131_072
    """Bytes of a body without its files (SecRequestBodyNoFilesLimit)."""
    files: int = 100
    """Files of one multipart body (SecUploadFileLimit)."""


def bounded(arguments: Iterable[Pair], limit: int) -> list[Pair]:
    """Return the first `limit` arguments; the others become lines of one last value, so that no rule overlooks them."""
    remaining = iter(arguments)
    kept = list(islice(remaining, limit))
    rest = [name + b"=" + value if name else value for name, value in remaining]
    if rest:
        kept.append((b"", b"\n".join(rest)))
    return kept


class Document(Protocol):
    """A body that is read through XPath expressions."""

    def select(self, expression: str, namespaces: tuple[tuple[str, str], ...]) -> list[Pair]:
        """Return the text of each node that `expression` selects, without keys."""


@dataclass(slots=True)
class UploadedFile:
    """A part of a multipart body that has a file name."""

    field: bytes
    name: bytes
    content: bytes


@dataclass(slots=True)
class ParsedBody:
    """The result of a body processor. `error` is empty if the body was understood.

    `unfinished` says what is missing at the end; it is no error of a body whose end was cut off.
    """

    arguments: list[Pair] = field(default_factory=list)
    error: str = ""
    unfinished: str = ""
    urlencoded_error: bool = False
    files: list[UploadedFile] = field(default_factory=list)
    document: Document | None = None
    scalars: dict[str, bytes] = field(default_factory=dict)
    """Variables of one value that the processor sets, such as `MULTIPART_STRICT_ERROR`."""
    collections: dict[str, list[Pair]] = field(default_factory=dict)
    """Collections that the processor sets, such as `MULTIPART_PART_HEADERS`."""
