"""Cookies of a login: their names, their parts, and a request without them. No I/O."""

from __future__ import annotations

from collections.abc import Mapping

from adc.plugin import CookieAttributes, Headers, format_set_cookie

PART = 3500
"""Bytes of one cookie; browsers take 4096 with name and attributes."""

MOST_PARTS = 4


class TooLarge(Exception):
    """The text does not fit into cookies."""


class Jar:
    """Names and attributes of cookies for one scheme. Over https they are bound to the host (`__Host-`) and never sent
    without TLS."""

    def __init__(self, name: str, secure: bool) -> None:
        self.name = f"__Host-{name}" if secure else name
        self._secure = secure

    def write(self, name: str, value: str, max_age: int) -> str:
        """Return a Set-Cookie value."""
        attributes = CookieAttributes(max_age=max_age, secure=self._secure, same_site="lax")
        return format_set_cookie(name, value, attributes).decode("latin-1")

    def delete(self, name: str) -> str:
        """Return a Set-Cookie value that removes a cookie."""
        return self.write(name, "", 0)

    def write_parts(self, text: str, max_age: int, before: Mapping[str, str]) -> list[str]:
        """Return the Set-Cookie values of a text in as many cookies as it needs; parts of a longer one that was there
        before are removed. Raises TooLarge."""
        parts = [text[start : start + PART] for start in range(0, len(text), PART)]
        if len(parts) > MOST_PARTS:
            raise TooLarge
        written = [self.write(self._part(number), part, max_age) for number, part in enumerate(parts)]
        return written + self.delete_parts(before, len(parts))

    def read_parts(self, cookies: Mapping[str, str]) -> str:
        """Return the text of the parts, empty if there is none."""
        text = ""
        for number in range(MOST_PARTS):
            part = cookies.get(self._part(number))
            if not part:
                break
            text += part
            if len(part) < PART:
                break
        return text

    def delete_parts(self, cookies: Mapping[str, str], first: int = 0) -> list[str]:
        """Return the Set-Cookie values that remove the parts that a request has, from `first` on."""
        names = [self._part(number) for number in range(first, MOST_PARTS)]
        return [self.delete(name) for name in names if name in cookies]

    def _part(self, number: int) -> str:
        return f"{self.name}_{number}" if number else self.name


def without(headers: Headers, names: tuple[bytes, ...]) -> None:
    """Remove the cookies whose names begin with one of `names` from a request."""
    lines = headers.get_all(b"cookie")
    if not any(name in line for line in lines for name in names):
        return
    headers.remove(b"cookie")
    for line in lines:
        kept = [pair for pair in line.split(b";") if not pair.strip(b" \t").startswith(names)]
        if kept:
            headers.add(b"Cookie", b";".join(kept).strip(b" \t"))
