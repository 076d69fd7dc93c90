"""Cache directives of a response that apply to this cache (RFC 9111 section 5.2, RFC 9213)."""

from __future__ import annotations

from dataclasses import dataclass

from adc.http.cache_control import EMPTY, MAX_BYTES, OVERLONG, CacheControl, field_names, parse_cache_control
from adc.http.headers import Headers
from adc.http.structured import Member, StructuredFieldError, parse_dictionary


@dataclass(frozen=True, slots=True)
class Directives:
    """`control` holds the directives to obey; `targeted` is True if they come from a field aimed at this cache, which
    leaves Cache-Control and Expires without meaning (RFC 9213 section 2.2)."""

    control: CacheControl
    targeted: bool = False


def response_directives(headers: Headers, targeted: tuple[bytes, ...]) -> Directives:
    """Return the first usable field of `targeted`, else Cache-Control, else Pragma.

    RFC 9111 leaves Pragma of a response open (section 5.4). Origins mean it as `no-cache`, and HAProxy and Apache
    read it so.
    """
    for name in targeted:
        if name in headers:
            control = _targeted(headers.get_all(name))
            if control:
                return Directives(control, targeted=True)
    return Directives(_control_or_pragma(headers))


def request_directives(headers: Headers) -> CacheControl:
    """Return the Cache-Control of a request. Without one, `Pragma: no-cache` means `no-cache` (RFC 9111 section
    5.4)."""
    return _control_or_pragma(headers)


def _control_or_pragma(headers: Headers) -> CacheControl:
    control = parse_cache_control(headers.get_all(b"cache-control"))
    if control:
        return control
    if b"pragma" in headers and "no-cache" in parse_cache_control(headers.get_all(b"pragma")):
        return _NO_CACHE
    return EMPTY


_NO_CACHE = CacheControl({"no-cache": None})


def _targeted(lines: list[bytes]) -> CacheControl:
    """Return a targeted field, a dictionary (RFC 9651); empty if it cannot be parsed, so that other fields count."""
    if sum(map(len, lines)) > MAX_BYTES:
        return OVERLONG
    try:
        members = parse_dictionary(lines)
    except StructuredFieldError:
        return EMPTY
    values = {name: _argument(value) for name, value in members.items() if value is not False}
    listed = {
        name: names
        for name in ("no-cache", "private")
        if isinstance(members.get(name), str) and (names := field_names(values[name]))
    }
    return CacheControl(values, listed)


def _argument(value: Member) -> str | None:
    """Return a member as a directive's argument. Only an Integer may be seconds: other types read as no number."""
    if value is True:
        return None
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) and not value.isdigit() else repr(value)
