"""References and cookies of a member as its client has to see them: a route's rewrite, read backwards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from adc.http.references import (
    PORTS,
    Reference,
    host_and_port,
    resolved,
    split_reference,
    without_dots,
    without_host,
)

_FOR_THE_ROOT: Final = b"__host-"
"""Prefix of cookies that browsers accept with `Path=/` only."""


class MemberOrigins:
    """Names under which the members of a route know themselves: their addresses (`host:port`) and `host`, the value
    of the Host field that the route sends them, None for the client's. `scheme` is the scheme of the requests they
    receive.
    """

    __slots__ = ("_addresses", "_host", "_ports", "scheme")

    def __init__(self, addresses: Iterable[str], host: str | None, secure: bool) -> None:
        self.scheme = b"https" if secure else b"http"
        named = [address.encode().lower() for address in addresses if not address.startswith("unix:")]
        found = [each for address in named if (each := host_and_port(self.scheme, address)) is not None]
        self._addresses = frozenset(found)
        own = None if host is None else host_and_port(self.scheme, host.encode())
        self._host = b"" if own is None else own[0]
        self._ports = frozenset([*PORTS.values(), *([own[1]] if own else []), *[port for _, port in found]])

    def include(self, host: bytes, port: bytes) -> bool:
        """True if a URL with this host and port is the members' own."""
        return (host, port) in self._addresses or (host == self._host and port in self._ports)

    def covered_by(self, domain: bytes) -> bool:
        """True if cookies with this Domain are for a host of the members."""
        hosts = {host for host, _ in self._addresses} | {self._host}
        return any(_covers(domain, host) for host in hosts if host)


class Paths:
    """Paths of members as paths of the client. `stripped` is the prefix that was removed from the client's path,
    `added` the one that was added, `announced` the value of `X-Forwarded-Prefix`.

    A path that begins with `stripped` or `announced` is left alone: the application builds its links by that field.
    So is a path outside of `added`, which no client's path leads to.
    """

    __slots__ = ("_added", "_known", "_stripped")

    def __init__(self, stripped: bytes, added: bytes, announced: bytes) -> None:
        self._stripped = stripped
        self._added = added
        self._known = tuple(prefix for prefix in (stripped, announced.rstrip(b"/")) if prefix)

    def of_client(self, path: bytes) -> bytes:
        """Return the client's form of an absolute path."""
        if self._added:
            if not _under(path, self._added):
                return path
            return self._stripped + path[len(self._added) :] or b"/"
        if any(_under(path, prefix) for prefix in self._known):
            return path
        return self._stripped + path

    def of_cookie(self, path: bytes) -> bytes:
        """Return the client's form of the Path of a cookie. An ancestor of the members' paths becomes that of the
        client's."""
        added = self._added
        if added and not _under(path, added):
            return (self._stripped or path) if _under(added, path.rstrip(b"/")) else path
        made = self.of_client(path)
        return self._stripped if path == b"/" and made == self._stripped + b"/" and self._stripped else made


class ClientView:
    """One client's view: its `scheme` and `authority`, and its `path` where the member sees `member_path`. `asked` is
    the authority in the request, which differs from the client's behind a proxy that says so.
    """

    __slots__ = ("_asked", "_authority", "_member_path", "_members", "_path", "_paths", "_scheme")

    def __init__(
        self,
        members: MemberOrigins,
        paths: Paths,
        scheme: bytes,
        authority: bytes,
        asked: bytes,
        path: bytes,
        member_path: bytes,
    ) -> None:
        self._members = members
        self._paths = paths
        self._scheme = scheme
        self._authority = authority
        self._asked = asked
        self._path = path
        self._member_path = member_path

    def reference(self, value: bytes) -> bytes:
        """Return a URI or a relative reference of the member as the client's.

        References to other hosts stay, and a path does not become a host.
        """
        parts = split_reference(value)
        if parts.authority is not None:
            return self._absolute(value, parts, parts.authority)
        path = parts.path
        if parts.scheme or not path:
            return value
        meant = without_dots(path) if path.startswith(b"/") else resolved(self._member_path, path)
        made = without_host(self._paths.of_client(meant))
        return value if resolved(self._path, path) == made else made + parts.rest

    def _absolute(self, value: bytes, parts: Reference, authority: bytes) -> bytes:
        scheme = parts.scheme or self._scheme
        place = host_and_port(scheme, authority)
        if place is None or not self._authority:
            return value
        made = self._paths.of_client(without_dots(parts.path or b"/")) + parts.rest
        if place == host_and_port(scheme, self._authority):
            seen = self._scheme if parts.scheme == self._members.scheme else parts.scheme
            return b"%b//%b%b" % (seen and seen + b":", authority, made)
        if self._members.include(*place) or place == host_and_port(scheme, self._asked):
            return b"%b://%b%b" % (self._scheme, self._authority, made)
        return value

    def cookie_path(self, cookie: bytes, path: bytes) -> bytes:
        """Return the Path of a cookie as the client's."""
        if not path.startswith(b"/") or cookie.lower().startswith(_FOR_THE_ROOT):
            return path
        return self._paths.of_cookie(path)

    def cookie_domain(self, domain: bytes) -> bytes:
        """Return the Domain of a cookie: the client's host in place of the members', b"" where that is no name."""
        place = host_and_port(self._scheme, self._authority)
        bare = domain.lower().lstrip(b".")
        if place is None or _covers(bare, place[0]) or not self._members.covered_by(bare):
            return domain
        return b"" if place[0].startswith(b"[") else place[0]


def _under(path: bytes, prefix: bytes) -> bool:
    """True if `path` is `prefix` or continues it with a further segment."""
    return path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in (b"", b"/")


def _covers(domain: bytes, host: bytes) -> bool:
    return host == domain or host.endswith(b"." + domain)
