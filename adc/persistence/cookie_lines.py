"""Finding and changing one cookie among those of a request, the others left byte for byte."""

from __future__ import annotations

from collections.abc import Callable

from adc.http.cookies import parse_cookies
from adc.http.headers import Headers


def find_cookie(headers: Headers, name: str, wanted: bytes) -> str | None:
    """The value of the cookie `name` (`wanted` is the same name as bytes). Requests without it are told apart
    without being parsed."""
    if b"cookie" not in headers:
        return None
    for line in headers.get_all(b"cookie"):
        if wanted in line:
            return parse_cookies(headers).get(name)
    return None


def edit_cookie(headers: Headers, name: bytes, edit: Callable[[bytes], bytes | None]) -> None:
    """Replace the value of every cookie `name` by `edit(value)`; None removes it, and a line left empty goes
    too."""
    lines = headers.get_all(b"cookie")
    edited = [_edit_line(line, name, edit) if name in line else line for line in lines]
    if edited != lines:
        replace_lines(headers, b"Cookie", edited)


def replace_lines(headers: Headers, name: bytes, values: list[bytes]) -> None:
    """Put `values` in the place of all lines called `name`; empty ones are left out."""
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
