"""Client connections under TLS."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adc.codecs.http1.server import ServerConnection
from adc.http.client import Client
from adc.http.headers import Headers
from adc.http.message import Response
from adc.net import client_certificate

if TYPE_CHECKING:
    from adc.net.file_output import FileOutput
    from adc.net.handshake import Handshake

_STRICT = b"strict-transport-security"


class SecureConnection(ServerConnection):
    """A client connection under TLS."""

    __slots__ = ()

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        der = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        try:
            self.client.certificate = client_certificate.describe(der) if der else {}
        except ValueError:  # OpenSSL accepts malformed certificates, which could not be described to a member
            transport.abort()

    def _known_client(self, handshake: Handshake, transport: Any) -> Client:
        client = super()._known_client(handshake, transport)
        secured = transport.get_extra_info("ssl_object")
        client.scheme = "https"
        client.sni = secured.server_name
        client.alpn = secured.selected_alpn_protocol() or ""
        return client

    def file_output(self, writable: Callable[[], None]) -> FileOutput | None:
        return None  # the kernel does not encrypt

    def eof_received(self) -> bool:
        super().eof_received()
        return False  # TLS closes both directions


class StrictConnection(SecureConnection):
    """One whose responses tell browsers to keep to https (RFC 6797)."""

    __slots__ = ()

    def send_head(self, response: Response, body: bytes, end: bool) -> None:
        if _STRICT not in response.headers:
            line = (b"Strict-Transport-Security", self._settings.strict_transport)
            response.headers = Headers([*response.headers.pairs, line])
        super().send_head(response, body, end)
