"""Clients identified by facts of their TLS handshake."""

from __future__ import annotations

from adc.http.message import Request
from adc.persistence.identity import plain_key, secret_key
from adc.persistence.table import KeyOf


def sni_key(request: Request) -> bytes | None:
    """Return the server name of the client's handshake (RFC 6066 section 3)."""
    return plain_key(request.client.sni.lower()) if request.client.sni else None


def certificate_key(field: str) -> KeyOf:
    """Return a verified fact of the client's certificate: the value of `field` in `Client.certificate`, such as its
    fingerprint."""

    def key(request: Request) -> bytes | None:
        value = request.client.certificate.get(field)
        return secret_key(value) if value else None

    return key
