"""Clients told apart by what the TLS handshake said."""

from __future__ import annotations

from adc.http.message import Request
from adc.persistence.identity import plain_key, secret_key
from adc.persistence.table import KeyOf


def sni_key(request: Request) -> bytes | None:
    """The server name that the client asked for (RFC 6066 section 3)."""
    return plain_key(request.sni.lower()) if request.sni else None


def certificate_key(field: str) -> KeyOf:
    """The client certificate, as told by the request field (its subject or fingerprint) that the TLS
    listener sets and takes from clients who send it themselves."""
    wanted = field.lower().encode("latin-1")

    def key(request: Request) -> bytes | None:
        value = request.headers.get(wanted)
        return secret_key(value.decode("latin-1")) if value else None

    return key
