"""SQL injection and cross-site scripting, as libinjection knows them."""

from __future__ import annotations

from ..expression import Expression
from .model import Match, Operator

try:
    import libinjection
except ImportError:  # of the extra `waf`
    libinjection = None

AVAILABLE = libinjection is not None


class _Encoded(bytes):
    """Bytes that libinjection, which encodes its argument, gets as they are."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """Return the bytes, whatever the encoding."""
        return self


class DetectSqlInjection(Operator):
    """The value has the fingerprint of an SQL injection."""

    prefilter = (Expression(rb"[^0-9A-Za-z_]"),)

    def match(self, value: bytes) -> Match | None:
        """Return the fingerprint."""
        found = libinjection.is_sql_injection(_Encoded(value))
        return (found["fingerprint"].encode(),) if found["is_sqli"] else None


class DetectXss(Operator):
    """The value would run a script if a page contained it."""

    prefilter = (Expression(rb"[<=]"),)

    def match(self, value: bytes) -> Match | None:
        """Return the value if it is an attack."""
        return (value,) if libinjection.is_xss(_Encoded(value))["is_xss"] else None
