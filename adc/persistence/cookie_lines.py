"""Finding and changing one cookie of a request; the others stay as they are, byte for byte."""

from __future__ import annotations

from collections.abc import Callable

from adc.http.cookies import MAX_COOKIES
from adc.http.headers import Headers


def cookie_values(headers: Headers, wanted: bytes) -> list[str]:
    """Return the values of all cookies called `wanted`, in the order received, without quotes.

    A client may send several: cookies of other paths, or of a parent domain. A request without the name is not
    parsed.
    """
    if b"cookie" not in headers:
        return []
    lines = headers.get_all(b"cookie")
    if not any(wanted in line for line in lines):
        return []
    found = []
    for pair in b";".join(lines).split(b";", MAX_COOKIES)[:MAX_COOKIES]:
        name, equals, value = pair.partition(b"=")
        if equals and name.strip(b" \t") == wanted:
            found.append(_unquoted(value.strip(b" \t")).decode("latin-1"))
    return found


def edit_cookie(headers: Headers, name: bytes, edit: Callable[[bytes], bytes | None]) -> None:
    """Replace the value of every cookie `name` by `edit(value)`; None removes it, and an empty line is removed too."""
    lines = headers.get_all(b"cookie")
    edited = [_edit_line(line, name, edit) if name in line else line for line in lines]
    if edited != lines:
        replace_lines(headers, b"Cookie", edited)


def replace_lines(headers: Headers, name: bytes, values: list[bytes]) -> None:
    """Replace all lines called `name` by `values`, without empty ones."""
    headers.remove(name.lower())
    for value in values:
        if value:
            headers.add(name, value)


def _edit_line(line: bytes, name: bytes, edit: Callable[[bytes], bytes | None]) -> bytes:
    kept = []
    for part in line.split(b";"):
        key, equals, value = part.partition(b"=")
        if not equals or key.strip(b" \t") != name:
            kept.append(part)
            continue
        edited = edit(value.strip(b" \t"))
        if edited is not None:
            kept.append(key + b"=" + edited)
    return b";".join(kept).strip(b" \t")


def _unquoted(value: bytes) -> bytes:
    return value[1:-1] if len(value) > 1 and value[:1] == b'"' == value[-1:] else value
