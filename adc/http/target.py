"""Request targets and authorities: checked, split, and normalised for the rules.

The path rule is in `docs/architecture.md`; this module is its only implementation.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Final, NamedTuple


class BadTarget(ValueError):
    """A request target that no rule can be matched against safely; the message is the reason."""


class BadHost(ValueError):
    """A Host field or authority that names no host; the message is the reason."""


class Target(NamedTuple):
    """An origin-form target, split at its first `?`.

    `path` is normalised; `query` is as received. `plain` is True if the path was written in its normal form and has no
    other reading (`adc.http.readings`).
    """

    path: str
    query: str
    plain: bool


ASTERISK: Final = Target("*", "", True)
"""The target of `OPTIONS *` (RFC 9112 section 3.2.4); a caller that knows the method uses this."""

_UNRESERVED: Final = r"A-Za-z0-9\-._~"
_PCHAR: Final = rf"{_UNRESERVED}!$&'()*+,;=:@"

# An ordinary path: characters without a second meaning, and escapes that are already in normal form: a space within a
# name, and bytes over 0x7F unless they begin what may be taken for ASCII (`adc.http.lookalikes`). Of `+` those
# within a name, of `(` those that begin no session id of ASP.NET, of `$` those that name no stream of NTFS. No
# possessive quantifiers here or elsewhere: those of Python 3.11.2, Debian 12's, match what they should not.
_ORDINARY: Final = rf"{_UNRESERVED}!&')*,=:@/"
_ORDINARY_ESCAPE: Final = (
    r"(?:%(?:[89AB][0-9A-F]|C[3689CEF]|D[0-79A-F]|D8%[AB][0-9A-F]|C4%(?:[89A][0-9A-F]|B[014-9A-F])"
    r"|C5%(?:[89A][0-9A-F]|B[0-9A-E])|E0%[AB][0-9A-F]|E1%(?:8[0-9A-F]|B[AB])|E3%(?:8[1-7]|[9AB][0-9A-F])"
    r"|E[4-9BCDE]|EA%[AB][0-9A-F]|F0%(?:9[1-9A-CE]|[AB][0-9A-F])|F0%9F%(?:9[0-9A-F]|A[0-9A-E])|F[12])"
    r"|(?<!/)(?:%20|\+)(?![/%+]|\Z)|\((?![A-Za-z]\()|(?<!:)\$)"
)
_ordinary_path: Final = re.compile(rf"/[{_ORDINARY}]*(?:{_ORDINARY_ESCAPE}[{_ORDINARY}]*)*\Z").match
_not_visible: Final = re.compile(r"[^!-~]").search
_malformed_escape: Final = re.compile(r"%(?![0-9A-Fa-f]{2})").search
_escape: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_needs_escape: Final = re.compile(rf"[^{_PCHAR}/%]")
_encoded_unreserved: Final = re.compile(
    r"%(?:2[DdEe]|3[0-9]|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9AaEe])"
).search
# Segments that a lenient member could take for a dot segment: `..;x`, `..%2F`, `%5C..`.
_hidden_dots: Final = re.compile(r"(?:/|%2F|%5C)\.\.?(?:;|/|%2F|%3B|%5C|\Z)").search
_dot_at_end: Final = re.compile(r"\.(?:/|\Z)").search
_absolute: Final = re.compile(r"(https?)://([^/?#]*)(.*)\Z", re.IGNORECASE).match

_new_tuple: Final = tuple.__new__

_MOST_KNOWN: Final = 1024
_LONGEST_KNOWN: Final = 128


class _Known:
    """Ordinary paths that came lately: most come again. Few and short ones, because clients choose them."""

    __slots__ = ("paths",)

    def __init__(self) -> None:
        self.paths: dict[str, bool] = {}


_KNOWN: Final = _Known()


def split_target(target: str) -> Target:
    """Split an origin-form target (RFC 9112 section 3.2.1) and normalise its path.

    Raises `BadTarget`. The reader of the target limits its length.
    """
    path, query, plain = parts_of(target)
    return _new_tuple(Target, (path, query, plain))  # half the cost of Target(...)


def parts_of(target: str) -> tuple[str, str, bool]:
    """Do the same as `split_target` without an object for the result: compiled, a tuple of known length needs none."""
    path, _, query = target.partition("?")
    # Four scans in C take half the time of one regular expression here.
    if query and not (query.isascii() and query.isprintable() and " " not in query and "#" not in query):
        raise BadTarget("a query holds only visible ASCII characters without '#'")
    known = _KNOWN.paths
    if path in known:
        return path, query, True
    if (
        _ordinary_path(path)
        and "//" not in path
        and ("." not in path or ("/." not in path and "./" not in path and path[-1] != "."))
    ):
        if len(path) <= _LONGEST_KNOWN:
            if len(known) >= _MOST_KNOWN:
                known.clear()
            known[path] = True
        return path, query, True
    normal = normalise_path(path)
    return normal, query, normal == path and bool(_ordinary_path(path)) and not _dot_at_end(path)


def normalise_path(path: str) -> str:
    """Return the normalised form of `path` (no query). Raises `BadTarget`."""
    _refuse_ambiguous_characters(path)
    plain = _without_dot_segments(_needs_escape.sub(_escaped, _escape.sub(_unescaped, path)))
    if _hidden_dots(plain):
        raise BadTarget("a path holds a dot segment beside ';' or an escaped separator")
    return plain


def split_absolute(target: str) -> tuple[str, str, str]:
    """Take an absolute-form target (RFC 9112 section 3.2.2) apart: scheme, authority, origin-form target.

    The scheme is `http` or `https`; the authority, which replaces the Host field, is yet to be checked with
    `parse_host`. Raises `BadTarget`.
    """
    match = _absolute(target)
    if match is None:
        raise BadTarget("a target starts with '/' or 'http://' or 'https://'")
    scheme, authority, rest = match.groups()
    if not rest.startswith("/"):
        rest = f"/{rest}"
    return scheme.lower(), authority, rest


def _refuse_ambiguous_characters(path: str) -> None:
    if not path.startswith("/"):
        raise BadTarget("a target starts with '/'")
    if _not_visible(path):
        raise BadTarget("a path holds only visible ASCII characters")
    if "\\" in path or "#" in path:
        raise BadTarget("a path holds no backslash and no '#'")
    if _malformed_escape(path):
        raise BadTarget("a '%' is followed by two hexadecimal digits")
    if "%00" in path:
        raise BadTarget("a path holds no NUL")


def _unescaped(match: re.Match[str]) -> str:
    escape = match[0]
    if _encoded_unreserved(escape):
        return chr(int(escape[1:], 16))
    return escape.upper()


def _escaped(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"


def _without_dot_segments(path: str) -> str:
    """RFC 3986 section 5.2.4, with empty segments dropped first; climbing above the root is refused."""
    if "//" not in path and "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            if not kept:
                raise BadTarget("a path climbs above the root")
            kept.pop()
        elif segment not in ("", "."):
            kept.append(segment)
    closing = "/" if kept and segments[-1] in ("", ".", "..") else ""
    return f"/{'/'.join(kept)}{closing}"


_PORT: Final = (
    r"(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])?)?\Z"
)
_name: Final = re.compile(rf"([A-Za-z0-9_][A-Za-z0-9_\-]*(?:\.[A-Za-z0-9_\-]+)*)\.?{_PORT}").match
_bracketed: Final = re.compile(rf"\[([0-9A-Fa-f:.]+)\]{_PORT}").match
_long_label: Final = re.compile(r"[^.]{64}").search
_ends_in_number: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\Z").match
_BYTE: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_ipv4: Final = re.compile(rf"{_BYTE}(?:\.{_BYTE}){{3}}\Z").match


def parse_host(value: str) -> str:
    """Return the host that a Host field or an authority names: lower-case, without port and without a trailing dot.

    Takes a name of letters, digits, `-` and `_` (labels up to 63, 253 in all), an IPv4 address in four
    decimal parts, or an IPv6 address in brackets, which comes back in brackets in its shortest form. No user
    information and no percent escapes (narrower than RFC 3986 section 3.2.2). Raises `BadHost`.
    """
    match = _name(value)
    if match is None:
        return _ipv6_host(value)
    host = match[1].lower()
    if len(host) > 63 and (len(host) > 253 or _long_label(host)):
        raise BadHost("a host name has labels of up to 63 characters, 253 in all")
    if (host[-1] <= "9" or "0x" in host) and _ends_in_number(host) and not _ipv4(host):
        raise BadHost("an IPv4 address has four decimal parts of 0 to 255")
    return host


def _ipv6_host(value: str) -> str:
    match = _bracketed(value)
    if match is None:
        raise BadHost(
            "a host is a name, an IPv4 address or a bracketed IPv6 address, with a port up to 65535"
        )
    try:
        return f"[{IPv6Address(match[1]).compressed}]"
    except AddressValueError as error:
        raise BadHost("not an IPv6 address") from error
