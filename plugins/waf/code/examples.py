"""Requests and responses written as text, as examples of what a rule matches.

    GET /?debug=1

    POST /login
    Content-Type: application/json

    {"user": "admin"}

Host and User-Agent are added where absent, and Content-Length and the Content-Type of a form where there is a body.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import dedent
from typing import Final

_REQUEST_LINE: Final = re.compile(r"([A-Za-z]+) (\S+)(?: (HTTP/[0-9.]+))?")
_STATUS: Final = re.compile(r"[1-5][0-9][0-9]")
_FIELD: Final = re.compile(r"([^\s:]+):[ \t]*(.*?)[ \t]*")
_ADDED: Final = (("Host", "www.example.com"), ("User-Agent", "Mozilla/5.0"), ("Accept", "*/*"))

Fields = tuple[tuple[str, str], ...]


class ExampleError(ValueError):
    """An example that cannot be read."""


@dataclass(frozen=True, slots=True)
class Example:
    """A request, as text, and the response to it for rules of the response's phases.

    `response` is a status, header fields and a body: `"200\\nContent-Type: text/html\\n\\n<p>"`.
    """

    request: str
    response: str = ""

    @staticmethod
    def of(value: str | Example) -> Example:
        """Return `value` as an example; raise ExampleError if it cannot be read."""
        example = Example(value) if isinstance(value, str) else value
        parse_request(example.request)
        parse_response(example.response)
        return example


@dataclass(frozen=True, slots=True)
class ExampleRequest:
    """A request as sent."""

    method: str
    target: str
    protocol: str
    headers: Fields
    body: bytes

    @property
    def line(self) -> str:
        """Method and target, for reports."""
        return f"{self.method} {self.target}"


@dataclass(frozen=True, slots=True)
class ExampleResponse:
    """A response as received."""

    status: int
    headers: Fields
    body: bytes


def parse_request(text: str) -> ExampleRequest:
    """Return the request that `text` stands for."""
    head, body = _parts(text)
    matched = _REQUEST_LINE.fullmatch(head[0])
    if not matched:
        raise ExampleError(f'{head[0]!r} is not "METHOD TARGET"')
    headers = completed(_fields(head[1:]), body)
    return ExampleRequest(matched[1], matched[2], matched[3] or "HTTP/1.1", headers, body)


def parse_response(text: str) -> ExampleResponse:
    """Return the response that `text` stands for; an empty text is 200 without a body."""
    head, body = _parts(text or "200")
    if not _STATUS.fullmatch(head[0]):
        raise ExampleError(f"{head[0]!r} is not a status from 100 to 599")
    headers = _fields(head[1:])
    if body and not _has(headers, "content-type"):
        headers = (*headers, ("Content-Type", "text/html"))
    return ExampleResponse(int(head[0]), headers, body)


def completed(headers: Fields, body: bytes) -> Fields:
    """Return `headers` with what every client sends."""
    added = list(_ADDED)
    if body:
        added += [("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", str(len(body)))]
    return (*headers, *((name, value) for name, value in added if not _has(headers, name)))


def _parts(text: str) -> tuple[list[str], bytes]:
    text = dedent(text.removeprefix("\n").replace("\r\n", "\n"))
    head, _, body = text.partition("\n\n")
    return head.strip().split("\n"), body.encode("utf-8", "surrogateescape")


def _fields(lines: Iterable[str]) -> Fields:
    fields = []
    for line in lines:
        matched = _FIELD.fullmatch(line)
        if not matched:
            raise ExampleError(f'{line!r} is not a header field "Name: value"')
        fields.append((matched[1], matched[2]))
    return tuple(fields)


def _has(headers: Fields, name: str) -> bool:
    return any(field.lower() == name.lower() for field, _ in headers)
