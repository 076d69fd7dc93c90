"""Response fields that have browsers protect their users."""

from __future__ import annotations

import re

from adc.plugin import Context, Host, OptionErrors, Options, Plugin, Strings

_PRINTABLE = re.compile(r"[ -~]*")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_MAX_AGE = re.compile(r'(?:^|;)\s*max-age\s*=\s*"?[0-9]+"?\s*(?:;|$)', re.IGNORECASE)


class SecurityHeadersOptions(Options):
    """An empty text leaves a field out."""

    content_type_options: str = "nosniff"
    """`X-Content-Type-Options`: browsers do not guess types."""

    frame_options: str = "SAMEORIGIN"
    """`X-Frame-Options`: who may show pages in a frame."""

    referrer_policy: str = "strict-origin-when-cross-origin"
    """`Referrer-Policy`: what other sites learn of the page that links to them."""

    permissions_policy: str = ""
    """`Permissions-Policy`: features such as the camera, `camera=(), geolocation=(self)`."""

    content_security_policy: str = ""
    """`Content-Security-Policy`: where scripts, styles and so on may come from, `default-src 'self'`."""

    content_security_policy_report_only: str = ""
    """`Content-Security-Policy-Report-Only`: a policy on trial; browsers report what it would block."""

    cross_origin_opener_policy: str = ""
    """`Cross-Origin-Opener-Policy`, such as `same-origin`."""

    cross_origin_embedder_policy: str = ""
    """`Cross-Origin-Embedder-Policy`, such as `require-corp`."""

    cross_origin_resource_policy: str = ""
    """`Cross-Origin-Resource-Policy`, such as `same-site`: which sites may embed responses."""

    reporting_endpoints: str = ""
    """`Reporting-Endpoints`: where browsers send reports, `csp="https://example.com/reports"`."""

    strict_transport_security: str = ""
    """`Strict-Transport-Security`, sent over TLS only: `max-age=31536000; includeSubDomains`."""

    remove: Strings = ("Server", "X-Powered-By")
    """Response fields that are removed, since they name software."""

    replace: bool = False
    """The fields replace those that the application sets."""


_FIELDS = {
    "content_type_options": b"X-Content-Type-Options",
    "frame_options": b"X-Frame-Options",
    "referrer_policy": b"Referrer-Policy",
    "permissions_policy": b"Permissions-Policy",
    "content_security_policy": b"Content-Security-Policy",
    "content_security_policy_report_only": b"Content-Security-Policy-Report-Only",
    "cross_origin_opener_policy": b"Cross-Origin-Opener-Policy",
    "cross_origin_embedder_policy": b"Cross-Origin-Embedder-Policy",
    "cross_origin_resource_policy": b"Cross-Origin-Resource-Policy",
    "reporting_endpoints": b"Reporting-Endpoints",
}


class SecurityHeaders(Plugin[SecurityHeadersOptions]):
    """Adds the usual security fields where the application has not set them, and removes fields that name its software.

    Strict-Transport-Security is only sent over TLS (RFC 6797 section 7.2). Error pages of adc get the fields too.
    """

    error_pages = True

    def __init__(self, options: SecurityHeadersOptions) -> None:
        super().__init__(options)
        values = [(name.lower(), name, _value(options, key)) for key, name in _FIELDS.items()]
        self._fields = [each for each in values if each[2]]
        strict = _value(options, "strict_transport_security")
        if strict and not _MAX_AGE.search(strict.decode("ascii")):
            problem = "has no max-age; write max-age=31536000; includeSubDomains"
            raise OptionErrors([(("strict_transport_security",), problem)])
        name = b"Strict-Transport-Security"
        self._encrypted_fields = [*self._fields, (name.lower(), name, strict)] if strict else self._fields
        for field in options.remove:
            if not _NAME.fullmatch(field):
                raise OptionErrors([(("remove",), f"{field!r:.100} is no field name")])
        self._removed = [field.lower().encode() for field in options.remove]

    async def start(self, host: Host) -> None:
        """Declare the counter."""
        self._added = host.counter("added", "Header fields added to responses.")

    def response_head(self, context: Context) -> None:
        """Add the fields that the application has not set."""
        response = context.response
        assert response is not None
        headers = response.headers
        fields = self._encrypted_fields if context.request.scheme == "https" else self._fields
        if self.options.replace:
            headers.remove(*self._removed, *(lower for lower, _, _ in fields))
        else:
            headers.remove(*self._removed)
            fields = [field for field in fields if field[0] not in headers]
        for _, name, value in fields:
            headers.add(name, value)
        self._added.add(len(fields))


def _value(options: SecurityHeadersOptions, key: str) -> bytes:
    text: str = getattr(options, key)
    if not _PRINTABLE.fullmatch(text):
        raise OptionErrors([((key,), "only printable ASCII characters are allowed")])
    return text.encode()
