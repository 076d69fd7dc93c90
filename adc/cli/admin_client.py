"""Asking a running service over its admin API."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

from adc.cli.loading import load_or_fail
from adc.cli.output import MISUSED, fail

DEFAULT_ADDRESS = "127.0.0.1:9901"
TIMEOUT = 60.0
"""Seconds; a reload builds the whole configuration in every worker."""

MAX_ANSWER = 64 * 1024 * 1024
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


def admin_address(address: str | None, config: Path | None) -> str:
    """`address` if given, else what the configuration says, else the default."""
    if address is not None:
        return address
    if config is None:
        return DEFAULT_ADDRESS
    admin = load_or_fail(config).config.admin
    if admin is None:
        fail(f"{config}: the admin server is off (admin: false)", MISUSED)
    bind = next((bind for bind in admin.bind if not bind.path), None)
    if bind is None:
        fail(f"{config}: the admin server listens on no TCP address", MISUSED)
    host = EVERYWHERE.get(bind.host, bind.host)
    return f"[{host}]:{bind.port}" if ":" in host else f"{host}:{bind.port}"


def ask(address: str, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """One request; returns status and decoded answer. Ends the command if nobody answers."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        fail(f"{address!r} is not an address; write HOST:PORT", MISUSED)
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=TIMEOUT)
    headers = {} if method == "GET" else {"Content-Type": "application/json"}
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read(MAX_ANSWER))
    except (OSError, http.client.HTTPException) as error:
        fail(f"no answer from the admin server at {address}: {error}; is adc running?")
    except ValueError:
        fail(f"{address} answered, but not as an adc admin server does")
    finally:
        connection.close()


def get(address: str, path: str) -> Any:
    """The answer to a GET; anything but 200 ends the command."""
    status, value = ask(address, "GET", path)
    if status != 200:
        fail(message(value))
    return value


def message(value: Any) -> str:
    """What an answer that is no success says."""
    return str(value.get("error", value)) if isinstance(value, dict) else str(value)
