"""Client connections under TLS."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adc.codecs.http1.server import ServerConnection
from adc.http.headers import Headers
from adc.http.message import Response
from adc.net import client_certificate

if TYPE_CHECKING:
    from adc.net.file_output import FileOutput

_STRICT = b"strict-transport-security"


class SecureConnection(ServerConnection):
    """A client connection under TLS. `certificate` tells of the client's, empty without one."""

    __slots__ = ("certificate",)

    scheme = "https"

    def connection_made(self, transport: Any) -> None:
        secured = transport.get_extra_info("ssl_object")
        self.sni = secured.server_name
        der = secured.getpeercert(binary_form=True)
        self.certificate: dict[str, str] = {}
        super().connection_made(transport)
        try:
            self.certificate = client_certificate.describe(der) if der else {}
        except ValueError:  # OpenSSL takes some that are not well-formed; nobody could be told what they say
            transport.abort()

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
