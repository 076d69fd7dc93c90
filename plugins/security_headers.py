"""Response fields that have browsers protect their users."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from adc.plugin import Context, Host, Plugin

_PRINTABLE = re.compile(r"[ -~]*")


@dataclass(frozen=True)
class SecurityHeadersOptions:
    """An empty text leaves a field out."""

    content_type_options: str = "nosniff"
    frame_options: str = "SAMEORIGIN"
    referrer_policy: str = "strict-origin-when-cross-origin"
    permissions_policy: str = ""
    content_security_policy: str = ""
    cross_origin_opener_policy: str = ""
    strict_transport_security: str = ""
    remove: list[str] = field(default_factory=lambda: ["Server", "X-Powered-By"])


_FIELDS = {
    "content_type_options": b"X-Content-Type-Options",
    "frame_options": b"X-Frame-Options",
    "referrer_policy": b"Referrer-Policy",
    "permissions_policy": b"Permissions-Policy",
    "content_security_policy": b"Content-Security-Policy",
    "cross_origin_opener_policy": b"Cross-Origin-Opener-Policy",
}


class SecurityHeaders(Plugin[SecurityHeadersOptions]):
    """Adds the usual security fields where the application has not set them, and removes fields that name its software.

    Strict-Transport-Security is only sent over TLS (RFC 6797 section 7.2).
    """

    def __init__(self, options: SecurityHeadersOptions) -> None:
        super().__init__(options)
        self._fields = [(name, _value(options, key)) for key, name in _FIELDS.items() if _value(options, key)]
        self._strict_transport = _value(options, "strict_transport_security")
        self._removed = [name.lower().encode() for name in options.remove]

    async def start(self, host: Host) -> None:
        self._added = host.counter("added", "Header fields added to responses.")

    def response_head(self, context: Context) -> None:
        """Add the fields that the application has not set."""
        response = context.response
        assert response is not None
        headers = response.headers
        headers.remove(*self._removed)
        missing = [pair for pair in self._fields if pair[0].lower() not in headers]
        encrypted = context.request.scheme == "https"
        if self._strict_transport and encrypted and b"strict-transport-security" not in headers:
            missing.append((b"Strict-Transport-Security", self._strict_transport))
        for name, value in missing:
            headers.add(name, value)
        self._added.add(len(missing))


def _value(options: Any, key: str) -> bytes:
    text: str = getattr(options, key)
    if not _PRINTABLE.fullmatch(text):
        raise ValueError(f"{key}: only printable ASCII characters are allowed")
    return text.encode()
