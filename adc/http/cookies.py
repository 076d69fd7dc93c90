"""Reading the Cookie field (RFC 6265 section 4.2.1), forgiving and bounded."""

from __future__ import annotations

from adc.http.headers import Headers

MAX_COOKIES = 300
"""Pairs read from one request; browsers keep at most about 180 for a site. Later ones are ignored."""


def parse_cookies(headers: Headers) -> dict[str, str]:
    """Return the cookies' values by name, as text in latin-1, without decoding.

    The first of several cookies with one name counts: user agents send the most specific path first
    (RFC 6265 section 5.4). A pair without `=` or without a name is skipped; quotes around a value go.
    """
    if b"cookie" not in headers:
        return {}
    cookies: dict[str, str] = {}
    line = b";".join(headers.get_all(b"cookie")).decode("latin-1")  # HTTP/2 splits the field into several
    for pair in line.split(";", MAX_COOKIES)[:MAX_COOKIES]:
        name, equals, value = pair.partition("=")
        name = name.strip(" \t")
        if not equals or not name or name in cookies:
            continue
        value = value.strip(" \t")
        if len(value) > 1 and value[0] == '"' == value[-1]:
            value = value[1:-1]
        cookies[name] = value
    return cookies
