"""Asking a running service over its admin API."""

from __future__ import annotations

import http.client
import json
import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from adc.cli.loading import load_or_fail
from adc.cli.output import MISUSED, fail

if TYPE_CHECKING:
    from adc.config.model.node import Admin
    from adc.runtime.operations.operation import Operation, Reply, Request

DEFAULT_ADDRESS = "127.0.0.1:9901"
TIMEOUT = 60.0
"""Seconds; a reload builds the whole configuration in every worker."""

MAX_ANSWER = 64 * 1024 * 1024
TOKEN = "ADC_ADMIN_TOKEN"
CA = "ADC_ADMIN_CA"
CERTIFICATE = "ADC_ADMIN_CERTIFICATE"
KEY = "ADC_ADMIN_KEY"
"""Environment variables: the token, and PEM files for TLS."""

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


class Endpoint(NamedTuple):
    """Address and credentials of the admin server, and its TLS context (None: plain HTTP)."""

    address: str
    token: str = ""
    tls: ssl.SSLContext | None = None


def admin_address(address: str | None, config: Path | None) -> Endpoint:
    """Return the access that the configuration gives; `address` and the environment's token override it."""
    token, ca = os.environ.get(TOKEN, ""), os.environ.get(CA)
    if config is None:
        return Endpoint(address or DEFAULT_ADDRESS, token, None if ca is None else _context(ca))
    admin = load_or_fail(config).config.admin
    if admin is None:
        fail(f"{config}: the admin server is off (admin: false)", MISUSED)
    tls = None if admin.tls is None else _context(ca or admin.tls.certificate, pinned=ca is None)
    return Endpoint(address or _bound(config, admin), token or admin.token, tls)


def _bound(config: Path, admin: Admin) -> str:
    bind = next((bind for bind in admin.bind if not bind.path), None)
    if bind is None:
        fail(f"{config}: the admin server listens on no TCP address", MISUSED)
    host = EVERYWHERE.get(bind.host, bind.host)
    return f"[{host}]:{bind.port}" if ":" in host else f"{host}:{bind.port}"


def _context(ca: str, *, pinned: bool = False) -> ssl.SSLContext:
    """Trust the certificates in `ca`; if `pinned`, they are the server's, whatever name they contain."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(ca)
        if CERTIFICATE in os.environ:
            context.load_cert_chain(os.environ[CERTIFICATE], os.environ.get(KEY))
    except OSError as error:  # ssl.SSLError among them
        fail(f"certificates for the admin server: {ca}: {error}", MISUSED)
    if pinned:
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def ask(endpoint: Endpoint, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Send one request; return status and decoded response. Ends the command without a response."""
    address = endpoint.address
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        fail(f"{address!r} is not an address; write HOST:PORT", MISUSED)
    connection = _connection(host.strip("[]"), int(port), endpoint.tls)
    headers = {} if method == "GET" else {"Content-Type": "application/json"}
    if endpoint.token:
        headers["Authorization"] = f"Bearer {endpoint.token}"
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        answer = response.read(MAX_ANSWER)
    except (OSError, http.client.HTTPException) as error:
        fail(f"no response from the admin server at {address}: {error}; is adc running?")
    finally:
        connection.close()
    return response.status, _decoded(address, response.status, answer)


def _connection(host: str, port: int, tls: ssl.SSLContext | None) -> http.client.HTTPConnection:
    if tls is None:
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    return http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=tls)


def _decoded(address: str, status: int, answer: bytes) -> Any:
    if status == 401:
        fail(f"{address} requires a token: set {TOKEN}, or name the configuration with --config")
    try:
        return json.loads(answer)
    except ValueError:
        fail(f"{address} is no adc admin server: unexpected response")


def carry_out(endpoint: Endpoint, operation: Operation[Request, Reply], request: Request) -> Reply:
    """Carry out an operation of the running service; anything but 200 ends the command."""
    from adc.runtime.operations.convert import from_json
    from adc.runtime.operations.place import placed

    status, value = ask(endpoint, operation.method, *placed(operation, request))
    if status != 200:
        fail(message(value))
    try:
        reply: Reply = from_json(operation.reply, value, "the reply")
    except ValueError as error:
        fail(f"{endpoint.address} runs another version of adc: {error}")
    return reply


def get(endpoint: Endpoint, path: str) -> Any:
    """Return the response to a GET; any status but 200 ends the command."""
    status, value = ask(endpoint, "GET", path)
    if status != 200:
        fail(message(value))
    return value


def message(value: Any) -> str:
    """Return the message of an error response."""
    return str(value.get("error", value)) if isinstance(value, dict) else str(value)
