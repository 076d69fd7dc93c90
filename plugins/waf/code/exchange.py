"""A request and its response as a rule in Python sees them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Pair = tuple[bytes, bytes]


def text_of(value: bytes) -> str:
    """Return bytes as text: UTF-8, of which invalid bytes become lone surrogates, so that none is lost."""
    return value.decode("utf-8", "surrogateescape")


def bytes_of(value: str) -> bytes:
    """Return what `text_of` was given."""
    return value.encode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Item:
    """One value of a variable: of the argument `q`, `variable` is `ARGS`, and `name` is `q`."""

    variable: str
    name: str
    value: str


class Exchange:
    """A request, and its response in rules of the response's phases.

    Values are text (UTF-8, of which invalid bytes become lone surrogates); bodies are bytes. Names of arguments,
    header fields and cookies are compared without regard to case.
    """

    __slots__ = ("_get",)

    def __init__(self, get: Callable[[str], Sequence[Pair]]) -> None:
        self._get = get

    def values(self, variable: str) -> list[Item]:
        """Return the items of a variable of SecLang, such as `ARGS`, `FILES_NAMES` or `REQUEST_LINE`."""
        return [Item(variable, text_of(name), text_of(value)) for name, value in self._get(variable)]

    def first(self, variable: str, name: str = "") -> str | None:
        """Return the first value of a variable, or of its key `name`; None without one."""
        wanted = name.lower()
        for item in self.values(variable):
            if not wanted or item.name.lower() == wanted:
                return item.value
        return None

    @property
    def method(self) -> str:
        """`GET`, as received."""
        return self._scalar("REQUEST_METHOD")

    @property
    def target(self) -> str:
        """Path and query as received."""
        return self._scalar("REQUEST_URI_RAW")

    @property
    def path(self) -> str:
        """The path, without the query."""
        return self._scalar("REQUEST_FILENAME")

    @property
    def query(self) -> str:
        """The text behind `?`, not decoded."""
        return self._scalar("QUERY_STRING")

    @property
    def client_address(self) -> str:
        """The client's IP address."""
        return self._scalar("REMOTE_ADDR")

    @property
    def arguments(self) -> list[Item]:
        """Arguments of the query and, from the phase `request_body` on, of the body: forms and JSON, decoded."""
        return self.values("ARGS")

    @property
    def headers(self) -> list[Item]:
        """The request's header fields."""
        return self.values("REQUEST_HEADERS")

    @property
    def cookies(self) -> list[Item]:
        """The request's cookies."""
        return self.values("REQUEST_COOKIES")

    @property
    def files(self) -> list[Item]:
        """Names of uploaded files; `name` is the field of the form."""
        return self.values("FILES")

    def argument(self, name: str) -> str | None:
        """Return the first argument of this name, None without one."""
        return self.first("ARGS", name)

    def header(self, name: str) -> str | None:
        """Return the request's first header field of this name, None without one."""
        return self.first("REQUEST_HEADERS", name)

    def cookie(self, name: str) -> str | None:
        """Return the first cookie of this name, None without one."""
        return self.first("REQUEST_COOKIES", name)

    @property
    def body(self) -> bytes:
        """The request's body as far as it is inspected; empty for forms, whose fields are arguments."""
        return bytes_of(self._scalar("REQUEST_BODY"))

    @property
    def status(self) -> int:
        """The response's status, 0 before there is one."""
        value = self._scalar("RESPONSE_STATUS")
        return int(value) if value.isdecimal() else 0

    @property
    def response_headers(self) -> list[Item]:
        """The response's header fields."""
        return self.values("RESPONSE_HEADERS")

    def response_header(self, name: str) -> str | None:
        """Return the response's first header field of this name, None without one."""
        return self.first("RESPONSE_HEADERS", name)

    @property
    def response_body(self) -> bytes:
        """The response's body as far as it is inspected."""
        return bytes_of(self._scalar("RESPONSE_BODY"))

    def _scalar(self, variable: str) -> str:
        pairs = self._get(variable)
        return text_of(pairs[0][1]) if pairs else ""
