"""Fields that describe a client's certificate to members; no client can set them. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from adc.http.fields import as_variable
from adc.http.message import Request

if TYPE_CHECKING:
    from cryptography import x509

VERIFY = "X-SSL-Client-Verify"
SUBJECT = "X-SSL-Client-Subject-DN"
ISSUER = "X-SSL-Client-Issuer-DN"
NAMES = "X-SSL-Client-SAN"
SERIAL = "X-SSL-Client-Serial"
FINGERPRINT = "X-SSL-Client-Fingerprint"
UNTIL = "X-SSL-Client-Not-After"

_FIELDS = (VERIFY, SUBJECT, ISSUER, NAMES, SERIAL, FINGERPRINT, UNTIL)
_RESERVED = frozenset(name.lower().encode() for name in _FIELDS)
_UNSAFE = re.compile(r"[^ -~]")
_LONGEST = 4096


def describe(der: bytes) -> dict[str, str]:
    """Return field names and values for a certificate that TLS has verified, from its DER form. Raises ValueError."""
    from cryptography import x509  # here and below: only TLS needs it, and it is large
    from cryptography.hazmat.primitives import hashes

    certificate = x509.load_der_x509_certificate(der)
    return {
        VERIFY: "SUCCESS",
        SUBJECT: _text(certificate.subject.rfc4514_string()),
        ISSUER: _text(certificate.issuer.rfc4514_string()),
        NAMES: _text(", ".join(_names(certificate))),
        SERIAL: f"{certificate.serial_number:X}",
        FINGERPRINT: certificate.fingerprint(hashes.SHA256()).hex(),
        UNTIL: certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _names(certificate: x509.Certificate) -> Iterator[str]:
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    for name in found:
        if isinstance(name, x509.DNSName):
            yield f"DNS:{name.value}"
        elif isinstance(name, x509.RFC822Name):
            yield f"email:{name.value}"
        elif isinstance(name, x509.UniformResourceIdentifier):
            yield f"URI:{name.value}"
        elif isinstance(name, x509.IPAddress):
            yield f"IP:{name.value}"


def _text(value: str) -> str:
    """Return `value` as a field may hold it: other bytes as `\\\\XX`, the escape of RFC 4514 section 2.4."""
    return _UNSAFE.sub(_escaped, value)[:_LONGEST]


def _escaped(match: re.Match[str]) -> str:
    return "".join(f"\\{byte:02X}" for byte in match[0].encode("utf-8", "surrogateescape"))


def tell(request: Request, certificate: dict[str, str]) -> None:
    """Replace the fields of `request` about a certificate by the verified ones; `certificate` is empty if there is
    none.

    Spellings with `_` are removed too: members that map fields to variables cannot distinguish them from `-`.
    """
    strip(request)
    for name, value in (certificate or {VERIFY: "NONE"}).items():
        request.headers.add(name.encode(), value.encode("ascii"))


def strip(request: Request) -> None:
    """Remove what a client says about a certificate on a listener that asks for none."""
    headers = request.headers
    forged = {name.lower() for name, _ in headers.pairs if _is_reserved(name)}
    if forged:
        headers.remove(*forged)


def _is_reserved(name: bytes) -> bool:
    return as_variable(name) in _RESERVED
