"""Clients identified by facts of their TLS handshake."""

from __future__ import annotations

from adc.http.client import Flow
from adc.persistence.identity import plain_key, secret_key
from adc.persistence.table import KeyOf


def sni_key(flow: Flow) -> bytes | None:
    """Return the server name of the client's handshake (RFC 6066 section 3)."""
    return plain_key(flow.client.sni.lower()) if flow.client.sni else None


def certificate_key(field: str) -> KeyOf[Flow]:
    """Return a verified fact of the client's certificate: the value of `field` in `Client.certificate`, such as its
    fingerprint."""

    def key(flow: Flow) -> bytes | None:
        value = flow.client.certificate.get(field)
        return secret_key(value) if value else None

    return key
