"""TLS passed through by server name: nginx as the members of two sites, each with its own certificate."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trustme

from tests.clients.application import Application, Member, Tally, program

SITES = {"a.adc.test": "tls-a", "b.adc.test": "tls-b"}
TIMEOUT = 5.0


class Tls(Application):
    """Four members, two for each site; each response names its site."""

    name = "tls"
    programs = ("nginx",)
    in_flight = 4

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        folder.mkdir(parents=True)
        authority = trustme.CA()
        self._trust = ssl.create_default_context()
        authority.configure_trust(self._trust)
        self.members = []
        for site in SITES:
            certificate = folder / f"{site}.pem"
            authority.issue_cert(site).private_key_and_cert_chain_pem.write_to_path(f"{certificate}")
            self.members += [
                Member(folder / f"{site}-{number}", _command_of(site, certificate)) for number in (1, 2)
            ]

    def configuration(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        listener = {"name": self.name, "bind": f"127.0.0.1:{self.port}", "protocol": "tcp", "sni": SITES}
        health = self.pool()["health"]
        pairs = zip(SITES.values(), (self.members[:2], self.members[2:]), strict=True)
        pools = {
            name: {"members": [member.address for member in members], "health": health}
            for name, members in pairs
        }
        return [listener], pools

    def loads(self, tally: Tally) -> list[Callable[[], None]]:
        return [
            *(lambda site=site: tally.repeat(lambda: self._visit(site), 0.01) for site in SITES),
            *(lambda site=site: self._stay(tally, site) for site in SITES),
        ]

    def _connect(self, site: str) -> http.client.HTTPSConnection:
        connection = http.client.HTTPSConnection(site, self.port, timeout=TIMEOUT, context=self._trust)
        connection._create_connection = lambda address, *rest: _dial(("127.0.0.1", address[1]), *rest)
        return connection

    def _visit(self, site: str) -> None:
        connection = self._connect(site)
        try:
            _ask(connection, site)
        finally:
            connection.close()

    def _stay(self, tally: Tally, site: str) -> None:
        """Send all requests on one connection; the client dials again after one that failed."""
        connection = self._connect(site)

        def once() -> None:
            try:
                _ask(connection, site)
            except Exception:
                connection.close()
                raise

        tally.repeat(once)
        connection.close()


_dial = http.client.HTTPConnection("")._create_connection


def _ask(connection: http.client.HTTPSConnection, site: str) -> None:
    connection.request("GET", "/")
    content = connection.getresponse().read()
    if content != site.encode():
        raise AssertionError(f"{content!r} instead of {site}")


def _command_of(site: str, certificate: Path) -> Callable[[Path, int], list[str]]:
    def command(folder: Path, port: int) -> list[str]:
        path = folder / "nginx.conf"
        path.write_text(
            f"daemon off; master_process off; user root; pid {folder}/pid; error_log {folder}/error.log;\n"
            "events {}\n"
            f"http {{ access_log off; keepalive_requests 1000000; keepalive_timeout 300s; server {{\n"
            f"  listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {certificate};\n"
            f"  location / {{ return 200 {site}; }} }} }}\n"
        )
        return [f"{program('nginx')}", "-c", f"{path}", "-e", f"{folder}/error.log"]

    return command
