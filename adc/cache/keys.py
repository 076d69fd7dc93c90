"""Primary keys: which requests may share a stored response (RFC 9111 section 2).

A key is the URL (`scheme://authority/path?query`, the path as the member receives it), followed by parts that the
route's rules add.

A URL has no NUL byte, so everything up to the first NUL is the URL, and purges by URL and by prefix work on keys.
Added parts carry their length, so two different requests never make one key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from adc.cache.cookies import EVERY_COOKIE, CookieRules
from adc.http.message import Request

_DEFAULT_PORT = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class KeyRules:
    """The parts of a request in its key, besides scheme, authority and path.

    `ignore_query`: shell patterns (`utm_*`) of excluded parameter names; `only_query`: if not None the only ones
    included (exact names); `sort_query`: parameters in order of their names; `headers` (lower-case) and `cookies`:
    values added. `counted_cookies`: the part of the Cookie field that counts, in keys and in responses that vary by
    it.
    """

    ignore_query: tuple[str, ...] = ()
    only_query: tuple[str, ...] | None = None
    sort_query: bool = False
    headers: tuple[bytes, ...] = ()
    cookies: tuple[bytes, ...] = ()
    counted_cookies: CookieRules = EVERY_COOKIE

    @property
    def edits_query(self) -> bool:
        return bool(self.ignore_query) or self.only_query is not None or self.sort_query


def primary_key(request: Request, rules: KeyRules) -> bytes:
    """Return the key of `request`. GET and HEAD share it; the body and every field not named in `rules` are not in
    it.
    """
    has_query = "?" in request.target
    path = request.path if request.plain else request.sent_path
    url = url_key(request.scheme, request.authority, path, request.query if has_query else None, rules)
    if not rules.headers and not rules.cookies:
        return url
    return url + b"\0" + b"".join(_parts(request, rules))


def url_key(scheme: str, authority: str, path: str, query: str | None, rules: KeyRules) -> bytes:
    """Return the URL part of a key. `query` None is a URL without `?`, unlike one with an empty query."""
    place = authority.lower().removesuffix(_DEFAULT_PORT.get(scheme, ""))
    if query is None:
        return f"{scheme}://{place}{path}".encode("utf-8", "surrogateescape")
    if rules.edits_query:
        query = normal_query(query, rules)
        if not query:
            return f"{scheme}://{place}{path}".encode("utf-8", "surrogateescape")
    return f"{scheme}://{place}{path}?{query}".encode("utf-8", "surrogateescape")


def normal_query(query: str, rules: KeyRules) -> str:
    """Return `query` with the rules applied.

    Names are compared as written: `%75tm_source` is not `utm_source`. A parameter with `;` in it is always
    kept, since some applications read two parameters there, and the hidden one must not be left out of the
    key.
    """
    parameters = [text for text in query.split("&") if text and _kept(text, rules)]
    if rules.sort_query:
        parameters.sort(key=_name)
    return "&".join(parameters)


def url_of(key: bytes) -> bytes:
    """Return the URL part of a key."""
    return key.partition(b"\0")[0]


def _kept(parameter: str, rules: KeyRules) -> bool:
    if ";" in parameter:
        return True
    name = _name(parameter)
    if rules.only_query is not None and name not in rules.only_query:
        return False
    return not any(fnmatchcase(name, pattern) for pattern in rules.ignore_query)


def _name(parameter: str) -> str:
    return parameter.partition("=")[0]


def _parts(request: Request, rules: KeyRules) -> Iterator[bytes]:
    counted = rules.counted_cookies
    for name in rules.headers:
        value = counted.value(request.headers) if name == b"cookie" else request.headers.joined(name)
        yield _part(b"h:" + name, value)
    if rules.cookies:
        cookies = _cookies(counted.pairs(request.headers))
        for name in rules.cookies:
            yield _part(b"c:" + name, cookies.get(name))


def _part(name: bytes, value: bytes | None) -> bytes:
    return b"%b=-;" % name if value is None else b"%b=%d:%b;" % (name, len(value), value)


def _cookies(pairs: list[bytes]) -> dict[bytes, bytes]:
    """Return every value of each cookie name, in order: an application may read the first or the last."""
    found: dict[bytes, bytes] = {}
    for pair in pairs:
        name, _, value = pair.partition(b"=")
        found[name] = found[name] + b";" + value if name in found else value
    return found
