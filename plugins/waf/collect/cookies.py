"""`Cookie` headers, read as ModSecurity reads them (version 0 cookies)."""

from __future__ import annotations

from collections.abc import Iterable

from adc_plugins.waf.bodies.parsed import Pair

_SPACE = b" \t\n\v\f\r"


def parse_cookies(headers: Iterable[bytes]) -> list[Pair]:
    """Return name and value of each cookie, undecoded; an item without `=` is a name.

    Space before a name and behind the last cookie is no part of it; all other space is. A value without a name, which
    ModSecurity leaves out, is kept: some servers read it.
    """
    cookies: list[Pair] = []
    for header in headers:
        items = header.removesuffix(b";").split(b";")
        items[-1] = items[-1].rstrip(_SPACE)
        for item in items:
            name, _, value = item.partition(b"=")
            name = name.lstrip(_SPACE)
            if name or value:
                cookies.append((name, value))
    return cookies
